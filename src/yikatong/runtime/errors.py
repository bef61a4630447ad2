"""Why a process of the installation cannot start; the message is Chinese, for the person at the machine."""


class CannotStart(Exception):
    """A part cannot start or stay up; nothing was left running by the attempt."""


class OwnedByAnother(CannotStart):
    """Another process uses this data directory. `pid` is that process, or None when it cannot be told."""

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid
