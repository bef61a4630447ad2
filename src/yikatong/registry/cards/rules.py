"""What the status tables mean to people: words, owners, limits, fees. Pure decisions."""

from collections.abc import Callable, Collection
from datetime import date, timedelta
from typing import Final, NamedTuple

from django.db.models import TextChoices

from yikatong.core.actor import Actor, Channel, Role
from yikatong.registry.banks.models import Agreement, BankAccount
from yikatong.registry.banks.rules import serves_bank
from yikatong.registry.cards.models import (
    ApplicantKind,
    Authorisation,
    Card,
    CardStatus,
    Case,
    CaseKind,
    CaseStatus,
)
from yikatong.registry.cards.refusals import (
    BadAuthorisation,
    IllegalCardMove,
    IllegalCaseMove,
    WaiverNoteMissing,
    WaiverUnknown,
    WaiverUnproven,
    WrongChannel,
)
from yikatong.registry.regions.profile import Profile


class ReplaceReason(TextChoices):
    LOST = "lost", "丢失"
    DAMAGED = "damaged", "损坏"
    DEFECT = "defect", "制作质量问题"
    EXPIRED = "expired", "到期"
    CHANGED = "changed", "卡面信息变更"
    BANK = "bank", "更换银行"


class FeeGround(TextChoices):
    """Why a fee is not taken: of the card's making, of a proven category, or of what happened."""

    DEFECT = "defect", "制作质量问题"
    ELDER = "elder", "老年人"
    DISABLED = "disabled", "残疾人"
    VETERAN = "veteran", "退役军人"
    STUDENT = "student", "学生"
    LOW_INCOME = "low_income", "低保对象"
    DISASTER = "disaster", "自然灾害等不可抗力"
    POLICY = "policy", "政策性统一换发"


CATEGORY_GROUNDS: Final = frozenset({"elder", "disabled", "veteran", "student", "low_income"})


class Fee(NamedTuple):
    """`fen` to be paid; `ground` and `note` say why nothing is."""

    fen: int
    ground: str = ""
    note: str = ""


class CancelReason(TextChoices):
    DECEASED = "deceased", "死亡"
    EMIGRATED = "emigrated", "出国定居或丧失国籍"
    MOVED = "moved", "转移到外省"
    DUPLICATE = "duplicate", "重复发卡"
    REQUEST = "request", "本人申请"
    REPLACED = "replaced", "补换新卡"


class ChangeReason(TextChoices):
    """What a case of kind CHANGE was about."""

    NAME = "name", "姓名变更"
    NUMBER = "number", "证件号码变更"
    MOVED = "relocated", "所在地变更"
    RESTORED = "restored", "恢复登记"
    MERGED = "merged", "合并登记"
    UNMERGED = "unmerged", "撤销合并"


class CardAct(TextChoices):
    """What happens to a card; the value is the kind of its event."""

    MADE = "made", "制成"
    HAND_OVER = "handed_over", "领卡"
    ACTIVATE = "activated", "启用"
    TEMPORARY_LOSS = "temporarily_lost", "临时挂失"
    LOSS = "lost", "正式挂失"
    RELEASE = "released", "解除挂失"
    LOSS_ENDED = "loss_ended", "临时挂失到期"
    CANCEL = "cancelled", "注销"
    REVIVE = "revived", "恢复"
    ACTIVATE_ACCOUNT = "account_activated", "金融账户激活"
    WRITE_CHIP = "chip_written", "更新卡内信息"
    SET_PIN = "pin_set", "重置卡密码"
    UNBLOCK_PIN = "pin_unblocked", "解锁卡密码"


#: What leaves the card's status as it was.
STANDING_ACTS: Final = (CardAct.ACTIVATE_ACCOUNT, CardAct.WRITE_CHIP, CardAct.SET_PIN, CardAct.UNBLOCK_PIN)


#: What an agent may do for another; activating is for the holder himself, for a child for his guardian.
AGENT_MATTERS: Final = (CaseKind.APPLY, CaseKind.REPLACE, CaseKind.LOSS, CaseKind.RELEASE, CaseKind.CANCEL)
AUTHORISED_MOST: Final = timedelta(days=366)
#: Who may hand in a roster.
ROSTER_KINDS: Final = (ApplicantKind.EMPLOYER, ApplicantKind.SCHOOL, ApplicantKind.COMMUNITY)


NEXT_STEP: Final[dict[str, str]] = {
    CardStatus.RELEASED: "下一步：凭有效证件到领卡网点领取。",
    CardStatus.INACTIVE: "下一步：领卡后在窗口启用。",
    CardStatus.NORMAL: "卡片可以正常使用。",
    CardStatus.TEMPORARILY_LOST: "下一步：找到卡片的解除挂失，确已丢失的办理正式挂失后补卡。",
    CardStatus.LOST: "下一步：办理补卡；找到卡片的按规定到窗口解除挂失。",
    CardStatus.LOST_CANCELLED: "该卡已经作废，需要用卡请重新申领。",
    CardStatus.CANCELLED: "该卡已经作废，需要用卡请重新申领。",
}

CASE_NEXT_STEP: Final[dict[str, str]] = {
    CaseStatus.DRAFT: "申请人核对后提交，可在手机、自助机或任一窗口接着办。",
    CaseStatus.SUBMITTED: "经办机构审核申请材料。",
    CaseStatus.CORRECTING: "申请人按要求补正，可在手机或任一窗口办理；补正期间不计办理时限。",
    CaseStatus.CHECKED: "所选银行预开立金融账户。",
    CaseStatus.PREOPENED: "等待编入制卡批次。",
    CaseStatus.PRODUCING: "制卡机构制作卡片。",
    CaseStatus.FAILED: "经办机构核对失败原因后重新送制。",
    CaseStatus.READY: "持有效证件到领卡网点领取，领取后启用。",
    CaseStatus.DONE: "已经办结。",
    CaseStatus.REJECTED: "可按说明补正后重新申请。",
    CaseStatus.WITHDRAWN: "需要时可以重新申请。",
    CaseStatus.ABANDONED: "补正期限已过，视为放弃申请；需要时可以重新申请。",
}

#: 渠道 as people call it.
CHANNELS: Final[dict[str, str]] = {
    Channel.WEB: "网上",
    Channel.MOBILE: "手机",
    Channel.KIOSK: "自助机",
    Channel.COUNTER: "窗口",
    Channel.BATCH: "批量",
}

#: Who has to move next. One owner for each open status.
CASE_OWNER: Final[dict[str, str]] = {
    CaseStatus.DRAFT: "申请人",
    CaseStatus.CORRECTING: "申请人",
    CaseStatus.SUBMITTED: "受理地经办机构",
    CaseStatus.CHECKED: "合作银行",
    CaseStatus.PREOPENED: "制卡管理岗",
    CaseStatus.PRODUCING: "制卡机构",
    CaseStatus.FAILED: "受理地经办机构",
    CaseStatus.READY: "领卡网点",
}


def card_refusal(status: str, act: CardAct, to: str) -> IllegalCardMove:
    """E.g. 卡片当前为“注销”，不能办理临时挂失。该卡已经作废，…"""
    label = CardStatus(status).label
    text = f"卡片当前为“{label}”，不能办理{act.label}。{NEXT_STEP[status]}"
    return IllegalCardMove(text, **{"from": str(status), "to": str(to)})


def case_refusal(status: str, to: str) -> IllegalCaseMove:
    label, wanted = CaseStatus(status).label, CaseStatus(to).label
    text = f"受理单当前为“{label}”，不能转为“{wanted}”。{CASE_NEXT_STEP[status]}"
    return IllegalCaseMove(text, **{"from": str(status), "to": str(to)})


def due_on(
    case: Case, status: CaseStatus, day: date, profile: Profile, workday: Callable[[date, int], date]
) -> date | None:
    """Limit of the step that begins on `day`; a card waits for its holder calendar days.

    `workday(day, count)` is the count-th working day after `day`: `Calendar.add`.
    """
    match status:
        case CaseStatus.DRAFT:
            return day + timedelta(days=profile.limits.draft_days)
        case CaseStatus.READY:
            return day + timedelta(days=profile.limits.kept_days)
        case CaseStatus.PRODUCING:  # one limit for batch and making
            return case.step_due_on
    count = _working_days(case, status, profile)
    return None if count is None else workday(day, count)


def _working_days(case: Case, status: CaseStatus, profile: Profile) -> int | None:
    if status == CaseStatus.SUBMITTED and case.days_left is not None:
        return case.days_left  # the clock goes on where it stopped
    days = profile.limits.days
    return {
        CaseStatus.SUBMITTED: days("check"),
        CaseStatus.FAILED: days("check"),
        CaseStatus.CORRECTING: profile.limits.correct_days,
        CaseStatus.CHECKED: days("preopen"),
        CaseStatus.PREOPENED: days("produce") + days("hand_over"),
    }.get(status)


def case_number(division_code: str, day: date, sequence: int) -> str:
    """受理号: division 6, month and day 4, sequence at least 6. It never starts again: no number twice."""
    return f"{division_code[:6]}{day:%m%d}{sequence:06d}"


def check_authorisation(matters: Collection[str], evidence: str, begins: date, ends: date | None) -> date:
    """The end of an authorisation that names its matters, within a year; raises BadAuthorisation."""
    if not matters or not set(matters) <= set(AGENT_MATTERS) or evidence not in Authorisation.Evidence.values:
        raise BadAuthorisation
    if ends is None or not begins < ends <= begins + AUTHORISED_MOST:
        raise BadAuthorisation
    return ends


def keeps_account(case: Case, agreed: Agreement) -> bool:
    """换卡不换号 (Guangdong art. 5): a replacement at the same bank goes on with the account there is."""
    account = case.old_card.account if case.kind == CaseKind.REPLACE and case.old_card else None
    return stays(account, agreed)


def stays(account: BankAccount | None, agreed: Agreement) -> bool:
    """Whether a new card of the bank that has agreed this would stand in front of the same account."""
    usable = account is not None and account.status != BankAccount.Status.CLOSED
    return usable and account is not None and account.bank_id == agreed.bank_id and agreed.keeps_account


def is_served_by(card: Card, by: Actor) -> bool:
    """A clerk at a bank's outlet serves the cards of his bank (Guangdong art. 12)."""
    return serves_bank(by, card.account.bank_id if card.account else None)


def is_case_served_by(case: Case, by: Actor) -> bool:
    """A matter that ended where it began names no bank but its card's."""
    if case.bank_id is not None or case.card is None:
        return serves_bank(by, case.bank_id)
    return is_served_by(case.card, by)


def is_draft_served_by(draft: Case, by: Actor) -> bool:
    """An application only begun may name no bank yet, and is anybody's to go on with."""
    return draft.bank_id is None or is_case_served_by(draft, by)


def fee_fen(reason: str, profile: Profile) -> int:
    """工本费 of a replacement, in fen: a card that was made badly costs nothing."""
    return 0 if reason == ReplaceReason.DEFECT and profile.card.defect_free else profile.card.replacement_fen


def fee(reason: str, profile: Profile, *, proven: Collection[str], claimed: str = "", note: str = "") -> Fee:
    """The fee of a replacement and, where it is not taken, on which ground.

    `proven`: the holder's categories valid that day; the first that the province waives for is used unasked.
    `claimed`: a ground a clerk records, with his note where no category proves it. Raises WaiverUnknown,
    WaiverUnproven, WaiverNoteMissing.
    """
    full = fee_fen(reason, profile)
    if full == 0:
        return Fee(0, FeeGround.DEFECT if reason == ReplaceReason.DEFECT else "")
    waivers = profile.card.fee_waivers
    if not claimed:
        found = next((ground for ground in waivers if ground in proven), "")
        return Fee(0 if found else full, found)
    if claimed not in waivers:
        raise WaiverUnknown
    if claimed in CATEGORY_GROUNDS and claimed not in proven:
        raise WaiverUnproven
    if claimed not in CATEGORY_GROUNDS and not note.strip():
        raise WaiverNoteMissing
    return Fee(0, claimed, note.strip())


def category_of(birth_date: date, day: date) -> Card.Category:
    """卡类别 by age; children of school age count as students."""
    age = day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
    if age < 6:
        return Card.Category.PRESCHOOL
    if age < 16:
        return Card.Category.STUDENT
    return Card.Category.ADULT if age < 60 else Card.Category.ELDER


def expiry(issued_on: date, years: int) -> date:
    try:
        return issued_on.replace(year=issued_on.year + years)
    except ValueError:  # 29 February
        return date(issued_on.year + years, 2, 28)


def needs_four_eyes(by: Actor, profile: Profile) -> bool:
    """Whether the province lets this one approve only what another has taken."""
    alone = by.role is Role.SUPERVISOR and profile.check.supervisors_alone
    return profile.check.four_eyes and not alone


def check_channel(channel: Channel, offered: tuple[str, ...], act: CardAct) -> None:
    """Whether the province offers this act in this channel. The platform itself is no channel of people."""
    words = {
        Channel.WEB: "citizen",
        Channel.MOBILE: "citizen",
        Channel.KIOSK: "kiosk",
        Channel.COUNTER: "counter",
    }
    word = words.get(channel)
    if word is not None and word not in offered:
        raise WrongChannel(f"此渠道不办理{act.label}，请到服务窗口办理。")
