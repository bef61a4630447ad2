"""A card maker that answers production files: for demonstrations and tests. No chip is harmed."""

from random import Random
from typing import Final

from yikatong.adapters.card_maker.layout import PipeMakerFiles
from yikatong.core.sm.sm3 import sm3
from yikatong.registry.cards import numbers
from yikatong.registry.cards.batches.files import Head, MakeAnswer, MakeRequest

REASONS: Final = ("芯片写入失败", "卡面印刷不合格", "照片无法印制")
MAKER: Final = b"YKSBX"
_BOX_ROWS: Final = 200


def answer(request: bytes, *, failing: float = 0.0, seed: int = 0) -> bytes:
    """The maker's return; `failing` is the share of cards that do not succeed."""
    files = PipeMakerFiles()
    head, rows = files.read_requests(request)
    dice = Random(f"{seed}:{head.batch}")  # noqa: S311 - a sandbox repeats itself on purpose
    answers = [_failed(one, dice) if dice.random() < failing else _made(one, head.batch) for one in rows]
    made = sum(not one.failure for one in answers)
    top = Head(head.batch, head.bank, len(answers), head.day, made, len(answers) - made)
    return files.write_answers(top, answers)


def _failed(one: MakeRequest, dice: Random) -> MakeAnswer:
    return MakeAnswer(one.row, one.card_number, "", "", "", "制卡", dice.choice(REASONS))


def _made(one: MakeRequest, batch: str) -> MakeAnswer:
    """Identification and reset information follow from batch and row, so that a resend says the same."""
    identification, reset = chip_of(one, batch)
    box = f"{batch[-6:]}-{(one.row - 1) // _BOX_ROWS + 1:02d}-{(one.row - 1) % _BOX_ROWS + 1:03d}"
    return MakeAnswer(one.row, one.card_number, identification, reset, box, "", "")


def chip_of(one: MakeRequest, origin: str) -> tuple[str, str]:
    """卡识别码 and 卡复位信息 of a chip from that batch or pack."""
    chip = sm3(f"{origin}|{one.row}|{one.card_number}".encode())
    identification = numbers.identifier(one.division_code, int.from_bytes(chip[:4], "big"), chip[4:8])
    return identification, numbers.reset_information(MAKER, chip[8:16])
