"""Uses handed in after the network came back: each row its own answer, the written rule for losses."""

from datetime import timedelta
from typing import Any

import pytest

from tests.gate.world import SCENE, Rider, World
from yikatong.core.clock import day_of
from yikatong.gate import sequence
from yikatong.using.codes import pass_
from yikatong.using.codes.models import HotEntry, ListVersion
from yikatong.using.codes.pass_ import Reason
from yikatong.using.usage.models import Shown, Use

HOUR = 3600


def change(model: Any, **values: Any) -> None:
    type(model).objects.filter(pk=model.pk).update(**values)


def minutes_ago(world: World, minutes: int) -> int:
    """An instant of the same business day."""
    return max(world.now - minutes * 60, sequence.bounds(world.today)[0] + 1)


def publish(world: World, version: int, *, at: int, scene: int = SCENE) -> None:
    ListVersion.objects.create(kind="hot", scene=scene, version=version, made_at=world.at(at), full=b"{}")


def stop(world: World, rider: Rider, version: int) -> None:
    HotEntry.objects.create(
        scene=SCENE, reference=rider.issued.reference, device_number=rider.device.number, added_version=version,
        created_at=world.at(), expires_at=world.at(86_400),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _no_lists(world: World) -> Any:
    yield
    ListVersion.objects.all().delete()
    HotEntry.objects.all().delete()


@pytest.mark.clause("B8", "E3")
def test_a_batch_is_recorded_with_its_evidence(world: World) -> None:
    desk, riders, at = world.terminal(), [world.rider() for _ in range(3)], minutes_ago(world, 30)
    shown = [rider.present(at=at - 5) for rider in riders]
    answers = desk.hand_in(*[desk.offline(raw, at=at) for raw in shown])
    assert [(use["accepted"], use["used_at"], use["fare_class"]) for use in answers] == [(True, at, 1)] * 3
    uses = Use.objects.filter(terminal=desk.row.number).order_by("sequence")
    assert [bytes(use.evidence or b"") for use in uses] == shown
    assert [use.holder_id for use in uses] == [rider.holder.id for rider in riders]
    assert all(
        use.is_offline and use.outcome == 0 and use.flag == 0 and use.amount_fen == 200 for use in uses
    )
    assert {use.used_at.timestamp() for use in uses} == {at}


def test_messagepack_carries_the_bytes_as_they_are(world: World) -> None:
    desk, rider, at = world.terminal(), world.rider(), minutes_ago(world, 5)
    raw = rider.present(at=at)
    assert desk.hand_in(desk.offline(raw, at=at), as_msgpack=True)[0]["accepted"]
    assert bytes(Use.objects.get(terminal=desk.row.number).evidence or b"") == raw


def test_a_batch_sent_again_changes_nothing(world: World) -> None:
    desk, at = world.terminal(), minutes_ago(world, 20)
    uses = [desk.offline(world.rider().present(at=at), at=at) for _ in range(5)]
    first = desk.hand_in(*uses)
    before = world.counts()
    assert desk.hand_in(*uses) == [use | {"repeated": True} for use in first]
    assert world.counts() == before


def test_every_row_has_its_own_answer(world: World) -> None:
    desk, at = world.terminal(), minutes_ago(world, 20)
    good, flipped, late = (world.rider().present(at=at) for _ in range(3))
    broken = bytearray(flipped)
    broken[60] ^= 1
    tomorrow = sequence.base(world.today + timedelta(days=1)) + 1
    answers = desk.hand_in(
        desk.offline(good, at=at),
        desk.offline(b"\x01\x01 nothing at all", at=at),
        desk.offline(bytes(broken), at=at),
        desk.offline(late, at=at + 200),
        desk.offline(good, at=at, sequence=tomorrow),
        desk.offline(good, at=world.now + 121),
        desk.offline(good, at=at, sequence=sequence.base(world.today) // 100 * 100 + 99_00000000),
    )
    names = [use["name"] for use in answers]
    assert names == [
        "accepted", "malformed", "bad_mac", "presentation_expired", "request_time_off", "request_time_off",
        "request_malformed",
    ]  # fmt: skip
    assert Use.objects.filter(terminal=desk.row.number).count() == 4, "the last three are no uses of this day"


def test_online_and_offline_under_one_sequence_are_one_use(world: World) -> None:
    """The answer was lost, the terminal let the holder pass by its own check, and hands that in."""
    desk, rider = world.terminal(), world.rider()
    raw, number = rider.present(at=world.now), desk.sequence()
    desk.verify(pass_.encode_text(raw), sequence=number)
    before = world.counts()
    answer = desk.hand_in(desk.offline(raw, at=world.now, sequence=number))[0]
    assert (answer["accepted"], answer["repeated"]) == (True, True)
    assert world.counts() == before


def test_the_same_code_at_two_offline_terminals(world: World) -> None:
    first, second, rider, at = world.terminal(), world.terminal(), world.rider(), minutes_ago(world, 40)
    raw = rider.present(at=at)
    taken = first.hand_in(first.offline(raw, at=at))[0]["sequence"]
    answer = second.hand_in(second.offline(raw, at=at + 20))[0]
    assert (answer["accepted"], answer["reason"], answer["name"]) == (False, 408, "double_offline_use")
    assert (answer["message"], answer["next_step"]) == (
        "同一码在多个离线终端重复使用",
        "记入待核对，按离线损失规则处理",
    )
    use = Use.objects.get(terminal=second.row.number)
    assert (use.outcome, use.first_terminal, use.first_sequence) == (408, first.row.number, taken)
    assert bytes(use.evidence or b"") == raw
    assert Use.objects.get(terminal=first.row.number).outcome == 0


def test_one_code_used_elsewhere_among_many_new_ones(world: World) -> None:
    first, second, at = world.terminal(), world.terminal(), minutes_ago(world, 40)
    raw = world.rider().present(at=at)
    first.hand_in(first.offline(raw, at=at))
    rows = [
        second.offline(code, at=at)
        for code in (world.rider().present(at=at), raw, world.rider().present(at=at))
    ]
    answers = second.hand_in(*rows)
    assert [use["name"] for use in answers] == ["accepted", "double_offline_use", "accepted"]
    assert [use["sequence"] for use in answers] == [row["sequence"] for row in rows]
    stored = Use.objects.filter(terminal=second.row.number).order_by("sequence")
    assert [use.outcome for use in stored] == [0, 408, 0]
    assert Shown.objects.filter(terminal=second.row.number).count() == 2


def test_the_same_code_twice_in_one_batch(world: World) -> None:
    desk, rider, at = world.terminal(), world.rider(), minutes_ago(world, 40)
    raw = rider.present(at=at)
    answers = desk.hand_in(
        desk.offline(raw, at=at), desk.offline(raw, at=at + 1), desk.offline(raw, at=at + 2)
    )
    assert [use["name"] for use in answers] == ["accepted", "replayed", "replayed"]
    assert {use.get("first_sequence") for use in answers[1:]} == {answers[0]["sequence"]}


def test_two_contents_under_one_sequence_in_one_batch(world: World) -> None:
    desk, at = world.terminal(), minutes_ago(world, 40)
    number = desk.sequence()
    one, two, other = (world.rider().present(at=at) for _ in range(3))
    answers = desk.hand_in(
        desk.offline(one, at=at, sequence=number),
        desk.offline(other, at=at),
        desk.offline(two, at=at, sequence=number),
    )
    assert [use["name"] for use in answers] == ["accepted", "accepted", "sequence_reused"]
    assert Shown.objects.filter(terminal=desk.row.number).count() == 2


# --- the written rule ---


@pytest.mark.clause("C2")
def test_a_loss_the_terminal_could_not_know_of(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    at = minutes_ago(world, 30)
    change(rider.card, status="2", lost_at=world.at(at - 60 - world.now))
    answer = desk.hand_in(desk.offline(rider.present(at=at), at=at))[0]
    assert (answer["accepted"], answer["good_faith"]) == (True, True)
    use = Use.objects.get(terminal=desk.row.number)
    assert (use.outcome, use.flag, use.amount_fen) == (0, Use.Flag.GOOD_FAITH, 200)


@pytest.mark.parametrize(("later", "flag"), [(2, Use.Flag.GOOD_FAITH), (3, Use.Flag.NONE)])
def test_the_second_of_the_loss_counts_as_after_it(world: World, later: int, flag: int) -> None:
    desk, rider = world.terminal(), world.rider()
    at = minutes_ago(world, 30)
    change(rider.card, status="2", lost_at=world.at(at + later - world.now))
    desk.hand_in(desk.offline(rider.present(at=at), at=at))
    assert Use.objects.get(terminal=desk.row.number).flag == flag


def test_a_use_before_the_loss_is_a_plain_use(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    at = minutes_ago(world, 30)
    change(rider.card, status="2", lost_at=world.at(at + 60 - world.now))
    answer = desk.hand_in(desk.offline(rider.present(at=at), at=at))[0]
    assert (answer["accepted"], answer.get("good_faith", False)) == (True, False)
    assert Use.objects.get(terminal=desk.row.number).flag == Use.Flag.NONE


def test_a_loss_the_terminals_list_told(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    at = minutes_ago(world, 30)
    publish(world, 7, at=-HOUR)
    stop(world, rider, 7)
    change(rider.card, status="2", lost_at=world.at(-2 * HOUR))
    raw = rider.present(at=at)
    answer = desk.hand_in(desk.offline(raw, at=at, hot_version=7))[0]
    assert (answer["accepted"], answer["name"]) == (False, "hotlisted")
    assert Use.objects.get(terminal=desk.row.number).outcome == Reason.HOTLISTED
    other = world.terminal()
    answer = other.hand_in(other.offline(raw, at=at, hot_version=6))[0]
    assert (answer["accepted"], answer["good_faith"]) == (True, True), "its list did not say so yet"


def test_an_entry_that_was_lifted(world: World) -> None:
    desk, rider, at = world.terminal(), world.rider(), minutes_ago(world, 3)
    stop(world, rider, 7)
    HotEntry.objects.update(removed_version=9, is_ended=True)
    raws = [rider.present(at=at) for _ in range(3)]
    uses = [desk.offline(raw, at=at, hot_version=held) for raw, held in zip(raws, (6, 8, 9), strict=True)]
    assert [use["name"] for use in desk.hand_in(*uses)] == ["accepted", "hotlisted", "accepted"]


def test_a_list_that_was_too_old(world: World) -> None:
    desk, rider, at = world.terminal(), world.rider(not_before=0), minutes_ago(world, 3)
    publish(world, 1, at=-50 * HOUR)
    publish(world, 2, at=-25 * HOUR)
    publish(world, 3, at=-1 * HOUR)
    raws = [rider.present(at=at) for _ in range(3)]
    uses = [desk.offline(raw, at=at, hot_version=held) for raw, held in zip(raws, (1, 2, 3), strict=True)]
    assert [use["name"] for use in desk.hand_in(*uses)] == ["list_too_old", "accepted", "accepted"]


def test_a_use_handed_in_after_a_week(world: World) -> None:
    desk, rider = world.terminal(), world.rider(not_before=0, expires_at=world.now + 9)
    at = world.now - 8 * 86_400
    day = day_of(world.at(at - world.now))
    answer = desk.hand_in(desk.offline(rider.present(at=at), at=at, sequence=sequence.base(day) + 1))[0]
    assert (answer["accepted"], answer["name"]) == (False, "use_too_old")
    use = Use.objects.get(terminal=desk.row.number)
    assert (use.day, use.outcome, use.holder_id) == (day, Reason.USE_TOO_OLD, rider.holder.id)


def test_more_than_may_pass_offline(world: World) -> None:
    desk, rider, at = world.terminal(), world.rider(), minutes_ago(world, 3)
    answer = desk.hand_in(desk.offline(rider.present(at=at), at=at, amount_fen=5001))[0]
    assert (answer["name"], answer["amount_fen"]) == ("over_per_use", 0)
    assert desk.hand_in(desk.offline(rider.present(at=at), at=at, amount_fen=5000))[0]["accepted"]


def test_what_the_terminal_refused_itself_is_told(world: World) -> None:
    desk, rider, at = world.terminal(), world.rider(), minutes_ago(world, 3)
    answer = desk.hand_in(desk.offline(rider.present(at=at), at=at, outcome=Reason.HOTLISTED.value))[0]
    assert (answer["accepted"], answer["name"]) == (False, "hotlisted")
    use = Use.objects.get(terminal=desk.row.number)
    assert (use.outcome, use.holder_id, use.amount_fen) == (Reason.HOTLISTED, rider.holder.id, 0)
    assert not Shown.objects.filter(terminal=desk.row.number).exists()


# --- the request ---


@pytest.mark.parametrize("uses", [[], [{}], [{"sequence": 1}]])
def test_a_malformed_batch(world: World, uses: list[Any]) -> None:
    desk = world.terminal()
    asked = desk.ask("uses", {"uses": uses})
    assert (asked.status, asked.body["code"]) == (422, "request_malformed")


def test_a_thousand_at_most(world: World) -> None:
    desk, rider, at = world.terminal(), world.rider(), minutes_ago(world, 3)
    one = desk.offline(rider.present(at=at), at=at)
    asked = desk.ask("uses", {"uses": [one] * 1001})
    assert (asked.status, asked.body["code"]) == (422, "request_malformed")
    assert not Use.objects.filter(terminal=desk.row.number).exists()


def test_a_thousand_in_one_batch(world: World) -> None:
    desk, at = world.terminal(), minutes_ago(world, 3)
    riders = [world.rider() for _ in range(20)]
    uses = [desk.offline(riders[n % 20].present(at=at), at=at) for n in range(1000)]
    assert sum(use["accepted"] for use in desk.hand_in(*uses, as_msgpack=True)) == 1000
    assert Use.objects.filter(terminal=desk.row.number, outcome=0).count() == 1000


def test_a_stopped_terminal_hands_nothing_in(world: World) -> None:
    desk, rider, at = world.terminal(), world.rider(), minutes_ago(world, 3)
    change(desk.row, status="stopped")
    asked = desk.ask("uses", {"uses": [desk.offline(rider.present(at=at), at=at)]})
    assert (asked.status, asked.body["code"]) == (403, "terminal_stopped")
    assert not Use.objects.filter(terminal=desk.row.number).exists()
