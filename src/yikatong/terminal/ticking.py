"""What time it is at a terminal whose own clock may be wrong.

At every contact the gate tells its time. From then on the seconds since boot are counted, which nobody can set;
after a restart the machine's clock is believed with the difference it had. Time never goes back: a clock found
behind the last use is wrong, and a wrong clock would let expired codes pass.
"""

import time
from pathlib import Path
from typing import NamedTuple

from yikatong.terminal.errors import TerminalError
from yikatong.terminal.store import Store

_BOOT = Path("/proc/sys/kernel/random/boot_id")
BACKWARD_S = 30


class ClockWentBack(TerminalError):
    message = "终端时钟倒退，不能离线核验"
    next_step = "请校准终端时钟，并联网执行 yikatong terminal signin"


class Hands(NamedTuple):
    """What the machine says: its clock, its seconds since boot, which boot."""

    wall: int
    since_boot: int
    boot: str


def hands() -> Hands:
    """Now. Where no kernel counts since boot, the machine's clock is all there is (`boot` empty)."""
    if not _BOOT.exists():
        return Hands(int(time.time()), 0, "")
    return Hands(
        int(time.time()),
        int(time.clock_gettime(time.CLOCK_BOOTTIME)),
        _BOOT.read_text(encoding="ascii").strip(),
    )


def set_by_gate(store: Store, server_time: int, machine: Hands) -> None:
    """The gate's time, as far as a request's way allows. Also the answer to a clock that went back."""
    store.put(
        clock_offset=server_time - machine.wall,
        clock_server=server_time,
        clock_since_boot=machine.since_boot,
        clock_boot=machine.boot,
        clock_latest=server_time,
    )


def now(store: Store, machine: Hands) -> int:
    """Unix seconds by the gate's clock, as well as can be told."""
    if machine.boot and store.get("clock_boot") == machine.boot:
        return int(store.get("clock_server") + machine.since_boot - store.get("clock_since_boot"))
    return machine.wall + int(store.get("clock_offset") or 0)


def check(store: Store, at: int) -> None:
    """Raises ClockWentBack; else remembers `at` as the latest."""
    latest = store.get("clock_latest") or 0
    if at < latest - BACKWARD_S:
        raise ClockWentBack
    if at > latest:
        store.put(clock_latest=at)


def offset_of_machine(store: Store, machine: Hands) -> int:
    """Seconds the machine's own clock is ahead of ours; positive when it is fast."""
    return machine.wall - now(store, machine)
