"""The store: who may read it, what is no store, two processes at once."""

import threading
from pathlib import Path

import pytest

from tests.terminal.device import Province, signed_in
from yikatong.terminal import sequence
from yikatong.terminal.errors import NoStore, StoreDamaged, StoreFull, StoreOpenToOthers
from yikatong.terminal.store import Store

AT = 1_795_000_000


def test_nobody_else_may_read_it(path: Path, province: Province) -> None:
    signed_in(path, province).close()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(StoreOpenToOthers, match="可被其他用户读取"):
        Store.open(path)


def test_what_is_no_store(path: Path) -> None:
    with pytest.raises(NoStore, match=str(path)):
        Store.open(path)
    path.touch(mode=0o600)
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreDamaged):
        Store.open(path)
    assert path.read_bytes() == b"not a database" * 1000


def test_another_programs_database_is_left_alone(path: Path) -> None:
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    path.chmod(0o600)
    with pytest.raises(StoreDamaged):
        Store.open(path)


def test_settings_of_durability(store: Store) -> None:
    assert store.rows("PRAGMA journal_mode")[0][0] == "wal"
    assert store.rows("PRAGMA synchronous")[0][0] == 2


def test_a_failed_transaction_changes_nothing(store: Store) -> None:
    before = store.get("sequence_next")
    with pytest.raises(StoreFull):
        _fails_in_the_middle(store)
    assert store.get("sequence_next") == before


def _fails_in_the_middle(store: Store) -> None:
    with store.transaction():
        sequence.take(store, at=AT)
        raise StoreFull


def test_a_sequence_begins_anew_with_the_day_and_never_goes_back(store: Store) -> None:
    with store.transaction():
        numbers = [sequence.take(store, at=at) for at in (AT, AT, AT + 86_400, AT)]
    assert numbers == [2026111800000001, 2026111800000002, 2026111900000001, 2026111900000002]
    sequence.raise_to(store, 2026111900000050)
    sequence.raise_to(store, 2026111900000007)
    with store.transaction():
        assert sequence.take(store, at=AT) == 2026111900000050


def test_two_processes_never_share_a_sequence(path: Path, province: Province) -> None:
    signed_in(path, province).close()
    taken: list[int] = []

    def work() -> None:
        with Store.open(path) as own:
            for _ in range(25):
                with own.transaction():
                    taken.append(sequence.take(own, at=AT))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(2026111800000001, 2026111800000101))
