"""Online: one code shown now. Every refusal by its exact answer, and what it leaves behind."""

from datetime import timedelta
from typing import Any

import pytest

from tests.gate.answers import refused, set_to
from tests.gate.world import SCENE, World
from yikatong.core.sm import sm2
from yikatong.gate import sequence
from yikatong.using.codes import pass_
from yikatong.using.codes.pass_ import Reason, Scene
from yikatong.using.usage.models import Shown, Use


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


@pytest.mark.clause("B8", "C2", "G17")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda w, r: set_to(r.card, status="B", lost_at=w.at(), loss_ends_at=w.at(9)),
            Reason.CARD_LOST_TEMPORARY,
        ),
        (lambda w, r: set_to(r.card, status="2", lost_at=w.at()), Reason.CARD_LOST),
        (lambda _, r: set_to(r.card, status="3"), Reason.CARD_CANCELLED),
        (lambda _, r: set_to(r.card, status="4"), Reason.CARD_CANCELLED),
        (lambda _, r: set_to(r.card, status="A"), Reason.CARD_NOT_ACTIVE),
        (lambda _, r: set_to(r.card, status="0"), Reason.CARD_NOT_ACTIVE),
        (lambda w, r: set_to(r.card, expires_on=w.today - timedelta(days=1)), Reason.CARD_EXPIRED),
        (lambda _, r: set_to(r.ecard, status="removed"), Reason.ECARD_REMOVED),
        (lambda _, r: set_to(r.holder, status="left"), Reason.ECARD_REMOVED),
        (lambda _, r: set_to(r.holder, status="deceased"), Reason.HOLDER_DECEASED),
        (lambda _, r: set_to(r.device, status="revoked"), Reason.DEVICE_REVOKED),
        (lambda _, r: set_to(r.device, generation=2), Reason.DEVICE_REVOKED),
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
    set_to(rider.card, status="1", loss_ends_at=None)
    assert desk.verify(rider.code(at=world.now)).body["accepted"]


def test_a_device_nobody_knows(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    issued = world.issue(rider.device, rider.pair, device=999_999_999)
    raw = pass_.present(issued.credential, issued.secret, rider.pair.private, world.now, 1)
    number = desk.sequence()
    refused(desk.verify(pass_.encode_text(raw), sequence=number), Reason.UNKNOWN_REFERENCE, number)
