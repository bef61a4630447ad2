"""Everything a terminal asks besides uses: the sign-in of the day, how it is, and its key when it is new."""

import json
from datetime import date, datetime

from yikatong.core.clock import day_of
from yikatong.gate import sequence
from yikatong.gate.authenticate import GRACE
from yikatong.gate.enrol import text
from yikatong.gate.keys import LATE, Keys
from yikatong.gate.lane import Lane
from yikatong.gate.lists import Lists
from yikatong.gate.messages import (
    USES_MOST,
    HeartbeatIn,
    HeartbeatOut,
    SignInIn,
    SignInOut,
)
from yikatong.gate.messages import Lists as ListsOut
from yikatong.gate.terminals import Terminal
from yikatong.registry.access import platform_keys, terminal_keys
from yikatong.using.codes.pass_ import DEFAULT

HOT_AGE_S = 24 * 3600
HEARTBEAT_S = 60

_SIGNED_IN = """
INSERT INTO access_terminalstate AS s
  (terminal_id, signed_in_on, seen_at, clock_offset_s, trust_version, hot_versions, offline_uses, software)
VALUES (%s, %s::date, %s, 0, 0, '{}', 0, %s)
ON CONFLICT (terminal_id) DO UPDATE SET signed_in_on = EXCLUDED.signed_in_on, seen_at = EXCLUDED.seen_at,
  software = CASE WHEN EXCLUDED.software = '' THEN s.software ELSE EXCLUDED.software END
"""
_SEEN = """
INSERT INTO access_terminalstate AS s
  (terminal_id, seen_at, clock_offset_s, trust_version, hot_versions, offline_uses, software)
VALUES (%s, %s, %s::int, %s::bigint, %s::jsonb, %s::int, %s)
ON CONFLICT (terminal_id) DO UPDATE SET seen_at = EXCLUDED.seen_at, clock_offset_s = EXCLUDED.clock_offset_s,
  trust_version = EXCLUDED.trust_version, hot_versions = EXCLUDED.hot_versions,
  offline_uses = EXCLUDED.offline_uses,
  software = CASE WHEN EXCLUDED.software = '' THEN s.software ELSE EXCLUDED.software END
"""
_LAST = "SELECT max(sequence) FROM usage_use WHERE day = %s::date AND terminal = %s::bigint"


async def sign_in(
    terminal: Terminal, message: SignInIn, *, lane: Lane, keys: Keys, lists: Lists, at: datetime
) -> SignInOut:
    """Open the terminal's day. Signing in again the same day goes on where the recorded sequences end."""
    day = day_of(at)
    await lane.fetch(_SIGNED_IN, [terminal.id, day, at, message.software])
    last = (await lane.fetch(_LAST, [day, terminal.number]))[0][0]
    return SignInOut(
        terminal=terminal.number,
        day=day.isoformat(),
        server_time=int(at.timestamp()),
        sealed_key=text(_sealed_key(terminal, day)),
        key_until=_key_until(day),
        scenes=sorted(terminal.scenes),
        sequence_next=(last or sequence.base(day)) + 1,
        lists=newest(terminal, keys),
        list_keys=lists.signers(),
        validity_s=DEFAULT.validity_s,
        tolerance_s=DEFAULT.tolerance_s,
        hot_age_s=HOT_AGE_S,
        offline_uses_max=terminal.offline_uses_max,
        upload_within_s=int(LATE.total_seconds()),
        batch_most=USES_MOST,
        heartbeat_s=HEARTBEAT_S,
    )


async def heartbeat(
    terminal: Terminal, message: HeartbeatIn, *, lane: Lane, keys: Keys, at: datetime
) -> HeartbeatOut:
    """Note how the terminal is, and tell it the time and the newest lists."""
    now = int(at.timestamp())
    offset = max(-1_000_000, min(1_000_000, message.clock - now))
    held = {
        str(scene): message.hot_versions[scene] for scene in terminal.scenes if scene in message.hot_versions
    }
    values = (message.trust_version, json.dumps(held), message.offline_uses, message.software)
    await lane.fetch(_SEEN, [terminal.id, at, offset, *values])
    return HeartbeatOut(now, offset, newest(terminal, keys))


def newest(terminal: Terminal, keys: Keys) -> ListsOut:
    hot = {str(scene): keys.versions.hot.get(scene, 0) for scene in sorted(terminal.scenes)}
    return ListsOut(keys.versions.trust, hot)


def _sealed_key(terminal: Terminal, day: date) -> bytes:
    number, generation = terminal.number, terminal.key_generation
    work = platform_keys.work_key(number, generation, day)
    return terminal_keys.seal_work_key(
        platform_keys.main_key(number, generation), work, number=number, day=day
    )


def _key_until(day: date) -> int:
    midnight = sequence.bounds(day)[0] + 86_400
    return midnight + int(GRACE.total_seconds())
