"""What the gate answers (docs/spec/gate-v1.md). Unknown members are ignored: a gate may be newer than a terminal."""

import base64
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from yikatong.terminal.errors import GateFault

T = TypeVar("T")


class Lists(Struct):
    """Newest versions: of the trust list, and by scene of the hotlists."""

    trust: int = 0
    hot: dict[str, int] = field(default_factory=dict)


class ListKey(Struct):
    """Whose list key; `public` base64url of 33 bytes."""

    issuer: int
    key_id: int
    public: str


class Enrolment(Struct):
    terminal: int
    generation: int
    sealed_key: str
    server_time: int


class Terms(Struct):
    """What a sign-in gives for the day; kept as JSON in the store. Seconds and fen."""

    terminal: int
    day: str
    server_time: int
    key_until: int
    sealed_key: str
    scenes: list[int]
    sequence_next: int
    lists: Lists
    list_keys: list[ListKey]
    validity_s: int
    tolerance_s: int
    hot_age_s: int
    offline_uses_max: int
    upload_within_s: int
    batch_most: int
    heartbeat_s: int


class Pulse(Struct):
    server_time: int
    clock_offset_s: int
    lists: Lists


class CardAuth(Struct):
    """What the key device says of a physical card."""

    answer: str


class Fate(Struct):
    """What became of one use."""

    sequence: int
    accepted: bool
    reason: int
    name: str
    message: str
    next_step: str = ""
    tell_holder: str = ""
    scene: int = 0
    amount_fen: int | None = None
    fare_class: int | None = None
    concessions: list[str] = field(default_factory=list)
    good_faith: bool = False
    repeated: bool = False


class Fates(Struct):
    uses: list[Fate]


class Problem(Struct):
    """RFC 9457, as far as a terminal reads it."""

    title: str = ""
    code: str = ""
    reason: int = 0
    next_step: str = ""
    server_time: int | None = None
    retry_after_s: int | None = None


def unpacked(text: str) -> bytes:
    """Bytes of base64url without padding. Raises GateFault."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise GateFault from None


def read(kind: type[T], body: bytes) -> T:
    """Raises GateFault when the body is not of this kind."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise GateFault from None
