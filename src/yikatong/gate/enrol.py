"""A new terminal gets its key, once, for the code an operator gave it. One statement, the operator's own rules."""

import base64
from datetime import datetime

from yikatong.gate.lane import Lane, positional
from yikatong.gate.messages import EnrolIn, EnrolOut
from yikatong.gate.refusal import Refusal
from yikatong.registry.access import platform_keys, terminal_keys
from yikatong.using.codes.reasons import Reason

_ENROL, _NAMES = positional(platform_keys.ENROL_SQL)


async def enrol(message: EnrolIn, *, lane: Lane, at: datetime) -> EnrolOut:
    """The main key, sealed under the code. Refusal(TERMINAL_UNKNOWN) for whatever is wrong: it tells no stranger
    which terminals there are.
    """
    values = platform_keys.enrol_parameters(message.terminal, message.code, at=at)
    rows = await lane.fetch(_ENROL, [values[name] for name in _NAMES])
    if not rows:
        raise Refusal(Reason.TERMINAL_UNKNOWN)
    generation = rows[0][0]
    main = platform_keys.main_key(message.terminal, generation)
    sealed = terminal_keys.seal_main_key(message.code, main, number=message.terminal, generation=generation)
    return EnrolOut(message.terminal, generation, text(sealed), int(at.timestamp()))


def text(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
