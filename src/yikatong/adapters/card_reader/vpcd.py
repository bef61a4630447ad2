"""A virtual card behind real PC/SC: the wire of vsmartcard's reader driver (Debian's vsmartcard-vpcd).

The driver listens; we connect and answer. A message is two bytes of length and the body; a body of one byte is
about power: 0 off, 1 on, 2 reset, 4 asks for the answer to reset. Anything longer is a command for the card.

The driver writes length and body apart, and its side waits (Nagle) until ours has confirmed the first, which the
kernel puts off by 40 ms. So confirmations are asked for at once, before and after each read: TCP_QUICKACK does
not stay. A command takes a quarter of a millisecond then, and 48 ms without.
"""

import socket
from contextlib import suppress
from typing import Final, Self

from yikatong.adapters.national_card.virtual import VirtualCard

PORT: Final = 35963
_OFF, _ON, _RESET, _ATR = 0, 1, 2, 4
_QUICK: Final = getattr(socket, "TCP_QUICKACK", None)


class VpcdCard:
    """A virtual card in the driver's slot; `serve` until it is taken out (`close`, from another thread)."""

    def __init__(
        self, card: VirtualCard, *, host: str = "127.0.0.1", port: int = PORT, confirms_at_once: bool = True
    ) -> None:
        self._card, self._confirms_at_once = card, confirms_at_once
        self._socket = socket.create_connection((host, port), timeout=10)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the card out."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def serve(self) -> None:
        """Answer until the driver goes or the card is taken out."""
        with suppress(OSError):
            while (body := self._read()) is not None:
                answer = self._answered(body)
                if answer is not None:
                    self._socket.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answered(self, body: bytes) -> bytes | None:
        if len(body) != 1:
            return self._card.transmit(body)
        if body[0] == _ATR:
            return self._card.atr
        if body[0] in {_OFF, _ON, _RESET}:
            self._card.reset()
        return None

    def _read(self) -> bytes | None:
        head = self._exactly(2)
        return None if head is None else self._exactly(int.from_bytes(head, "big"))

    def _exactly(self, size: int) -> bytes | None:
        found = b""
        while len(found) < size:
            self._confirm_at_once()
            part = self._socket.recv(size - len(found))
            self._confirm_at_once()
            if not part:
                return None
            found += part
        return found

    def _confirm_at_once(self) -> None:
        if self._confirms_at_once and _QUICK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)
