"""The one statement that decides and records a batch of uses, online or handed in later.

What it joins: access_terminal and codes_standing, in which triggers keep what device, e-card, card and holder say
(and codes_hotentry for offline uses, holders_category for short codes). Status is read here and nowhere else, so a
stopped terminal or a lost card is refused with the very next request. tests/gate/test_parity.py holds it against
the models.

It reads no partitioned table. Whether a presentation was shown, or a sequence used, comes back from the
conflict of its insert: one probe in one partition, however many years of partitions there are, and no race
between looking and writing. `DO UPDATE … SET x = x` is what makes PostgreSQL return the older row.

Both joins of CTEs could be LEFT JOINs. They are FULL ones because PostgreSQL must hash those: it takes every
array of a prepared statement for ten rows long, and would compare a thousand rows with a thousand in a loop.

A sequence that comes again with other content sets its digest to NULL, which the column refuses: the whole
statement falls, nothing is changed, and the batcher looks for the culprit.
"""

from yikatong.gate.row import Row
from yikatong.using.codes.reasons import Reason

# field of Row → element type of its array parameter, in order
ONLINE_TYPES = {
    "terminal": "int8", "key_generation": "int4", "sequence": "int8", "day": "date", "used_at": "timestamptz",
    "method": "int2", "scene": "int2", "outcome": "int2", "device": "int8", "generation": "int4",
    "amount_fen": "int8", "concession": "int2", "digest": "bytea", "reference": "bytea", "made_at": "int8",
    "counter": "int4", "shown_day": "date",
}  # fmt: skip
OFFLINE_TYPES = {**ONLINE_TYPES, "evidence": "bytea", "hot_version": "int8"}

if tuple(OFFLINE_TYPES) != Row._fields:
    raise AssertionError("parameters and fields of Row differ")

TABLES = {
    "access_terminal": ("number", "status", "key_generation", "scenes", "place_id", "city_code", "domain_code"),
    "codes_standing": (
        "device_number", "device_status", "generation", "revoked_at", "ecard_status", "removed_at", "card_id",
        "card_status", "expires_on", "ended_at", "holder_id", "holder_status", "deceased_on",
    ),
    "holders_category": ("holder_id", "kind", "valid_from", "valid_until"),
    "codes_hotentry": ("device_number", "scene", "reference", "added_version", "removed_version"),
    "usage_shown": ("day", "reference", "made_at", "counter", "terminal", "sequence"),
    "usage_use": (
        "day", "terminal", "sequence", "used_at", "received_at", "is_offline", "method", "scene", "outcome",
        "holder_id", "card_id", "device_number", "place_id", "city_code", "domain_code", "amount_fen",
        "concession", "flag", "first_terminal", "first_sequence", "request_digest", "evidence",
    ),
}  # fmt: skip
"""Every column this module names; the parity test compares them with the models."""

_TERMINAL = f"""CASE
    WHEN t.number IS NULL OR t.status = 'registered' THEN {Reason.TERMINAL_UNKNOWN:d}
    WHEN t.status <> 'enrolled' THEN {Reason.TERMINAL_STOPPED:d}
    WHEN t.key_generation <> r.key_generation THEN {Reason.REQUEST_BAD_MAC:d}
    WHEN r.outcome = 0 AND r.scene <> ALL (t.scenes) THEN {Reason.TERMINAL_WRONG_SCENE:d}
    ELSE 0 END"""

# In the order a person should hear it: whose code, does he live, is this device his, is his card good.
_ONLINE_STATE = f"""CASE
    WHEN r.outcome <> 0 THEN r.outcome
    WHEN s.device_number IS NULL THEN {Reason.UNKNOWN_REFERENCE:d}
    WHEN s.holder_status = 'deceased' THEN {Reason.HOLDER_DECEASED:d}
    WHEN s.device_status <> 'active' OR s.generation <> r.generation AND r.generation >= 0
        THEN {Reason.DEVICE_REVOKED:d}
    WHEN s.card_status = 'B' THEN {Reason.CARD_LOST_TEMPORARY:d}
    WHEN s.card_status = '2' THEN {Reason.CARD_LOST:d}
    WHEN s.card_status IN ('3', '4') THEN {Reason.CARD_CANCELLED:d}
    WHEN s.ecard_status <> 'issued' OR s.holder_status <> 'active' THEN {Reason.ECARD_REMOVED:d}
    WHEN s.card_status <> '1' THEN {Reason.CARD_NOT_ACTIVE:d}
    WHEN s.expires_on < r.day THEN {Reason.CARD_EXPIRED:d}
    ELSE 0 END"""

# A terminal without a network answers for what its list told it, and for nothing it could not know.
_OFFLINE_STATE = f"""CASE
    WHEN r.outcome <> 0 THEN r.outcome
    WHEN s.device_number IS NULL THEN {Reason.UNKNOWN_REFERENCE:d}
    WHEN EXISTS (
        SELECT FROM codes_hotentry l
        WHERE l.device_number = r.device AND l.scene = r.scene AND l.reference = r.reference
          AND l.added_version <= r.hot_version
          AND (l.removed_version IS NULL OR l.removed_version > r.hot_version)
    ) THEN {Reason.HOTLISTED:d}
    ELSE 0 END"""

# A terminal tells whole seconds and may be one off: what was shown in the very second of a loss counts as after it, in
# the holder's favour.
_OFFLINE_FLAG = """CASE
    WHEN r.outcome <> 0 OR s.device_number IS NULL THEN 0
    WHEN s.card_status IN ('2', 'B', '3', '4') AND COALESCE(s.ended_at, r.used_at) <= r.used_at + INTERVAL '2 s'
      OR s.device_status <> 'active' AND COALESCE(s.revoked_at, r.used_at) <= r.used_at + INTERVAL '2 s'
      OR s.ecard_status <> 'issued' AND COALESCE(s.removed_at, r.used_at) <= r.used_at + INTERVAL '2 s'
      OR s.holder_status = 'deceased' AND COALESCE(s.deceased_on, r.day) <= r.day
      OR s.expires_on < r.day
    THEN 1 ELSE 0 END"""

# A short code carries no claims, so the platform looks them up: a venue learns the concessions, a bus only the
# most favourable one (using.codes.rules.claims; the bits are those of pass-v1, claim 2).
_CONCESSION = """CASE WHEN r.method = 2 AND r.scene IN (3, 4) THEN (
        SELECT CASE WHEN r.scene = 4 THEN bits WHEN bits & 8 > 0 THEN 8 WHEN bits & 16 > 0 THEN 16
                    WHEN bits & 1 > 0 THEN 1 WHEN bits & 2 > 0 THEN 2 ELSE bits END
        FROM (SELECT COALESCE(bit_or(CASE k.kind WHEN 'elder' THEN 1 WHEN 'student' THEN 2
                                     WHEN 'disabled' THEN 8 WHEN 'veteran' THEN 16
                                     WHEN 'low_income' THEN 32 ELSE 0 END), 0) AS bits
              FROM holders_category k
              WHERE k.holder_id = s.holder_id AND k.valid_from <= r.day
                AND (k.valid_until IS NULL OR k.valid_until > r.day)) proven)
    ELSE r.concession END"""


def _checked(types: dict[str, str], *, offline: bool) -> str:
    """The rows of the arrays with what the tables say of each."""
    arrays = ", ".join(f"%b::{kind}[]" for kind in types.values())
    fields = ", ".join(types)
    state, flag = (_OFFLINE_STATE, _OFFLINE_FLAG) if offline else (_ONLINE_STATE, "0")
    # Only our own constants are put into the text; every value is a parameter.
    return f"""
WITH r AS (
  SELECT * FROM unnest({arrays}) WITH ORDINALITY AS r({fields}, n)
), checked AS MATERIALIZED (
  SELECT r.*, s.holder_id, s.card_id, t.place_id, t.city_code, t.domain_code,
    {_TERMINAL} AS refusal,
    {state} AS state,
    {flag} AS flag,
    {_CONCESSION} AS granted
  FROM r
  LEFT JOIN access_terminal t ON t.number = r.terminal
  LEFT JOIN codes_standing s ON s.device_number = r.device
"""  # noqa: S608


def _statement(types: dict[str, str], *, offline: bool) -> str:
    evidence = "evidence" if offline else "NULL"
    elsewhere = Reason.DOUBLE_OFFLINE_USE if offline else Reason.REPLAYED
    return f"""{_checked(types, offline=offline)}), shown AS (
  INSERT INTO usage_shown AS s (day, reference, made_at, counter, terminal, sequence)
  SELECT shown_day, reference, made_at, counter, terminal, sequence
  FROM checked WHERE refusal = 0 AND state = 0
  ORDER BY shown_day, reference, made_at, counter
  ON CONFLICT (day, reference, made_at, counter) DO UPDATE SET terminal = s.terminal
  RETURNING reference, made_at, counter, terminal, sequence
), decided AS (
  SELECT k.*, s.terminal AS shown_at, s.sequence AS shown_as,
    CASE WHEN k.state <> 0 THEN k.state
         WHEN (s.terminal, s.sequence) = (k.terminal, k.sequence) THEN 0
         WHEN k.method = 2 THEN {Reason.SHORT_CODE_USED:d}
         WHEN s.terminal = k.terminal THEN {Reason.REPLAYED:d}
         ELSE {elsewhere:d} END AS final
  FROM checked k FULL JOIN shown s USING (reference, made_at, counter)
  WHERE COALESCE(k.refusal, 0) = 0
), used AS (
  INSERT INTO usage_use AS u (
    day, terminal, sequence, used_at, received_at, is_offline, method, scene, outcome, holder_id, card_id,
    device_number, place_id, city_code, domain_code, amount_fen, concession, flag,
    first_terminal, first_sequence, request_digest, evidence)
  SELECT day, terminal, sequence, used_at, %b::timestamptz, {offline}, method, scene, final, holder_id,
    card_id, NULLIF(device, -1), place_id, city_code, domain_code,
    CASE WHEN final = 0 THEN amount_fen ELSE 0 END, CASE WHEN final = 0 THEN granted ELSE 0 END,
    CASE WHEN final = 0 THEN flag ELSE 0 END,
    CASE WHEN state = 0 AND final <> 0 THEN shown_at END, CASE WHEN state = 0 AND final <> 0 THEN shown_as END,
    digest, {evidence}
  FROM decided
  ORDER BY terminal, sequence
  ON CONFLICT (day, terminal, sequence) DO UPDATE SET request_digest =
    CASE WHEN u.request_digest = EXCLUDED.request_digest THEN u.request_digest END
  RETURNING terminal, sequence, outcome, scene, amount_fen, concession, flag, first_terminal, first_sequence,
    used_at, received_at
)
SELECT k.n, k.refusal, u.outcome, u.scene, u.amount_fen, u.concession, u.flag, u.first_terminal,
  u.first_sequence,
  CASE WHEN u.received_at <> %b::timestamptz THEN (extract(epoch FROM u.used_at) * 1000000)::bigint END
FROM checked k FULL JOIN used u USING (terminal, sequence)
ORDER BY k.n
"""  # noqa: S608


ONLINE = _statement(ONLINE_TYPES, offline=False)
OFFLINE = _statement(OFFLINE_TYPES, offline=True)

OFFLINE_NEW = f"""{_checked(OFFLINE_TYPES, offline=True)}), shown AS (
  INSERT INTO usage_shown (day, reference, made_at, counter, terminal, sequence)
  SELECT shown_day, reference, made_at, counter, terminal, sequence
  FROM checked WHERE refusal = 0 AND state = 0
  ORDER BY shown_day, reference, made_at, counter
  RETURNING 1
), used AS (
  INSERT INTO usage_use (
    day, terminal, sequence, used_at, received_at, is_offline, method, scene, outcome, holder_id, card_id,
    device_number, place_id, city_code, domain_code, amount_fen, concession, flag, request_digest, evidence)
  SELECT day, terminal, sequence, used_at, %b::timestamptz, true, method, scene, state, holder_id,
    card_id, NULLIF(device, -1), place_id, city_code, domain_code,
    CASE WHEN state = 0 THEN amount_fen ELSE 0 END, CASE WHEN state = 0 THEN granted ELSE 0 END,
    CASE WHEN state = 0 THEN flag ELSE 0 END, digest, evidence
  FROM checked WHERE refusal = 0 AND (SELECT count(*) FROM shown) >= 0
  ORDER BY terminal, sequence
)
SELECT array_agg(refusal ORDER BY n), array_agg(state ORDER BY n), array_agg(granted ORDER BY n),
  array_agg(flag ORDER BY n)
FROM checked
"""  # noqa: S608
"""For uses none of which is in the tables yet, which is nearly every upload: a third cheaper, as nothing has to be
found again. One that is there already makes it fall by its unique key, changing nothing; then OFFLINE decides.
`shown` is counted so that both write in the same order of tables, and never wait for each other crosswise.
"""

STORED = """
SELECT r.n, u.request_digest
FROM unnest(%b::date[], %b::int8[], %b::int8[]) WITH ORDINALITY AS r(day, terminal, sequence, n)
JOIN usage_use u USING (day, terminal, sequence)
WHERE u.day = ANY(%b::date[])
"""
"""Which sequences are taken, and by what; asked only when a statement has fallen."""
