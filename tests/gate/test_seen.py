"""What becomes of a use afterwards: the holder sees it, and its signatures are verified."""

from datetime import timedelta

import pytest

from tests.gate.test_uses import change, minutes_ago
from tests.gate.world import World
from yikatong.core.clock import now
from yikatong.core.models import AuditEntry, Look
from yikatong.using.usage import evidence, queries
from yikatong.using.usage.models import EvidenceMark, Use


@pytest.mark.clause("G17", "B8")
def test_the_holder_sees_his_uses(world: World) -> None:
    desk, rider, other = world.terminal(), world.rider(), world.rider()
    desk.verify(rider.code(at=world.now), amount_fen=200)
    desk.verify(other.code(at=world.now))
    change(rider.card, status="2", lost_at=world.at(-3600))
    at = minutes_ago(world, 1)
    desk.hand_in(desk.offline(rider.present(at=at), at=at, amount_fen=100))
    desk.verify(rider.code(at=world.now))
    span = {"since": now() - timedelta(days=1), "before": now() + timedelta(minutes=1)}
    seen = queries.of_holder(rider.holder.id, 10, **span)
    told = [
        (use.place, use.accepted, use.amount_fen, use.is_offline, use.refusal, use.advice, use.note)
        for use in seen
    ]
    assert sorted(told) == sorted(
        [
            ("测试车站", True, 200, False, "", "", ""),
            ("测试车站", True, 100, True, "", "", "停用后、名单到达终端前离线放行"),
            ("测试车站", False, 0, False, "该卡已正式挂失", "请办理补卡", ""),
        ]
    )
    assert not Look.objects.filter(holder_id=rider.holder.id).exists(), "a use is no look by another"


def test_every_signature_is_verified_once_and_a_bad_one_is_flagged(world: World) -> None:
    desk, at = world.terminal(), minutes_ago(world, 3)
    good, forged = world.rider().present(at=at), world.rider().present(at=at)
    forged = forged[:-1] + bytes([forged[-1] ^ 1])  # outside the MAC: the gate cannot tell
    answers = desk.hand_in(desk.offline(good, at=at), desk.offline(forged, at=at))
    assert [use["accepted"] for use in answers] == [True, True]
    later = max(use.received_at for use in Use.objects.filter(terminal=desk.row.number)) + timedelta(
        minutes=2
    )
    EvidenceMark.objects.all().delete()

    checked, broken = evidence.check_evidence(at=later)

    assert (checked >= 2, broken) == (True, 1)
    uses = Use.objects.filter(terminal=desk.row.number).order_by("sequence")
    assert [use.flag for use in uses] == [Use.Flag.NONE, Use.Flag.EVIDENCE_BROKEN]
    assert [use.outcome for use in uses] == [0, 0]
    entry = AuditEntry.objects.get(event="usage:evidence:broken")
    assert entry.facts == {"terminal": desk.row.number, "sequence": answers[1]["sequence"]}
    assert evidence.check_evidence(at=later) == (0, 0)


def test_what_has_just_arrived_waits_a_minute(world: World) -> None:
    desk, at = world.terminal(), minutes_ago(world, 3)
    desk.hand_in(desk.offline(world.rider().present(at=at), at=at))
    received = Use.objects.get(terminal=desk.row.number).received_at
    evidence.check_evidence(at=received + timedelta(seconds=59))
    assert EvidenceMark.objects.get().checked_until < received
    evidence.check_evidence(at=received + timedelta(seconds=61))
    assert EvidenceMark.objects.get().checked_until >= received
