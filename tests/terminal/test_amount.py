import pytest

from yikatong.terminal.amount import fen_of, yuan_of
from yikatong.terminal.errors import BadAmount


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0),
        ("2", 200),
        ("2.5", 250),
        ("2.00", 200),
        (" 0.01 ", 1),
        ("999999.99", 99_999_999),
        ("1.10", 110),
    ],
)
def test_yuan_become_whole_fen(text: str, fen: int) -> None:
    assert fen_of(text) == fen


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.", ".5", "1.005", "1e3", "1,000", "２", "1000000", "NaN", "1 2"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadAmount, match="金额格式不正确"):
        fen_of(text)


def test_fen_are_told_as_yuan() -> None:
    assert [yuan_of(fen) for fen in (0, 5, 250, 12_345)] == ["0.00", "0.05", "2.50", "123.45"]
