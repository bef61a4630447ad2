"""The pairing code of a reader agent: a file of this user's, and whoever sits here types it into the page once."""

import hmac
import re
import secrets
import time
from pathlib import Path
from typing import Final

from yikatong.core import env

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 16
_WRONG_MOST: Final = 5
_PAUSE_S: Final = 30.0


def default_path() -> Path:
    return Path.home() / ".config" / "yikatong" / "reader.code"


def code(path: Path, *, anew: bool = False) -> str:
    """The code kept in `path`, made at the first call; `anew` ends every pairing there was. BadSettings."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if anew:
        path.unlink(missing_ok=True)
    if not path.exists():
        env.create_once(path, "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)).encode())
    env.refuse_shared(path)
    found = spelt(path.read_text(encoding="ascii", errors="replace"))
    if not re.fullmatch(f"[{_ALPHABET}]{{{_LENGTH}}}", found):
        raise env.BadSettings(f"配对码文件 {path} 已损坏；请执行 yikatong reader pair --new")
    return found


def spelt(text: str) -> str:
    """A code without the spaces, hyphens and small letters people type."""
    return re.sub(r"[\s-]", "", text).upper()


def shown(text: str) -> str:
    """In groups of four."""
    return "-".join(re.findall("....", text))


class Pairing:
    """Whether a page knows the code. After five wrong ones in a row nobody is heard for half a minute."""

    def __init__(self, expected: str) -> None:
        self._expected = expected.encode()
        self._wrong, self._again_at = 0, 0.0

    def wait_s(self) -> int:
        """How long nobody is heard, 0 when the next one is."""
        return max(0, round(self._again_at - time.monotonic() + 0.5)) if self._wrong >= _WRONG_MOST else 0

    def is_known(self, text: str) -> bool:
        if self.wait_s():
            return False
        if self._wrong >= _WRONG_MOST:
            self._wrong = 0
        if hmac.compare_digest(spelt(text).encode(), self._expected):
            self._wrong = 0
            return True
        self._wrong += 1
        self._again_at = time.monotonic() + _PAUSE_S
        return False
