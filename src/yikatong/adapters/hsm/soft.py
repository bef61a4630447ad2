"""A key device in software: for demonstrations, tests, and installations that have no device yet.

Root keys are random, made once, and lie in a file of mode 0600, each sealed under the platform's master key for
its own address. A product for real cards must hold a commercial-cryptography certificate (GB/T 39786): there
the same Protocol is implemented over the device, and this module is not used.
"""

import fcntl
import hmac
import json
import secrets
from pathlib import Path
from typing import Any, Final

from yikatong.core import env
from yikatong.core.keyring import Keyring, keyring
from yikatong.core.sm import sm4
from yikatong.core.sm.sm4 import SealBroken
from yikatong.registry.cards.chip import keys
from yikatong.registry.cards.chip.hsm import HsmUnavailable
from yikatong.registry.cards.chip.keys import CardKey, Chip

_FORMAT: Final = "yikatong soft hsm 1"
_NAMES: Final = frozenset(f"{key:04X}" for key in CardKey)


class SoftHsm:
    """A `CardHsm`. What it prints of itself tells no key."""

    def __init__(self, path: Path | None = None, ring: Keyring | None = None) -> None:
        self._path = path or env.load().card_key_path
        self._ring = ring or keyring()
        self._roots = self._opened()

    def __repr__(self) -> str:
        return f"SoftHsm({str(self._path)!r})"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a key device is not copied")

    def authenticator(self, key: CardKey, chip: Chip, *, factor: bytes, data: bytes) -> bytes:
        return keys.authenticator(self._card_key(key, chip), factor, data)

    def mac(self, key: CardKey, chip: Chip, *, factor: bytes, message: bytes) -> bytes:
        own = self._card_key(key, chip)
        return keys.mac(keys.session_key(own, factor) if factor else own, message)

    def seal(self, key: CardKey, chip: Chip, *, factor: bytes, head: bytes, secret: bytes) -> bytes:
        return keys.seal_secret(keys.session_key(self._card_key(key, chip), factor), head, secret)

    def is_mac(self, key: CardKey, chip: Chip, *, factor: bytes, message: bytes, claim: bytes) -> bool:
        return hmac.compare_digest(self.mac(key, chip, factor=factor, message=message), claim)

    def personalise(self, chip: Chip) -> dict[CardKey, bytes]:
        """A new card's own keys. Not part of the Protocol: a real device lets them out only under the key it
        shares with the card maker.
        """
        return {key: self._card_key(key, chip) for key in CardKey}

    def check_values(self) -> dict[CardKey, str]:
        """Six hexadecimal digits that tell whether two devices hold the same root key, and nothing of it."""
        return {
            key: sm4.encrypt_blocks(root, bytes(16))[:3].hex().upper() for key, root in self._roots.items()
        }

    def _card_key(self, key: CardKey, chip: Chip) -> bytes:
        return keys.card_key(self._roots[key], chip)

    def _opened(self) -> dict[CardKey, bytes]:
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            env.create_once(self._path, self._fresh())
        env.refuse_shared(self._path)
        try:
            content = json.loads(self._path.read_bytes())
            if not content["keys"].keys() >= _NAMES:
                content = self._completed()
            return self._unsealed(content)
        except (ValueError, KeyError, TypeError, SealBroken) as error:
            raise HsmUnavailable(f"{self._path}: {type(error).__name__}") from None

    def _completed(self) -> dict[str, Any]:
        """A file of an earlier release gets the keys that came since; those it has stay as they are.

        One process at a time, and whoever comes second finds them: two roots for one key would split the cards.
        """
        with self._path.with_name(f".{self._path.name}.lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            content: dict[str, Any] = json.loads(self._path.read_bytes())
            self._unsealed(content)  # a file that is not ours stays untouched
            content["keys"] = self._sealed() | content["keys"]
            draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
            env.create_once(draft, _written(content))
            draft.replace(self._path)
        return content

    def _fresh(self) -> bytes:
        return _written({"format": _FORMAT, "keys": self._sealed()})

    def _sealed(self) -> dict[str, str]:
        return {
            f"{key:04X}": self._ring.seal(_place(key), secrets.token_bytes(keys.KEY)).hex() for key in CardKey
        }

    def _unsealed(self, content: dict[str, Any]) -> dict[CardKey, bytes]:
        if content["format"] != _FORMAT:
            raise ValueError("not a key file of the soft key device")
        sealed: dict[str, str] = content["keys"]
        return {
            CardKey(int(name, 16)): self._ring.unseal(_place(CardKey(int(name, 16))), bytes.fromhex(value))
            for name, value in sealed.items()
        }


def _written(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()


def _place(key: CardKey) -> str:
    return f"hsm.card_key:{key:04X}"
