"""The closed list of refusals that gate, terminal and browser share: number, name, sentence, what to do.

A number, once published, keeps its meaning for ever; a reason that is no longer used keeps its line.
"""

from enum import IntEnum, unique
from typing import Self


@unique
class Reason(IntEnum):
    """Why a code, a use or a list is refused; `sentence`, `holder`, `operator`: Chinese, for people."""

    sentence: str
    holder: str
    operator: str

    def __new__(cls, number: int, sentence: str, holder: str, operator: str) -> Self:
        reason = int.__new__(cls, number)
        reason._value_ = number
        reason.sentence, reason.holder, reason.operator = sentence, holder, operator
        return reason

    # 1xx  the bytes themselves
    MALFORMED = 101, "无法识别该码", "请打开一卡通重新出示", "请确认所示为一卡通码，再次扫描"
    UNSUPPORTED_VERSION = 102, "码的版本不受支持", "请更新应用后重新出示", "请更新终端软件"
    UNSUPPORTED_ALGORITHM = 103, "码的算法不受支持", "请更新应用后重新出示", "请更新终端软件"
    TOO_LARGE = 104, "内容超出长度限制", "请打开一卡通重新出示", "请核对来源，勿再提交"

    # 2xx  who vouches for it
    UNKNOWN_ISSUER = 201, "发码机构不受信任", "请改用实体卡办理", "请更新信任列表后重试"
    KEY_WITHDRAWN = 202, "发码机构密钥已撤销", "请联网更新一卡通后重试", "请更新信任列表，勿放行"
    KEY_OUT_OF_PERIOD = 203, "发码机构密钥不在有效期内", "请联网更新一卡通后重试", "请更新信任列表后重试"
    BAD_CREDENTIAL_SIGNATURE = 204, "凭证签名不正确", "请联网更新一卡通后重试", "疑似伪造，请核验本人证件"
    BAD_DEVICE_SIGNATURE = 205, "设备签名不正确", "请重新打开一卡通出示", "疑似伪造，请核验本人证件"
    BAD_MAC = 206, "码校验不通过", "请重新打开一卡通出示", "疑似伪造，请核验本人证件"
    UNKNOWN_REFERENCE = 207, "码中的引用无法对应到设备", "请联网更新一卡通后重试", "请核验本人证件"

    # 3xx  time
    NOT_YET_VALID = 301, "凭证尚未生效", "请核对手机时间后重试", "请核对终端时间"
    CREDENTIAL_EXPIRED = 302, "凭证已过期", "请联网更新一卡通后重试", "请持卡人联网更新，或改用实体卡"
    PRESENTATION_EXPIRED = 303, "该码已失效", "请刷新后出示最新的码", "请持卡人刷新后重扫，勿使用截图"
    CLOCK_AHEAD = 304, "码的生成时间晚于当前时间", "请校准手机时间后重试", "请核对终端时间"

    # 4xx  lists, replay, limits, scene
    HOTLISTED = 401, "该卡已列入停用名单", "请到窗口或应用内查询卡状态", "请勿放行，引导持卡人查询卡状态"
    REPLAYED = 402, "该码已使用过", "请刷新后重新出示", "请持卡人刷新后重扫，勿使用截图"
    OVER_PER_USE = 403, "超过离线单次限额", "请联网使用或改用其他支付方式", "请联机办理"
    OVER_OFFLINE_TOTAL = 404, "超过离线累计限额", "请联网更新一卡通后重试", "请联机办理"
    OVER_OFFLINE_USES = 405, "超过离线使用次数", "请联网更新一卡通后重试", "请联机办理"
    WRONG_SCENE = 406, "该码不适用于本场景", "请切换到对应场景的码", "请持卡人切换到对应场景的码"
    LIST_TOO_OLD = 407, "终端名单过旧，暂不能离线核验", "请稍候或改用实体卡", "请联网更新终端名单"
    DOUBLE_OFFLINE_USE = (
        408,
        "同一码在多个离线终端重复使用",
        "请到窗口核实使用记录",
        "记入待核对，按离线损失规则处理",
    )

    # 5xx  short code
    SHORT_CODE_UNKNOWN = 501, "短码无效", "请重新获取短码", "请持卡人重新获取短码"
    SHORT_CODE_EXPIRED = 502, "短码已过期", "请重新获取短码", "请持卡人重新获取短码"
    SHORT_CODE_USED = 503, "短码已使用", "请重新获取短码", "请持卡人重新获取短码"

    # 6xx  card, device, holder: only the platform knows
    CARD_LOST_TEMPORARY = 601, "该卡已临时挂失", "如已找回，请先解除挂失", "请勿放行，提示持卡人解除挂失"
    CARD_LOST = 602, "该卡已正式挂失", "请办理补卡", "请勿放行，引导持卡人补卡"
    CARD_CANCELLED = 603, "该卡已注销", "如仍需用卡，请重新申领", "请勿放行，引导持卡人重新申领"
    CARD_NOT_ACTIVE = 604, "该卡尚未启用", "请先启用社会保障卡", "引导持卡人到窗口启用"
    CARD_EXPIRED = 605, "该卡已超过有效期", "请办理换卡", "引导持卡人换卡"
    CARD_UNKNOWN = 606, "该卡不在本平台登记", "请持本人证件到窗口查询", "请勿放行，核验本人证件"
    ECARD_SUSPENDED = 611, "电子卡已停用", "请在应用内恢复电子卡", "请改用实体卡办理"
    ECARD_REMOVED = 612, "电子卡已解除", "请重新签发电子卡", "请改用实体卡办理"
    DEVICE_REVOKED = 613, "该设备已解除绑定", "请在本设备重新签发电子卡", "请勿放行，核验本人证件"
    HOLDER_DECEASED = 621, "持卡人已登记身故", "如登记有误，请到窗口更正", "请勿放行，引导家属到窗口办理"
    NOT_ENTITLED = 622, "持卡人不享有此项服务", "请查询本人可享服务", "请核对服务事项与条件"
    NO_CONSENT = 623, "持卡人未同意此项使用", "请在应用内确认授权", "请持卡人在应用内确认授权"
    FULL = 624, "本场次名额已满", "请选择其他时段", "引导预约其他时段"

    # 7xx  terminal and request
    TERMINAL_UNKNOWN = 701, "终端未登记", "请换一台终端", "请联系运维登记终端"
    TERMINAL_STOPPED = 702, "终端已停用", "请换一台终端", "请联系运维"
    TERMINAL_WRONG_SCENE = 703, "终端无权用于本场景", "请换一台终端", "请核对终端的应用授权"
    REQUEST_BAD_MAC = 711, "请求校验不通过", "请稍候重试", "请终端重新签到"
    REQUEST_TIME_OFF = 712, "请求时间偏差过大", "请稍候重试", "请校准终端时间"
    SEQUENCE_REUSED = 713, "流水号已用于不同内容", "请稍候重试", "请核对终端流水号，勿重复提交"
    REQUEST_MALFORMED = 714, "请求格式不正确", "请稍候重试", "请更新终端软件"
    WORK_KEY_EXPIRED = 715, "终端工作密钥已过期", "请稍候重试", "请终端重新签到"
    APPLICATION_STOPPED = 716, "应用未获准或已停用", "请改用其他方式办理", "请核对应用接入状态"
    TOO_MANY_REQUESTS = 717, "请求过于频繁", "请稍候重试", "请降低频率后重试"
    USE_TOO_OLD = 718, "离线记录上传已超过期限", "请到窗口核实使用记录", "按离线损失规则处理"
    CORRECTION_REFUSED = 719, "该笔使用不能更正或撤销", "请到窗口核实使用记录", "请核对原流水号"

    # 8xx  lists
    LIST_MALFORMED = 801, "名单格式不正确", "请稍候重试", "请重新下载完整名单"
    LIST_BAD_SIGNATURE = 802, "名单签名不正确", "请稍候重试", "停止使用该名单，报告运维"
    LIST_GAP = 803, "名单版本不连续", "请稍候重试", "请重新下载完整名单"
    LIST_ROLLED_BACK = 804, "名单版本低于现有版本", "请稍候重试", "停止使用该名单，报告运维"


class Refused(Exception):
    """A code, a use or a list is refused, with its reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"{reason.value} {reason.name}")
        self.reason = reason
