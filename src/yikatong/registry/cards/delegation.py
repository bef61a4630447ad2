"""How delegated outlets do their work (Guangdong art. 12): what their clerks have taken, and what became of it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection

from yikatong.registry.banks.models import Agreement

# One pass over the steps of the clerks of banks; a case counts once, however many steps they took in it.
_SQL: Final = """
WITH taken AS (
    SELECT DISTINCT u.bank_code, u.outlet_id, k.id, k.status, k.kind, k.created_at, k.closed_at,
        EXISTS (SELECT FROM cards_escalation e WHERE e.case_id = k.id)
            OR k.status IN ('submitted', 'checked', 'preopened', 'producing', 'failed')
               AND k.step_due_on < %(day)s AS was_late,
        k.status IN ('submitted', 'checked', 'preopened', 'producing', 'failed')
            AND k.step_due_on < %(day)s AS is_late,
        EXISTS (SELECT FROM cards_casestep c
                WHERE c.case_id = k.id AND c.status IN ('correcting', 'rejected')) AS sent_back
    FROM cards_casestep s
    JOIN core_staffuser u ON u.id = s.actor_id AND u.role = 'bank_clerk'
    JOIN cards_case k ON k.id = s.case_id
    WHERE s.status = 'submitted' AND s.at >= %(since)s
), desks AS (
    SELECT bank_code, outlet_id, count(*) FILTER (WHERE is_active) AS clerks
    FROM core_staffuser WHERE role = 'bank_clerk' GROUP BY bank_code, outlet_id
)
SELECT b.short_name, coalesce(o.name, ''), d.clerks, count(t.id),
    count(t.id) FILTER (WHERE t.status = 'done'),
    count(t.id) FILTER (WHERE t.status = 'done' AND NOT t.was_late),
    count(t.id) FILTER (WHERE t.sent_back),
    count(t.id) FILTER (WHERE t.is_late),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM t.closed_at - t.created_at))
        FILTER (WHERE t.status = 'done' AND t.kind IN ('apply', 'replace'))
FROM desks d
JOIN banks_bank b ON b.code = d.bank_code
LEFT JOIN regions_outlet o ON o.id = d.outlet_id
LEFT JOIN taken t ON t.bank_code = d.bank_code AND t.outlet_id IS NOT DISTINCT FROM d.outlet_id
WHERE %(bank)s = '' OR b.code = %(bank)s
GROUP BY b.code, b.short_name, o.id, o.name, d.clerks
HAVING d.clerks > 0 OR count(t.id) > 0
ORDER BY b.code, o.name NULLS LAST
"""


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one outlet since a day: cases taken, of these done, done in time, sent back, and late at this moment.

    In time is a case of which no step was ever reported as over its limit; `median_s` is from its taking to its end,
    of cases that made a card.
    """

    bank: str
    outlet: str
    clerks: int
    taken: int
    done: int
    on_time: int
    sent_back: int
    late: int
    median_s: float | None

    @property
    def on_time_percent(self) -> float | None:
        return 100 * self.on_time / self.done if self.done else None

    @property
    def sent_back_percent(self) -> float | None:
        return 100 * self.sent_back / self.taken if self.taken else None

    def shortfalls(self, agreed: Agreement) -> list[str]:
        """Which of the agreed measures are missed; nothing is missed by who has taken nothing."""
        missed = []
        on_time, sent_back = self.on_time_percent, self.sent_back_percent
        if agreed.on_time_percent is not None and on_time is not None and on_time < agreed.on_time_percent:
            missed.append("按时办结率")
        if agreed.sent_back_percent is not None and sent_back is not None:
            missed += ["退回率"] * (sent_back > agreed.sent_back_percent)
        if agreed.median_days is not None and self.median_s is not None:
            missed += ["办理用时"] * (self.median_s > agreed.median_days * 86_400)
        return missed


def measures(*, since: datetime, day: date, bank: str = "") -> list[Measures]:
    """Each outlet that has clerks of a bank; of one bank, where it is named."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"since": since, "day": day, "bank": bank})
        return [Measures(*row) for row in cursor.fetchall()]
