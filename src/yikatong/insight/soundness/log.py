"""The audit log knows all that has happened, and nobody has changed it; and no table holds a status there is not."""

from collections.abc import Iterator
from typing import Final

from django.apps import apps
from django.db import connection, models

from yikatong.core import audit_log
from yikatong.insight.soundness.invariant import Invariant, words
from yikatong.using.codes import queries


def _chain() -> Iterator[str]:
    fault = audit_log.check(queries.checkpoint_publics()).fault
    if fault is not None:
        yield f"audit:{fault.number}:{fault.code}"


def _unknown_statuses() -> Iterator[str]:
    """Rows of any table of ours whose value is not among the choices of its field."""
    with connection.cursor() as cursor:
        for table, column, choices in _closed_lists():
            cursor.execute(
                f'SELECT DISTINCT "{column}"::text FROM "{table}" WHERE "{column}" NOT IN ({words(choices)})'
            )
            for (value,) in cursor.fetchall():
                yield f"{table}.{column}:{value}"


def _closed_lists() -> Iterator[tuple[str, str, list[str]]]:
    """Table, column and values of every text column that is a closed list."""
    for model in apps.get_models():
        if not model.__module__.startswith("yikatong."):
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.CharField) and field.choices:
                known = [str(value) for value, _ in field.flatchoices]
                yield model._meta.db_table, str(field.column), known + ([""] if field.blank else [])


LOG: Final = (
    Invariant("status_is_known", "每张表的状态和种类都在它的取值表里", find=_unknown_statuses),
    Invariant(
        "card_event_is_audited",
        "卡的每一步都有审计记录",
        """SELECT 'event:' || v.id FROM cards_cardevent v WHERE NOT EXISTS (
            SELECT FROM core_auditentry a WHERE a.subject = 'card:' || v.card_id
            AND a.event = 'cards:card:' || v.kind AND a.at = v.at)""",
    ),
    Invariant(
        "case_step_is_audited",
        "受理单的每一步都有审计记录（名册的受理与审核记为一条）",
        """SELECT 'step:' || s.id FROM cards_casestep s JOIN cards_case c ON c.id = s.case_id
        WHERE NOT (s.status = 'submitted' AND c.roster_row IS NOT NULL) AND NOT EXISTS (
            SELECT FROM core_auditentry a WHERE a.subject = 'case:' || s.case_id
            AND a.event = 'cards:case:' || s.status AND a.at = s.at)""",
    ),
    Invariant(
        "life_event_is_audited",
        "持卡人的每件事项都有审计记录",
        """SELECT 'life:' || v.id FROM holders_lifeevent v WHERE NOT EXISTS (
            SELECT FROM core_auditentry a WHERE a.subject = 'holder:' || v.holder_id
            AND a.event = 'holders:holder:life_' || v.kind AND a.at = v.at)""",
    ),
    Invariant(
        "request_is_audited",
        "每件银行请求的发起和答复都有审计记录",
        """SELECT 'request:' || r.id FROM banks_bankrequest r WHERE NOT EXISTS (
            SELECT FROM core_auditentry a WHERE a.subject = 'bank_request:' || r.id AND a.event = 'banks:request:asked')
           OR r.settled_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM core_auditentry a WHERE a.subject = 'bank_request:' || r.id
            AND a.event = 'banks:request:' || r.status AND a.at = r.settled_at)""",
    ),
    Invariant("audit_chain_verifies", "审计日志逐条核验，没有改动、删除或绕过", find=_chain),
)
