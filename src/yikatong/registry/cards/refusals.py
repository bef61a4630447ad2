"""Why a matter of cards is refused, and what to do next. Each is raised by the act or rule that decides it."""

from yikatong.core.errors import DomainError
from yikatong.registry.regions.law import ByLaw


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


class OnlyAtIssue(ByLaw):
    """全省通办 does not cover this matter. facts: none; the words name the place."""

    code, articles = "only_at_place_of_issue", ("O10", "G5")


class OtherProvince(ByLaw):
    code, articles = "other_province", ("O10", "S16")
    message = "此人的社会保障卡由外省（市）签发，本平台目前不能受理。下一步：请到签发地办理，或拨打签发地 12333 咨询。"


class NotPlaceOfIssue(ByLaw):
    code, status, articles = "not_place_of_issue", 403, ("O10", "G5")


class NoLiveCard(ByLaw):
    code, articles = "no_live_card", ("G5",)
    message = "此人没有可以补换的社会保障卡，请办理申领。"


class HolderNotActive(DomainError):
    code = "holder_not_active"
    message = "该持卡人已故、已合并或已迁出，不能办理新卡；登记有误的，请业务主管先恢复登记。"


class ChipNotServed(ByLaw):
    code, articles = "chip_not_served", ("G5", "G17")
    message = (
        "只有正常使用的社会保障卡才能更新卡内信息、重置或解锁密码。"
        "下一步：未启用的先启用；挂失的先解除挂失，不能解除的办理补卡；已注销的请核对是否拿错了卡。"
    )


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


class NumberAwaited(ByLaw):
    """The card shows the holder's number; a newborn's comes with the registration of the household."""

    code, articles = "number_awaited", ("O10",)
    message = "此人还没有公民身份号码，卡面不能制作。下一步：等公安机关完成出生户口登记，号码到达后再审核。"


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
    message = "这项代办授权已经终止，不需要再次终止；继续代办的，请重新登记授权。"


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
    message = "这件受理单没有应缴的工本费，不需要收费。"


class FeePaid(DomainError):
    code = "fee_paid"
    message = "工本费已经缴纳并登记收据，不需要重复登记；请核对受理号。"


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
