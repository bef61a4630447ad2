"""Take the audit log out, in a form that `scripts/verify_audit.py` checks without our code."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from yikatong.core import audit, audit_log
from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditCheckpoint
from yikatong.core.permissions import Permission, require


class FolderNotEmpty(DomainError):
    code = "folder_not_empty"
    message = "导出目录不是空的。请指定一个新目录。"


def export(folder: Path, *, publics: Mapping[int, bytes], by: Actor, at: datetime) -> int:
    """Write all sealed entries; returns how many. Raises FolderNotEmpty.

    entries.jsonl, leaves.jsonl, checkpoints.jsonl: a JSON object a line, in order of number or size; keys.json:
    checkpoint keys (hex) by key id. The export is itself an entry of the log, of a later number.
    """
    require(by, Permission.AUDIT_READ)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        raise FolderNotEmpty
    checkpoints = list(AuditCheckpoint.objects.order_by("size"))
    size = checkpoints[-1].size if checkpoints else 0
    with (folder / "entries.jsonl").open("x") as entries, (folder / "leaves.jsonl").open("x") as leaves:
        for leaf in audit_log.leaves(0, size):
            said = {"number": leaf.number, "entry_id": str(leaf.entry_id), "hash": leaf.hash.hex()}
            _lines(leaves, [said])
            if leaf.entry is not None:
                _lines(entries, [{"number": leaf.number, "entry": audit_log.fields(leaf.entry)}])
    with (folder / "checkpoints.jsonl").open("x") as file:
        _lines(file, map(_checkpoint, checkpoints))
    keys = {str(key_id): public.hex() for key_id, public in publics.items()}
    (folder / "keys.json").write_text(json.dumps(keys, indent=1) + "\n")
    audit.record("core:audit:exported", subject="audit", by=by, at=at, size=size)
    return size


def _checkpoint(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    return {
        "size": checkpoint.size,
        "root": bytes(checkpoint.root).hex(),
        "at": int(checkpoint.at.timestamp()),
        "key_id": checkpoint.key_id,
        "signature": bytes(checkpoint.signature).hex(),
    }


def _lines(file: IO[str], rows: Iterable[Mapping[str, Any]]) -> None:
    file.writelines(
        json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n" for row in rows
    )
