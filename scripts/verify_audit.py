"""Verify an export of the audit log without the platform: python verify_audit.py FOLDER [--witness SIZE:ROOT]

Needs Python alone, with an OpenSSL that has SM3. A witness is a checkpoint kept from before; --key (hex,
may be repeated) pins the keys to believe, else keys.json is. Ends with 1 and the first entry changed or dropped.
"""

import argparse
import hashlib
import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Point = tuple[int, int] | None  # None: infinity

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
A, B = P - 3, 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def plus(one: Point, other: Point) -> Point:
    """The group law of the curve (GB/T 32918.1), plain."""
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if one == other else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(number: int, point: Point) -> Point:
    found: Point = None
    for bit in f"{number:b}":
        found = plus(found, found)
        found = plus(found, point) if bit == "1" else found
    return found


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """SM2 with SM3 and the standard's default signer id, by a compressed key (GB/T 32918.2, 7.1)."""
    x = int.from_bytes(public[1:], "big")
    y = pow(x**3 + A * x + B, (P + 1) // 4, P)
    y = y if y % 2 == public[0] % 2 else P - y
    numbers = b"".join(n.to_bytes(32, "big") for n in (A, B, GX, GY, x, y))
    e = int.from_bytes(sm3(sm3(b"\x00\x80" + b"1234567812345678" + numbers) + message), "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s < N and (y * y - x**3 - A * x - B) % P == 0):
        return False
    shown = plus(times(s, (GX, GY)), times((r + s) % N, (x, y)))
    return shown is not None and (e + shown[0]) % N == r


def leaf_of(entry: dict[str, Any]) -> bytes:
    return sm3(b"\0" + json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())


def add(stack: list[bytes], size: int, leaf: bytes) -> None:
    """Grow the tree by one leaf (RFC 6962 with SM3); `stack` holds its full subtrees, largest first."""
    while size & 1:
        leaf, size = sm3(b"\x01" + stack.pop() + leaf), size >> 1
    stack.append(leaf)


def root(stack: list[bytes]) -> bytes:
    joined, *lefts = reversed(stack)
    for left in lefts:
        joined = sm3(b"\x01" + left + joined)
    return joined


def checked_leaf(number: int, leaf: dict[str, Any] | None, entry: dict[str, Any] | None) -> bytes:
    if leaf is None or leaf["number"] != number:
        sys.exit(f"number {number}: its leaf is missing")
    if entry is None or entry["number"] != number:
        sys.exit(f"number {number}: entry {leaf['entry_id']} was dropped")
    if entry["entry"]["id"] != leaf["entry_id"] or leaf_of(entry["entry"]).hex() != leaf["hash"]:
        sys.exit(f"number {number}: entry {leaf['entry_id']} was changed")
    return bytes.fromhex(leaf["hash"])


def verify(folder: Path, witness: str, pinned: list[str]) -> None:
    keys: dict[str, str] = json.loads((folder / "keys.json").read_text())
    entries, leaves = lines(folder / "entries.jsonl"), lines(folder / "leaves.jsonl")
    stack, roots, size, entry = list[bytes](), {0: ""}, 0, next(entries, None)
    for checkpoint in lines(folder / "checkpoints.jsonl"):
        for number in range(size, checkpoint["size"]):
            add(stack, number, checked_leaf(number, next(leaves, None), entry))
            entry = next(entries, None)
        before, size, found = size, checkpoint["size"], root(stack)
        if found.hex() != checkpoint["root"]:
            sys.exit(f"numbers {before} to {size - 1}: an entry was rewritten together with its leaf")
        said = struct.pack(">4sQQI32s", b"YKA1", size, checkpoint["at"], checkpoint["key_id"], found)
        key = keys.get(str(checkpoint["key_id"]), "")
        if key not in (pinned or keys.values()):
            sys.exit(f"checkpoint {size}: its key {key} is not known")
        if not is_signed(bytes.fromhex(key), said, bytes.fromhex(checkpoint["signature"])):
            sys.exit(f"checkpoint {size}: its signature is wrong")
        roots[size] = found.hex()
    if entry is not None or next(leaves, None) is not None:
        sys.exit(f"number {size}: entries stand beyond the last checkpoint")
    if witness and witness not in (f"{kept}:{found}" for kept, found in roots.items()):
        sys.exit(f"checkpoint {witness} is not in this log: it was cut off or written anew")
    print(f"{size} entries, {len(roots) - 1} checkpoints, all intact; last checkpoint {size}:{roots[size]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--witness", default="")
    parser.add_argument("--key", dest="pinned", action="append", default=[])
    verify(**vars(parser.parse_args()))
