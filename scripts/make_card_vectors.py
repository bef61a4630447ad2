"""Write docs/spec/vectors/card.json: a card of fixed words, its values, and a whole reading, the same at every run.

Keys come from fixed words and are for tests only.
"""

import json
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from yikatong.adapters.national_card import terminal
from yikatong.adapters.national_card.image import Person, personalise
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.core.sm.sm3 import sm3
from yikatong.registry.cards import numbers
from yikatong.registry.cards.chip import keys
from yikatong.registry.cards.chip.keys import CardKey, Chip
from yikatong.registry.cards.chip.messages import AuthAnswer

TARGET = Path(__file__).parents[1] / "docs/spec/vectors/card.json"
CHIP = Chip.of(
    numbers.identifier("510100", 1, b"YKTV"),
    numbers.reset_information(b"YKTVC", bytes.fromhex("0102030405060708")),
)
FACTOR, DATA = bytes.fromhex("32D9E876ADB31BBF"), bytes.fromhex("DBF7A936D0D18C9E")


def root(key: CardKey) -> bytes:
    """Test key material, from words."""
    return sm3(f"yikatong test vectors: card {key.name}".encode())[: keys.KEY]


class Recorder:
    """A channel that notes what passes over it."""

    def __init__(self, card: VirtualCard) -> None:
        self.atr, self._card = card.atr, card
        self.passed: list[list[str]] = []

    def transmit(self, command: bytes) -> bytes:
        answer = self._card.transmit(command)
        self.passed.append([_hex(command), _hex(answer)])
        return answer


def vectors() -> dict[str, Any]:
    own = {key: keys.card_key(root(key), CHIP) for key in CardKey}
    return {
        "chip": {"identification": CHIP.identification, "reset_info": CHIP.reset_info},
        "factors": [factor.hex().upper() for factor in keys.levels(CHIP)],
        "keys": {f"{key:04X}": {"root": _hex(root(key)), "card": _hex(own[key])} for key in CardKey},
        "factor": _hex(FACTOR),
        "data": _hex(DATA),
        "internal": _hex(keys.authenticator(own[CardKey.IRK], FACTOR, DATA)),
        "external": _hex(keys.authenticator(own[CardKey.RKSSSE], FACTOR, DATA)),
        "macs": [
            {
                "message": _hex(message),
                "mac": _hex(keys.mac(keys.session_key(own[CardKey.DPK], FACTOR), message)),
            }
            for message in (b"", bytes(range(15)), bytes(range(16)), bytes(range(33)))
        ],
        "reading": _reading(own),
    }


def _reading(own: dict[CardKey, bytes]) -> dict[str, Any]:
    drawn = count(1)
    person = Person(
        CHIP, numbers.make("A", 1), "3", "3.00", date(2026, 11, 20), date(2036, 11, 20), "510107199003070129",
        "王芳", "2", "01", date(1990, 3, 7),
    )  # fmt: skip
    card = VirtualCard(personalise(person, own), draw=lambda size: sm3(bytes((next(drawn),)))[:size])
    channel = Recorder(card)
    begun = terminal.begin(channel)
    answer = AuthAnswer(
        keys.authenticator(own[CardKey.IRK], begun.request.internal.factor, begun.request.internal.data),
        begun.request.internal.data,
        keys.authenticator(own[CardKey.RKSSSE], begun.request.external.factor, begun.request.external.data),
        begun.request.external.data,
    )
    basics = terminal.finish(channel, begun, answer)
    return {
        "atr": _hex(card.atr),
        "step1": begun.request.text(),
        "answer": answer.text(),
        "step2": basics.text(),
        "commands": channel.passed,
    }


def _hex(data: bytes) -> str:
    return data.hex().upper()


def text() -> str:
    return json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    print(TARGET)
