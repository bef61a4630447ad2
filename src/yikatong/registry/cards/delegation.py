"""How delegated outlets do their work (Guangdong art. 12): what their clerks have taken, and what became of it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection

_SQL: Final = """
SELECT b.short_name, coalesce(o.name, ''), count(DISTINCT u.id),
    count(DISTINCT k.id) FILTER (WHERE s.status = 'submitted'),
    count(DISTINCT k.id) FILTER (WHERE s.status = 'submitted' AND k.status = 'done'),
    count(DISTINCT k.id) FILTER (WHERE s.status = 'submitted' AND k.status IN ('rejected', 'correcting', 'abandoned')),
    count(DISTINCT k.id) FILTER (WHERE s.status = 'submitted' AND k.closed_at IS NULL AND k.step_due_on < %(day)s)
FROM core_staffuser u
JOIN banks_bank b ON b.code = u.bank_code
LEFT JOIN regions_outlet o ON o.id = u.outlet_id
LEFT JOIN cards_casestep s ON s.actor_id = u.id AND s.at >= %(since)s
LEFT JOIN cards_case k ON k.id = s.case_id
WHERE u.role = 'bank_clerk' AND u.is_active
GROUP BY b.code, b.short_name, o.id, o.name
ORDER BY b.code, o.name NULLS LAST
"""


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one outlet since a day: cases taken, of these done, sent back, and late at this moment."""

    bank: str
    outlet: str
    clerks: int
    taken: int
    done: int
    sent_back: int
    late: int


def measures(*, since: datetime, day: date) -> list[Measures]:
    """Each outlet that has clerks of a bank."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"since": since, "day": day})
        return [Measures(*row) for row in cursor.fetchall()]
