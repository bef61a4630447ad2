"""Ties a child process to its parent, so that even a parent killed with -9 leaves nothing behind (Linux)."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def leash(number: signal.Signals) -> Callable[[], None]:
    """Make a `preexec_fn` that lets the kernel send `number` to the child when the calling thread ends.

    Runs between fork and exec, so it only makes two system calls. Call from a thread that lives as long as
    the child should: the kernel watches the thread, not the process.
    """
    parent = os.getpid()

    def tie() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the leash was tied
            os._exit(1)

    return tie
