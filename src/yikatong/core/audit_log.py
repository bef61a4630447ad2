"""The audit log as a Merkle tree: entries get numbers, the growing tree gets signed checkpoints.

An entry's number is given after its commit, under one lock: what commits late gets a later number. From then on a
changed, added or dropped entry shows in `check`, and in any export that anyone keeps, whoever did it (GB/T 22239
8.1.4.3: 审计记录的保护).
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from yikatong.core import audit_tree
from yikatong.core.models import AuditCheckpoint, AuditEntry, AuditLeaf, AuditPending
from yikatong.core.sm import sm2

LOCK: Final = 0x59_4B_54_03
BATCH: Final = 2_000
_CHECKPOINT: Final = struct.Struct(">4sQQI32s")

_WORDS: Final = {
    "entry_changed": "记录已被修改",
    "entry_dropped": "记录已被删除",
    "entry_added": "记录绕过日志写入，没有编号",
    "leaf_missing": "编号缺失",
    "root_differs": "编号或散列已被改写，根与检查点不符",
    "signature_wrong": "检查点签名不正确",
    "checkpoint_missing": "末尾的检查点已被删除",
    "witness_differs": "与保存的检查点不符，日志已被截断或重写",
}


class Leaf(NamedTuple):
    """A numbered entry; `entry` is None when it is gone."""

    number: int
    entry_id: UUID
    hash: bytes
    entry: AuditEntry | None


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing found wrong: `code` of `_WORDS`, at which number, in which entry where one is to blame."""

    code: str
    number: int
    entry_id: UUID | None = None

    @property
    def sentence(self) -> str:
        entry = f"（记录 {self.entry_id}）" if self.entry_id else ""
        return f"编号 {self.number}：{_WORDS[self.code]}{entry}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a check saw: entries and checkpoints up to the last good one, its root, the first fault or None."""

    size: int
    checkpoints: int
    root: bytes
    fault: Fault | None = None


def fields(entry: AuditEntry) -> dict[str, Any]:
    """An entry as the tree and exports have it; times in UTC with microseconds."""
    return {
        "id": str(entry.id),
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "event": entry.event,
        "subject": entry.subject,
        "holder_id": str(entry.holder_id) if entry.holder_id else None,
        "actor_id": str(entry.actor_id) if entry.actor_id else None,
        "actor_name": entry.actor_name,
        "actor_role": entry.actor_role,
        "channel": entry.channel,
        "organisation": entry.organisation,
        "facts": entry.facts,
    }


def leaf_of(entry: AuditEntry) -> bytes:
    return audit_tree.leaf_hash(audit_tree.canonical(fields(entry)))


def signed_bytes(*, size: int, at: datetime, key_id: int, root: bytes) -> bytes:
    """What a checkpoint's signature covers: `YKA1` · size u64 · unix seconds u64 · key id u32 · root."""
    return _CHECKPOINT.pack(b"YKA1", size, int(at.timestamp()), key_id, root)


@transaction.atomic
def seal_entries(*, at: datetime, key_id: int, sign: Callable[[bytes], bytes]) -> AuditCheckpoint | None:
    """Number what waits and sign the new root; None when nothing waited. `sign` answers r ‖ s over the bytes."""
    _lock()
    tree = _tree()
    before = tree.size
    while waiting := list(
        AuditPending.objects.order_by("entry_id").values_list("entry_id", flat=True)[:BATCH]
    ):
        tree = _numbered(tree, waiting)
    if tree.size == before:
        return None
    at = at.replace(microsecond=0)
    root = tree.root()
    return AuditCheckpoint.objects.create(
        size=tree.size,
        root=root,
        at=at,
        key_id=key_id,
        signature=sign(signed_bytes(size=tree.size, at=at, key_id=key_id, root=root)),
        frontier=b"".join(tree.hashes),
    )


def leaves(start: int, end: int) -> Iterator[Leaf]:
    """The numbered entries from `start` up to `end` as they stand; a number that is gone is left out."""
    while start < end:
        rows = list(AuditLeaf.objects.filter(number__gte=start, number__lt=end).order_by("number")[:BATCH])
        entries = AuditEntry.objects.in_bulk([row.entry_id for row in rows])
        for row in rows:
            yield Leaf(row.number, row.entry_id, bytes(row.hash), entries.get(row.entry_id))
        start = rows[-1].number + 1 if rows else end


def check(publics: Mapping[int, bytes], *, witness: tuple[int, bytes] | None = None) -> Report:
    """Compute the tree anew from the entries and hold it against every checkpoint; stops at the first fault.

    `publics`: checkpoint keys by key id. `witness` (size, root): a checkpoint someone kept outside; only with it
    does a log show that was cut off at its end or made anew with the keys.
    """
    last = AuditCheckpoint.objects.order_by("-size").first()
    end = last.size if last else 0
    stream, tree, checked = leaves(0, end), audit_tree.Frontier(), 0
    for checkpoint in AuditCheckpoint.objects.filter(size__lte=end).order_by("size").iterator():
        grown = _followed(stream, tree, checkpoint.size)
        fault = grown if isinstance(grown, Fault) else _checkpoint_fault(checkpoint, grown, publics)
        if fault or isinstance(grown, Fault):
            return Report(tree.size, checked, tree.root(), fault)
        tree, checked = grown, checked + 1
    return Report(tree.size, checked, tree.root(), _end_fault() or _witness_fault(witness))


def _numbered(tree: audit_tree.Frontier, waiting: list[UUID]) -> audit_tree.Frontier:
    entries = AuditEntry.objects.in_bulk(waiting)
    found = [(entry_id, leaf_of(entries[entry_id])) for entry_id in waiting if entry_id in entries]
    AuditLeaf.objects.bulk_create(
        AuditLeaf(number=number, entry_id=entry_id, hash=leaf)
        for number, (entry_id, leaf) in enumerate(found, start=tree.size)
    )
    AuditPending.objects.filter(entry_id__in=waiting).delete()
    return tree.grown(leaf for _, leaf in found)


def _tree() -> audit_tree.Frontier:
    """The tree as the last checkpoint left it."""
    last = AuditCheckpoint.objects.order_by("-size").first()
    if last is None:
        return audit_tree.Frontier()
    kept = bytes(last.frontier)
    return audit_tree.Frontier(last.size, [kept[at : at + 32] for at in range(0, len(kept), 32)])


def _followed(stream: Iterator[Leaf], tree: audit_tree.Frontier, size: int) -> audit_tree.Frontier | Fault:
    """The tree grown to `size` from the entries themselves, or the first leaf that is not as it was."""
    start, hashes = tree.size, list[bytes]()
    for leaf in islice(stream, size - start):
        number = start + len(hashes)
        if leaf.number != number:
            return Fault("leaf_missing", number)
        if leaf.entry is None:
            return Fault("entry_dropped", number, leaf.entry_id)
        if leaf_of(leaf.entry) != leaf.hash:
            return Fault("entry_changed", number, leaf.entry_id)
        hashes.append(leaf.hash)
    if len(hashes) < size - start:
        return Fault("leaf_missing", start + len(hashes))
    return tree.grown(hashes)


def _checkpoint_fault(
    checkpoint: AuditCheckpoint, tree: audit_tree.Frontier, publics: Mapping[int, bytes]
) -> Fault | None:
    root = tree.root()
    if bytes(checkpoint.root) != root:
        return Fault("root_differs", checkpoint.size)
    said = signed_bytes(size=checkpoint.size, at=checkpoint.at, key_id=checkpoint.key_id, root=root)
    if not sm2.verify(publics.get(checkpoint.key_id, b""), said, bytes(checkpoint.signature)):
        return Fault("signature_wrong", checkpoint.size)
    return None


@transaction.atomic
def _end_fault() -> Fault | None:
    """Nothing stands beyond the last checkpoint, and no entry stands outside the tree."""
    _lock()
    size = _tree().size
    beyond = AuditLeaf.objects.filter(number__gte=size).order_by("number").first()
    if beyond is not None:
        return Fault("checkpoint_missing", beyond.number, beyond.entry_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM core_auditentry e WHERE NOT EXISTS (SELECT FROM core_auditleaf l WHERE l.entry_id = e.id)"
            " AND NOT EXISTS (SELECT FROM core_auditpending p WHERE p.entry_id = e.id) ORDER BY id LIMIT 1"
        )
        row = cursor.fetchone()
    return Fault("entry_added", size, row[0]) if row else None


def _witness_fault(witness: tuple[int, bytes] | None) -> Fault | None:
    if witness is None:
        return None
    size, root = witness
    kept = AuditCheckpoint.objects.filter(size=size).first()
    return None if kept and bytes(kept.root) == root else Fault("witness_differs", size)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
