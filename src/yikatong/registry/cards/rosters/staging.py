"""A chunk of sound rows becomes holders and cases, set-based: COPY into a temporary table, then INSERT … SELECT.

All statements run in the caller's transaction. What another clerk enters at the same moment is met by ON
CONFLICT, and the row ends as a fault with its name, like every other row that cannot become a case.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db import connection

from yikatong.core.actor import Actor
from yikatong.core.copying import copy_in
from yikatong.core.fields import sealed
from yikatong.core.ids import UUID7_SQL, uuid7
from yikatong.registry.cards import elsewhere, refusals, rules
from yikatong.registry.cards.models import Case, Roster
from yikatong.registry.cards.rosters import columns as c
from yikatong.registry.cards.rosters.cells import Entry, Fault, shown
from yikatong.registry.cards.signals import roster_submitted
from yikatong.registry.holders.actions import certificate_index, phone_index, social_security_index
from yikatong.registry.holders.certificates import Kind
from yikatong.registry.holders.models import Certificate, Guardianship, Holder, LifeEvent
from yikatong.registry.holders.rules import independent_on
from yikatong.registry.holders.validity import Validity
from yikatong.registry.regions.law import province

_COLUMNS: Final = (
    ("n", "int"), ("name", "text"), ("name_original", "text"), ("social", "bytea"), ("social_index", "bytea"),
    ("sex", "text"), ("birth_date", "date"), ("nationality", "text"), ("division", "text"), ("phone", "bytea"),
    ("phone_index", "bytea"), ("address", "bytea"), ("ground", "text"), ("holder_id", "uuid"),
    ("certificate_id", "uuid"), ("kind", "text"), ("number", "bytea"), ("number_index", "bytea"),
    ("case_id", "uuid"), ("case_number", "text"), ("bank", "text"), ("outlet", "uuid"), ("delivery", "text"),
    ("guardian", "bytea"), ("step_one", "uuid"), ("step_two", "uuid"), ("due_on", "date"),
    ("guardianship_id", "uuid"), ("guardian_name", "bytea"), ("guardian_number", "bytea"),
    ("guardian_index", "bytea"), ("independent_on", "date"), ("valid_from", "date"), ("valid_until", "date"),
    ("is_long_term", "boolean"),
)  # fmt: skip
_NAMES: Final = ", ".join(name for name, _ in _COLUMNS)
_CREATE: Final = (
    f"CREATE TEMP TABLE IF NOT EXISTS staged ({', '.join(' '.join(pair) for pair in _COLUMNS)}, "
    "is_known boolean NOT NULL DEFAULT false, is_told boolean NOT NULL DEFAULT false, fault text, issue text,"
    " is_elsewhere boolean NOT NULL DEFAULT false) ON COMMIT DELETE ROWS"
)
# A chunk is small beside the registers: one look into an index a row, whatever the statistics say just now.
_BY_INDEX: Final = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"

_MATCH_CERTIFICATE: Final = """
UPDATE staged s SET holder_id = c.holder_id, is_known = true
FROM holders_certificate c WHERE c.kind = s.kind AND c.number_index = s.number_index
"""
_MATCH_NUMBER: Final = """
UPDATE staged s SET holder_id = h.id, is_known = true
FROM holders_holder h WHERE NOT s.is_known AND h.social_security_index = s.social_index
"""
_HOLDERS: Final = """
INSERT INTO holders_holder (id, name, name_original, social_security_number, social_security_index, sex,
    birth_date, nationality, ethnicity, division_code, phone, phone_index, address, ground, status, created_at)
SELECT holder_id, name, name_original, social, social_index, sex, birth_date, nationality, '', division,
    phone, phone_index, address, ground, 'active', %(at)s
FROM staged WHERE NOT is_known ON CONFLICT DO NOTHING
"""
# A row that lost the race against another clerk finds that clerk's holder now.
_MATCH_LATE: Final = """
UPDATE staged s SET holder_id = h.id, is_known = true
FROM holders_holder h WHERE NOT s.is_known AND h.social_security_index = s.social_index AND h.id <> s.holder_id
"""
_CERTIFICATES: Final = """
INSERT INTO holders_certificate (id, holder_id, kind, number, number_index, valid_from, valid_until, is_long_term,
    is_current, created_at)
SELECT certificate_id, holder_id, kind, number, number_index, valid_from, valid_until, is_long_term, true, %(at)s
FROM staged WHERE NOT is_known ON CONFLICT DO NOTHING
"""
# As with one who is registered alone: children of whom he was made guardian know him from now on.
_WARDS: Final = """
UPDATE holders_guardianship g SET guardian_id = s.holder_id FROM staged s
WHERE NOT s.is_known AND g.guardian_id IS NULL AND g.ended_at IS NULL
    AND g.kind = s.kind AND g.number_index = s.number_index AND g.ward_id <> s.holder_id
"""
# 签发地 is where a holder is registered; of who is entered now, what his row says.
_ISSUE: Final = """
UPDATE staged s SET issue = CASE WHEN s.is_known THEN h.division_code ELSE s.division END
FROM holders_holder h WHERE h.id = s.holder_id
"""
_ISSUES: Final = "SELECT DISTINCT issue FROM staged WHERE issue IS NOT NULL"
_ROUTE: Final = """
UPDATE staged SET is_elsewhere = issue = ANY(%(elsewhere)s::text[]), fault = CASE
    WHEN issue = ANY(%(strange)s::text[]) THEN 'other_province'
    WHEN issue = ANY(%(elsewhere)s::text[]) AND NOT %(takes)s THEN 'only_at_place_of_issue' END
"""
_FAULTS: Final = """
UPDATE staged s SET fault = CASE
    WHEN h.status <> 'active' THEN 'holder_not_active'
    WHEN h.name <> s.name THEN 'name_differs'
    WHEN EXISTS (SELECT FROM cards_card k WHERE k.holder_id = h.id AND k.status IN ('1', '2', 'B')) THEN 'has_card'
    WHEN EXISTS (SELECT FROM cards_card k WHERE k.holder_id = h.id AND k.status IN ('0', 'A'))
        THEN 'has_coming_card'
    WHEN EXISTS (SELECT FROM cards_case k WHERE k.holder_id = h.id AND k.roster_row LIKE %(roster)s || ':%%')
        THEN 'repeated_in_file'
    WHEN EXISTS (SELECT FROM cards_case k WHERE k.holder_id = h.id AND k.kind IN ('apply', 'replace')
        AND k.status IN ('submitted', 'correcting', 'checked', 'preopened', 'producing', 'failed', 'ready'))
        THEN 'has_open_case'
    WHEN NOT EXISTS (SELECT FROM holders_certificate c WHERE c.holder_id = h.id AND c.is_current
            AND (c.valid_until IS NULL OR c.valid_until >= %(day)s
                OR s.valid_from IS NOT NULL AND c.kind = s.kind AND c.number_index = s.number_index))
        THEN 'certificate_expired'
    ELSE s.fault END
FROM holders_holder h WHERE h.id = s.holder_id AND s.is_known
"""
# A known person's present certificate: what the roster tells of it is recorded, what stood there is for the event.
_VALIDITY: Final = """
WITH told AS (
    UPDATE holders_certificate c SET valid_from = s.valid_from, valid_until = s.valid_until,
        is_long_term = s.is_long_term, expiry_told_on = NULL
    FROM staged s, holders_certificate was
    WHERE s.is_known AND s.fault IS NULL AND s.valid_from IS NOT NULL AND c.is_current
        AND c.holder_id = s.holder_id AND c.kind = s.kind AND c.number_index = s.number_index AND was.id = c.id
        AND (c.valid_from, c.valid_until, c.is_long_term) IS DISTINCT FROM
            (s.valid_from, s.valid_until, s.is_long_term)
    RETURNING s.n, s.holder_id, s.kind, was.valid_from, was.valid_until, was.is_long_term
), marked AS (UPDATE staged s SET is_told = true FROM told WHERE told.n = s.n)
SELECT * FROM told ORDER BY n
"""
_CASES: Final = """
INSERT INTO cards_case (id, number, kind, holder_id, bank_id, status, channel, outlet_id, division_code, reason,
    delivery, fee_fen, note, guardian, applicant, organisation, roster_row, created_at, created_by, step_due_on,
    taken_code)
SELECT case_id, case_number, 'apply', holder_id, bank, CASE WHEN is_elsewhere THEN 'submitted' ELSE 'checked' END,
    %(channel)s, coalesce(outlet, CASE WHEN is_elsewhere AND delivery = '0' THEN %(outlet)s::uuid END),
    coalesce(issue, division), '', delivery, 0, '', guardian, %(applicant)s, %(applying)s, %(roster)s || ':' || n,
    %(at)s, %(name)s, CASE WHEN is_elsewhere THEN %(check_due)s ELSE due_on END,
    CASE WHEN is_elsewhere THEN %(taken)s ELSE '' END
FROM staged WHERE fault IS NULL ON CONFLICT DO NOTHING
"""
_LATE_FAULTS: Final = """
UPDATE staged s SET fault = 'has_open_case'
WHERE fault IS NULL AND NOT EXISTS (SELECT FROM cards_case k WHERE k.id = s.case_id)
"""
_STEPS: Final = """
INSERT INTO cards_casestep (id, case_id, at, status, actor_name, channel, note)
SELECT step_one, case_id, %(at)s, 'submitted', %(name)s, %(channel)s, coalesce(%(notes)s::jsonb ->> issue, '')
FROM staged WHERE fault IS NULL
UNION ALL
SELECT step_two, case_id, %(at)s, 'checked', %(name)s, %(channel)s, '名册逐项核对通过'
FROM staged WHERE fault IS NULL AND NOT is_elsewhere
"""
# The school answers for what it has compared; a clerk's own entry of the same guardian stays.
_GUARDIANS: Final = """
INSERT INTO holders_guardianship (id, ward_id, guardian_id, name, kind, number, number_index, ground, evidence,
    valid_from, valid_until, end_reason, created_at, created_by)
SELECT s.guardianship_id, s.holder_id, c.holder_id, s.guardian_name, 'A', s.guardian_number, s.guardian_index,
    'parent', 'roster', %(day)s, s.independent_on, '', %(at)s, %(name)s
FROM staged s LEFT JOIN holders_certificate c ON c.kind = 'A' AND c.number_index = s.guardian_index
WHERE s.fault IS NULL AND s.guardian_index IS NOT NULL AND s.independent_on > %(day)s
  AND c.holder_id IS DISTINCT FROM s.holder_id ON CONFLICT DO NOTHING
"""
_AUDIT: Final = f"""
INSERT INTO core_auditentry (id, at, event, subject, holder_id, actor_id, actor_name, actor_role, channel,
    organisation, facts)
SELECT {UUID7_SQL}, %(at)s, event, subject, holder_id, %(actor)s::uuid, %(name)s, %(role)s, %(channel)s,
    %(organisation)s, facts
FROM (
    SELECT 'holders:holder:registered' AS event, 'holder:' || holder_id AS subject, holder_id,
        jsonb_build_object('kind', kind, 'ground', ground, 'roster', %(roster)s::text) AS facts
    FROM staged WHERE NOT is_known
    UNION ALL
    SELECT 'cards:case:' || CASE WHEN is_elsewhere THEN 'submitted' ELSE 'checked' END, 'case:' || case_id, holder_id,
        jsonb_build_object('kind', 'apply', 'roster', %(roster)s::text, 'applicant', %(applicant)s::text)
    FROM staged WHERE fault IS NULL
    UNION ALL
    SELECT 'holders:holder:guardian_registered', 'holder:' || ward_id, ward_id,
        jsonb_build_object('evidence', 'roster', 'roster', %(roster)s::text)
    FROM staged JOIN holders_guardianship g ON g.id = guardianship_id
    UNION ALL
    SELECT 'holders:holder:life_validity', 'holder:' || holder_id, holder_id,
        jsonb_build_object('roster', %(roster)s::text)
    FROM staged WHERE is_told
) acts
"""  # noqa: S608 - constants
# Comparing with a holder's record is a look at it.
_LOOKS: Final = f"""
INSERT INTO core_look (day, id, at, holder_id, looker_id, looker_name, looker_role, looker_scope, organisation,
    channel, purpose, ground, fields)
SELECT %(day)s, {UUID7_SQL}, %(at)s, holder_id, %(actor)s::uuid, %(name)s, %(role)s, %(scope)s, %(organisation)s,
    %(channel)s, '批量申领名册核对', '', ARRAY['姓名', '证件号码']
FROM staged WHERE is_known
"""  # noqa: S608 - constants
_ENTERED: Final = "SELECT holder_id, is_elsewhere FROM staged WHERE fault IS NULL"
_LEFT: Final = "SELECT n, fault FROM staged WHERE fault IS NOT NULL ORDER BY n"
_PEOPLE: Final = (
    _BY_INDEX, _MATCH_CERTIFICATE, _MATCH_NUMBER, _HOLDERS, _MATCH_LATE, _CERTIFICATES, _WARDS, _ISSUE,
)  # fmt: skip
_MATTERS: Final = (_ROUTE, _FAULTS, _CASES, _LATE_FAULTS, _STEPS, _GUARDIANS)
_RECORDS: Final = (_AUDIT, _LOOKS)
_WORDS: Final = {
    "holder_not_active": (c.NUMBER, refusals.HolderNotActive.message),
    "name_differs": (c.NAME, "姓名与该证件已登记的姓名不一致，请核对；确有变更的请到窗口办理信息变更。"),
    "has_card": (c.NUMBER, refusals.HasCard.message),
    "has_coming_card": (c.NUMBER, refusals.HasComingCard.message),
    "repeated_in_file": (c.NUMBER, "此人在本名册中重复出现，已按先出现的一行受理。"),
    "has_open_case": (c.NUMBER, refusals.HasOpenCase.message),
    "certificate_expired": (
        c.VALID_UNTIL,
        "登记的证件已经到期，不能据以申领。请换领新证后，填写新证件的起止日期。",
    ),
    "other_province": (c.NUMBER, refusals.OtherProvince.message),
    "only_at_place_of_issue": (
        c.DIVISION,
        "此人的签发地在其他城市，受理本名册的网点不办理全省通办；请由签发地上传，或到办理全省通办的网点。",
    ),
}


def enter(  # noqa: PLR0913 - what a chunk is, and by when
    entries: Sequence[Entry],
    numbers: Sequence[int],
    *,
    roster: Roster,
    takes_elsewhere: bool,
    due_on: date,
    check_due_on: date,
    day: date,
    by: Actor,
    at: datetime,
) -> tuple[list[Fault], int]:
    """Make holders and cases of sound rows; returns those that cannot be, and how many go to another place of issue.

    The uploader has compared the rows of his own city: these are checked. Those of another city are 通办件, which
    their place of issue checks. `numbers` feed the case numbers.
    """
    first, repeated = _once(entries)
    facts: dict[str, Any] = {
        "at": at,
        "day": day,
        "roster": roster.pk.hex,
        "applicant": roster.kind,
        "applying": roster.applicant,
        "actor": by.id,
        "name": by.name,
        "scope": by.scope,
        "organisation": by.organisation,
        "role": by.role.value,
        "channel": by.channel.value,
        "taken": roster.taken_code,
        "takes": takes_elsewhere,
        "outlet": roster.outlet_id,
        "check_due": check_due_on,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CREATE)
        cursor.execute("DELETE FROM staged")
        with cursor.copy(f"COPY staged ({_NAMES}) FROM STDIN") as copy:
            for entry, number in zip(first, numbers, strict=False):
                copy.write_row(_row(entry, number, due_on, day))
        for statement in _PEOPLE:
            cursor.execute(statement, facts)
        cursor.execute(_ISSUES)
        facts |= _routes(roster.taken_code, [issue for (issue,) in cursor.fetchall()])
        for statement in _MATTERS:
            cursor.execute(statement, facts)
        cursor.execute(_VALIDITY)
        told = cursor.fetchall()
        for statement in _RECORDS:
            cursor.execute(statement, facts)
        cursor.execute(_LEFT)
        left = dict(cursor.fetchall())
        cursor.execute(_ENTERED)
        entered = dict(cursor.fetchall())
    roster_submitted.send(Case, holder_ids=list(entered), at=at)
    by_row = {entry.row: entry for entry in first}
    copy_in(_recorded(row, by_row, by=by, at=at) for row in told)
    faults = [_fault(by_row[row], code) for row, code in left.items()]
    return faults + [_fault(entry, "repeated_in_file") for entry in repeated], sum(entered.values())


def _routes(taken: str, issues: Iterable[str]) -> dict[str, Any]:
    """Which places of issue are another city's, with the words of the first step, and which another province's."""
    strange = [one for one in issues if elsewhere.is_strange(one)]
    others = [one for one in issues if one not in strange and elsewhere.is_elsewhere(taken, one)]
    notes = {one: elsewhere.routed_words(taken, one) for one in others}
    return {"strange": strange, "elsewhere": others, "notes": json.dumps(notes, ensure_ascii=False)}


def _once(entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
    """The first row of each person in the chunk, and the others; the database knows earlier chunks."""
    seen: set[str] = set()
    first: list[Entry] = []
    repeated: list[Entry] = []
    for entry in entries:
        number = entry.person.social_security_number
        (repeated if number in seen else first).append(entry)
        seen.add(number)
    return first, repeated


def _fault(entry: Entry, code: str) -> Fault:
    column, message = _WORDS[code]
    person = entry.person
    text = {c.NAME: person.name.text, c.NUMBER: person.certificate.number}.get(column, "")
    return Fault(entry.row, column, code, message, shown(column, text))


def _row(entry: Entry, number: int, due_on: date, day: date) -> tuple[Any, ...]:
    person = entry.person
    kind, plain = person.certificate.kind.value, person.certificate.number
    original = person.name.original if person.name.original != person.name.text else ""
    return (
        entry.row, person.name.text, original[:80],
        sealed(Holder, "social_security_number", person.social_security_number),
        social_security_index(person.social_security_number),
        person.sex, person.birth_date, person.nationality, person.division_code,
        sealed(Holder, "phone", person.phone), phone_index(person.phone),
        sealed(Holder, "address", person.address or None), person.ground, uuid7(),
        uuid7(), kind, sealed(Certificate, "number", plain), certificate_index(kind, plain),
        uuid7(), rules.case_number(person.division_code, day, number), entry.bank,
        _uuid(entry.outlet), entry.delivery, sealed(Case, "guardian", entry.guardian or None), uuid7(), uuid7(),
        due_on, *_guardian(entry), *_validity(entry.validity),
    )  # fmt: skip


def _validity(told: Validity) -> tuple[Any, ...]:
    return told.begins, told.ends, told.is_long_term


def _recorded(row: tuple[Any, ...], by_row: Mapping[int, Entry], *, by: Actor, at: datetime) -> LifeEvent:
    """The event of a period that was recorded of a known person; its audit entry is among those of the chunk."""
    n, holder_id, kind, *was = row
    return LifeEvent(
        holder_id=holder_id,
        at=at,
        kind=LifeEvent.Kind.VALIDITY,
        before=Validity(was[0], was[1], is_long_term=was[2]).words or None,
        after=by_row[n].validity.words,
        evidence="名册",
        reason=Kind(kind).label,
        actor_name=by.name,
        channel=by.channel,
    )


def _guardian(entry: Entry) -> tuple[Any, ...]:
    """Columns of the guardianship a row proves; the roster has compared name and number."""
    if not entry.guardian:
        return (None,) * 5
    name, number = entry.guardian.rsplit(" ", 1)
    return (
        uuid7(),
        sealed(Guardianship, "name", name),
        sealed(Guardianship, "number", number),
        certificate_index(Kind.RESIDENT_ID, number),
        independent_on(entry.person.birth_date, province().card.independent_age),
    )


@lru_cache(maxsize=4096)
def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
