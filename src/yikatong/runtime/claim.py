"""Exclusive use of a directory by one living process: a lock the kernel lets go, and a record of who."""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

import psutil

from yikatong.runtime.errors import OwnedByAnother

_POLL_S = 0.05


class Claim:
    """A lock on `path`. Children that inherit `descriptor` keep it, so a free lock proves them gone."""

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self.descriptor: int | None = None

    def take(self, *, wait_s: float = 0.0, note: dict[str, Any] | None = None) -> None:
        """Take the lock and record this process and `note`.

        Waits up to `wait_s` while the recorded owner is dead but its children still end.
        Raises `OwnedByAnother` naming the living owner.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + wait_s
        while not _locked(descriptor):
            owner = self.owner()
            if owner is not None or time.monotonic() > deadline:
                os.close(descriptor)
                raise OwnedByAnother(self._sentence(owner), owner)
            time.sleep(_POLL_S)
        self.descriptor = descriptor
        record = {"pid": os.getpid(), "created": psutil.Process().create_time(), **(note or {})}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(record).encode(), 0)

    def release(self) -> None:
        """Let go; the lock stays with children that inherited it."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def is_free(self) -> bool:
        """Whether nobody, here or elsewhere, holds the lock at this moment."""
        if self.descriptor is not None or not self._path.exists():
            return self.descriptor is None
        probe = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            return _locked(probe)
        finally:
            os.close(probe)

    def record(self) -> dict[str, Any]:
        """What the last owner wrote; empty when nothing or half of it is there."""
        try:
            found = json.loads(self._path.read_text() or "{}")
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def owner(self) -> int | None:
        """Process id of the recorded owner if it still lives (start time compared, as ids are used again)."""
        record = self.record()
        return record["pid"] if is_same_process(record.get("pid"), record.get("created")) else None

    def _sentence(self, owner: int | None) -> str:
        who = f"进程 {owner} " if owner else "另一个进程"
        where = self._path.parent.parent
        return f"{who}正在使用{self._what}（{where}）；请先停止它，或用 YIKATONG_HOME 另设目录"


def is_same_process(pid: int | None, created: float | None) -> bool:
    """Whether the process with this id still is the one that started at `created` (seconds since 1970)."""
    try:
        return started_at(pid, created) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def started_at(pid: int | None, created: float | None) -> bool:
    """Whether the number is that of the process started at `created`, which may have ended unburied."""
    if not pid or created is None:
        return False
    try:
        return bool(abs(psutil.Process(pid).create_time() - created) < 1)
    except psutil.NoSuchProcess:
        return False


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
