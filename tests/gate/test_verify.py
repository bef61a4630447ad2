"""Online: one code shown now. Every refusal by its exact answer, and what it leaves behind."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.gate.world import SCENE, Asked, World
from yikatong.core.sm import sm2
from yikatong.gate import sequence
from yikatong.using.codes import pass_, rules
from yikatong.using.codes.pass_ import Reason, Scene
from yikatong.using.usage.models import Shown, Use


def refused(asked: Asked, reason: Reason, sequence: int, *, scene: int = SCENE) -> None:
    """The whole answer of a code that was refused, and recorded as refused."""
    assert asked.status == 200
    expected: dict[str, Any] = {
        "sequence": sequence,
        "accepted": False,
        "reason": reason.value,
        "name": reason.name.lower(),
        "message": reason.sentence,
        "next_step": reason.operator,
        "tell_holder": reason.holder,
        "scene": scene,
        "used_at": asked.body["used_at"],
        "amount_fen": 0,
    }
    assert asked.body == {key: value for key, value in expected.items() if key != "scene" or value}
    use = Use.objects.get(sequence=sequence, terminal=asked.terminal)
    assert (use.outcome, use.amount_fen, use.concession, use.first_terminal) == (reason, 0, 0, None)


def problem(asked: Asked, reason: Reason, status: int, **facts: Any) -> None:
    """The whole answer of a request that was refused as such."""
    assert asked.status == status
    assert asked.body == {
        "type": f"urn:yikatong:refusal:{reason.name.lower()}",
        "title": reason.sentence,
        "status": status,
        "code": reason.name.lower(),
        "reason": reason.value,
        "next_step": reason.operator,
        "tell_holder": reason.holder,
        **facts,
    }


@pytest.mark.clause("B8", "E3")
def test_a_good_code_passes_and_is_recorded(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    asked = desk.verify(rider.code(at=world.now), amount_fen=200)
    assert asked.status == 200
    assert asked.body == {
        "sequence": sequence.base(world.today) + 1,
        "accepted": True,
        "reason": 0,
        "name": "accepted",
        "message": "通过",
        "scene": SCENE,
        "used_at": world.now,
        "amount_fen": 200,
        "fare_class": 1,
        "concessions": ["senior"],
    }
    use = Use.objects.get(terminal=desk.row.number)
    assert use.used_at == world.at()
    assert {
        "day": use.day, "sequence": use.sequence, "is_offline": use.is_offline, "method": use.method,
        "scene": use.scene, "outcome": use.outcome, "holder_id": use.holder_id, "card_id": use.card_id,
        "device": use.device_number, "place_id": use.place_id, "city": use.city_code, "domain": use.domain_code,
        "amount": use.amount_fen, "concession": use.concession, "flag": use.flag, "evidence": use.evidence,
        "first": (use.first_terminal, use.first_sequence),
    } == {
        "day": world.today, "sequence": sequence.base(world.today) + 1, "is_offline": False,
        "method": Use.Method.CODE, "scene": SCENE, "outcome": 0, "holder_id": rider.holder.id,
        "card_id": rider.card.id, "device": rider.device.number, "place_id": world.place.id, "city": "510100",
        "domain": "transit", "amount": 200, "concession": 1, "flag": 0, "evidence": None, "first": (None, None),
    }  # fmt: skip
    shown = Shown.objects.get(terminal=desk.row.number)
    assert (bytes(shown.reference), shown.made_at, shown.counter) == (rider.issued.reference, world.now, 1)


def test_messagepack_says_the_same(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    message = {"sequence": desk.sequence(), "code": rider.code(at=world.now), "amount_fen": 100}
    asked = desk.ask("verify", message, as_msgpack=True)
    assert (asked.status, asked.body["accepted"], asked.body["amount_fen"]) == (200, True, 100)


# --- the bytes of the code ---


def _cut(world: World) -> str:
    return world.rider().code(at=world.now)[:-9]


def _version_2(world: World) -> str:
    return "YKT2:" + world.rider().code(at=world.now)[5:]


def _future_version_inside(world: World) -> str:
    raw = world.rider().present(at=world.now)
    return pass_.encode_text(b"\x02" + raw[1:])


def _other_algorithm(world: World) -> str:
    raw = world.rider().present(at=world.now)
    return pass_.encode_text(raw[:1] + b"\x07" + raw[2:])


def _too_long(_: World) -> str:
    return "YKT1:" + "A" * 700


def _unknown_issuer(world: World) -> str:
    other = pass_.Keyset.generate(issuer=500000, key_id=1)
    device = sm2.generate()
    issued = pass_.issue_credential(
        other, device=1, scene=SCENE, generation=1, device_public=device.public, not_before=world.now - 9,
        expires_at=world.now + 9, limits=pass_.Limits(1, 1, 1),
    )  # fmt: skip
    return pass_.encode_text(pass_.present(issued.credential, issued.secret, device.private, world.now, 1))


def _flipped(world: World) -> str:
    raw = bytearray(world.rider().present(at=world.now))
    raw[40] ^= 1
    return pass_.encode_text(bytes(raw))


def _too_early(world: World) -> str:
    return world.rider(not_before=world.now + 40).code(at=world.now)


def _expired(world: World) -> str:
    return world.rider(expires_at=world.now).code(at=world.now)


def _stale(world: World) -> str:
    return world.rider().code(at=world.now - 90)


def _ahead(world: World) -> str:
    return world.rider().code(at=world.now + 31)


def _other_scene(world: World) -> str:
    return world.rider(scene=Scene.VENUE).code(at=world.now)


@pytest.mark.clause("B8")
@pytest.mark.parametrize(
    ("make", "reason", "scene"),
    [
        (_cut, Reason.MALFORMED, 0),
        (lambda _: "http://example.cn/一个网址", Reason.MALFORMED, 0),
        (lambda _: "", Reason.MALFORMED, 0),
        (_version_2, Reason.UNSUPPORTED_VERSION, 0),
        (_future_version_inside, Reason.UNSUPPORTED_VERSION, 0),
        (_other_algorithm, Reason.UNSUPPORTED_ALGORITHM, 0),
        (_too_long, Reason.TOO_LARGE, 0),
        (_unknown_issuer, Reason.UNKNOWN_ISSUER, SCENE),
        (_flipped, Reason.BAD_MAC, SCENE),
        (_too_early, Reason.NOT_YET_VALID, SCENE),
        (_expired, Reason.CREDENTIAL_EXPIRED, SCENE),
        (_stale, Reason.PRESENTATION_EXPIRED, SCENE),
        (_ahead, Reason.CLOCK_AHEAD, SCENE),
        (_other_scene, Reason.WRONG_SCENE, Scene.VENUE),
    ],
)
def test_a_code_is_refused_for_what_it_is(world: World, make: Any, reason: Reason, scene: int) -> None:
    desk, code = world.terminal(), make(world)
    number = desk.sequence()
    refused(desk.verify(code, sequence=number), reason, number, scene=scene)
    assert not Shown.objects.filter(terminal=desk.row.number).exists()


# --- the state of card, holder, device ---


def _set(model: Any, **values: Any) -> None:
    type(model).objects.filter(pk=model.pk).update(**values)


@pytest.mark.clause("B8", "C2", "G17")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda w, r: _set(r.card, status="B", lost_at=w.at(), loss_ends_at=w.at(9)),
            Reason.CARD_LOST_TEMPORARY,
        ),
        (lambda w, r: _set(r.card, status="2", lost_at=w.at()), Reason.CARD_LOST),
        (lambda _, r: _set(r.card, status="3"), Reason.CARD_CANCELLED),
        (lambda _, r: _set(r.card, status="4"), Reason.CARD_CANCELLED),
        (lambda _, r: _set(r.card, status="A"), Reason.CARD_NOT_ACTIVE),
        (lambda _, r: _set(r.card, status="0"), Reason.CARD_NOT_ACTIVE),
        (lambda w, r: _set(r.card, expires_on=w.today - timedelta(days=1)), Reason.CARD_EXPIRED),
        (lambda _, r: _set(r.ecard, status="removed"), Reason.ECARD_REMOVED),
        (lambda _, r: _set(r.holder, status="left"), Reason.ECARD_REMOVED),
        (lambda _, r: _set(r.holder, status="deceased"), Reason.HOLDER_DECEASED),
        (lambda _, r: _set(r.device, status="revoked"), Reason.DEVICE_REVOKED),
        (lambda _, r: _set(r.device, generation=2), Reason.DEVICE_REVOKED),
    ],
)
def test_a_state_is_read_with_every_request(world: World, change: Any, reason: Reason) -> None:
    desk, rider = world.terminal(), world.rider()
    assert desk.verify(rider.code(at=world.now)).body["accepted"]
    change(world, rider)
    number = desk.sequence()
    refused(desk.verify(rider.code(at=world.now), sequence=number), reason, number)
    use = Use.objects.get(sequence=number, terminal=desk.row.number)
    assert (use.holder_id, use.card_id) == (rider.holder.id, rider.card.id)
    assert Shown.objects.filter(terminal=desk.row.number).count() == 1


def test_a_card_found_again_passes_at_once(world: World) -> None:
    desk, rider = world.terminal(), world.rider(card_status="B")
    assert not desk.verify(rider.code(at=world.now)).body["accepted"]
    _set(rider.card, status="1", loss_ends_at=None)
    assert desk.verify(rider.code(at=world.now)).body["accepted"]


def test_a_device_nobody_knows(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    issued = world.issue(rider.device, rider.pair, device=999_999_999)
    raw = pass_.present(issued.credential, issued.secret, rider.pair.private, world.now, 1)
    number = desk.sequence()
    refused(desk.verify(pass_.encode_text(raw), sequence=number), Reason.UNKNOWN_REFERENCE, number)


# --- replay, resend, reuse ---


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
    _set(rider.card, status="2", lost_at=world.at())  # whatever has happened since
    world.now += 100
    second = desk.verify(code, sequence=number).body
    assert second == first | {"repeated": True}
    assert world.counts() == before


def test_the_first_answer_stands_even_if_it_was_no(world: World) -> None:
    desk, rider = world.terminal(), world.rider(card_status="2")
    code, number = rider.code(at=world.now), desk.sequence()
    first = desk.verify(code, sequence=number).body
    _set(rider.card, status="1")
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


# --- short codes and fares ---


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


# --- the terminal and its request ---


@pytest.mark.clause("E3", "Q2")
def test_a_stopped_terminal_is_refused_with_the_next_request(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    desk.verify(rider.code(at=world.now))
    _set(desk.row, status="stopped")
    before = world.counts()
    problem(desk.verify(rider.code(at=world.now)), Reason.TERMINAL_STOPPED, 403)
    assert world.counts() == before
    _set(desk.row, status="enrolled")
    assert desk.verify(rider.code(at=world.now)).body["accepted"]


def test_an_unknown_terminal(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    desk.row.number += 500_000
    before = world.counts()
    problem(desk.verify(rider.code(at=world.now)), Reason.TERMINAL_UNKNOWN, 401)
    assert world.counts() == before


def test_a_key_of_an_older_generation_is_dead(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    assert desk.verify(rider.code(at=world.now)).body["accepted"]
    _set(desk.row, key_generation=2)
    before = world.counts()
    asked = desk.verify(rider.code(at=world.now))
    problem(asked, Reason.REQUEST_BAD_MAC, 401)
    assert world.counts() == before


def test_a_wrong_key(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    before = world.counts()
    message = {"sequence": desk.sequence(), "code": rider.code(at=world.now)}
    problem(desk.ask("verify", message, key=bytes(32)), Reason.REQUEST_BAD_MAC, 401, server_time=world.now)
    assert world.counts() == before


def test_a_changed_body(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    body = b'{"sequence":%d,"code":"%s","amount_fen":%s}'
    number, code = desk.sequence(), rider.code(at=world.now).encode()
    headers = desk.headers("POST", "/gate/v1/verify", body % (number, code, b"100"))
    changed = body % (number, code, b"900")
    response = world.run(world.gate.handle("POST", "/gate/v1/verify", headers, changed, "test"))
    assert response.status == 401
    assert not Use.objects.filter(terminal=desk.row.number).exists()


def test_yesterdays_key_is_told_to_sign_in(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    key = desk.work_key(world.today - timedelta(days=1))
    message = {"sequence": desk.sequence(), "code": rider.code(at=world.now)}
    problem(desk.ask("verify", message, key=key), Reason.WORK_KEY_EXPIRED, 401, server_time=world.now)


@pytest.mark.parametrize("seconds", [-3600, -121, 121, 3600])
def test_a_clock_that_is_off_is_told_the_time(world: World, seconds: int) -> None:
    desk, rider = world.terminal(), world.rider()
    message = {"sequence": desk.sequence(), "code": rider.code(at=world.now)}
    before = world.counts()
    asked = desk.ask("verify", message, time=world.now + seconds)
    problem(asked, Reason.REQUEST_TIME_OFF, 401, server_time=world.now, difference_s=seconds)
    assert world.counts() == before


def test_two_minutes_are_forgiven(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    message = {"sequence": desk.sequence(), "code": rider.code(at=world.now)}
    assert desk.ask("verify", message, time=world.now - 120).body["accepted"]


def test_a_scene_the_terminal_may_not_serve(world: World) -> None:
    desk, rider = world.terminal(scenes=(SCENE, 4)), world.rider()
    before = world.counts()
    asked = desk.verify(rider.code(at=world.now), scene=2)
    problem(asked, Reason.TERMINAL_WRONG_SCENE, 403, scenes=[3, 4])
    assert world.counts() == before


def test_a_scene_taken_away_counts_at_once(world: World) -> None:
    desk, rider = world.terminal(scenes=(SCENE, 4)), world.rider()
    desk.verify(rider.code(at=world.now))
    _set(desk.row, scenes=[4])
    before = world.counts()
    problem(desk.verify(rider.code(at=world.now)), Reason.TERMINAL_WRONG_SCENE, 403)
    assert world.counts() == before


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"\xff\xfe", b"{}", b'{"sequence": "x", "code": ""}',
        b'{"sequence": 2026112100000001, "code": "YKT1:", "ammount_fen": 1}',
        b'{"sequence": 2026112100000001, "code": "YKT1:", "amount_fen": -1}',
        b'{"sequence": 2026112100000001, "code": "YKT1:", "amount_fen": 100000000000}',
        b'{"sequence": 1, "code": "YKT1:"}', b'{"sequence": 2026113100000001, "code": "YKT1:"}',
        b'{"sequence": 2026112100000000, "code": "YKT1:"}', b'{"sequence": 2025010100000001, "code": "YKT1:"}',
    ],
)  # fmt: skip
def test_nonsense_is_named(world: World, body: bytes) -> None:
    desk = world.terminal()
    before = world.counts()
    asked = desk.ask("verify", body)
    assert (asked.status, asked.body["code"]) == (422, "request_malformed")
    assert asked.body["detail"]
    assert world.counts() == before


def test_headers_that_say_nothing(world: World) -> None:
    before = world.counts()
    for headers in ({}, {"yikatong-terminal": "x", "yikatong-time": "1", "yikatong-mac": "zz"}):
        response = world.run(world.gate.handle("POST", "/gate/v1/verify", headers, b"{}", "test"))
        assert response.status == 422
    assert world.counts() == before


# --- batches ---


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
