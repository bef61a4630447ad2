"""Who acts: passed to every act as `by`."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    HOLDER = "holder"  # 持卡人
    CLERK = "clerk"  # 窗口经办
    BANK_CLERK = "bank_clerk"  # 合作银行网点经办
    SUPERVISOR = "supervisor"  # 业务主管
    OPERATOR = "operator"  # 终端与应用运营
    LEADER = "leader"  # 看板
    AUDITOR = "auditor"  # 审计
    ADMIN = "admin"  # 系统管理
    SYSTEM = "system"  # 平台自身（定时任务、命令行）


class Channel(StrEnum):
    """渠道, after the domain's channel codes: how the act reached us."""

    WEB = "web"
    MOBILE = "mobile"
    KIOSK = "kiosk"
    COUNTER = "counter"
    BATCH = "batch"
    TERMINAL = "terminal"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts, or looks. `scope` is a division-code prefix: "" all, "51" a province, "5101" a city."""

    id: UUID | None
    name: str
    role: Role
    channel: Channel
    scope: str = ""
    organisation: str = ""
    outlet_id: UUID | None = None
    for_holder: UUID | None = None
    bank: str = ""  # of a clerk at a bank's outlet: the only bank whose cards he serves

    def covers(self, division_code: str) -> bool:
        """Whether a record of this division lies within the actor's region."""
        return self.role is not Role.HOLDER and division_code.startswith(self.scope)


SYSTEM = Actor(id=None, name="平台", role=Role.SYSTEM, channel=Channel.SYSTEM)
