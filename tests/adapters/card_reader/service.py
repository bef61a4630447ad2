"""A pcscd of our own, with the virtual reader's driver on a port of ours. Started and ended by the test."""

import gc
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yikatong.adapters.card_reader import pcsc
from yikatong.adapters.card_reader.vpcd import VpcdCard
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.registry.cards.chip.faults import CardFault, Fault

PCSCD = shutil.which("pcscd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_SOCKET = Path("/run/pcscd/pcscd.comm")
_PATIENCE_S = 20.0


def missing() -> str:
    """Why real PC/SC cannot be tried here; empty when it can."""
    if PCSCD is None or not DRIVER.exists():
        return "pcscd or the virtual reader is missing: apt-get install pcscd vsmartcard-vpcd"
    try:
        import smartcard  # noqa: F401, PLC0415
    except ImportError:
        return "pyscard is missing: pip install yikatong[reader]"
    if os.geteuid() != 0:
        return "pcscd can only be started by root"
    return "another pcscd runs on this machine" if _is_served() else ""


@contextmanager
def running(folder: Path) -> Iterator[int]:
    """pcscd with one virtual reader; gives the port a card connects to."""
    port = _free_port()
    config = folder / "readers"
    config.mkdir()
    (config / "vpcd").write_text(
        f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{port}\nLIBPATH {DRIVER}\nCHANNELID {port}\n'
    )
    command = [str(PCSCD), "--foreground", "--config", str(config / "vpcd"), "--error"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: bool(_readers()), process)
        yield port
    finally:
        gc.collect()  # connections that release themselves when they are forgotten, while there is a service
        process.terminate()
        process.wait(20)


@contextmanager
def placed(card: VirtualCard, port: int, *, confirms_at_once: bool = True) -> Iterator[None]:
    """The card lies on the reader for the time of the block."""
    with VpcdCard(card, port=port, confirms_at_once=confirms_at_once) as slot:
        thread = threading.Thread(target=slot.serve, daemon=True)
        thread.start()
        try:
            _until(lambda: _found() == 0)
            yield
        finally:
            slot.close()
            thread.join(10)


def wait_until_empty() -> None:
    """The driver looks for its card now and then."""
    _until(lambda: _found() == Fault.NO_CARD)


def _found() -> int:
    """0 with a card on the reader, else the number of the fault: -2 is an empty reader, others will pass."""
    try:
        with pcsc.PcscReader("Virtual PCD").card():
            return 0
    except CardFault as refusal:
        return refusal.number


def _readers() -> list[str]:
    try:
        return pcsc.names()
    except CardFault:
        return []


def _until(done: object, process: subprocess.Popen[bytes] | None = None) -> None:
    assert callable(done)
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        assert process is None or process.poll() is None, "pcscd ended at once"
        assert time.monotonic() < deadline, "the reader is not ready"
        time.sleep(0.05)


def _is_served() -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(_SOCKET)) == 0


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
