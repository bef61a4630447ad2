"""撤回: what it undoes, told before it is done."""

from typing import Final

from yikatong.portals.shared.templatetags.yikatong import yuan
from yikatong.registry.cards.models import Case, CaseKind, CaseStatus

_STOPPED: Final = {
    CaseStatus.DRAFT: "草稿作废，不能再接着办理。",
    CaseStatus.SUBMITTED: "本件不再审核。",
    CaseStatus.CORRECTING: "本件不再等待补正。",
    CaseStatus.CHECKED: "已通过的审核作废，不再送银行预开户。",
    CaseStatus.PREOPENED: "已通过的审核作废，不再制卡；银行已预开立的账户不会启用。",
}


def undone(case: Case) -> list[str]:
    """What the applicant loses and keeps, one sentence each."""
    told = [_STOPPED.get(CaseStatus(case.status), ""), _afterwards(case)]
    if case.fee_fen:
        told.append(f"工本费 {yuan(case.fee_fen)}不再收取，已经收取的请当场退还。")
    told.append(
        "受理号保留，办理过程中记下撤回的时间和经办人。撤回后不能恢复，需要时重新受理，期限重新计算。"
    )
    return [one for one in told if one]


def _afterwards(case: Case) -> str:
    if case.kind == CaseKind.REPLACE and case.old_card is not None:
        return f"不制新卡；原卡仍为“{case.old_card.get_status_display()}”，不因撤回而改变。"
    return "不制卡，申请人仍没有社会保障卡。"
