"""A bank that answers pre-opening files: for demonstrations and tests, never wired to a real one."""

from random import Random
from typing import Final

from yikatong.adapters.bank_files.layout import PipeBankFiles
from yikatong.registry.cards import numbers
from yikatong.registry.cards.batches.files import Head, OpenAnswer

REASONS: Final = ("户名与证件不符", "客户身份待核实", "同名账户已达上限")


def answer(request: bytes, *, prefix: str, failing: float = 0.0, seed: int = 0) -> bytes:
    """The bank's return. `prefix` is its card number prefix, `failing` the share of rows it refuses."""
    files = PipeBankFiles()
    head, rows = files.read_requests(request)
    dice = Random(f"{seed}:{head.batch}")  # noqa: S311 - a sandbox repeats itself on purpose
    answers = [
        OpenAnswer(one.row, "", dice.choice(REASONS))
        if dice.random() < failing
        else OpenAnswer(one.row, _account(prefix, head.batch, one.row), "")
        for one in rows
    ]
    opened = sum(bool(one.account) for one in answers)
    top = Head(head.batch, head.bank, len(answers), head.day, opened, len(answers) - opened)
    return files.write_answers(top, answers)


def _account(prefix: str, batch: str, row: int) -> str:
    """Eighteen digits and the Luhn digit, never twice: batch sequence 6, row 5. The 9 marks the sandbox."""
    body = f"{prefix}9{int(batch[-6:]):06d}{row:05d}"
    return body + numbers.luhn_digit(body)
