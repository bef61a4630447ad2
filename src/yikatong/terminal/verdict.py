"""What the terminal says to the person in front of it: pass or not, why, what next."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from yikatong.terminal.answers import Fate
from yikatong.using.codes.pass_ import Presentation, Reason


class Local(Enum):
    """Refusals only a terminal can utter; they concern no code and get no number of the closed list."""

    OFFLINE_FULL = "离线笔数已达上限，暂不能离线核验", "请联网上传离线记录后重试", "请稍候或改用其他方式"
    SHORT_CODE_OFFLINE = (
        "短码需要联网核验",
        "请持卡人打开离线也可用的亮码，或待网络恢复",
        "请打开一卡通的亮码",
    )
    STOPPED = "终端已停用", "请联系运维；恢复后重新签到", "请换一台终端"

    def __init__(self, sentence: str, operator: str, holder: str) -> None:
        self.sentence, self.operator, self.holder = sentence, operator, holder


@dataclass(frozen=True, slots=True)
class Verdict:
    """`sequence` None: not recorded (nothing could be). `reason` 0 for pass and for `Local` refusals."""

    accepted: bool
    is_offline: bool
    reason: int = 0
    name: str = "accepted"
    message: str = "通过"
    next_step: str = ""
    tell_holder: str = ""
    sequence: int | None = None
    scene: int = 0
    amount_fen: int = 0
    fare_class: int | None = None
    concessions: list[str] = field(default_factory=list)

    @classmethod
    def passed(cls, shown: Presentation, *, sequence: int, amount_fen: int) -> Self:
        """Let pass offline."""
        return cls(
            accepted=True,
            is_offline=True,
            sequence=sequence,
            scene=shown.credential.scene,
            amount_fen=amount_fen,
            fare_class=shown.credential.claims.fare_class,
        )

    @classmethod
    def refused(cls, why: Reason | Local, *, is_offline: bool = True, sequence: int | None = None) -> Self:
        number = int(why) if isinstance(why, Reason) else 0
        words = (why.name.lower(), why.sentence, why.operator, why.holder)
        return cls(False, is_offline, number, *words, sequence)

    @classmethod
    def of_gate(cls, fate: Fate) -> Self:
        return cls(
            accepted=fate.accepted,
            is_offline=False,
            reason=fate.reason,
            name=fate.name,
            message=fate.message,
            next_step=fate.next_step,
            tell_holder=fate.tell_holder,
            sequence=fate.sequence,
            scene=fate.scene,
            amount_fen=fate.amount_fen or 0,
            fare_class=fate.fare_class,
            concessions=fate.concessions,
        )
