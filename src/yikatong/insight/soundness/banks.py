"""Accounts and what banks are asked: numbered, in order, none lost."""

from collections.abc import Iterator
from typing import Final

from yikatong.insight.soundness.invariant import Invariant
from yikatong.registry.banks.accounts import account_index
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.banks.rules import number_fault


def _account_numbers() -> Iterator[str]:
    """Accounts whose number is none of their bank's, or which would not be found by it."""
    found = BankAccount.objects.values_list("pk", "number", "number_index", "bank__bin")
    for key, number, index, prefix in found.iterator():
        if number_fault(str(number), prefix) or account_index(str(number)) != bytes(index):
            yield f"account:{key}"


BANKS: Final = (
    Invariant("account_number_valid", "账号校验位和银行前缀正确，能按账号找到", find=_account_numbers),
    Invariant(
        "account_of_its_holder",
        "卡后面的账户属于同一人",
        """SELECT 'card:' || c.id FROM cards_card c JOIN banks_bankaccount a ON a.id = c.account_id
        WHERE a.holder_id <> c.holder_id""",
    ),
    Invariant(
        "account_status_has_its_mark",
        "激活、销户的账户有时间，且晚于开户",
        """SELECT 'account:' || id FROM banks_bankaccount
        WHERE status = 'active' AND activated_at IS NULL OR (status = 'closed') <> (closed_at IS NOT NULL)
           OR status = 'preopened' AND activated_at IS NOT NULL OR activated_at < opened_at OR closed_at < opened_at""",
    ),
    Invariant(
        "request_is_numbered",
        "发给银行的请求都有请求号：银行、日期、顺序号，顺序号唯一",
        """SELECT 'request:' || id FROM banks_bankrequest
        WHERE number <> bank_id || to_char(created_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD')
            || lpad(serial::text, 10, '0')
        UNION ALL SELECT 'serial:' || serial FROM banks_bankrequest GROUP BY serial HAVING count(*) > 1""",
    ),
    Invariant(
        "request_is_settled_or_tried",
        "没有一件请求丢失：未答复的按时再发，答复了的有时间",
        """SELECT 'request:' || id FROM banks_bankrequest
        WHERE (status IN ('done', 'refused')) <> (settled_at IS NOT NULL) OR settled_at < created_at
           OR status IN ('waiting', 'unknown') AND tries > 0 AND next_try_at < created_at
           OR status = 'unknown' AND tries = 0""",
    ),
    Invariant(
        "requests_of_an_account_in_order",
        "一个账户的请求按顺序办理，后一件不先于前一件",
        """SELECT 'request:' || l.id FROM banks_bankrequest l JOIN banks_bankrequest e
            ON e.account_id = l.account_id AND e.serial < l.serial
        WHERE l.settled_at IS NOT NULL AND (e.settled_at IS NULL OR e.settled_at > l.settled_at)""",
    ),
    Invariant(
        "joint_loss_reached_the_bank",
        "联动挂失的银行，每次挂失都已发出请求",
        """SELECT 'card:' || v.card_id FROM cards_cardevent v JOIN cards_card c ON c.id = v.card_id
        JOIN banks_bankaccount a ON a.id = c.account_id
        JOIN LATERAL (SELECT joint_loss FROM banks_agreement g WHERE g.bank_id = a.bank_id AND g.status = 'confirmed'
                      AND g.valid_from <= (v.at AT TIME ZONE 'Asia/Shanghai')::date
                      ORDER BY g.valid_from DESC, g.confirmed_at DESC LIMIT 1) agreed ON agreed.joint_loss
        WHERE v.kind IN ('lost', 'temporarily_lost') AND a.status NOT IN ('frozen', 'closed')
          AND NOT EXISTS (SELECT FROM banks_bankrequest r WHERE r.account_id = a.id AND r.created_at <= v.at
                          AND r.act IN ('freeze', 'close'))
          AND NOT EXISTS (SELECT FROM banks_bankrequest r WHERE r.account_id = a.id AND r.act = 'report_loss'
                          AND r.created_at = v.at)""",
    ),
    Invariant(
        "one_agreement_a_day",
        "一家银行同一天只有一份有效的合作协议",
        """SELECT 'agreement:' || l.id FROM banks_agreement l JOIN banks_agreement e
            ON e.bank_id = l.bank_id AND e.id < l.id AND e.status = 'confirmed' AND l.status = 'confirmed'
        WHERE daterange(e.valid_from, greatest(e.valid_from, CASE WHEN e.ended_at IS NULL THEN e.valid_until
                                                             ELSE e.ends_on END))
           && daterange(l.valid_from, greatest(l.valid_from, CASE WHEN l.ended_at IS NULL THEN l.valid_until
                                                             ELSE l.ends_on END))""",
    ),
    Invariant(
        "hold_has_its_answer",
        "冻结登记与银行答复一致：待确认的还没有答复，已冻结、已解冻的银行已办理",
        """SELECT 'hold:' || h.id FROM banks_hold h JOIN banks_bankrequest r ON r.id = h.request_id
        WHERE (h.status = 'asked') <> (r.status IN ('waiting', 'unknown')) AND h.status IN ('asked', 'held', 'refused')
           OR h.status = 'held' AND r.status <> 'done' OR h.status = 'lifted' AND h.lifted_at IS NULL""",
    ),
    Invariant(
        "paper_has_two_persons",
        "按书面答复办结的请求有两人经手的书面答复",
        """SELECT 'request:' || r.id FROM banks_bankrequest r WHERE r.by_hand AND NOT EXISTS (
            SELECT FROM banks_writtenanswer w WHERE w.request_id = r.id AND w.status = 'confirmed'
            AND w.recorded_by_id IS NOT NULL)""",
    ),
    Invariant(
        "delivery_is_counted",
        "收到的银行报送有行数，更新与不符之和不超过行数",
        """SELECT 'delivery:' || id FROM banks_delivery
        WHERE followed + differing > rows OR received_at IS NULL AND rows > 0 OR received_at < due_at - interval '2 days'""",
    ),
)
