"""How a department decides: what its own register says of what it was told."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from yikatong.core.sm.sm3 import sm3

Content = Mapping[str, Any]
#: State, reason, result.
Decision = tuple[str, str, dict[str, str]]

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"


def decide(key: str, name: str, content: Content) -> Decision:
    """What comes of a matter called `name`; always the same of the same."""
    fault = _fault(content)
    return fault or ("done", "", {"number": _RESULTS[key](name, content)})


def _fault(content: Content) -> Decision | None:
    """Books and certificates that end in 000 are in no register; those in 001 say something else."""
    for label, value in (
        ("户口簿编号", str(content.get("household_book", ""))),
        ("退役证编号", re.sub(r"\D", "", str(content.get("discharge_certificate", "")))),
    ):
        if value.endswith("000"):
            return "refused", f"{label}查无此号，请核对后重新送办", {}
        if value.endswith("001"):
            return "correcting", f"{label}与底册不一致，请核对后补正", {}
    return None


def _citizen_number(name: str, content: Content) -> str:
    """公民身份号码 (GB 11643): district, birth date, and an order whose last digit says the sex."""
    born = str(content["birth_date"]).replace("-", "")
    order = int.from_bytes(sm3(name.encode())[:4], "big") % 500 * 2
    order += 1 if content.get("sex") == "1" else 0
    body = f"{str(content['division_code'])[:6]}{born}{order:03d}"
    return body + _CHECKS[sum(w * int(d) for w, d in zip(_WEIGHTS, body, strict=True)) % 11]


def _serial(prefix: str) -> Callable[[str, Content], str]:
    def made(name: str, _: Content) -> str:
        return prefix + f"{int.from_bytes(sm3(f'{prefix}{name}'.encode())[:5], 'big') % 10**10:010d}"

    return made


_RESULTS: Final[dict[str, Callable[[str, Content], str]]] = {
    "birth": lambda _, content: str(content["birth_certificate"]),
    "household": _citizen_number,
    "vaccination": _serial("YM"),
    "insurance": _serial("YB"),
    "report": _serial("BD"),
    "licence": _serial("YD"),
    "residence": _serial("HK"),
    "transfer": _serial("YZ"),
    "pension": _serial("YL"),
}
