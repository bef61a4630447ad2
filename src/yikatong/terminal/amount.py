"""Yuan as people type them, fen as machines count them. No floats on the way."""

import re

from yikatong.terminal.errors import BadAmount

_YUAN = re.compile(r"(\d{1,6})(?:\.(\d{1,2}))?", re.ASCII)


def fen_of(text: str) -> int:
    """Whole fen of «2», «2.5», «2.00»; at most 999999.99 yuan. Raises BadAmount."""
    found = _YUAN.fullmatch(text.strip())
    if found is None:
        raise BadAmount
    yuan, rest = found.groups(default="")
    return int(yuan) * 100 + int(rest.ljust(2, "0"))


def yuan_of(fen: int) -> str:
    """«2.00» of 200."""
    return f"{fen // 100}.{fen % 100:02d}"
