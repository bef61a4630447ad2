"""The tree against RFC 6962's definition written out naively, and every proof against every lie near it."""

import hashlib
from itertools import product

import pytest

from yikatong.core import audit_tree

SIZES = range(1, 18)


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def leaves(size: int) -> list[bytes]:
    return [audit_tree.leaf_hash(str(number).encode()) for number in range(size)]


def naive(entries: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not entries:
        return sm3(b"")
    if len(entries) == 1:
        return sm3(b"\x00" + entries[0])
    split = max(1 << bit for bit in range(20) if 1 << bit < len(entries))
    return sm3(b"\x01" + naive(entries[:split]) + naive(entries[split:]))


@pytest.mark.clause("cap:O5")
@pytest.mark.parametrize("size", range(40))
def test_the_root_is_the_standards(size: int) -> None:
    assert audit_tree.root(leaves(size)) == naive([str(number).encode() for number in range(size)])


def test_a_frontier_grows_in_any_steps() -> None:
    all_leaves = leaves(40)
    for first, second in product(range(0, 20, 3), range(0, 20, 7)):
        grown = audit_tree.Frontier().grown(all_leaves[:first]).grown(all_leaves[first : first + second])
        assert (grown.size, grown.root()) == (first + second, audit_tree.root(all_leaves[: first + second]))
        again = audit_tree.Frontier(grown.size, grown.hashes)
        assert again.grown(all_leaves[first + second :]).root() == audit_tree.root(all_leaves)


def test_a_frontier_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="one hash for each bit"):
        audit_tree.Frontier(3, [b"x" * 32])


@pytest.mark.clause("cap:O5")
def test_every_leaf_is_proven_and_no_other() -> None:
    for size in SIZES:
        all_leaves = leaves(size)
        root = audit_tree.root(all_leaves)
        for number in range(size):
            path = audit_tree.inclusion(all_leaves, number)

            def holds(
                *, number: int = number, leaf: bytes = all_leaves[number], path: list[bytes] = path
            ) -> bool:
                return audit_tree.includes(root, size=size, number=number, leaf=leaf, path=path)  # noqa: B023

            assert holds()
            assert not holds(leaf=audit_tree.leaf_hash(b"forged"))
            assert not any(holds(number=other) for other in range(-1, size + 1) if other != number)
            assert not holds(path=[*path, root])
            assert not path or not holds(path=path[:-1])


@pytest.mark.clause("cap:O5")
def test_a_later_tree_is_proven_to_have_only_grown() -> None:
    for later in SIZES:
        all_leaves = leaves(later)
        new = (later, audit_tree.root(all_leaves))
        for earlier in range(1, later + 1):
            old = (earlier, audit_tree.root(all_leaves[:earlier]))
            path = audit_tree.consistency(all_leaves, earlier)
            assert audit_tree.extends(old, new, path)
            changed = (earlier, audit_tree.root([audit_tree.leaf_hash(b"forged"), *all_leaves[1:earlier]]))
            assert not audit_tree.extends(changed, new, path)
            assert not audit_tree.extends(old, (later, audit_tree.leaf_hash(b"x")), path)
            assert not audit_tree.extends(old, new, [*path, new[1]])
            assert not path or not audit_tree.extends(old, new, path[:-1])


def test_sizes_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        audit_tree.inclusion(leaves(3), 3)
    for earlier in (0, 4):
        with pytest.raises(ValueError, match="within"):
            audit_tree.consistency(leaves(3), earlier)
    root = (3, audit_tree.root(leaves(3)))
    assert not audit_tree.extends((0, audit_tree.EMPTY), root, [])
    assert not audit_tree.extends(root, (2, root[1]), [])


def test_an_entry_has_one_text() -> None:
    entry = {"b": 1, "a": "王芳", "c": None, "d": {"y": [1, 2], "x": True}}
    assert audit_tree.canonical(entry) == '{"a":"王芳","b":1,"c":null,"d":{"x":true,"y":[1,2]}}'.encode()
