"""The Merkle tree over the audit log, after RFC 6962 §2.1 with SM3. Pure: bytes in, bytes out.

leaf = SM3(0x00 ‖ canonical entry) · node = SM3(0x01 ‖ left ‖ right) · the left subtree of n leaves holds the
largest power of two below n. An entry cannot be changed or dropped without another root; an inclusion proof shows
that an entry is under a root, a consistency proof that a later tree only added to an earlier one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from yikatong.core.sm.sm3 import sm3

EMPTY = sm3(b"")


def canonical(entry: Mapping[str, Any]) -> bytes:
    """The one text of an entry: JSON, members sorted, no spaces, UTF-8 (RFC 8785 for the values used here)."""
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def leaf_hash(entry: bytes) -> bytes:
    return sm3(b"\x00" + entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    return sm3(b"\x01" + left + right)


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; of no leaf at all, SM3 of nothing."""
    return Frontier().grown(leaves).root() if leaves else EMPTY


class Frontier:
    """The full subtrees of a growing tree, largest first: all that is needed to add leaves and to tell the root.

    At most one subtree a bit of `size`, so a tree of any size is some two thousand bytes.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError("a frontier has one hash for each bit of its size")
        self.size, self.hashes = size, tuple(hashes)

    def grown(self, leaves: Iterable[bytes]) -> "Frontier":
        """The frontier after these leaf hashes; this one stays as it is."""
        size, stack = self.size, list(self.hashes)
        for leaf in leaves:
            carried, rest = leaf, size
            while rest & 1:
                carried, rest = node_hash(stack.pop(), carried), rest >> 1
            stack.append(carried)
            size += 1
        return Frontier(size, stack)

    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY
        joined = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            joined = node_hash(left, joined)
        return joined


# --- proofs ---


def inclusion(leaves: Sequence[bytes], number: int) -> list[bytes]:
    """The path from leaf `number` to the root, nearest first. ValueError when there is no such leaf."""
    if not 0 <= number < len(leaves):
        raise ValueError("no such leaf")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if number < split:
        return [*inclusion(leaves[:split], number), root(leaves[split:])]
    return [*inclusion(leaves[split:], number - split), root(leaves[:split])]


def consistency(leaves: Sequence[bytes], earlier: int) -> list[bytes]:
    """Proof that the tree of `leaves` begins with the tree of its first `earlier`; ValueError unless 1..n."""
    if not 0 < earlier <= len(leaves):
        raise ValueError("the earlier tree must lie within the later one")
    return _subproof(leaves, earlier, whole=True)


def includes(expected: bytes, *, size: int, number: int, leaf: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` leads from this leaf hash to the root `expected` of a tree of `size` leaves (RFC 9162 §2.1.3.2)."""
    if not 0 <= number < size:
        return False
    first, last, joined = number, size - 1, leaf
    for beside in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            joined = node_hash(beside, joined)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            joined = node_hash(joined, beside)
        first, last = first >> 1, last >> 1
    return last == 0 and joined == expected


def extends(earlier: tuple[int, bytes], later: tuple[int, bytes], path: Sequence[bytes]) -> bool:
    """Whether the tree (size, root) `later` only added to `earlier` (RFC 9162 §2.1.4.2)."""
    (old_size, old_root), (size, new_root) = earlier, later
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not path and old_root == new_root
    path = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not path:
        return False
    first, last = old_size - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = path[0]
    for beside in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old, new = node_hash(beside, old), node_hash(beside, new)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            new = node_hash(new, beside)
        first, last = first >> 1, last >> 1
    return last == 0 and (old, new) == (old_root, new_root)


def _subproof(leaves: Sequence[bytes], earlier: int, *, whole: bool) -> list[bytes]:
    if earlier == len(leaves):
        return [] if whole else [root(leaves)]
    split = _split(len(leaves))
    if earlier <= split:
        return [*_subproof(leaves[:split], earlier, whole=whole), root(leaves[split:])]
    return [*_subproof(leaves[split:], earlier - split, whole=False), root(leaves[:split])]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
