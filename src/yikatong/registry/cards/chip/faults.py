"""Numbers of the national terminal interface for what goes wrong with a card (LD/T 33-2015, 人社信息函〔2016〕38号).

A number, negative, is what a terminal program returns; status words of the chip become numbers as well.
"""

from enum import IntEnum, unique
from typing import ClassVar, Final, Self

from yikatong.core.errors import DomainError

STANDARD: Final = "人社信息函〔2016〕38号"


@unique
class Fault(IntEnum):
    """What went wrong; `sentence` is Chinese, for whoever stands at the terminal."""

    sentence: str

    def __new__(cls, number: int, sentence: str) -> Self:
        fault = int.__new__(cls, number)
        fault._value_ = number
        fault.sentence = sentence
        return fault

    WRONG_KIND = -1, "卡类型不对，请放置社会保障卡"
    NO_CARD = -2, "读卡器上没有卡，请放好卡片后重试"
    NOT_POWERED = -3, "卡片未上电，请重新放置卡片"
    MUTE = -4, "卡片无应答，请取下卡片重新放置"
    NO_LIBRARY = -5, "读卡组件没有安装或不能加载，请联系运维"
    READER_BROKEN = -11, "读卡器连接出错，请检查读卡器连线"
    NOT_CONNECTED = -12, "没有连接读卡器，请连接后重试"
    NOT_SUPPORTED = -13, "不支持该命令或该卡的算法"
    BAD_PARAMETERS = -14, "命令参数错，请更新终端软件"
    BAD_CHECKSUM = -15, "信息校验出错，请重试"
    BAD_IDENTIFICATION = -20, "卡识别码格式错，请核对是否为社会保障卡"
    CARD_NOT_GENUINE = -21, "内部认证失败，卡片不合法，请核验本人证件"
    DIFFERS = -22, "传入数据与卡内不符，请重新读卡"
    BAD_DATA = -23, "传入数据不合法，请重新读卡"
    KEY_LEVEL = -24, "密钥级别不够，该终端不能办理此业务，请到窗口办理"
    HSM_DIFFERS = -25, "内部认证与加密机不一致，卡片不合法或加密机密钥不符"
    PIN_CANCELLED = -31, "已取消输入密码"
    PIN_TIMEOUT = -32, "输入密码超时，请重新操作"
    PIN_LENGTH = -33, "输入密码长度错，应为 6 位数字"
    PIN_DIFFERS = -34, "两次输入的密码不一致，请重新输入"
    PIN_INITIAL = -35, "初始密码不能交易，请先修改密码"
    PIN_TO_INITIAL = -36, "不能改为初始密码，请另设密码"
    ILLEGAL_CHARACTERS = -41, "运算数据含非法字符"
    WRONG_LENGTH = -42, "运算数据长度错"
    WRONG_PIN = -51, "密码校验失败"
    PIN_LOCKED = -52, "密码已锁定，请到窗口重置密码"
    NO_PSAM = -2201, "终端没有 PSAM 卡，请用加密机方式"
    NO_PSAM_ALGORITHM = -2202, "终端的 PSAM 卡不支持该卡的算法，请用加密机方式"
    NO_PSAM_KEY = -2203, "终端的 PSAM 卡没有 RKSSSE 密钥，请用加密机方式"
    UNKNOWN = -999, "未知错误"


#: Status words that have a number of their own, or words of their own; all others are their negative number.
_OF_STATUS: Final = {
    0x6700: (-26368, "命令长度不正确"),
    0x6A86: (-26370, "参数 P1、P2 不正确"),
    0x6E00: (-26371, "CLA 错"),
    0x6D00: (-27904, "卡片不支持该命令"),
    0x6901: (-26881, "命令不接受（无效状态）"),
    0x6981: (-27009, "命令与文件结构不相符"),
    0x6982: (-27010, "不满足安全条件"),
    0x6983: (-27011, "密钥或密码已锁定"),
    0x6984: (-27012, "随机数无效"),
    0x6985: (-27013, "不满足使用条件"),
    0x6988: (-27016, "安全报文不正确"),
    0x6A80: (-27264, "数据域参数不正确"),
    0x6A81: (-27265, "不支持该功能或卡片已锁定"),
    0x6A82: (-27266, "未找到文件"),
    0x6A83: (-27267, "未找到记录"),
    0x6A88: (-27272, "未找到密钥"),
    0x6B00: (-27392, "读写位置超出文件长度"),
    0x9302: (-37634, "MAC 无效"),
    0x9303: (-37635, "应用已被永久锁定"),
    0x9401: (-37889, "余额不足"),
    0x9402: (-37890, "交易序号已达最大值"),
    0x9403: (-37891, "密钥索引不支持"),
    0x9406: (-37894, "所需 MAC 或 TAC 不可用"),
}
_TRIES: Final = 0x63C0
_LENGTH: Final = 0x6C00


class CardFault(DomainError):
    """A card, a reader or the data of one is not as it should be. `number` is the national one."""

    code: ClassVar[str] = "card_fault"
    status: ClassVar[int] = 422
    article = STANDARD

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message, number=int(number))
        self.number = int(number)


def fault(kind: Fault) -> CardFault:
    return CardFault(kind.value, kind.sentence)


def of_status(word: int) -> CardFault:
    """The fault a status word of the chip stands for; `word` is not 9000."""
    if word & 0xFFF0 == _TRIES:
        return CardFault(-word, f"认证失败，剩余可尝试 {word & 0x0F} 次")
    if word & 0xFF00 == _LENGTH:
        return CardFault(-26368, "命令长度不正确")
    number, sentence = _OF_STATUS.get(word, (-word, f"卡片返回 {word:04X}"))
    return CardFault(number, sentence)
