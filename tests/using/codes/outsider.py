"""A second verifier, written from docs/spec/pass-v1.md alone on the pure-Python `gmssl`: no import of ours.

It answers in the words of the test vectors. Slow and plain on purpose.
"""

import base64
import json
import re
from typing import Any

from gmssl import sm2 as gm_sm2
from gmssl import sm3 as gm_sm3
from gmssl import sm4 as gm_sm4

Point = tuple[int, int] | None  # None: infinity
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
NUMBERS = {
    "MALFORMED": 101, "UNSUPPORTED_VERSION": 102, "UNSUPPORTED_ALGORITHM": 103, "TOO_LARGE": 104,
    "UNKNOWN_ISSUER": 201, "KEY_WITHDRAWN": 202, "KEY_OUT_OF_PERIOD": 203, "BAD_CREDENTIAL_SIGNATURE": 204,
    "BAD_DEVICE_SIGNATURE": 205, "BAD_MAC": 206, "UNKNOWN_REFERENCE": 207, "NOT_YET_VALID": 301,
    "CREDENTIAL_EXPIRED": 302, "PRESENTATION_EXPIRED": 303, "CLOCK_AHEAD": 304,
    "HOTLISTED": 401, "REPLAYED": 402,
    "OVER_PER_USE": 403, "OVER_OFFLINE_TOTAL": 404, "OVER_OFFLINE_USES": 405, "WRONG_SCENE": 406,
    "LIST_TOO_OLD": 407, "SHORT_CODE_UNKNOWN": 501, "SHORT_CODE_EXPIRED": 502, "LIST_MALFORMED": 801,
    "LIST_BAD_SIGNATURE": 802, "LIST_GAP": 803, "LIST_ROLLED_BACK": 804,
}  # fmt: skip


class No(Exception):
    """A refusal, by its name in §9."""


def unless(true: Any, name: str) -> None:
    if not true:
        raise No(name)


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


# --- §2 algorithms ---


def sm3(data: bytes) -> bytes:
    return bytes.fromhex(gm_sm3.sm3_hash(list(data)))


def hmac(key: bytes, data: bytes) -> bytes:
    padded = (key if len(key) <= 64 else sm3(key)).ljust(64, b"\0")
    return sm3(bytes(b ^ 0x5C for b in padded) + sm3(bytes(b ^ 0x36 for b in padded) + data))


def derive(key: bytes, label: str, context: bytes, length: int) -> bytes:
    out, last, info = b"", b"", label.encode() + b"\0" + context
    while len(out) < length:
        last = hmac(key, last + info + bytes([len(out) // 32 + 1]))
        out += last
    return out[:length]


def decipher(key: bytes, block: bytes) -> bytes:
    cipher = gm_sm4.CryptSM4()
    cipher.set_key(key, gm_sm4.SM4_DECRYPT)
    return bytes(cipher.one_round(cipher.sk, list(block)))


def point(public: bytes) -> str | None:
    """128 hex digits, or None when it is no point."""
    if len(public) != 33 or public[0] not in (2, 3) or number(public[1:]) >= P:
        return None
    x = number(public[1:])
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    y = y if y % 2 == public[0] % 2 else P - y
    return f"{x:064x}{y:064x}"


def signed(public: bytes, message: bytes, signature: bytes) -> bool:
    where = point(public)
    if where is None or len(signature) != 64:
        return False
    r, s = number(signature[:32]), number(signature[32:])
    if not (0 < r < N and 0 < s < N and (r + s) % N):
        return False
    e = int(gm_sm2.CryptSM2("", where)._sm3_z(message), 16)
    shown = plus(times(s, G), times((r + s) % N, (int(where[:64], 16), int(where[64:], 16))))
    return shown is not None and (e + shown[0]) % N == r


# gmssl's own sums lose the point three times in a thousand (it raises TypeError), so they are done here.
def plus(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P) if one == other else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(scalar: int, base: Point) -> Point:
    found: Point = None
    for bit in f"{scalar:b}":
        found = plus(found, found)
        found = plus(found, base) if bit == "1" else found
    return found


def base45(data: bytes) -> str:
    out = ""
    for at in range(0, len(data), 2):
        value, size = number(data[at : at + 2]), 3 if at + 1 < len(data) else 2
        for _ in range(size):
            value, rest = divmod(value, 45)
            out += CHARACTERS[rest]
    return out


def unbase45(text: str) -> bytes:
    out = b""
    for at in range(0, len(text), 3):
        group = text[at : at + 3]
        values = [CHARACTERS.index(character) for character in group]
        value = sum(each * 45**place for place, each in enumerate(values))
        if len(group) == 1 or value > (0xFFFF, 0xFF)[len(group) == 2]:
            raise ValueError(group)
        out += value.to_bytes(len(group) - 1, "big")
    return out


# --- §3-5 reading ---


def open_text(text: str, kind: str) -> bytes:
    if not text.startswith(f"{kind}1:"):
        raise No("UNSUPPORTED_VERSION" if re.match(f"{kind}[0-9]:", text) else "MALFORMED")
    try:
        return unbase45(text[5:])
    except ValueError:
        raise No("MALFORMED") from None


def read_claims(data: bytes) -> dict[str, int | None]:
    sizes, found, last = {1: 1, 2: 2, 3: 1}, {}, 0
    while data:
        unless(len(data) >= 2 and len(data) >= 2 + data[1] and data[0] > last, "MALFORMED")
        last, size = data[0], data[1]
        unless(sizes.get(last, size) == size, "MALFORMED")
        found[last] = number(data[2 : 2 + size])
        data = data[2 + size :]
    return {"fare_class": found.get(1), "concessions": found.get(2), "predicates": found.get(3)}


def read(text: str) -> tuple[bytes, dict[str, Any]]:
    """§6, steps 1 to 4."""
    unless(len(text) <= 406, "TOO_LARGE")
    raw = open_text(text, "YKT")
    unless(len(raw) <= 267, "TOO_LARGE")
    unless(len(raw) >= 2, "MALFORMED")
    unless(raw[0] == 1, "UNSUPPORTED_VERSION")
    unless(raw[1] == 1, "UNSUPPORTED_ALGORITHM")
    unless(len(raw) >= 137 and raw[24] <= 48 and len(raw) == 219 + raw[24], "MALFORMED")
    n = raw[24]
    tail, stamp = raw[25 + n : 73 + n], raw[137 + n : 143 + n]
    fields = {
        "issuer": number(raw[2:5]),
        "key_id": number(raw[5:7]),
        "scene": raw[7],
        "reference": raw[8:24].hex(),
        "not_before": number(tail[:4]),
        "expires_at": number(tail[4:8]),
        "limits": {"per_use_fen": number(tail[8:11]), "total_fen": number(tail[11:14]), "uses": tail[14]},
        "device_public": tail[15:].hex(),
        "identity": sm3(raw[: 73 + n])[:16].hex(),
        "made_at": number(stamp[:4]),
        "counter": number(stamp[4:]),
        "replay_key": (raw[8:24] + stamp).hex(),
    }
    unless(
        fields["scene"] and fields["not_before"] < fields["expires_at"] and tail[15] in (2, 3), "MALFORMED"
    )
    return raw, fields | {"claims": read_claims(raw[25 : 25 + n])}


def open_reference(key: bytes, reference: bytes) -> tuple[int, int, int] | None:
    block = decipher(key, reference)
    if any(block[11:]) or number(block[:8]) >= 2**48 or not block[8]:
        return None
    return number(block[:8]), block[8], number(block[9:11])


def scene_key(given: dict[str, bytes]) -> tuple[bytes, bytes, bytes]:
    """Tweak, private and public key for a reference."""
    context = given["public"] + given["reference"]
    tweak = number(derive(given["mac_key"], "yikatong pass v1 scene key", context, 40)) % N
    private = (number(given["private"]) + tweak) % N
    x, y = times(private, G) or (0, 0)
    public = bytes([2 + y % 2]) + x.to_bytes(32, "big")
    return tweak.to_bytes(32, "big"), private.to_bytes(32, "big"), public


# --- §6 verifying ---


def verify(case: dict[str, Any], keys: dict[str, Any]) -> dict[str, Any]:
    """The answer to a vector of offline.json or online.json."""
    try:
        raw, fields = read(case["text"])
        if case["mode"] == "online":
            device = online(raw, fields, case, keys)
            return {"expect": {"accepted": True}, "fields": fields, "device": device}
        offline(raw, fields, case, keys)
    except No as refusal:
        return {"expect": refusal_of(refusal)}
    return {"expect": {"accepted": True}, "fields": fields}


def refusal_of(refusal: No) -> dict[str, Any]:
    name = str(refusal)
    return {"refused": name, "number": NUMBERS[name]}


def offline(raw: bytes, fields: dict[str, Any], case: dict[str, Any], keys: dict[str, Any]) -> None:
    now, credential = case["now"], raw[: 137 + raw[24]]
    key = find(keys["trust"], fields)
    unless(key["state"] == "active", "KEY_WITHDRAWN")
    in_time = key["not_before"] <= fields["not_before"] < key["sign_until"] and now < key["verify_until"]
    unless(in_time, "KEY_OUT_OF_PERIOD")
    issuer, device = bytes.fromhex(key["public"]), bytes.fromhex(fields["device_public"])
    unless(signed(issuer, credential[:-64], credential[-64:]), "BAD_CREDENTIAL_SIGNATURE")
    unless(signed(device, raw[:-64], raw[-64:]), "BAD_DEVICE_SIGNATURE")
    scene_and_clock(fields, case)
    oldest, made = case["policy"]["hot_age_s"], case["hot_made_at"]
    unless(oldest is None or (made is not None and now - made <= oldest), "LIST_TOO_OLD")
    unless(fields["reference"] not in case["hot"], "HOTLISTED")
    unless(fields["replay_key"] not in case["seen"]["replay_keys"], "REPLAYED")
    spent = case["seen"]["spent"].get(fields["identity"], {"uses": 0, "fen": 0})
    limits, fen = fields["limits"], case["fen"]
    unless(fen <= limits["per_use_fen"], "OVER_PER_USE")
    unless(spent["fen"] + fen <= limits["total_fen"], "OVER_OFFLINE_TOTAL")
    unless(spent["uses"] + 1 <= limits["uses"], "OVER_OFFLINE_USES")


def online(raw: bytes, fields: dict[str, Any], case: dict[str, Any], keys: dict[str, Any]) -> dict[str, int]:
    key = find(keys["keysets"], fields)
    unless(not key["withdrawn"], "KEY_WITHDRAWN")
    body = raw[: 73 + raw[24]]
    secret = derive(bytes.fromhex(key["mac_key"]), "yikatong pass v1 credential", body, 32)
    unless(hmac(secret, raw[:-76])[:12] == raw[-76:-64], "BAD_MAC")
    found = open_reference(bytes.fromhex(key["reference_key"]), bytes.fromhex(fields["reference"]))
    unless(found and found[1] == fields["scene"], "UNKNOWN_REFERENCE")
    scene_and_clock(fields, case)
    assert found
    return {"number": found[0], "generation": found[2]}


def find(rows: list[dict[str, Any]], fields: dict[str, Any]) -> dict[str, Any]:
    for row in rows:
        if (row["issuer"], row["key_id"]) == (fields["issuer"], fields["key_id"]):
            return row
    raise No("UNKNOWN_ISSUER")


def scene_and_clock(fields: dict[str, Any], case: dict[str, Any]) -> None:
    policy, now, made_at = case["policy"], case["now"], fields["made_at"]
    unless(policy["scenes"] is None or fields["scene"] in policy["scenes"], "WRONG_SCENE")
    unless(now >= fields["not_before"] - policy["tolerance_s"], "NOT_YET_VALID")
    unless(now < fields["expires_at"], "CREDENTIAL_EXPIRED")
    unless(now >= made_at - policy["tolerance_s"], "CLOCK_AHEAD")
    unless(now < made_at + policy["validity_s"] + policy["tolerance_s"], "PRESENTATION_EXPIRED")


# --- §7 short code ---


def open_short(case: dict[str, Any], keys: dict[str, Any]) -> dict[str, Any]:
    """The answer to a vector of short.json."""
    own = {row["key_id"]: row for row in keys["keysets"] if row["issuer"] == 510000}
    try:
        raw = open_text(case["text"], "YKS")
        unless(len(raw) == 26, "MALFORMED")
        row = own.get(number(raw[:2]))
        unless(row, "SHORT_CODE_UNKNOWN")
        assert row
        short_key = bytes.fromhex(row["short_key"])
        mac = hmac(derive(short_key, "yikatong short v1 mac", b"", 32), raw[:18])[:8]
        unless(mac == raw[18:], "SHORT_CODE_UNKNOWN")
        unless(not row["withdrawn"], "KEY_WITHDRAWN")
        block = decipher(derive(short_key, "yikatong short v1 cipher", b"", 16), raw[2:18])
        unless(case["scenes"] is None or block[6] in case["scenes"], "WRONG_SCENE")
        unless(case["now"] < number(block[7:11]), "SHORT_CODE_EXPIRED")
    except No as refusal:
        return refusal_of(refusal)
    return {"device": number(block[:6]), "scene": block[6]}


# --- §8 lists ---


class Lists:
    """A terminal's list, from none."""

    def __init__(self, keys: dict[str, Any]) -> None:
        self.signer = bytes.fromhex(keys["list_key"]["public"])
        self.version, self.scene = 0, 0
        self.entries: list[bytes] = []

    def take(self, text: str) -> dict[str, Any]:
        try:
            envelope, payload = self.opened(text)
            if envelope["kind"] == "trust":
                return self.trust(envelope, payload)
            return self.hot(envelope, payload)
        except No as refusal:
            return refusal_of(refusal)

    def opened(self, text: str) -> tuple[dict[str, Any], bytes]:
        try:
            envelope = json.loads(text)
            kind = {"trust": 1, "hot": 2}[envelope["kind"]]
            sizes = {"scene": 1, "from": 4, "to": 4, "made_at": 4, "issuer": 3, "key_id": 2}
            envelope.setdefault("scene", 0)
            head = (
                b"YKL1" + bytes([kind]) + b"".join(envelope[k].to_bytes(n, "big") for k, n in sizes.items())
            )
            payload, signature = self.base64url(envelope["payload"]), self.base64url(envelope["signature"])
            unless(envelope["from"] < envelope["to"], "LIST_MALFORMED")
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            raise No("LIST_MALFORMED") from None
        covered = head + len(payload).to_bytes(4, "big") + payload
        unless(signed(self.signer, covered, signature), "LIST_BAD_SIGNATURE")
        return envelope, payload

    @staticmethod
    def base64url(text: str) -> bytes:
        unless(re.fullmatch("[A-Za-z0-9_-]*", text), "LIST_MALFORMED")
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def trust(self, envelope: dict[str, Any], payload: bytes) -> dict[str, Any]:
        unless(envelope["from"] == 0, "LIST_MALFORMED")
        unless(envelope["to"] >= self.version, "LIST_ROLLED_BACK")
        try:
            keys = json.loads(payload)["keys"]
        except (ValueError, TypeError, KeyError):
            raise No("LIST_MALFORMED") from None
        unless(all(point(bytes.fromhex(key["public"])) for key in keys), "LIST_MALFORMED")
        self.version = envelope["to"]
        return {"version": self.version, "keys": keys}

    def hot(self, envelope: dict[str, Any], payload: bytes) -> dict[str, Any]:
        unless(envelope["scene"], "LIST_MALFORMED")
        if envelope["from"]:
            entries = self.after_delta(envelope, payload)
        else:
            unless(envelope["to"] >= self.version, "LIST_ROLLED_BACK")
            entries = self.cut(payload)
        self.version, self.scene, self.entries = envelope["to"], envelope["scene"], entries
        return {"version": self.version, "entries": [entry.hex() for entry in entries]}

    def after_delta(self, envelope: dict[str, Any], payload: bytes) -> list[bytes]:
        unless(self.version, "LIST_GAP")
        unless(envelope["scene"] == self.scene and len(payload) >= 4, "LIST_MALFORMED")
        unless(envelope["to"] > self.version, "LIST_ROLLED_BACK")
        unless(envelope["from"] == self.version, "LIST_GAP")
        end = 4 + 16 * number(payload[:4])
        unless(end <= len(payload), "LIST_MALFORMED")
        adds, removes = self.cut(payload[4:end]), self.cut(payload[end:])
        unless(not set(adds) & set(removes), "LIST_MALFORMED")
        return sorted(set(self.entries) - set(removes) | set(adds))

    @staticmethod
    def cut(data: bytes) -> list[bytes]:
        entries = [data[at : at + 16] for at in range(0, len(data), 16)]
        unless(len(data) % 16 == 0 and entries == sorted(set(entries)), "LIST_MALFORMED")
        return entries
