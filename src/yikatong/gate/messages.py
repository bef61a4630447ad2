"""What goes in and out of the gate (docs/spec/gate-v1.md), as JSON or MessagePack. Unknown fields are refused:
a misspelt amount must not become zero.
"""

from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct, field

T = TypeVar("T")

USES_MOST = 1000
AMOUNT_MOST = 100_000_000  # a million yuan

Sequence = Annotated[int, Meta(ge=2020_01_01 * 10**8, lt=2100_01_01 * 10**8)]
Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MOST)]
SceneNumber = Annotated[int, Meta(ge=1, le=255)]
Seconds = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
Count = Annotated[int, Meta(ge=0, le=2_000_000_000)]
Software = Annotated[str, Meta(max_length=40)]
TerminalNumber = Annotated[int, Meta(ge=1, le=999_999_999_999)]


class _In(Struct, forbid_unknown_fields=True):
    pass


class VerifyIn(_In):
    """One code shown now. `code`: the scanned text; `scene`: only codes of this scene, else any of the terminal's."""

    sequence: Sequence
    code: Annotated[str, Meta(max_length=1024)]
    scene: SceneNumber | None = None
    amount_fen: Amount = 0


class OfflineUseIn(_In):
    """One code that was shown while there was no network. `outcome`: what the terminal decided, 0 let pass.

    `presentation`: the bytes of the pass (base64 in JSON); `hot_version`: the hotlist it was held against.
    """

    sequence: Sequence
    used_at: Seconds
    presentation: Annotated[bytes, Meta(max_length=1024)]
    hot_version: Count
    amount_fen: Amount = 0
    outcome: Annotated[int, Meta(ge=0, le=499)] = 0


class UsesIn(_In):
    uses: Annotated[list[OfflineUseIn], Meta(min_length=1, max_length=USES_MOST)]


class EnrolIn(_In):
    terminal: TerminalNumber
    code: Annotated[str, Meta(max_length=40)]


class SignInIn(_In):
    software: Software = ""


class HeartbeatIn(_In):
    """How a terminal is: its clock (unix seconds), uses not handed in yet, versions of the lists it holds.

    `hot_versions`: by scene number, of those scenes whose hotlist it holds.
    """

    clock: Seconds
    offline_uses: Count = 0
    trust_version: Count = 0
    hot_versions: dict[SceneNumber, Count] = field(default_factory=dict)
    software: Software = ""


class CardAuthIn(_In):
    """What Step1 of a national function gave, as it stands: of iReadCardBas alone, of others with the card's numbers.

    `card`: `识别码|卡号|`. `business`: 业务类型, 01 reading, 07 medical debit. `tac`: of a debit that was paid.
    """

    request: Annotated[str, Meta(max_length=400)]
    card: Annotated[str, Meta(max_length=100)] = ""
    business: Annotated[str, Meta(max_length=2)] = "01"
    tac: Annotated[str, Meta(max_length=9)] = ""


class CardAuthOut(Struct):
    """What Step2 wants."""

    answer: str


class UseOut(Struct, omit_defaults=True):
    """The fate of one use. `next_step` is for whoever stands at the terminal, `tell_holder` for the holder.

    `good_faith`: let pass offline after a loss the terminal could not know of. `first_sequence`: under which
    sequence this same terminal had used the code before. `repeated`: this is the answer given the first time.
    """

    sequence: int
    accepted: bool
    reason: int
    name: str
    message: str
    next_step: str = ""
    tell_holder: str = ""
    scene: int = 0
    used_at: int = 0
    amount_fen: int | None = None
    fare_class: int | None = None
    concessions: list[str] = field(default_factory=list)
    good_faith: bool = False
    first_sequence: int | None = None
    repeated: bool = False


class UsesOut(Struct):
    uses: list[UseOut]


class Lists(Struct):
    """Newest versions: of the trust list, and of the hotlist of each scene of the terminal."""

    trust: int
    hot: dict[str, int]


class EnrolOut(Struct):
    terminal: int
    generation: int
    sealed_key: str
    server_time: int


class SignInOut(Struct):
    """All a terminal needs for the day. Seconds and fen; `sequence_next` is the first free sequence.

    `sealed_key`: the work key under the terminal's main key, base64url; good until `key_until`.
    """

    terminal: int
    day: str
    server_time: int
    sealed_key: str
    key_until: int
    scenes: list[int]
    sequence_next: int
    lists: Lists
    list_keys: list[dict[str, Any]]
    validity_s: int
    tolerance_s: int
    hot_age_s: int
    offline_uses_max: int
    upload_within_s: int
    batch_most: int
    heartbeat_s: int


class HeartbeatOut(Struct):
    server_time: int
    clock_offset_s: int
    lists: Lists


JSON = "application/json"
MSGPACK = "application/msgpack"

_json, _msgpack = msgspec.json.Encoder(), msgspec.msgpack.Encoder()


def encode(value: Any, *, as_msgpack: bool) -> tuple[str, bytes]:
    """Content type and bytes."""
    return (MSGPACK, _msgpack.encode(value)) if as_msgpack else (JSON, _json.encode(value))


class Reader(Generic[T]):
    """Reads one kind of message; msgspec.MsgspecError (a ValueError) when it is not one."""

    def __init__(self, kind: type[T]) -> None:
        self._json = msgspec.json.Decoder(kind)
        self._msgpack = msgspec.msgpack.Decoder(kind)

    def __call__(self, body: bytes, *, as_msgpack: bool) -> T:
        return self._msgpack.decode(body) if as_msgpack else self._json.decode(body)
