"""What the status tables mean to people: words, owners, limits, fees. Pure decisions."""

from collections.abc import Callable, Collection
from datetime import date, timedelta
from typing import Final, NamedTuple

from django.db.models import TextChoices

from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.errors import DomainError
from yikatong.registry.banks.models import Bank, BankAccount
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
from yikatong.registry.regions.law import ByLaw
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


class IllegalCardMove(ByLaw):
    """Says the present status, why not, and the next step. facts: from, to."""

    code, articles = "card_illegal_move", ("G5", "N17")


class IllegalCaseMove(ByLaw):
    code, articles = "case_illegal_move", ("G5",)


class HasCard(ByLaw):
    code, articles = "has_card", ("G5",)
    message = "一人一卡：此人已有社会保障卡。卡片丢失、损坏、到期或信息变更的，请办理补换。"


class HasComingCard(ByLaw):
    code, articles = "has_coming_card", ("G5",)
    message = "一人一卡：此人的新卡已经制成，正在等待领取或启用，请先领取并启用新卡。"


class HasOpenCase(ByLaw):
    code, articles = "has_open_case", ("G5",)
    message = "此人已有一件申领或补换正在办理，不能重复申请；请查询办理进度。"


class NoLiveCard(ByLaw):
    code, articles = "no_live_card", ("G5",)
    message = "此人没有可以补换的社会保障卡，请办理申领。"


class HolderNotActive(DomainError):
    code = "holder_not_active"
    message = "该持卡人已故、已合并或已迁出，不能办理新卡。"


class WrongReason(DomainError):
    code, status = "reason_invalid", 422
    message = "请从列表中选择原因。"


class LossFirst(ByLaw):
    code, articles = "loss_first", ("G5", "N17")
    message = "以丢失为由补卡，须先办理正式挂失。下一步：办理正式挂失，再办理补卡。"


class FormalLossFinal(ByLaw):
    code, articles = "formal_loss_final", ("S14", "G5")
    message = "本省规定正式挂失后不能解除。下一步：办理补卡，补卡后旧卡注销。"


class LostBeforeActivation(ByLaw):
    code, articles = "lost_before_activation", ("G5",)
    message = "该卡尚未启用就已挂失，不能解除挂失后使用。下一步：办理补卡。"


class LossOfNewCard(ByLaw):
    code, articles = "new_card_lost_while_old_lives", ("G5",)
    message = "新卡尚未启用，原卡仍在有效状态，不能再挂失新卡。下一步：注销新卡后重新补卡。"


class WrongChannel(ByLaw):
    code, status, articles = "channel_not_offered", 403, ("S14", "G5")


class NoAccount(DomainError):
    code = "no_account"
    message = "该卡没有关联金融账户，不能激活。请向所选银行查询预开户结果。"


class InProduction(ByLaw):
    code, articles = "case_in_production", ("G5",)
    message = "申请已送银行或制卡机构办理，不能撤回；制成后可以注销。"


class FourEyes(DomainError):
    """四眼原则: nobody approves what he has taken himself; internal control of the province (its profile)."""

    code, status = "four_eyes", 403
    message = (
        "四眼原则：本件由您受理，不能由您本人审核通过。"
        "下一步：请另一名审核人员在“待审核”中打开本件审核；受理有误的，可由申请人撤回后重新受理。"
    )


class BadDelivery(DomainError):
    code, status = "delivery_invalid", 422
    message = "领取方式应为自取或邮寄；邮寄的须有通讯地址。"


class NoOutlet(DomainError):
    code, status = "outlet_unknown", 422
    message = "没有这个领卡网点，或网点暂停服务，请另选网点。"


class BadAuthorisation(DomainError):
    code, status = "authorisation_invalid", 422
    message = "请选择代办的业务和授权依据；授权须写明截止日期，晚于今天，最长一年。"


class OwnAgent(DomainError):
    code, status = "agent_is_holder", 422
    message = "代办人不能是持卡人本人，请核对证件号码。"


class AgentNotAuthorised(ByLaw):
    code, articles = "agent_not_authorised", ("O10",)
    message = "代办人没有这项业务的有效授权。下一步：登记代办授权（双方证件、授权依据、业务范围和截止日期）。"


class AuthorisationEnded(DomainError):
    code = "authorisation_ended"
    message = "这项代办授权已经终止，不能再次终止。"


class BadRosterKind(DomainError):
    code, status = "roster_kind_invalid", 422
    message = "请选择申请单位的种类（用人单位、学校、社区），名称最多 100 字。"


class DeathFirst(ByLaw):
    code, articles = "death_first", ("G5",)
    message = "持卡人死亡的，请办理死亡登记：登记后其社会保障卡、电子社保卡和设备同时停用。"


class NoteMissing(DomainError):
    code, status = "note_missing", 422
    message = "请填写原因，申请人可以看到。"


class WaiverUnknown(ByLaw):
    code, status, articles = "fee_waiver_unknown", 422, ("S14",)
    message = "本省没有这一项免收工本费的依据，请从列表中选择。"


class WaiverUnproven(ByLaw):
    code, articles = "fee_waiver_unproven", ("S14",)
    message = "此人没有登记当前有效的这一优待类别，不能据此免收；请先登记优待类别。"


class WaiverNoteMissing(DomainError):
    code, status = "fee_waiver_note_missing", 422
    message = "请写明免收工本费的具体依据，例如文件名称或情况说明。"


class NothingToPay(DomainError):
    code = "fee_none"
    message = "这件受理单没有应缴的工本费。"


class FeePaid(DomainError):
    code = "fee_paid"
    message = "工本费已经缴纳并登记收据，不能重复登记。"


class ReceiptInvalid(DomainError):
    code, status = "fee_receipt_invalid", 422
    message = "请填写收据号：4 至 30 位字母、数字或短横线。"


class ReceiptUsed(DomainError):
    code = "fee_receipt_used"
    message = "这个收据号已登记在另一件受理单上，请核对。"


class FeeUnpaid(DomainError):
    """facts: fen."""

    code = "fee_unpaid"


class NothingToCorrect(DomainError):
    code, status = "correction_empty", 422
    message = "请至少选择一项补正内容，并逐项写明要求，申请人可以看到。"


class NotCorrecting(ByLaw):
    code, articles = "not_correcting", ("G5",)
    message = "受理单当前不需要补正，请查看办理进度。"


class NothingCorrected(DomainError):
    code, status = "nothing_corrected", 422
    message = "请按要求填写补正内容。"


class CounterOnly(ByLaw):
    code, status, articles = "correct_at_counter", 403, ("G5",)
    message = "这一项须带原件到任一服务窗口补正。"


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


def keeps_account(case: Case) -> bool:
    """换卡不换号 (Guangdong art. 5): a replacement at the same bank goes on with the account there is."""
    account = case.old_card.account if case.kind == CaseKind.REPLACE and case.old_card else None
    return case.bank is not None and stays(account, case.bank)


def stays(account: BankAccount | None, bank: Bank) -> bool:
    """Whether a new card of this bank would stand in front of the same account."""
    usable = account is not None and account.status != BankAccount.Status.CLOSED
    return usable and account is not None and account.bank_id == bank.pk and bank.keeps_account


def is_served_by(card: Card, by: Actor) -> bool:
    """A clerk at a bank's outlet serves the cards of his bank (Guangdong art. 12)."""
    return serves_bank(by, card.account.bank_id if card.account else None)


def is_case_served_by(case: Case, by: Actor) -> bool:
    """A matter that ended where it began names no bank but its card's."""
    if case.bank_id is not None or case.card is None:
        return serves_bank(by, case.bank_id)
    return is_served_by(case.card, by)


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
        return Fee(0, FeeGround.DEFECT)
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
