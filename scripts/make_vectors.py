"""Write docs/spec/vectors/*.json: the published test vectors of the pass, the same bytes at every run.

Keys come from fixed words and are for tests only. SM2 needs a random number at every signature; here it is
derived from key and digest, so that the files do not change. The product never does this.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from gmssl import sm2 as oracle

from yikatong.core.sm import sm2
from yikatong.core.sm.kdf import derive
from yikatong.core.sm.sm3 import sm3
from yikatong.using.codes import base45, pass_
from yikatong.using.codes.pass_ import Claims, Concession, Limits, Predicate, Reason, Scene

TARGET = Path(__file__).parents[1] / "docs/spec/vectors"
NOW = 1_800_000_000
DAY = 86_400
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
DEVICE = 4_815_162_342
LIMITS = Limits(per_use_fen=2_000, total_fen=10_000, uses=20)
Case = dict[str, Any]


def fixed(words: str, size: int = 32) -> bytes:
    """Test key material, from words."""
    return sm3(f"yikatong test vectors: {words}".encode())[:size]


def sign_e(private: bytes, e: bytes) -> bytes:
    """An SM2 signature that is the same at every run."""
    k = int.from_bytes(derive(private, "test vector nonce", e), "big") % N
    text: str = oracle.CryptSM2(private.hex(), "").sign(e, f"{k:064x}")
    return bytes.fromhex(text)


def sign(private: bytes, message: bytes) -> bytes:
    return sign_e(private, sm2.digest(sm2.public_of(private), message))


def keyset(issuer: int, key_id: int, *, withdrawn: bool = False) -> pass_.Keyset:
    word = f"{issuer}/{key_id}"
    private = fixed(f"issuer {word}")
    secrets = fixed(f"mac {word}"), fixed(f"reference {word}", 16), fixed(f"short {word}", 16)
    return pass_.Keyset(issuer, key_id, sm2.public_of(private), private, *secrets, withdrawn=withdrawn)


SICHUAN = keyset(510000, 1)
WITHDRAWN = keyset(510000, 2, withdrawn=True)
RETIRED = keyset(510000, 3)
CHONGQING = keyset(500000, 1)
STRANGER = keyset(510000, 9)
KEYSETS = (SICHUAN, WITHDRAWN, RETIRED, CHONGQING)
DEVICE_PRIVATE = fixed("device")
DEVICE_PUBLIC = sm2.public_of(DEVICE_PRIVATE)
LIST_PRIVATE = fixed("lists")


def trust_keys() -> list[pass_.IssuerKey]:
    """Key 3 of Sichuan has stopped signing ten days ago and is no longer believed from tomorrow."""
    keys = []
    for each in KEYSETS:
        state = pass_.KeyState.WITHDRAWN if each.withdrawn else pass_.KeyState.ACTIVE
        ends = (NOW - 10 * DAY, NOW + DAY) if each is RETIRED else (NOW + 300 * DAY, NOW + 400 * DAY)
        keys.append(pass_.IssuerKey(each.issuer, each.key_id, each.sm2_public, state, NOW - 100 * DAY, *ends))
    return keys


def credential(keys: pass_.Keyset = SICHUAN, **changes: Any) -> bytes:
    """A credential of the test device, with these fields changed."""
    fields: dict[str, Any] = {
        "device": DEVICE,
        "scene": Scene.TRANSIT,
        "generation": 1,
        "device_public": DEVICE_PUBLIC,
        "not_before": NOW - 3_600,
        "expires_at": NOW + DAY,
        "limits": LIMITS,
        "claims": Claims(3, Concession.SENIOR | Concession.RESIDENT, Predicate.AGE_60 | Predicate.AGE_65),
        "sign_e": partial(sign_e, keys.sm2_private),
    }
    return pass_.issue_credential(keys, **fields | changes).credential


def edited(raw: bytes, edit: Callable[[bytearray], object], keys: pass_.Keyset = SICHUAN) -> bytes:
    """A credential whose body was changed before the issuer signed it."""
    body = bytearray(raw[:-64])
    edit(body)
    return bytes(body) + sign(keys.sm2_private, bytes(body))


def put(at: int, value: bytes) -> Callable[[bytearray], None]:
    def edit(body: bytearray) -> None:
        body[at : at + len(value)] = value

    return edit


def with_claims(claims: bytes) -> bytes:
    """A credential with these bytes where the claims stand."""

    def edit(body: bytearray) -> None:
        body[24 : 25 + body[24]] = bytes([len(claims)]) + claims

    return edited(credential(), edit)


def shown(raw: bytes, *, made_at: int = NOW - 5, counter: int = 7, keys: pass_.Keyset = SICHUAN) -> bytes:
    """The presentation of a credential by the test device."""
    secret = pass_.credential_secret(keys.mac_key, raw[:-64])
    unsigned = pass_.present_unsigned(raw, secret, made_at, counter)
    return unsigned + sign(DEVICE_PRIVATE, unsigned)


def flipped(raw: bytes, at: int) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= 1
    return bytes(changed)


# --- files ---


def keys_json() -> Any:
    names = ("issuer", "key_id", "withdrawn")
    secrets = ("sm2_private", "sm2_public", "mac_key", "reference_key", "short_key")
    return {
        "keysets": [
            {name: getattr(each, name) for name in names}
            | {name: getattr(each, name).hex() for name in secrets}
            for each in KEYSETS
        ],
        "device": {"number": DEVICE, "private": DEVICE_PRIVATE.hex(), "public": DEVICE_PUBLIC.hex()},
        "list_key": {"private": LIST_PRIVATE.hex(), "public": sm2.public_of(LIST_PRIVATE).hex()},
        "trust": json.loads(pass_.trust_payload(trust_keys()))["keys"],
    }


def base45_json() -> Any:
    data = [
        b"",
        b"\0",
        b"\xff",
        b"AB",
        b"Hello!!",
        b"base-45",
        b"ietf!",
        b"\0\0",
        b"\xff\xff",
        bytes(range(32)),
    ]
    return {
        "valid": [{"bytes": each.hex(), "text": base45.encode(each)} for each in data],
        "invalid": ["0", "0000", "abc", "::", "V5", ":::", "GGW", "00é", "00\n", "===", "A?A"],
    }


def secrets_json() -> Any:
    raw = credential()
    reference = raw[8:24]
    tweak = pass_.scene_tweak(SICHUAN.mac_key, DEVICE_PUBLIC, reference)
    entries = [(DEVICE, scene, 1) for scene in Scene]
    entries += [(DEVICE, Scene.TRANSIT, 2), (0, 255, 0), (2**48 - 1, 1, 65535)]
    labels = [("yikatong pass v1 credential", raw[:-64], 32), ("a label", b"", 16), ("a label", b"\1\2", 80)]
    key = SICHUAN.mac_key
    return {
        "derive": [
            {"key": key.hex(), "label": label, "context": context.hex(), "length": length}
            | {"output": derive(key, label, context, length).hex()}
            for label, context, length in labels
        ],
        "references": [
            {
                "key": SICHUAN.reference_key.hex(),
                "device": device,
                "scene": int(scene),
                "generation": generation,
            }
            | {"reference": pass_.make_reference(SICHUAN.reference_key, device, scene, generation).hex()}
            for device, scene, generation in entries
        ],
        "scene_keys": [
            {"mac_key": key.hex(), "private": DEVICE_PRIVATE.hex(), "public": DEVICE_PUBLIC.hex()}
            | {"reference": reference.hex(), "tweak": tweak.hex()}
            | {"scene_private": sm2.shift_private(DEVICE_PRIVATE, tweak).hex()}
            | {"scene_public": sm2.shift_public(DEVICE_PUBLIC, tweak).hex()}
        ],
        "not_references": [{"key": SICHUAN.reference_key.hex(), "reference": fixed("noise", 16).hex()}],
    }


def refusal(reason: Reason) -> Case:
    return {"refused": reason.name, "number": int(reason)}


def case(name: str, raw: bytes | str, expect: Reason | None = None, **changes: Any) -> Case:
    """One verification, with what the verifier knows and what it must answer."""
    text = raw if isinstance(raw, str) else pass_.encode_text(raw)
    context: Case = {
        "now": NOW,
        "policy": {"scenes": None, "validity_s": 60, "tolerance_s": 30, "hot_age_s": None},
        "hot": [],
        "hot_made_at": None,
        "seen": {"replay_keys": [], "spent": {}},
        "fen": 0,
    }
    policy = context["policy"] | changes.pop("policy", {})
    answer = {"accepted": True} if expect is None else refusal(expect)
    return {"name": name, "text": text, **context, **changes, "policy": policy, "expect": answer}


def fields(raw: bytes) -> Case:
    """What a reader must find in the bytes."""
    shown_ = pass_.parse(raw)
    each = shown_.credential
    return {
        "issuer": each.issuer,
        "key_id": each.key_id,
        "scene": each.scene,
        "reference": each.reference.hex(),
        "claims": each.claims._asdict(),
        "not_before": each.not_before,
        "expires_at": each.expires_at,
        "limits": each.limits._asdict(),
        "device_public": each.device_public.hex(),
        "identity": each.identity.hex(),
        "made_at": shown_.made_at,
        "counter": shown_.counter,
        "replay_key": shown_.replay_key.hex(),
    }


def good_cases() -> Iterator[Case]:
    """Accepted by both kinds of verifier."""
    bare, rich = Claims(), Claims(2, Concession.STUDENT, Predicate.UNDER_18)
    for scene, claims in zip(Scene, (bare, bare, rich, Claims(None, Concession.DISABLED)), strict=True):
        raw = shown(credential(scene=scene, claims=claims))
        yield case(f"{scene.name.lower()} accepted", raw) | {"fields": fields(raw)}
    raw = shown(credential(CHONGQING), keys=CHONGQING)
    yield case("another issuer accepted", raw) | {"fields": fields(raw)}
    raw = shown(with_claims(bytes.fromhex("010105 020200C1 8003AABBCC")))
    yield case("an unknown claim is skipped", raw) | {"fields": fields(raw)}
    raw = shown(with_claims(bytes([200, 46]) + bytes(46)))
    yield case("the longest claims", raw) | {"fields": fields(raw)}
    raw = shown(credential(not_before=NOW + 30, limits=Limits(0, 0, 1)))
    yield case("thirty seconds before its time", raw) | {"fields": fields(raw)}
    for name, made_at in (
        ("last second of a presentation", NOW - 89),
        ("a device thirty seconds fast", NOW + 30),
    ):
        raw = shown(credential(expires_at=NOW + 1), made_at=made_at, counter=65_535)
        yield case(name, raw) | {"fields": fields(raw)}


def shape_cases() -> Iterator[Case]:
    """Refused by any reader, before keys and clocks."""
    good = shown(credential())
    bad = Reason.MALFORMED
    yield case("nothing", "", bad)
    yield case("another text", "HELLO WORLD", bad)
    yield case("empty pass", "YKT1:", bad)
    yield case("lower case is not Base45", pass_.encode_text(good).lower().replace("ykt1", "YKT1"), bad)
    yield case("one character missing", pass_.encode_text(good)[:-1], bad)
    yield case("one byte missing", good[:-1], bad)
    yield case("one byte more", good + b"\0", bad)
    yield case("a credential without presentation", credential(), bad)
    yield case("claims longer than the pass", shown(edited(credential(), put(24, b"\x30"))), bad)
    yield case("claims above 48", good[:24] + b"\x31" + good[25:], bad)
    for name, claims in (
        ("a claim is cut", "0101"),
        ("a claim without length", "01"),
        ("claims out of order", "020200010101 03".replace(" ", "")),
        ("a claim twice", "010103010103"),
        ("claim tag zero", "000100"),
        ("fare class of two bytes", "01020003"),
    ):
        yield case(name, shown(with_claims(bytes.fromhex(claims))), bad)
    end = 25 + good[24]
    yield case("scene zero", shown(edited(credential(), put(7, b"\0"))), bad)
    empty = put(end, NOW.to_bytes(4, "big") * 2)
    yield case("an empty period", shown(edited(credential(), empty)), bad)
    yield case("an uncompressed device key", shown(edited(credential(), put(end + 15, b"\4"))), bad)
    yield case("version two", b"\2" + good[1:], Reason.UNSUPPORTED_VERSION)
    yield case("text of version two", "YKT2:" + base45.encode(good), Reason.UNSUPPORTED_VERSION)
    yield case("another algorithm", good[:1] + b"\2" + good[2:], Reason.UNSUPPORTED_ALGORITHM)
    yield case("too many bytes", good + bytes(39), Reason.TOO_LARGE)
    yield case("too much text", "YKT1:" + "0" * 402, Reason.TOO_LARGE)


def clock_cases() -> Iterator[Case]:
    """Refused by both kinds of verifier: scene and time."""
    transit = shown(credential())
    yield case("a bus code at a museum", transit, Reason.WRONG_SCENE, policy={"scenes": [1, 4]})
    early = shown(credential(not_before=NOW + 31))
    yield case("thirty-one seconds before its time", early, Reason.NOT_YET_VALID)
    yield case("at its expiry", shown(credential(expires_at=NOW)), Reason.CREDENTIAL_EXPIRED)
    stale = shown(credential(), made_at=NOW - 90)
    yield case("ninety seconds old", stale, Reason.PRESENTATION_EXPIRED)
    tight = {"validity_s": 30, "tolerance_s": 0}
    yield case(
        "a stricter terminal",
        shown(credential(), made_at=NOW - 30),
        Reason.PRESENTATION_EXPIRED,
        policy=tight,
    )
    yield case("thirty-one seconds ahead", shown(credential(), made_at=NOW + 31), Reason.CLOCK_AHEAD)
    yield case("wrong scene before clock", stale, Reason.WRONG_SCENE, policy={"scenes": [2]})


def offline_cases() -> Iterator[Case]:
    good, bad_device = shown(credential()), Reason.BAD_DEVICE_SIGNATURE
    size = len(credential())
    unknown = shown(credential(STRANGER), keys=STRANGER)
    yield case("unknown key", unknown, Reason.UNKNOWN_ISSUER)
    yield case("unknown province", good[:2] + (640000).to_bytes(3, "big") + good[5:], Reason.UNKNOWN_ISSUER)
    yield case("withdrawn key", shown(credential(WITHDRAWN), keys=WITHDRAWN), Reason.KEY_WITHDRAWN)
    late = shown(credential(RETIRED), keys=RETIRED)
    yield case("signed after the key's time", late, Reason.KEY_OUT_OF_PERIOD)
    in_time = shown(credential(RETIRED, not_before=NOW - 11 * DAY), keys=RETIRED)
    yield case("a retired key is still believed", in_time) | {"fields": fields(in_time)}
    past = {"now": NOW + DAY}
    yield case("a retired key is no longer believed", in_time, Reason.KEY_OUT_OF_PERIOD, **past)
    for name, raw in (
        ("credential signature altered", flipped(good, size - 1)),
        ("credential signature zero", good[: size - 64] + bytes(64) + good[size:]),
        ("credential signature above n", good[: size - 64] + b"\xff" * 64 + good[size:]),
        ("fare class altered", flipped(good, 27)),
        ("expiry altered", flipped(good, 25 + good[24] + 7)),
    ):
        yield case(name, raw, Reason.BAD_CREDENTIAL_SIGNATURE)
    for name, raw in (
        ("device signature altered", flipped(good, len(good) - 1)),
        ("device signature zero", good[:-64] + bytes(64)),
        ("counter altered", flipped(good, size + 5)),
        ("made_at altered", flipped(good, size + 3)),
        ("MAC altered", flipped(good, size + 6)),
        ("signed by another device", good[:-64] + sign(fixed("thief"), good[:-64])),
    ):
        yield case(name, raw, bad_device)
    off_curve = put(25 + good[24] + 15, b"\2" + bytes(31) + b"\5")
    yield case("device key off the curve", shown(edited(credential(), off_curve)), bad_device)
    yield from memory_cases(good)


def memory_cases(good: bytes) -> Iterator[Case]:
    """What only a terminal's lists and memory refuse."""
    reference, identity = good[8:24].hex(), pass_.parse(good).credential.identity.hex()
    old = {"policy": {"hot_age_s": DAY}}
    yield case("list a day and a second old", good, Reason.LIST_TOO_OLD, hot_made_at=NOW - DAY - 1, **old)
    yield case("no list at all", good, Reason.LIST_TOO_OLD, **old)
    yield case("list a day old", good, hot_made_at=NOW - DAY, **old) | {"fields": fields(good)}
    yield case("stopped", good, Reason.HOTLISTED, hot=[fixed("x", 16).hex(), reference])
    replay = {"replay_keys": [pass_.parse(good).replay_key.hex()], "spent": {}}
    yield case("shown twice", good, Reason.REPLAYED, seen=replay)
    yield case("stopped before replayed", good, Reason.HOTLISTED, seen=replay, hot=[reference])
    for name, fen, uses, spent, answer in (
        ("above the limit of one use", 2_001, 0, 0, Reason.OVER_PER_USE),
        ("at the limit of one use", 2_000, 0, 0, None),
        ("above the total", 1_000, 9, 9_001, Reason.OVER_OFFLINE_TOTAL),
        ("at the total", 1_000, 9, 9_000, None),
        ("uses exhausted", 0, 20, 0, Reason.OVER_OFFLINE_USES),
        ("the last use", 200, 19, 3_800, None),
    ):
        seen = {"replay_keys": [], "spent": {identity: {"uses": uses, "fen": spent}}}
        yield case(name, good, answer, fen=fen, seen=seen)
    stale = flipped(shown(credential(), made_at=NOW - 900), len(credential()) - 1)
    yield case("signature before clock", stale, Reason.BAD_CREDENTIAL_SIGNATURE)
    gone = shown(credential(expires_at=NOW - 1))
    yield case("clock before list", gone, Reason.CREDENTIAL_EXPIRED, hot=[reference])


def online_cases() -> Iterator[Case]:
    good, bad = shown(credential()), Reason.BAD_MAC
    size = len(credential())
    yield case("unknown key", shown(credential(STRANGER), keys=STRANGER), Reason.UNKNOWN_ISSUER)
    yield case("withdrawn key", shown(credential(WITHDRAWN), keys=WITHDRAWN), Reason.KEY_WITHDRAWN)
    for name, at in (
        ("fare class", 27),
        ("signature of credential", size - 1),
        ("made_at", size + 3),
        ("MAC", size + 6),
    ):
        yield case(f"{name} altered", flipped(good, at), bad)
    yield case("MAC of another issuer's key", shown(credential(), keys=CHONGQING), bad)
    noise = put(8, fixed("noise", 16))
    yield case("a reference of nobody", shown(edited(credential(), noise)), Reason.UNKNOWN_REFERENCE)
    other = put(8, pass_.make_reference(SICHUAN.reference_key, DEVICE, Scene.VENUE, 1))
    yield case("a reference of another scene", shown(edited(credential(), other)), Reason.UNKNOWN_REFERENCE)
    yield case("the device signature is not looked at", flipped(good, len(good) - 1)) | {
        "fields": fields(good)
    }


def passes_json(own: Callable[[], Iterator[Case]], *, online: bool) -> Any:
    cases = [*good_cases(), *shape_cases(), *clock_cases(), *own()]
    for each in cases:
        each["mode"] = "online" if online else "offline"
        if online and "fields" in each:
            each["device"] = {"number": DEVICE, "generation": 1}
    return cases


def short_json() -> Any:
    def code(
        keys: pass_.Keyset = SICHUAN, scene: int = 1, device: int = DEVICE, expires_at: int = NOW + 60
    ) -> str:
        nonce = fixed(f"nonce {device}", 5)
        return pass_.make_short_code(keys, device=device, scene=scene, expires_at=expires_at, nonce=nonce)

    good, largest = code(), code(device=2**48 - 1, scene=255)
    raw = base45.decode(good[5:])
    rows: list[tuple[str, str, int, list[int] | None, Any]] = [
        ("accepted", good, NOW, None, (DEVICE, 1)),
        ("its last second", good, NOW + 59, [1], (DEVICE, 1)),
        ("largest numbers", largest, NOW, None, (2**48 - 1, 255)),
        ("expired", good, NOW + 60, None, Reason.SHORT_CODE_EXPIRED),
        ("wrong scene", good, NOW, [2, 3], Reason.WRONG_SCENE),
        ("unknown key", code(STRANGER), NOW, None, Reason.SHORT_CODE_UNKNOWN),
        ("withdrawn key", code(WITHDRAWN), NOW, None, Reason.KEY_WITHDRAWN),
        ("block altered", "YKS1:" + base45.encode(flipped(raw, 2)), NOW, None, Reason.SHORT_CODE_UNKNOWN),
        ("MAC altered", "YKS1:" + base45.encode(flipped(raw, 25)), NOW, None, Reason.SHORT_CODE_UNKNOWN),
        ("one byte missing", "YKS1:" + base45.encode(raw[:-1]), NOW, None, Reason.MALFORMED),
        ("one byte more", "YKS1:" + base45.encode(raw + b"\0"), NOW, None, Reason.MALFORMED),
        ("not Base45", good[:-1] + "é", NOW, None, Reason.MALFORMED),
        ("nothing", "", NOW, None, Reason.MALFORMED),
        ("version two", "YKS2" + good[4:], NOW, None, Reason.UNSUPPORTED_VERSION),
    ]
    return [
        {"name": name, "text": text, "now": now, "scenes": scenes}
        | {"expect": refusal(end) if isinstance(end, Reason) else {"device": end[0], "scene": end[1]}}
        for name, text, now, scenes, end in rows
    ]


REFS = sorted(pass_.make_reference(SICHUAN.reference_key, number, Scene.TRANSIT, 1) for number in range(8))


def envelope(kind: str, payload: bytes, start: int, end: int, **changes: Any) -> pass_.Envelope:
    fields_: dict[str, Any] = {"kind": kind, "scene": 3 if kind == "hot" else 0, "from_version": start}
    fields_ |= {"to_version": end, "made_at": NOW, "issuer": 510000, "key_id": 1, "payload": payload}
    made = pass_.Envelope(**fields_ | changes)
    return replace(made, signature=sign(LIST_PRIVATE, made.to_be_signed()))


def step(made: pass_.Envelope | str, answer: Any) -> Case:
    expect = refusal(answer) if isinstance(answer, Reason) else answer
    return {"envelope": made if isinstance(made, str) else made.to_json(), "expect": expect}


def hot(version: int, entries: list[bytes]) -> Case:
    return {"version": version, "entries": [each.hex() for each in entries]}


def lists_json() -> Any:
    full = step(envelope("hot", pass_.hot_payload(REFS[:4]), 0, 5), hot(5, REFS[:4]))
    delta = envelope("hot", pass_.delta_payload(REFS[4:6], REFS[:1]), 5, 6)
    after = hot(6, REFS[1:6])
    bad, gap, back = Reason.LIST_MALFORMED, Reason.LIST_GAP, Reason.LIST_ROLLED_BACK
    later = envelope("hot", pass_.delta_payload(REFS[:1], REFS[1:3]), 6, 9)
    unsorted = envelope("hot", REFS[1] + REFS[0], 0, 6)
    both = (1).to_bytes(4, "big") + REFS[6] + REFS[6]
    fields_ = json.loads(envelope("hot", pass_.hot_payload(REFS), 0, 6).to_json())
    trust = pass_.trust_payload(trust_keys())
    keys = json.loads(trust)["keys"]
    off_curve = json.dumps({"keys": [keys[0] | {"public": "02" + "00" * 31 + "05"}]}).encode()
    all_keys = {"version": 4, "keys": keys}
    altered = replace(delta, payload=delta.payload[:-1] + b"\0")
    forged = replace(delta, signature=sign(fixed("thief"), delta.to_be_signed()))
    rows: list[tuple[str, list[Case]]] = [
        ("full, delta, delta", [full, step(delta, after), step(later, hot(9, [REFS[0], *REFS[3:6]]))]),
        ("empty full list", [step(envelope("hot", b"", 0, 1), hot(1, []))]),
        ("a missed delta", [full, step(later, gap), step(delta, after)]),
        ("the same delta again", [full, step(delta, after), step(delta, back)]),
        ("a delta without a list", [step(delta, gap)]),
        ("an older full list", [full, step(envelope("hot", b"", 0, 4), back)]),
        ("the same full list again", [full, full]),
        ("a newer full list", [full, step(envelope("hot", REFS[7], 0, 8), hot(8, REFS[7:]))]),
        (
            "removing what is not there",
            [full, step(envelope("hot", pass_.delta_payload(REFS[:1], REFS[7:]), 5, 7), hot(7, REFS[:4]))],
        ),
        ("altered payload", [full, step(altered, Reason.LIST_BAD_SIGNATURE)]),
        ("altered version", [full, step(replace(delta, to_version=7), Reason.LIST_BAD_SIGNATURE)]),
        ("signed by a stranger", [full, step(forged, Reason.LIST_BAD_SIGNATURE)]),
        ("not sorted", [step(unsorted, bad)]),
        ("an entry twice", [step(envelope("hot", REFS[0] * 2, 0, 6), bad)]),
        ("half an entry", [step(envelope("hot", REFS[0][:8], 0, 6), bad)]),
        ("added and removed", [full, step(envelope("hot", both, 5, 6), bad)]),
        ("more adds than bytes", [full, step(envelope("hot", (9).to_bytes(4, "big") + REFS[6], 5, 6), bad)]),
        ("another scene's delta", [full, step(envelope("hot", delta.payload, 5, 6, scene=4), bad)]),
        ("a hotlist without scene", [step(envelope("hot", b"", 0, 1, scene=0), bad)]),
        ("backwards", [full, step(envelope("hot", delta.payload, 5, 5), bad)]),
        ("not JSON", [step("{", bad)]),
        ("not an object", [step("[]", bad)]),
        ("a field missing", [step(json.dumps({k: v for k, v in fields_.items() if k != "made_at"}), bad)]),
        ("a number as text", [step(json.dumps(fields_ | {"to": "6"}), bad)]),
        ("a number too large", [step(json.dumps(fields_ | {"to": 2**32}), bad)]),
        ("padded base64", [step(json.dumps(fields_ | {"payload": fields_["payload"] + "="}), bad)]),
        ("another kind", [step(json.dumps(fields_ | {"kind": "cold"}), bad)]),
        (
            "spaces and order do not matter",
            [step(json.dumps(dict(reversed(fields_.items())), indent=2), hot(6, REFS))],
        ),
        ("trust list", [step(envelope("trust", trust, 0, 4), all_keys)]),
        (
            "an older trust list",
            [step(envelope("trust", trust, 0, 4), all_keys), step(envelope("trust", trust, 0, 3), back)],
        ),
        (
            "a trust list altered",
            [step(replace(envelope("trust", trust, 0, 4), made_at=NOW + 1), Reason.LIST_BAD_SIGNATURE)],
        ),
        ("a trusted key off the curve", [step(envelope("trust", off_curve, 0, 4), bad)]),
        ("trust payload is no JSON", [step(envelope("trust", b"?", 0, 4), bad)]),
        ("a trust delta", [step(envelope("trust", trust, 3, 4), bad)]),
    ]
    return [{"name": name, "steps": steps} for name, steps in rows]


def files() -> dict[str, str]:
    """File name to text."""
    made = {
        "keys": keys_json(),
        "base45": base45_json(),
        "secrets": secrets_json(),
        "offline": passes_json(offline_cases, online=False),
        "online": passes_json(online_cases, online=True),
        "short": short_json(),
        "lists": lists_json(),
    }
    return {
        f"{name}.json": json.dumps(data, ensure_ascii=False, indent=1) + "\n" for name, data in made.items()
    }


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (TARGET / name).write_text(text, encoding="utf-8")
        print(f"{TARGET / name}: {len(text)} characters")
