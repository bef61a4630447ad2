"""What keeps a terminal from answering at all. A code that may not pass is no error; see `verdict`."""

from yikatong.using.codes.reasons import Reason


class TerminalError(Exception):
    """`message` is the Chinese sentence, `next_step` what to do about it. Nothing was let pass."""

    message = "终端无法工作"
    next_step = "请联系运维"

    def __init__(self, message: str | None = None, next_step: str | None = None) -> None:
        self.message = message or type(self).message
        self.next_step = next_step or type(self).next_step
        super().__init__(self.message)


class NoStore(TerminalError):
    message = "找不到终端数据文件"
    next_step = "请先开通终端：yikatong terminal enrol"


class StoreDamaged(TerminalError):
    message = "终端数据文件已损坏或不是终端数据"
    next_step = "请保留该文件并联系运维，未上传的记录仍在其中"


class StoreOpenToOthers(TerminalError):
    message = "终端数据文件可被其他用户读取"
    next_step = "请执行 chmod 600 后重试"


class StoreFull(TerminalError):
    message = "存储空间已满，本次没有记录，也没有放行"
    next_step = "请清理磁盘空间后重试；已有记录没有丢失"


class StoreBusy(TerminalError):
    message = "终端数据正被另一个程序占用"
    next_step = "请稍候重试"


class NotEnrolled(TerminalError):
    message = "终端尚未开通"
    next_step = "请先执行 yikatong terminal enrol"


class WrongCode(TerminalError):
    message = "开通码不正确"
    next_step = "请核对终端编号与开通码，或由运维重新生成"


class NotSignedIn(TerminalError):
    message = "终端尚未签到"
    next_step = "请联网执行 yikatong terminal signin"


class BadAmount(TerminalError):
    message = "金额格式不正确"
    next_step = "请填写元，最多两位小数，如 2.00"


class BadPicture(TerminalError):
    message = "图片无法读取"
    next_step = "请重新拍摄或截取完整的二维码图片"


class BadAddress(TerminalError):
    message = "闸机地址格式不正确"
    next_step = "请填写 http:// 或 https:// 开头的地址"


class GateDown(TerminalError):
    """No answer. Whether the request arrived is unknown; sending it again is harmless."""

    message = "无法连接闸机服务"
    next_step = "请检查网络后重试；离线记录保存在本机，不会丢失"
    is_refused_connection = False  # nobody listens: the request certainly did not arrive


class GateFault(TerminalError):
    """An answer that is none of ours: another server, or one that is not well."""

    message = "闸机服务的应答无法理解"
    next_step = "请核对闸机地址；如仍出现请联系运维"


class GateRefused(TerminalError):
    """The gate refuses the request as such, in its own words.

    `reason`: of the closed list, None for one we do not know. `server_time`: where the gate tells it.
    """

    def __init__(
        self, message: str, next_step: str, *, reason: Reason | None, server_time: int | None = None
    ) -> None:
        super().__init__(message, next_step)
        self.reason, self.server_time = reason, server_time


class ListRefused(TerminalError):
    """A list that was sent is not taken; the held one stays."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.sentence, reason.operator)
        self.reason = reason
