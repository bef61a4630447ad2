"""How a card, an e-card or a case stands, in the words, tone and icon the citizen sees."""

from dataclasses import dataclass
from datetime import datetime

from yikatong.core.clock import day_of
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.banks.queries import BankHalf, Half
from yikatong.registry.cards.models import Card, CardStatus, Case, CaseStatus, ECard
from yikatong.registry.holders.models import Holder
from yikatong.registry.joint.models import JointMatter
from yikatong.using.codes.reasons import Reason
from yikatong.using.codes.rules import is_expired


@dataclass(frozen=True)
class Standing:
    """Never by colour alone: a word, an icon and a tone (good, warn, bad, idle)."""

    word: str
    tone: str
    icon: str


GOOD, WARN, BAD = "shield-check", "triangle-alert", "circle-x"
CARDS = {
    CardStatus.RELEASED: Standing("待领取", "good", "package-check"),
    CardStatus.INACTIVE: Standing("未启用", "warn", WARN),
    CardStatus.NORMAL: Standing("正常", "good", GOOD),
    CardStatus.TEMPORARILY_LOST: Standing("临时挂失", "warn", WARN),
    CardStatus.LOST: Standing("已挂失", "bad", BAD),
    CardStatus.LOST_CANCELLED: Standing("已注销", "bad", BAD),
    CardStatus.CANCELLED: Standing("已注销", "bad", BAD),
}
ACCOUNTS = {
    BankAccount.Status.PREOPENED: Standing("未激活", "warn", WARN),
    BankAccount.Status.ACTIVE: Standing("正常", "good", GOOD),
    BankAccount.Status.LOST: Standing("已挂失", "bad", BAD),
    BankAccount.Status.FROZEN: Standing("已冻结", "bad", BAD),
    BankAccount.Status.CLOSED: Standing("已销户", "idle", "circle-minus"),
}
CASES = {
    CaseStatus.DRAFT: Standing("未提交", "idle", "file-pen-line"),
    CaseStatus.CORRECTING: Standing("待您补正", "warn", WARN),
    CaseStatus.ABANDONED: Standing("逾期未补正", "bad", BAD),
    CaseStatus.DONE: Standing("已办结", "good", "circle-check"),
    CaseStatus.REJECTED: Standing("未通过", "bad", BAD),
    CaseStatus.WITHDRAWN: Standing("已撤回", "idle", "circle-minus"),
    CaseStatus.FAILED: Standing("制卡失败，处理中", "warn", WARN),
    CaseStatus.READY: Standing("待领取", "good", "package-check"),
}
REFUSED = {
    CardStatus.RELEASED: Reason.CARD_NOT_ACTIVE,
    CardStatus.INACTIVE: Reason.CARD_NOT_ACTIVE,
    CardStatus.TEMPORARILY_LOST: Reason.CARD_LOST_TEMPORARY,
    CardStatus.LOST: Reason.CARD_LOST,
    CardStatus.LOST_CANCELLED: Reason.CARD_CANCELLED,
    CardStatus.CANCELLED: Reason.CARD_CANCELLED,
}
# Where a refusal leads: a label and an address.
NEXT = {
    Reason.CARD_NOT_ACTIVE: ("查看怎么启用", "/m/help#activate"),
    Reason.CARD_LOST_TEMPORARY: ("找回了，去解除挂失", "/m/card/release"),
    Reason.CARD_LOST: ("去补卡", "/m/card/replace"),
    Reason.CARD_CANCELLED: ("重新申领", "/m/apply"),
    Reason.CARD_EXPIRED: ("去换卡", "/m/card/replace"),
    Reason.DEVICE_REVOKED: ("在本设备重新绑定", "/m/code/password"),
    Reason.ECARD_REMOVED: ("签发电子社保卡", "/m/card/ecard"),
}
MENDED_BY_A_CARD = {Reason.CARD_NOT_ACTIVE, Reason.CARD_LOST, Reason.CARD_CANCELLED, Reason.CARD_EXPIRED}


def of_card(card: Card, *, at: datetime) -> Standing:
    if card.status == CardStatus.NORMAL and is_expired(card, day_of(at)):
        return Standing("已过有效期", "warn", WARN)
    return CARDS[CardStatus(card.status)]


HALVES = {
    Half.ASKED: Standing("挂失已通知银行", "warn", "hourglass"),
    Half.REFUSED: Standing("银行没有受理挂失", "bad", WARN),
}


def of_account(account: BankAccount | None, half: BankHalf | None = None) -> Standing:
    """`half`: of a lost card, how far its loss has come at the bank."""
    if account is None:
        return Standing("未开户", "idle", "circle-minus")
    return HALVES.get(half.state if half else Half.NONE, ACCOUNTS[BankAccount.Status(account.status)])


def of_case(case: Case) -> Standing:
    return CASES.get(CaseStatus(case.status), Standing(CaseStatus(case.status).label, "idle", "hourglass"))


JOINTS = {
    JointMatter.Status.RUNNING: Standing("办理中", "idle", "hourglass"),
    JointMatter.Status.DONE: Standing("全部办结", "good", "circle-check"),
    JointMatter.Status.ENDED: Standing("部分未办成", "warn", WARN),
    JointMatter.Status.WITHDRAWN: Standing("已撤回", "idle", "circle-minus"),
}
_PARTS = {
    "held": ("idle", "hourglass"),
    "sending": ("idle", "send"),
    "accepted": ("idle", "building-2"),
    "correcting": ("warn", WARN),
    "ready": ("good", "package-check"),
    "done": ("good", "circle-check"),
    "refused": ("bad", BAD),
    "withdrawn": ("idle", "circle-minus"),
}


def of_joint(joint: JointMatter) -> Standing:
    return JOINTS[JointMatter.Status(joint.status)]


def of_part(state: str, word: str) -> Standing:
    """Of one department's part; the word is its own."""
    tone, icon = _PARTS[state]
    return Standing(word, tone, icon)


def why_no_code(holder: Holder, card: Card | None, *, at: datetime) -> Reason | None:
    """The reason this holder cannot show a code now, as the gate would name it; None when he can."""
    if card is None:
        return Reason.CARD_CANCELLED
    if card.status in REFUSED:
        return REFUSED[CardStatus(card.status)]
    if is_expired(card, day_of(at)):
        return Reason.CARD_EXPIRED
    issued = ECard.objects.filter(holder=holder, status=ECard.Status.ISSUED).exists()
    return None if issued else Reason.ECARD_REMOVED
