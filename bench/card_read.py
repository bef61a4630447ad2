"""Readings of a card a second through real PC/SC: pcscd, the virtual reader's driver, pyscard. Higher is better.

Bar: a whole reading (iReadCardBas in HSM mode: nineteen commands, both authentications on both sides, the key device) keeps
a third of the pace of a bare loop that sends as many commands over the same transport in the same run, and five cards
a second are read.
Run: python -m bench.card_read   (as root, with pcscd, vsmartcard-vpcd and pyscard; says so and ends well without them)
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.adapters.card_reader import service
from tests.adapters.cards import card, hsm
from yikatong.adapters.card_reader import pcsc
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import terminal
from yikatong.registry.cards.chip import authentication

BAR_RATIO, BAR_READINGS = 0.33, 5.0
ROUNDS, READINGS, RECORDS = 30, 10, 190
READ_RECORD = bytes.fromhex("00B207000B")
RESULT = Path(__file__).with_name("results") / "card_read.json"


class Counting:
    """A channel that counts what passes over it."""

    def __init__(self, channel: terminal.Channel) -> None:
        self._channel, self.sent = channel, 0

    @property
    def atr(self) -> bytes:
        return self._channel.atr

    def transmit(self, command: bytes) -> bytes:
        self.sent += 1
        return self._channel.transmit(command)


def seconds(act: Callable[[], object], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        act()
    return (time.perf_counter() - started) / times


def reading(channel: terminal.Channel, device: SoftHsm) -> None:
    begun = terminal.begin(channel)
    told = terminal.finish(channel, begun, authentication.answer(begun.request, device))
    assert told.name == "王芳"


def measured(folder: Path) -> dict[str, float]:
    """Rounds of bare loop, reading and single items by turns, so that a busy moment meets all of them."""
    device = hsm(folder)
    bare: list[float] = []
    whole: list[float] = []
    items: list[float] = []
    with service.running(folder) as port:
        with service.placed(card(device), port), pcsc.PcscReader().card() as channel:
            counting = Counting(channel)
            reading(counting, device)
            commands = counting.sent
            for _ in range(ROUNDS):
                terminal.select_environment(channel)
                terminal.select_file(channel, 0xEF05)
                bare.append(seconds(lambda: channel.transmit(READ_RECORD), RECORDS))
                items.append(seconds(lambda: terminal.item(channel, 0x07), RECORDS))
                whole.append(seconds(lambda: reading(channel, device), READINGS))
        slow = late_confirmations(device, port)
    lying = card(device)
    in_process = seconds(lambda: reading(lying, device), 200)
    ratios = [commands * each / all_of_it for each, all_of_it in zip(bare, whole, strict=True)]
    command, one, read = (statistics.median(found) for found in (bare, items, whole))
    return {
        "commands_a_reading": commands,
        "bare_commands_per_s": round(1 / command),
        "records_per_s": round(1 / one),
        "readings_per_s": round(1 / read, 1),
        "ratio_to_bare": round(statistics.median(ratios), 3),
        "key_device_ms": round(key_device(device) * 1000, 3),
        "command_ms": round(command * 1000, 3),
        "command_ms_without_quick_confirmations": round(slow * 1000, 1),
        "readings_in_process_per_s": round(1 / in_process),
    }


def late_confirmations(device: SoftHsm, port: int) -> float:
    """The same command where the virtual card leaves confirming to the kernel; only to see what TCP_QUICKACK gives."""
    service.wait_until_empty()
    with service.placed(card(device), port, confirms_at_once=False), pcsc.PcscReader().card() as channel:
        terminal.select_environment(channel)
        terminal.select_file(channel, 0xEF05)
        return seconds(lambda: channel.transmit(READ_RECORD), 20)


def key_device(device: SoftHsm) -> float:
    """The platform's part of a reading: both authentication values, each under a key dispersed in three steps."""
    begun = terminal.begin(card(device))
    return seconds(lambda: authentication.answer(begun.request, device), 500)


def main() -> int:
    if why_not := service.missing():
        print(f"card_read: not measured: {why_not}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder))
    result = found | {"bar_ratio": BAR_RATIO, "bar_readings_per_s": BAR_READINGS, "cores": os.cpu_count()}
    print(json.dumps(result, indent=1))
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    is_good = found["ratio_to_bare"] >= BAR_RATIO and found["readings_per_s"] >= BAR_READINGS
    print("good" if is_good else "BELOW THE BAR")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
