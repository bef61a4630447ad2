"""What outlets offer, when they are open, what a queue report is worth. Pure decisions, and the refusals."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from yikatong.core.errors import DomainError, Invalid
from yikatong.registry.regions.law import ByLaw, province

#: 可办业务, as people call them; 即时制卡 follows from the outlet's stock (`Outlet.issues_at_once`).
SERVICES: Final = (
    "申领", "启用", "金融激活", "挂失", "解挂", "补换", "注销", "信息变更", "全省通办",
)  # fmt: skip
AT_ONCE: Final = "即时制卡"

#: 便民设施 by key; the first makes an outlet accessible.
FACILITIES: Final = {
    "ramp": "无障碍通道",
    "toilet": "无障碍卫生间",
    "parking": "无障碍停车位",
    "nursing": "母婴室",
    "sign": "手语服务",
    "hearing": "助听设备",
    "braille": "盲文或大字材料",
    "elder": "老年人优先窗口",
}

WAITING_MOST: Final = 999
WINDOWS_MOST: Final = 99
SPANS_MOST: Final = 4


class BadHours(Invalid):
    code = "hours_invalid"
    message = "服务时间应写作“9:00-12:00 13:30-17:00”，先后不重叠，每天最多 4 段。"


class BadChange(Invalid):
    code = "hours_change_invalid"
    message = (
        "请填写临时调整的起止日期（不早于今天，最长一年）和原因；开放的写明起止时间，全天不开放的不填时间。"
    )


class BadServices(Invalid):
    code = "services_invalid"
    message = "请从列表中选择可办业务和便民设施。"


class BadPosition(Invalid):
    code = "position_invalid"
    message = "经纬度应在本省及周边范围内（经度 73 至 136，纬度 3 至 54），请两项都填或都不填。"


class ChangeGone(DomainError):
    code = "hours_change_gone"
    message = "这项临时调整已经撤销或结束，不需要再次办理。"


class BadQueue(Invalid):
    code = "queue_invalid"
    message = "等候人数应为 0 至 999，开放窗口应为 0 至 99。"


class NoOutletOfYours(ByLaw):
    code, articles = "outlet_not_yours", ("S14", "G5")
    status = 403
    message = "您没有所在网点，或该网点不归您管理，不能登记排队情况，请由该网点的工作人员登记。"


class NotOffered(ByLaw):
    """The words name the nearest outlets that offer it. facts: service, outlets."""

    code, articles = "not_offered_here", ("S14", "G5")


class ReportTooOld(DomainError):
    """facts: newest."""

    code = "queue_report_old"
    message = "已有更新的排队报告，这一份没有采用，不需要重发。"


class MachineUnknown(DomainError):
    """One answer for an unknown outlet, a stopped machine, a wrong key and a wrong clock."""

    code, status = "queue_machine_unknown", 401
    message = "没有认出这台叫号机：请核对网点编号、密钥和时钟。"


def check_services(services: Collection[str], facilities: Collection[str]) -> None:
    """Raises BadServices."""
    if not set(services) <= set(SERVICES) or not set(facilities) <= set(FACILITIES):
        raise BadServices


def check_position(longitude: float | None, latitude: float | None) -> None:
    """Raises BadPosition: both or none, and somewhere in China."""
    if longitude is None and latitude is None:
        return
    if longitude is None or latitude is None or not (73 <= longitude <= 136 and 3 <= latitude <= 54):
        raise BadPosition


def check_queue(waiting: int, windows: int | None) -> None:
    """Raises BadQueue."""
    if not 0 <= waiting <= WAITING_MOST or (windows is not None and not 0 <= windows <= WINDOWS_MOST):
        raise BadQueue


def stale_after() -> timedelta:
    """A queue report older than this says nothing of now."""
    return timedelta(minutes=province().outlets.queue_minutes)
