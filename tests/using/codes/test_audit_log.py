"""The audit log cannot be changed unnoticed: not by the administrator, not with triggers switched off."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction

from tests.using.people import AT, admin, clerk
from yikatong.core import audit, audit_export, audit_log, audit_tree
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.errors import Forbidden
from yikatong.core.models import AuditCheckpoint, AuditEntry, AuditLeaf, AuditPending
from yikatong.using.codes import queries, rotation, sealing

AUDITOR = Actor(id=None, name="审计员", role=Role.AUDITOR, channel=Channel.WEB)
VERIFIER = Path(__file__).parents[3] / "scripts" / "verify_audit.py"
MINUTE = timedelta(minutes=1)


def write(count: int, *, start: int = 0) -> None:
    for number in range(start, start + count):
        audit.record(
            "test:thing:done",
            subject=f"thing:{number}",
            by=clerk(),
            at=AT,
            holder_id=UUID(int=number),
            名称="甲",
            share=0.1,
            n=number,
        )


@pytest.fixture
def sealed(db: None) -> list[AuditEntry]:
    """Three checkpoints over eleven entries: the making of the key, seven, three."""
    sealing.seal(at=AT)
    write(7)
    sealing.seal(at=AT + MINUTE)
    write(3, start=7)
    sealing.seal(at=AT + 2 * MINUTE)
    places = AuditLeaf.objects.order_by("number").values_list("entry_id", flat=True)
    found = AuditEntry.objects.in_bulk(list(places))
    return [found[place] for place in places]


TABLES = ("core_auditentry", "core_auditleaf", "core_auditcheckpoint")


def tamper(statement: str, *values: Any) -> None:
    """As the owner of the tables could, who may switch their triggers off."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        assert cursor.rowcount == 1
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def check(**options: tuple[int, bytes]) -> audit_log.Report:
    return audit_log.check(queries.checkpoint_publics(), **options)


@pytest.mark.clause("cap:O5")
def test_a_whole_log_is_whole(sealed: list[AuditEntry]) -> None:
    sizes = list(AuditCheckpoint.objects.order_by("size").values_list("size", flat=True))
    assert sizes == [1, 8, 11]
    expected = audit_tree.root([audit_log.leaf_of(entry) for entry in sealed])
    assert check() == audit_log.Report(11, 3, expected)


def test_an_empty_log_is_whole(db: None) -> None:
    assert check() == audit_log.Report(0, 0, audit_tree.EMPTY)


def test_nothing_new_makes_no_checkpoint(sealed: list[AuditEntry]) -> None:
    assert sealing.seal(at=AT + 3 * MINUTE) is None
    assert AuditCheckpoint.objects.count() == 3
    assert not AuditPending.objects.exists()


@pytest.mark.clause("cap:O5")
@pytest.mark.parametrize("table", ["core_auditentry", "core_auditleaf", "core_auditcheckpoint"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET {} = {}"])
def test_the_database_itself_refuses_a_change(sealed: list[AuditEntry], table: str, verb: str) -> None:
    key = {"core_auditentry": "id", "core_auditleaf": "number", "core_auditcheckpoint": "size"}[table]
    with pytest.raises(Exception, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb.format(table, key, key))
    assert check().fault is None


@pytest.mark.clause("cap:O5")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("event", "test:thing:other"),
        ("actor_name", "赵敏二"),
        ("at", "2026-03-02T01:00:00.000001Z"),
        ("holder_id", None),
        ("facts", '{"n": 4, "share": 0.1, "名称": "乙"}'),
    ],
)
def test_a_changed_entry_is_named(sealed: list[AuditEntry], column: str, value: str | None) -> None:
    tamper(f"UPDATE core_auditentry SET {column} = %s WHERE id = %s", value, sealed[5].id)
    report = check()
    assert report.fault == audit_log.Fault("entry_changed", 5, sealed[5].id)
    assert (report.size, report.checkpoints) == (1, 1)


@pytest.mark.clause("cap:O5")
def test_a_dropped_entry_is_named(sealed: list[AuditEntry]) -> None:
    tamper("DELETE FROM core_auditentry WHERE id = %s", sealed[9].id)
    assert check().fault == audit_log.Fault("entry_dropped", 9, sealed[9].id)


def test_a_dropped_leaf_is_named(sealed: list[AuditEntry]) -> None:
    tamper("DELETE FROM core_auditleaf WHERE number = 3")
    assert check().fault == audit_log.Fault("leaf_missing", 3)
    tamper("DELETE FROM core_auditleaf WHERE number = 2")
    assert check().fault == audit_log.Fault("leaf_missing", 2)


def test_the_last_leaves_dropped_are_named(sealed: list[AuditEntry]) -> None:
    tamper("DELETE FROM core_auditleaf WHERE number = 10")
    assert check().fault == audit_log.Fault("leaf_missing", 10)


@pytest.mark.clause("cap:O5")
def test_an_entry_changed_with_its_leaf_does_not_fit_the_root(sealed: list[AuditEntry]) -> None:
    tamper("UPDATE core_auditentry SET event = 'test:thing:other' WHERE id = %s", sealed[9].id)
    forged = audit_log.leaf_of(AuditEntry.objects.get(id=sealed[9].id))
    tamper("UPDATE core_auditleaf SET hash = %s WHERE number = 9", forged)
    assert check().fault == audit_log.Fault("root_differs", 11)


@pytest.mark.clause("cap:O5")
def test_a_forged_root_needs_the_key(sealed: list[AuditEntry]) -> None:
    tamper("UPDATE core_auditentry SET event = 'test:thing:other' WHERE id = %s", sealed[9].id)
    changed = [*sealed[:9], AuditEntry.objects.get(id=sealed[9].id), sealed[10]]
    tamper("UPDATE core_auditleaf SET hash = %s WHERE number = 9", audit_log.leaf_of(changed[9]))
    root = audit_tree.root([audit_log.leaf_of(entry) for entry in changed])
    tamper("UPDATE core_auditcheckpoint SET root = %s WHERE size = 11", root)
    assert check().fault == audit_log.Fault("signature_wrong", 11)


def test_a_later_date_on_a_checkpoint_breaks_its_signature(sealed: list[AuditEntry]) -> None:
    tamper("UPDATE core_auditcheckpoint SET at = at + interval '1 second' WHERE size = 8")
    assert check().fault == audit_log.Fault("signature_wrong", 8)


def test_a_dropped_checkpoint_shows_at_the_end(sealed: list[AuditEntry]) -> None:
    tamper("DELETE FROM core_auditcheckpoint WHERE size = 11")
    assert check().fault == audit_log.Fault("checkpoint_missing", 8, sealed[8].id)


@pytest.mark.clause("cap:O5")
def test_an_entry_slipped_past_the_log_is_named(sealed: list[AuditEntry]) -> None:
    tamper(
        "INSERT INTO core_auditentry SELECT (%s)::uuid, at, event, subject, holder_id, actor_id, actor_name,"
        " actor_role, channel, organisation, facts FROM core_auditentry WHERE id = %s",
        UUID(int=7),
        sealed[2].id,
    )
    assert check().fault == audit_log.Fault("entry_added", 11, UUID(int=7))


@pytest.mark.clause("cap:O5")
def test_a_log_cut_off_shows_to_whoever_kept_a_checkpoint(sealed: list[AuditEntry]) -> None:
    kept = AuditCheckpoint.objects.get(size=11)
    witness = (11, bytes(kept.root))
    assert check(witness=witness).fault is None
    tamper("DELETE FROM core_auditcheckpoint WHERE size = 11")
    for number in (8, 9, 10):
        tamper("DELETE FROM core_auditleaf WHERE number = %s", number)
        tamper("DELETE FROM core_auditentry WHERE id = %s", sealed[number].id)
    assert check().fault is None
    assert check(witness=witness).fault == audit_log.Fault("witness_differs", 11)


def test_checkpoints_follow_the_keys(sealed: list[AuditEntry]) -> None:
    rotation.rotate_keys(by=admin(), at=AT + 3 * MINUTE)
    sealing.seal(at=AT + 3 * MINUTE)
    keys = AuditCheckpoint.objects.order_by("size").values_list("size", "key_id")
    assert list(keys) == [(1, 1), (8, 1), (11, 1), (12, 2)]
    assert check().fault is None


@pytest.mark.django_db(transaction=True)
def test_what_commits_late_gets_a_later_number(database_dsn: str) -> None:
    sealing.seal(at=AT)
    write(1)
    early = AuditEntry.objects.get(event="test:thing:done")
    with psycopg.connect(database_dsn) as late:
        late.execute(
            "INSERT INTO core_auditentry SELECT %s, at, event, subject, holder_id, actor_id, actor_name,"
            " actor_role, channel, organisation, facts FROM core_auditentry WHERE id = %s",
            [UUID(int=1), early.id],
        )
        first = sealing.seal(at=AT + MINUTE)
        assert first is not None
        assert first.size == 2
        late.commit()
    second = sealing.seal(at=AT + 2 * MINUTE)
    assert second is not None
    numbers = dict(AuditLeaf.objects.values_list("entry_id", "number"))
    assert (numbers[early.id], numbers[UUID(int=1)]) == (1, 2)
    assert check().fault is None


@pytest.mark.django_db(transaction=True)
def test_parallel_sealing_numbers_each_entry_once() -> None:
    sealing.seal(at=AT)

    def work(worker: int) -> None:
        try:
            for number in range(10):
                write(1, start=worker * 100 + number)
                sealing.seal(at=AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    sealing.seal(at=AT)
    assert sorted(AuditLeaf.objects.values_list("number", flat=True)) == list(range(41))
    assert check() == audit_log.Report(41, AuditCheckpoint.objects.count(), check().root)


# --- the export, and the verifier that knows nothing of us ---


def verify(folder: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-I", str(VERIFIER), str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.fixture
def exported(sealed: list[AuditEntry], tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    publics = queries.checkpoint_publics()
    assert audit_export.export(folder, publics=publics, by=AUDITOR, at=AT) == 11
    return folder


@pytest.mark.clause("cap:O5")
def test_an_export_is_verified_without_us(exported: Path) -> None:
    root = check().root.hex()
    said = f"11 entries, 3 checkpoints, all intact; last checkpoint 11:{root}"
    assert verify(exported) == (0, said)
    key = queries.checkpoint_publics()[1].hex()
    assert verify(exported, "--witness", f"11:{root}", "--key", key) == (0, said)
    other = "02" + "11" * 32
    assert verify(exported, "--key", other) == (1, f"checkpoint 1: its key {key} is not known")
    assert verify(exported, "--witness", f"10:{root}")[0] == 1


def rewrite(path: Path, change: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
    rows = change([json.loads(line) for line in path.read_text().splitlines()])
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


@pytest.mark.clause("cap:O5")
def test_the_verifier_names_the_first_entry_that_was_touched(
    exported: Path, sealed: list[AuditEntry], tmp_path: Path
) -> None:
    def changed(name: str, change: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> str:
        copy = tmp_path / "copy"
        shutil.copytree(exported, copy)
        rewrite(copy / name, change)
        code, said = verify(copy)
        shutil.rmtree(copy)
        assert code == 1
        return said

    def rename(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        entry = rows[4]["entry"]
        assert isinstance(entry, dict)
        entry["actor_name"] = "别人"
        return rows

    assert changed("entries.jsonl", rename) == f"number 4: entry {sealed[4].id} was changed"
    dropped = changed("entries.jsonl", lambda rows: [*rows[:6], *rows[7:]])
    assert dropped == f"number 6: entry {sealed[6].id} was dropped"
    assert changed("leaves.jsonl", lambda rows: rows[:10]) == "number 10: its leaf is missing"
    beyond = changed("checkpoints.jsonl", lambda rows: rows[:2])
    assert beyond == "number 8: entries stand beyond the last checkpoint"
    forged = changed("checkpoints.jsonl", lambda rows: [*rows[:2], rows[2] | {"at": 1}])
    assert forged == "checkpoint 11: its signature is wrong"
    other = changed("checkpoints.jsonl", lambda rows: [*rows[:2], rows[2] | {"root": "00" * 32}])
    assert other == "numbers 8 to 10: an entry was rewritten together with its leaf"


def test_an_export_is_itself_on_record_and_wants_a_right(exported: Path, tmp_path: Path) -> None:
    entry = AuditEntry.objects.get(event="core:audit:exported")
    assert (entry.actor_name, entry.facts) == ("审计员", {"size": 11})
    with pytest.raises(audit_export.FolderNotEmpty):
        audit_export.export(exported, publics={}, by=AUDITOR, at=AT)
    with pytest.raises(Forbidden):
        audit_export.export(tmp_path / "other", publics={}, by=clerk(), at=AT)
    assert not (tmp_path / "other").exists()
