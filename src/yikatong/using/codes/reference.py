"""The opaque reference: one SM4 block, stable for (device, scene, generation), different in each scene.

Without the key nobody can tell whether two references belong to one person, so a museum and a bus cannot
compare notes; with it the platform reads the device number back, and stores nothing.
Block: device number u64 · scene u8 · generation u16 · five zero bytes, which prove key and block right.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from yikatong.core.sm import sm4

DEVICE_MOST = 2**48 - 1
_BLOCK = struct.Struct(">QBH5x")
_OPENED = struct.Struct(">QBHIB")  # the same, with the five bytes that must be zero


class Reference(NamedTuple):
    """What a reference stands for. `device`: the platform's number of a device, 0..2^48−1."""

    device: int
    scene: int
    generation: int


def make_reference(key: bytes, device: int, scene: int, generation: int) -> bytes:
    """The 16-byte reference; ValueError when a number does not fit."""
    return make_references(key, [Reference(device, scene, generation)])[0]


def make_references(key: bytes, entries: Iterable[Reference]) -> list[bytes]:
    """Many references in one call of the cipher."""
    return _cut(sm4.encrypt_blocks(key, b"".join(map(_block, entries))))


def open_reference(key: bytes, reference: bytes) -> Reference | None:
    """What the reference stands for, or None when it was not made under this key."""
    return open_references(key, [reference])[0]


def open_references(key: bytes, references: Sequence[bytes]) -> list[Reference | None]:
    """Many references in one call of the cipher, in their order."""
    blocks = sm4.decrypt_blocks(key, b"".join(references))
    return [
        None if high or low or device > DEVICE_MOST or not scene else Reference(device, scene, generation)
        for device, scene, generation, high, low in _OPENED.iter_unpack(blocks)
    ]


def _block(entry: Reference) -> bytes:
    if not (
        0 <= entry.device <= DEVICE_MOST and 1 <= entry.scene <= 0xFF and 0 <= entry.generation <= 0xFFFF
    ):
        raise ValueError("device number, scene or generation out of range")
    return _BLOCK.pack(*entry)


def _cut(blocks: bytes) -> list[bytes]:
    return [blocks[at : at + 16] for at in range(0, len(blocks), 16)]
