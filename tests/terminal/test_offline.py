"""What a terminal without a network lets pass, what it refuses, and what it remembers."""

import time
from pathlib import Path

import pytest

from tests.terminal.device import BUS, HALL, Phone, Province, signed_in
from yikatong.terminal import holding, offline, ticking
from yikatong.terminal.errors import NotSignedIn, StoreFull
from yikatong.terminal.store import Store
from yikatong.using.codes import pass_
from yikatong.using.codes.pass_ import Reason


def queue(store: Store) -> list[tuple[int, int]]:
    return [(row["outcome"], row["amount_fen"]) for row in store.rows("SELECT * FROM use ORDER BY sequence")]


@pytest.mark.clause("C2", "O5", "S10")
def test_a_good_code_passes_once(store: Store, phone: Phone) -> None:
    shown = phone.show()
    first = offline.decide(store, shown, amount_fen=200)
    again = offline.decide(store, shown, amount_fen=200)
    assert (first.name, first.amount_fen, first.scene, first.is_offline) == ("accepted", 200, BUS, True)
    assert (again.accepted, again.reason) == (False, Reason.REPLAYED)
    assert again.sequence == (first.sequence or 0) + 1
    assert queue(store) == [(0, 200), (Reason.REPLAYED, 200)]
    assert offline.waiting(store) == 1


def test_a_restart_forgets_nothing(store: Store, path: Path, phone: Phone) -> None:
    shown = phone.show()
    first = offline.decide(store, shown, amount_fen=500)
    store.close()
    with Store.open(path) as opened:
        assert offline.decide(opened, shown).reason == Reason.REPLAYED
        assert offline.decide(opened, phone.show(), amount_fen=500).accepted
        over = offline.decide(opened, phone.show(), amount_fen=300)
        assert over.reason == Reason.OVER_OFFLINE_TOTAL
        assert (over.sequence or 0) == (first.sequence or 0) + 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.MALFORMED),
        ("https://example.cn/", Reason.MALFORMED),
        ("YKT2:ABC", Reason.UNSUPPORTED_VERSION),
        ("YKT1:" + "A" * 500, Reason.TOO_LARGE),
    ],
)
def test_what_is_no_code_is_refused_and_not_recorded(store: Store, text: str, reason: Reason) -> None:
    found = offline.decide(store, text)
    assert (found.accepted, found.reason, found.sequence) == (False, reason, None)
    assert queue(store) == []


def test_a_short_code_needs_the_platform(store: Store, province: Province) -> None:
    text = pass_.make_short_code(province.keyset, device=7, scene=BUS, expires_at=int(time.time()) + 60)
    found = offline.decide(store, text)
    assert (found.accepted, found.name, found.message) == (False, "short_code_offline", "短码需要联网核验")
    assert queue(store) == []


def test_limits_of_time_scene_and_money(store: Store, province: Province, phone: Phone) -> None:
    old = offline.decide(store, phone.show(at=int(time.time()) - 120))
    ahead = offline.decide(store, phone.show(at=int(time.time()) + 60))
    wrong = offline.decide(store, phone.show(), scene=HALL)
    dear = offline.decide(store, phone.show(), amount_fen=501)
    museum = offline.decide(store, Phone(province, scene=4).show())
    stranger = offline.decide(store, Phone(Province()).show())
    assert [each.reason for each in (old, ahead, wrong, dear, museum, stranger)] == [
        Reason.PRESENTATION_EXPIRED,
        Reason.CLOCK_AHEAD,
        Reason.WRONG_SCENE,
        Reason.OVER_PER_USE,
        Reason.WRONG_SCENE,
        Reason.BAD_CREDENTIAL_SIGNATURE,
    ]
    assert offline.waiting(store) == 0


@pytest.mark.clause("B2", "E3")
def test_a_card_on_the_list_is_refused(store: Store, province: Province, phone: Phone) -> None:
    holding.take(store, province.hot([phone.reference], version=2), kind="hot", scene=BUS)
    assert offline.decide(store, phone.show()).reason == Reason.HOTLISTED
    row = store.rows("SELECT hot_version, outcome FROM use")[0]
    assert tuple(row) == (2, Reason.HOTLISTED)


def test_a_list_nobody_has_confirmed_for_a_day_is_too_old(store: Store, phone: Phone) -> None:
    store.run("UPDATE list SET made_at = made_at - 90000 WHERE kind = 'hot'")
    assert offline.decide(store, phone.show()).reason == Reason.LIST_TOO_OLD
    store.put(confirmed_hot_3=int(time.time()) - 600)  # unchanged since, as the gate said ten minutes ago
    assert offline.decide(store, phone.show()).accepted


def test_no_list_no_pass(path: Path, province: Province, phone: Phone) -> None:
    with signed_in(path, province) as store:
        store.run("DELETE FROM list WHERE kind = 'hot'")
        assert offline.decide(store, phone.show()).reason == Reason.LIST_TOO_OLD
        store.put(terms=None)
        with pytest.raises(NotSignedIn):
            offline.decide(store, phone.show())


def test_the_parameter_bounds_what_waits(path: Path, province: Province, phone: Phone) -> None:
    with signed_in(path, province, offline_uses_max=2) as store:
        assert [offline.decide(store, phone.show()).accepted for _ in range(2)] == [True, True]
        full = offline.decide(store, phone.show())
        assert (full.accepted, full.name, full.sequence) == (False, "offline_full", None)
        assert len(queue(store)) == 2


def test_refusals_cannot_fill_the_disk(path: Path, province: Province, phone: Phone) -> None:
    with signed_in(path, province, offline_uses_max=3) as store:
        old = phone.show(at=int(time.time()) - 500)
        answers = [offline.decide(store, old) for _ in range(5)]
        assert [each.reason for each in answers] == [Reason.PRESENTATION_EXPIRED] * 5
        assert len(queue(store)) == 3
        assert offline.decide(store, phone.show()).accepted


def fill(store: Store, province: Province) -> None:
    for number in range(200):
        assert offline.decide(store, Phone(province, number=1000 + number).show()).accepted


def test_full_disk_lets_nobody_pass_and_loses_nothing(path: Path, province: Province, phone: Phone) -> None:
    with signed_in(path, province, offline_uses_max=1000) as store:
        assert offline.decide(store, phone.show()).accepted
        (pages,) = store.rows("PRAGMA page_count")[0]
        store.rows(f"PRAGMA max_page_count = {pages}")  # SQLite then says what it says of a full disk
        with pytest.raises(StoreFull, match="存储空间已满"):
            fill(store, province)
        store.rows("PRAGMA max_page_count = 100000")
        passed = len(queue(store))
        assert passed >= 1
        assert passed == store.rows("SELECT count(*) FROM passed")[0][0] == offline.waiting(store)
        assert offline.decide(store, phone.show()).accepted


def test_the_machines_clock_may_be_an_hour_off(store: Store, phone: Phone) -> None:
    machine = ticking.hands()
    fast = ticking.Hands(machine.wall + 3600, machine.since_boot, "another boot")
    ticking.set_by_gate(store, machine.wall, fast)
    assert ticking.now(store, fast) == machine.wall
    assert ticking.offset_of_machine(store, fast) == 3600
    # Somebody sets the clock while the machine runs: the seconds since boot are counted on.
    assert ticking.now(store, fast._replace(wall=5, since_boot=fast.since_boot + 7)) == machine.wall + 7


def test_a_clock_that_went_back_is_told(store: Store, phone: Phone) -> None:
    store.put(clock_latest=int(time.time()) + 3600)
    before = queue(store)
    with pytest.raises(ticking.ClockWentBack, match="时钟倒退"):
        offline.decide(store, phone.show())
    assert queue(store) == before
