"""A card maker that answers production files: for demonstrations and tests. No chip is harmed."""

from random import Random
from typing import Final

from yikatong.adapters.card_maker.layout import PipeMakerFiles
from yikatong.core.sm.sm3 import sm3
from yikatong.registry.cards import numbers
from yikatong.registry.cards.batches.files import Echo, Head, MakeAnswer, MakeRequest

REASONS: Final = ("芯片写入失败", "卡面印刷不合格", "照片无法印制")
MAKER: Final = b"YKSBX"
_BOX_ROWS: Final = 200


def answer(request: bytes, *, failing: float = 0.0, seed: int = 0) -> bytes:
    """The maker's return; `failing` is the share of cards that do not succeed."""
    files = PipeMakerFiles()
    head, rows = files.read_requests(request)
    dice = Random(f"{seed}:{head.batch}")  # noqa: S311 - a sandbox repeats itself on purpose
    boxes = _Boxes(head.batch)
    answers = [
        _failed(one, dice) if dice.random() < failing else _made(one, head.batch, boxes.next_for(one))
        for one in rows
    ]
    made = sum(not one.failure for one in answers)
    top = Head(head.batch, head.bank, len(answers), head.day, made, len(answers) - made)
    return files.write_answers(top, answers)


class _Boxes:
    """A box holds the cards of one outlet, in the order they are made."""

    def __init__(self, batch: str) -> None:
        self._batch, self._boxes = batch, 0
        self._open: dict[tuple[str, str], tuple[int, int]] = {}  # by destination: box and cards in it

    def next_for(self, one: MakeRequest) -> str:
        to = (one.delivery.outlet, one.delivery.division_code)
        box, cards = self._open.get(to, (0, _BOX_ROWS))
        if cards >= _BOX_ROWS:
            self._boxes += 1
            box, cards = self._boxes, 0
        self._open[to] = (box, cards + 1)
        return f"{self._batch[-6:]}-{box:02d}-{cards + 1:03d}"


def _echo(one: MakeRequest) -> Echo:
    issued, expires = f"{one.issued_on:%Y%m%d}", f"{one.expires_on:%Y%m%d}"
    return Echo(one.social_security_number, one.name, issued, expires, one.bank, one.account)


def _failed(one: MakeRequest, dice: Random) -> MakeAnswer:
    return MakeAnswer(one.row, one.card_number, "", "", "", "制卡", dice.choice(REASONS), echo=_echo(one))


def _made(one: MakeRequest, batch: str, place: str) -> MakeAnswer:
    """Identification and reset information follow from batch and row, so that a resend says the same."""
    identification, reset = chip_of(one, batch)
    return MakeAnswer(one.row, one.card_number, identification, reset, place, "", "", echo=_echo(one))


def chip_of(one: MakeRequest, origin: str) -> tuple[str, str]:
    """卡识别码 and 卡复位信息 of a chip from that batch or pack."""
    chip = sm3(f"{origin}|{one.row}|{one.card_number}".encode())
    identification = numbers.identifier(one.division_code, int.from_bytes(chip[:4], "big"), chip[4:8])
    return identification, numbers.reset_information(MAKER, chip[8:16])
