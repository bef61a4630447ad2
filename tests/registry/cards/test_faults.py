"""Numbers and words of the national interface: as the specification here has them, letter for letter."""

import re
from pathlib import Path

import pytest

from yikatong.registry.cards.chip.faults import Fault, fault, of_status

SPEC = (Path(__file__).parents[3] / "docs/spec/national-card.md").read_text(encoding="utf-8")
TABLE = {-int(number): words for number, words in re.findall(r"^\| −(\d+) \| (.+?) \|$", SPEC, re.MULTILINE)}


@pytest.mark.clause("E3")
@pytest.mark.parametrize("kind", list(Fault))
def test_every_fault_has_its_number_and_words(kind: Fault) -> None:
    refusal = fault(kind)
    assert TABLE[refusal.number] == refusal.message == kind.sentence
    assert refusal.problem()["number"] == refusal.number
    assert (refusal.status, refusal.code) == (422, "card_fault")


def test_every_number_of_the_table_is_said_by_something() -> None:
    faults = {kind.value for kind in Fault}
    by_status = {
        refusal.number: refusal.message for word in range(0x6000, 0x10000) if (refusal := of_status(word))
    }
    for number, words in TABLE.items():
        assert number in faults or by_status[number] == words
    assert len(TABLE) == len(faults) + 23


@pytest.mark.parametrize(
    ("word", "number", "words"),
    [
        (0x63C2, -25538, "认证失败，剩余可尝试 2 次"),
        (0x63C0, -25536, "认证失败，剩余可尝试 0 次"),
        (0x6C10, -26368, "命令长度不正确"),
        (0x6F00, -28416, "卡片返回 6F00"),
        (0x6B00, -27392, "读写位置超出文件长度"),
    ],
)
def test_words_that_carry_a_count_or_are_unknown(word: int, number: int, words: str) -> None:
    assert (of_status(word).number, of_status(word).message) == (number, words)
