"""What an entry of the audit log says in Chinese: event codes are for programs."""

from typing import Final

from yikatong.core.actor import Role
from yikatong.core.models import StaffUser
from yikatong.registry.cards.models import CaseStatus
from yikatong.registry.cards.rules import CardAct

_THINGS: Final = {
    "access:terminal": "用卡终端", "admin": "登记表", "audit:log": "审计记录", "audit:looks": "查询记录",
    "banks:account": "金融账户", "banks:agreement": "合作协议", "banks:hold": "账户冻结", "banks:written": "银行书面答复",
    "banks:request": "银行请求", "banks:delivery": "银行数据报送",
    "stock:blank": "空白卡", "cards:batch": "制卡批次", "cards:card": "社会保障卡", "cards:case": "受理单",
    "cards:roster": "批量名册", "codes:credentials": "凭证", "codes:device": "设备", "codes:ecard": "电子社保卡",
    "codes:key": "签发密钥", "core:audit": "审计记录", "holders:holder": "持卡人",
    "identity:login": "持卡人登录", "identity:password": "电子社保卡密码", "regions:divisions": "行政区划",
    "regions:centres": "区划中心点", "outlets:outlet": "服务网点", "stock:count": "空白卡盘点",
    "staff:login": "工作人员登录", "staff:lock": "工作人员锁定", "staff:password": "工作人员密码",
    "staff:totp": "工作人员验证器", "usage:evidence": "离线用卡证据",
}  # fmt: skip
_DONE: Final = {
    "activated": "启用", "added": "新增", "asked": "发起", "counted": "盘点",
    "spoiled": "作废", "closed": "销户", "frozen": "冻结",
    "lost": "挂失", "active": "激活",
    "retried": "立即发送", "broken": "不符", "cancelled": "注销", "changed": "修改",
    "checked": "审核通过", "code_made": "生成开通码", "deleted": "删除", "done": "处理完成", "enrolled": "开通",
    "enrolment_begun": "开始绑定验证器", "exported": "导出", "failed": "失败", "in": "登录", "issued": "签发",
    "loaded": "载入", "locked": "暂停登录", "made": "生成", "opened": "开立", "out": "退出", "passed": "通过",
    "read": "查看", "received": "收到", "refused": "未接收", "registered": "登记", "rejected": "审核不通过",
    "released": "解除", "reset": "重置",
    "removed": "解除", "resumed": "恢复使用", "retired": "报废", "returned": "回盘", "revealed": "显示号码",
    "revoked": "解除", "rotated": "轮换", "set": "设置", "stopped": "停用", "submitted": "受理",
    "described": "修改业务和设施", "hours_set": "修改服务时间", "hours_changed": "登记临时调整",
    "hours_change_ended": "撤销临时调整", "machine_key_renewed": "更换叫号机密钥", "machine_stopped": "停用叫号机",
    "written_off": "核销短少",
    "withdrawn": "撤销", "wall_begun": "挂为大屏", "preopened": "银行预开户", "phone_changed": "变更手机号码",
    "drafted": "录入", "confirmed": "复核", "dropped": "退回", "end_asked": "录入提前终止",
    "ended": "提前终止", "succeeded": "由新协议接替", "lifting": "通知解冻", "lifted": "解冻", "recorded": "登记",
    "contradicted": "与电子应答不一致", "kept": "以书面为准", "taken": "以电子应答为准",
    "rows_taken": "下载有误的行", "certificate_linked": "登记新证件", "category_added": "登记优待类别",
}  # fmt: skip
_OF_CASES: Final = dict(CaseStatus.choices) | {
    "corrected": "补正", "escalated": "超期上报", "ordered": "督办", "fee_paid": "收取工本费", "fee_waived": "免收工本费",
}  # fmt: skip
_OWN: Final = {
    "cards:card": dict(CardAct.choices) | {"puk_proven": "认证以重置密码"},
    "cards:case": _OF_CASES,
}


def said(event: str) -> str:
    """社会保障卡：启用 for "cards:card:activated"; what has no word here keeps its code."""
    thing, _, done = event.rpartition(":")
    named = _THINGS.get(thing) or _THINGS.get(thing.partition(":")[0], "")
    word = _OWN.get(thing, _DONE).get(done, "")
    return f"{named}：{word}" if named and word else event


_CHANNELS: Final = {
    "web": "网页", "mobile": "手机", "kiosk": "自助", "counter": "窗口", "batch": "批量", "terminal": "终端",
    "system": "平台",
}  # fmt: skip


def channel(code: str) -> str:
    """网页 for "web"."""
    return _CHANNELS.get(code, code)


_ROLES: Final = {
    **{str(role): label for role, label in StaffUser.ROLES}, Role.HOLDER: "持卡人", Role.SYSTEM: "平台",
}  # fmt: skip


def role(code: str) -> str:
    """窗口经办 for "clerk"."""
    return _ROLES.get(code, code)
