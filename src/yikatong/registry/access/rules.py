"""States of a terminal, its number and its enrolment code."""

import secrets
from datetime import timedelta
from typing import Final

from yikatong.core.errors import DomainError, Invalid
from yikatong.core.statuses import IllegalMove, Table
from yikatong.registry.access.models import Terminal

Status = Terminal.Status
TRANSITIONS: Final[Table[Terminal.Status]] = {
    Status.REGISTERED: frozenset({Status.ENROLLED, Status.RETIRED}),
    Status.ENROLLED: frozenset({Status.STOPPED, Status.RETIRED}),
    Status.STOPPED: frozenset({Status.ENROLLED, Status.RETIRED}),
    Status.RETIRED: frozenset(),
}

CODE_LIFE: Final = timedelta(hours=24)
# Without letters and digits that look alike on a printed sheet (Crockford's alphabet): 16 of them are 80 bits.
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS: Final = 4
SCENES: Final = range(1, 256)


class TerminalMove(IllegalMove):
    code = "terminal_move"
    message = "终端当前状态不能办理这项操作，请刷新后核对终端状态。"


class ReasonMissing(Invalid):
    code = "reason_missing"
    message = "请填写原因。"


class ScenesWrong(Invalid):
    code = "scenes_wrong"
    message = "请至少选择一种可验的场景。"


class NumberTaken(DomainError):
    code = "terminal_number_taken"
    message = "终端编号已被使用，请换一个编号，或留空由平台编号。"


class NumberWrong(Invalid):
    code = "terminal_number_wrong"
    message = "终端编号应为 12 位：所在区县代码 6 位加顺序号 6 位。"


class NoNumberLeft(DomainError):
    code = "no_terminal_number_left"
    message = "该区县的终端编号已用完，请联系省级运营人员。"


class EnrolmentRefused(DomainError):
    """One answer for all causes: it does not say which terminals there are."""

    code = "enrolment_refused"
    status = 403
    message = "开通码不正确或已失效。请向运营人员索取新的开通码。"


def check_number(number: int, division: str) -> None:
    """A terminal's number begins with the division of its place. Raises NumberWrong."""
    text = str(number)
    if len(text) != 12 or text[:6] != division or text[6:] == "000000":
        raise NumberWrong


def new_code() -> str:
    """Sixteen characters in groups of four, for people to type once."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(_GROUPS))
    return "-".join(groups)
