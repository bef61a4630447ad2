"""Joint matters: every part has its limit, its department is told, and the whole is what its parts make of it."""

from typing import Final

from yikatong.insight.soundness.invariant import Invariant, words
from yikatong.registry.joint.models import JointItem
from yikatong.registry.joint.rules import CLOCKED

_TIMED: Final = words([*CLOCKED, JointItem.Status.CORRECTING])

JOINT: Final = (
    Invariant(
        "joint_part_has_limit",
        "办理中、待补正的联办事项都有期限，其他的没有",
        f"""SELECT 'item:' || id FROM joint_jointitem WHERE (status IN ({_TIMED})) <> (due_on IS NOT NULL)""",
    ),
    Invariant(
        "joint_part_is_told",
        "没有一项联办丢失：正在送达的有未送达的请求，部门办理中的已送达并按时询问",
        """SELECT 'item:' || i.id FROM joint_jointitem i WHERE i.status = 'sending' AND NOT EXISTS (
            SELECT FROM joint_jointrequest r WHERE r.item_id = i.id AND r.status IN ('waiting', 'unknown'))
        OR i.status = 'accepted' AND (i.next_ask_at IS NULL OR NOT EXISTS (
            SELECT FROM joint_jointrequest r WHERE r.item_id = i.id AND r.number = i.last_request))""",
    ),
    Invariant(
        "joint_matter_follows_its_parts",
        "联办件的状态由各事项决定，办结的有办结时间",
        """SELECT 'joint:' || j.id FROM joint_jointmatter j JOIN LATERAL (
            SELECT bool_and(status = 'done') AS done, bool_and(status = 'withdrawn') AS withdrawn,
                   bool_or(status IN ('sending', 'accepted', 'correcting')) AS running
            FROM joint_jointitem i WHERE i.joint_id = j.id) p ON true
        WHERE p.done IS NULL OR j.status <> CASE WHEN p.withdrawn THEN 'withdrawn' WHEN p.done THEN 'done'
            WHEN p.running THEN 'running' ELSE 'ended' END OR (j.status = 'running') <> (j.closed_at IS NULL)""",
    ),
    Invariant(
        "late_joint_part_has_risen",
        "超过期限的联办事项都已上报",
        f"""SELECT 'item:' || i.id FROM joint_jointitem i WHERE i.status IN ({words(CLOCKED)})
        AND i.due_on < %(yesterday)s AND NOT EXISTS (SELECT FROM joint_jointescalation e
            WHERE e.item_id = i.id AND e.closed_at IS NULL)""",
    ),
    Invariant(
        "registered_newborn_has_number",
        "出生户口登记办结的新生儿都有公民身份号码",
        """SELECT 'joint:' || j.id FROM joint_jointmatter j JOIN joint_jointitem i ON i.joint_id = j.id
        WHERE i.key = 'household' AND i.status = 'done' AND NOT EXISTS (SELECT FROM holders_certificate c
            WHERE c.holder_id = j.holder_id AND c.kind = 'A' AND c.is_current)""",
    ),
)
