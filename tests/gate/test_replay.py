"""The same code, the same request, the same short code once more; and many at once."""

from typing import Any

import pytest
from django.db import connection

from tests.gate.answers import problem, refused, set_to
from tests.gate.world import SCENE, World
from yikatong.gate import sequence
from yikatong.using.codes import pass_, rules
from yikatong.using.codes.pass_ import Reason, Scene
from yikatong.using.usage.models import Shown, Use


@pytest.mark.clause("B8")
def test_a_code_passes_once_in_the_whole_province(world: World) -> None:
    first, second, rider = world.terminal(), world.terminal(), world.rider()
    code = rider.code(at=world.now)
    taken = first.verify(code).body["sequence"]
    asked = second.verify(code)
    assert (asked.body["accepted"], asked.body["name"]) == (False, "replayed")
    assert "first_sequence" not in asked.body  # where the holder was is nobody's business
    use = Use.objects.get(terminal=second.row.number)
    assert (use.outcome, use.first_terminal, use.first_sequence) == (402, first.row.number, taken)
    again = first.verify(code)
    assert (again.body["name"], again.body["first_sequence"]) == ("replayed", taken)


def test_a_resend_gets_the_first_answer(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    code, number = rider.code(at=world.now), desk.sequence()
    first = desk.verify(code, sequence=number).body
    before = world.counts()
    set_to(rider.card, status="2", lost_at=world.at())  # whatever has happened since
    world.now += 100
    second = desk.verify(code, sequence=number).body
    assert second == first | {"repeated": True}
    assert world.counts() == before


def test_the_first_answer_stands_even_if_it_was_no(world: World) -> None:
    desk, rider = world.terminal(), world.rider(card_status="2")
    code, number = rider.code(at=world.now), desk.sequence()
    first = desk.verify(code, sequence=number).body
    set_to(rider.card, status="1")
    assert desk.verify(code, sequence=number).body == first | {"repeated": True}


def test_a_sequence_takes_no_other_content(world: World) -> None:
    desk, rider, other = world.terminal(), world.rider(), world.rider()
    number = desk.sequence()
    desk.verify(rider.code(at=world.now), sequence=number)
    before = world.counts()
    code = other.code(at=world.now)
    problem(desk.verify(code, sequence=number), Reason.SEQUENCE_REUSED, 409, sequence=number)
    assert world.counts() == before
    assert desk.verify(code).body["accepted"], "the refused request must not have used up the code"


def test_another_amount_is_other_content(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    code, number = rider.code(at=world.now), desk.sequence()
    desk.verify(code, sequence=number, amount_fen=200)
    problem(desk.verify(code, sequence=number, amount_fen=100), Reason.SEQUENCE_REUSED, 409, sequence=number)
    assert Use.objects.get(terminal=desk.row.number).amount_fen == 200


def _short(world: World, device: int, *, scene: int = SCENE, ends: int = 60) -> str:
    return pass_.make_short_code(world.keyset, device=device, scene=scene, expires_at=world.now + ends)


def test_a_short_code_passes_once(world: World) -> None:
    desk, rider = world.terminal(), world.rider(kinds=("student", "disabled"))
    code = _short(world, rider.device.number)
    asked = desk.verify(code)
    assert (asked.body["accepted"], asked.body["fare_class"], asked.body["concessions"]) == (
        True,
        3,
        ["disabled"],
    )
    assert Use.objects.get(terminal=desk.row.number).method == Use.Method.SHORT
    number = desk.sequence()
    again = desk.verify(code, sequence=number)
    assert (again.body["reason"], again.body["name"]) == (503, "short_code_used")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda w, d: _short(w, d, ends=0), Reason.SHORT_CODE_EXPIRED),
        (lambda w, d: _short(w, d, scene=Scene.MEDICAL), Reason.WRONG_SCENE),
        (lambda w, d: _short(w, d)[:-3] + "000", Reason.SHORT_CODE_UNKNOWN),
        (lambda w, d: _short(w, d)[:-3], Reason.MALFORMED),
    ],
)
def test_a_short_code_is_refused(world: World, make: Any, reason: Reason) -> None:
    desk, rider = world.terminal(), world.rider()
    number = desk.sequence()
    refused(desk.verify(make(world, rider.device.number), sequence=number), reason, number, scene=0)


@pytest.mark.parametrize("scene", list(Scene))
@pytest.mark.parametrize(
    "kinds",
    [(), ("elder",), ("student", "elder"), ("veteran", "elder"), ("low_income",), ("disabled", "veteran")],
)
def test_a_short_code_tells_a_scene_what_a_pass_would(
    world: World, scene: Scene, kinds: tuple[str, ...]
) -> None:
    """One rule in two languages: the issuer's Python and the gate's SQL."""
    claims = rules.claims(scene, kinds)
    desk, rider = world.terminal(scenes=(scene,)), world.rider(scene=scene, kinds=kinds, claims=claims)
    by_pass = desk.verify(rider.code(at=world.now)).body
    by_short = desk.verify(_short(world, rider.device.number, scene=scene)).body
    told = ("accepted", "scene", "fare_class", "concessions")
    assert [by_short.get(key) for key in told] == [by_pass.get(key) for key in told]
    assert by_pass["accepted"]


@pytest.fixture
def poison(world: World) -> Any:
    """A row the database will not take, for a reason the gate knows nothing of."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = 'data_exception'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON usage_use FOR EACH ROW WHEN (NEW.amount_fen = 666) "
            "EXECUTE FUNCTION poison()"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER poison ON usage_use")
        cursor.execute("DROP FUNCTION poison()")


def test_one_bad_row_harms_no_other(world: World, poison: None) -> None:
    desks = [world.terminal() for _ in range(8)]
    asked = world.together(
        [(desk, world.rider().code(at=world.now), 666 if n == 3 else 200) for n, desk in enumerate(desks)]
    )
    assert [found.status for found in asked] == [200, 200, 200, 503, 200, 200, 200, 200]
    assert [Use.objects.filter(terminal=desk.row.number).count() for desk in desks] == [
        1,
        1,
        1,
        0,
        1,
        1,
        1,
        1,
    ]
    assert not Shown.objects.filter(terminal=desks[3].row.number).exists()


def test_a_reused_sequence_harms_no_other(world: World) -> None:
    desks = [world.terminal() for _ in range(6)]
    number = sequence.base(world.today) + 1
    desks[2].verify(world.rider().code(at=world.now), sequence=number)
    asked = world.together([(desk, world.rider().code(at=world.now), 200) for desk in desks])
    assert [found.status for found in asked] == [200, 200, 409, 200, 200, 200]
    assert Use.objects.filter(terminal__in=[desk.row.number for desk in desks]).count() == 6


def test_the_same_code_at_twenty_gates_at_once(world: World) -> None:
    desks, code = [world.terminal() for _ in range(20)], world.rider().code(at=world.now)
    asked = world.together([(desk, code, 200) for desk in desks])
    names = sorted(found.body["name"] for found in asked)
    assert names == ["accepted"] + ["replayed"] * 19
    passed = next(desk.row.number for desk, found in zip(desks, asked, strict=True) if found.body["accepted"])
    uses = Use.objects.filter(terminal__in=[desk.row.number for desk in desks], outcome=402)
    assert {use.first_terminal for use in uses} == {passed}


def test_the_same_request_many_times_at_once(world: World) -> None:
    desk, code = world.terminal(), world.rider().code(at=world.now)
    asked = world.together([(desk, code, 200)] * 12, same_sequence=True)
    assert [found.body["accepted"] for found in asked] == [True] * 12
    assert sum(found.body.get("repeated", False) for found in asked) == 11
    assert Use.objects.filter(terminal=desk.row.number).count() == 1
