"""Cards and cases: one live card a person, no status but along its table, no case without owner and limit."""

from collections.abc import Iterator
from typing import Final

from yikatong.core.errors import DomainError
from yikatong.insight.soundness.invariant import Invariant, pairs, words
from yikatong.registry.cards import numbers
from yikatong.registry.cards.models import (
    CASE_REVIVALS,
    CASE_TRANSITIONS,
    CLOCKED,
    COMING,
    LIVE,
    OPEN_CASES,
    REVIVALS,
    TRANSITIONS,
    Card,
    CaseStatus,
)
from yikatong.registry.cards.rules import CASE_OWNER, STANDING_ACTS

_OPEN: Final = words([*OPEN_CASES, CaseStatus.DRAFT])
#: A case that ended with its holder's record goes on only in the act that restores the record.
_BACK: Final = {was: frozenset({to}) for was, to in CASE_REVIVALS.items()}
_LIVE, _COMING = words(LIVE), words(COMING)
_STANDING: Final = words(STANDING_ACTS)


def _card_numbers() -> Iterator[str]:
    """Cards whose 卡号, 卡识别码 or 卡复位信息 is none."""
    found = Card.objects.values_list("pk", "number", "identification", "reset_info")
    for key, number, identification, reset in found.iterator():
        try:
            whole = numbers.check(number) == number
            numbers.check_identifier(identification)
            numbers.diversification_factor(reset)
        except DomainError:
            whole = False
        if not whole:
            yield f"card:{key}"


CARDS: Final = (
    Invariant(
        "one_live_card",
        "一人一卡：一人最多一张有效卡",
        f"""SELECT 'holder:' || holder_id FROM cards_card WHERE status IN ({_LIVE})
        GROUP BY holder_id HAVING count(*) > 1""",
    ),
    Invariant(
        "one_coming_card",
        "一人最多一张待领取或待启用的卡",
        f"""SELECT 'holder:' || holder_id FROM cards_card WHERE status IN ({_COMING})
        GROUP BY holder_id HAVING count(*) > 1""",
    ),
    Invariant(
        "ended_holder_has_no_card",
        "已故、已迁出、已合并的人没有在手的卡",
        f"""SELECT 'card:' || c.id FROM cards_card c JOIN holders_holder h ON h.id = c.holder_id
        WHERE h.status <> 'active' AND c.status IN ({_LIVE}, 'A')""",
    ),
    Invariant(
        "replaced_card_has_ended",
        "新卡启用之后，它所替换的卡已经注销，且是同一人的卡",
        f"""SELECT 'card:' || n.id FROM cards_card n JOIN cards_card o ON o.id = n.replaces_id
        WHERE o.holder_id <> n.holder_id OR n.status IN ({_LIVE}) AND o.status NOT IN ('3', '4')""",
    ),
    Invariant(
        "card_number_of_one_person",
        "一个卡号只属于一个人",
        """SELECT 'number:' || number FROM cards_card GROUP BY number HAVING count(DISTINCT holder_id) > 1""",
    ),
    Invariant("card_numbers_valid", "卡号校验位正确，卡识别码和复位信息合格式", find=_card_numbers),
    Invariant(
        "temporary_loss_ends",
        "临时挂失有到期时间并按时解除，其他状态没有",
        """SELECT 'card:' || id FROM cards_card
        WHERE (status = 'B') <> (loss_ends_at IS NOT NULL) OR status = 'B' AND loss_ends_at <= %(grace)s""",
    ),
    Invariant(
        "card_end_has_its_mark",
        "注销的卡有时间和原因，其他的卡没有",
        """SELECT 'card:' || id FROM cards_card
        WHERE (status IN ('3', '4')) <> (cancelled_at IS NOT NULL) OR (cancelled_at IS NULL) <> (cancel_reason = '')""",
    ),
    Invariant(
        "card_moved_along_its_table",
        "卡的每一步都在状态表上，首尾相接，最后一步就是现在的状态",
        f"""WITH ways AS (
            SELECT card_id, kind, from_status, to_status, lag(to_status) OVER story AS before,
                   lead(id) OVER story IS NULL AS is_last FROM cards_cardevent
            WINDOW story AS (PARTITION BY card_id ORDER BY at, id))
        SELECT DISTINCT 'card:' || w.card_id FROM ways w JOIN cards_card c ON c.id = w.card_id
        WHERE w.before IS NOT NULL AND w.before <> w.from_status OR w.is_last AND w.to_status <> c.status
           OR w.kind NOT IN ('made', 'revived', {_STANDING})
              AND (w.from_status, w.to_status) NOT IN ({pairs(TRANSITIONS)})
           OR w.kind = 'revived' AND (w.from_status, w.to_status) NOT IN ({pairs(REVIVALS)})
           OR w.kind IN ({_STANDING}) AND w.from_status <> w.to_status""",
    ),
    Invariant(
        "case_moved_along_its_table",
        "受理单的每一步都在状态表上，最后一步就是现在的状态",
        f"""WITH ways AS (
            SELECT case_id, at, status, lag(status) OVER story AS before, lag(status, 2) OVER story AS earlier,
                   lead(id) OVER story IS NULL AS is_last
            FROM cards_casestep WINDOW story AS (PARTITION BY case_id ORDER BY at, id))
        SELECT DISTINCT 'case:' || c.id FROM cards_case c LEFT JOIN ways w ON w.case_id = c.id
        WHERE w.case_id IS NULL OR w.is_last AND w.status <> c.status
           OR w.before IS NULL AND w.status NOT IN ('draft', 'submitted')
           OR w.before IS NOT NULL
              AND (w.before, w.status) NOT IN (('draft', 'draft'), {pairs(CASE_TRANSITIONS)})
              AND NOT (w.before = 'withdrawn' AND (w.earlier, w.status) IN ({pairs(_BACK)})
                  AND EXISTS (SELECT FROM holders_lifeevent l WHERE l.at = w.at AND l.kind IN ('restored', 'unmerged')))""",
    ),
    Invariant(
        "open_case_has_owner_and_limit",
        "办理中的受理单都有责任方和期限（等新生儿号码的停表），办结的都有办结时间",
        f"""SELECT 'case:' || id FROM cards_case
        WHERE (status IN ({_OPEN})) <> (step_due_on IS NOT NULL) AND NOT (status = 'submitted' AND EXISTS (
               SELECT FROM holders_certificate b WHERE b.holder_id = cards_case.holder_id AND b.kind = 'B'
               AND b.is_current)) OR (status IN ({_OPEN})) <> (closed_at IS NULL)
           OR (status IN ({_OPEN})) <> (status IN ({words(CASE_OWNER)})) OR division_code = ''
           OR days_left IS NOT NULL AND status <> 'correcting'""",
    ),
    Invariant(
        "case_fits_its_card",
        "待制卡的有账户，待领取的有放号的卡，办结的申领和补换有卡；卡是本人的",
        """SELECT 'case:' || e.id FROM cards_case e LEFT JOIN cards_card c ON c.id = e.card_id
        LEFT JOIN banks_bankaccount a ON a.id = e.account_id
        WHERE e.kind IN ('apply', 'replace') AND (
              e.status IN ('preopened', 'producing', 'ready') AND a.id IS NULL
           OR e.status = 'ready' AND c.status IS DISTINCT FROM '0' OR e.status = 'done' AND c.id IS NULL
           OR c.holder_id <> e.holder_id OR a.holder_id <> e.holder_id)""",
    ),
    Invariant(
        "made_card_waits_for_its_holder",
        "放号的卡都有一件待领取的受理单",
        """SELECT 'card:' || c.id FROM cards_card c WHERE c.status = '0'
        AND NOT EXISTS (SELECT FROM cards_case e WHERE e.card_id = c.id AND e.status = 'ready')""",
    ),
    Invariant(
        "one_matter_under_way",
        "一人最多一件办理中的申领或补换，最多一份草稿",
        f"""SELECT 'holder:' || holder_id FROM cards_case WHERE kind IN ('apply', 'replace') AND status IN ({_OPEN})
        GROUP BY holder_id, status = 'draft' HAVING count(*) > 1""",
    ),
    Invariant(
        "case_number_valid",
        "受理号唯一，由区划、月日和顺序号组成",
        """SELECT 'case:' || id FROM cards_case
        WHERE number !~ '^[0-9]{6}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{6,}$'
           OR left(number, 6) <> left(division_code, 6)
              AND NOT EXISTS (SELECT FROM cards_casestep s WHERE s.case_id = cards_case.id AND s.status = 'draft')
        UNION ALL SELECT 'number:' || number FROM cards_case GROUP BY number HAVING count(*) > 1""",
    ),
    Invariant(
        "late_step_has_risen",
        "超过期限的步骤都已上报",
        f"""SELECT 'case:' || c.id FROM cards_case c WHERE c.status IN ({words(CLOCKED)}) AND c.step_due_on < %(yesterday)s
        AND NOT EXISTS (SELECT FROM cards_escalation e WHERE e.case_id = c.id AND e.status = c.status
                        AND e.due_on = c.step_due_on)""",
    ),
    Invariant(
        "risen_step_is_the_present_one",
        "未了结的超期督办就是受理单现在的步骤，且已过期限",
        """SELECT 'case:' || e.case_id FROM cards_escalation e JOIN cards_case c ON c.id = e.case_id
        WHERE e.closed_at IS NULL AND ((e.status, e.due_on) IS DISTINCT FROM (c.status::varchar, c.step_due_on)
            OR e.due_on >= %(today)s)""",
    ),
    Invariant(
        "correction_is_awaited",
        "待补正的受理单有未补的事项，其他的没有",
        """SELECT 'case:' || c.id FROM cards_case c
        WHERE c.status = 'correcting' AND NOT EXISTS (
            SELECT FROM cards_correction k WHERE k.case_id = c.id AND k.answered_at IS NULL)
        UNION ALL SELECT 'correction:' || k.id FROM cards_correction k JOIN cards_case c ON c.id = k.case_id
        WHERE k.answered_at IS NULL AND c.status NOT IN ('correcting', 'withdrawn', 'abandoned')""",
    ),
    Invariant(
        "handed_over_when_paid",
        "领走的补换卡都已缴费或有免收依据；一张收据只用一次",
        """SELECT 'case:' || e.id FROM cards_case e
        JOIN cards_cardevent v ON v.card_id = e.card_id AND v.kind = 'handed_over'
        WHERE e.kind = 'replace' AND e.fee_fen > 0 AND e.fee_paid_at IS NULL
        UNION ALL SELECT 'receipt:' || fee_receipt FROM cards_case WHERE fee_receipt <> ''
        GROUP BY fee_receipt HAVING count(*) > 1""",
    ),
    Invariant(
        "two_pairs_of_eyes",
        "四眼原则：审核通过的人没有受理同一件",
        """SELECT 'case:' || s.case_id FROM cards_casestep s JOIN cards_casestep t
            ON t.case_id = s.case_id AND t.status = 'submitted' AND t.actor_id = s.actor_id AND t.at <= s.at
        WHERE s.status = 'checked' AND %(four_eyes)s
          AND NOT EXISTS (
            SELECT FROM cards_casestep f WHERE f.case_id = s.case_id AND f.status = 'failed' AND f.at <= s.at)""",
    ),
)
