"""What the reader agent of a counter does, without its web server: one card, one reading at a time.

A reading has two halves with the platform in between; the card stays under power meanwhile, for half a minute at most.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import ClassVar, Final, NamedTuple

from yikatong.adapters.card_reader import Reader
from yikatong.adapters.national_card import terminal
from yikatong.core.errors import DomainError
from yikatong.registry.cards.chip.messages import AuthAnswer, Basics

PATIENCE_S: Final = 30.0
_TURN_S: Final = 5.0


class Busy(DomainError):
    code: ClassVar[str] = "reader_busy"
    status: ClassVar[int] = 409
    message = "读卡器正忙，请稍后再试。"


class ReadingGone(DomainError):
    code: ClassVar[str] = "reading_gone"
    status: ClassVar[int] = 409
    message = "读卡已超时或被中断，请重新读卡。"


class _Open(NamedTuple):
    """A reading half done."""

    key: str
    begun: terminal.Begun
    channel: terminal.Channel
    stack: ExitStack
    alarm: threading.Timer


class Agent:
    """Safe for threads; they take turns."""

    def __init__(self, reader: Reader, *, patience_s: float = PATIENCE_S) -> None:
        self._reader, self._patience_s = reader, patience_s
        self._turn = threading.Lock()
        self._open: _Open | None = None

    def has_card(self) -> bool:
        """Whether a card lies on the reader; CardFault -5, -12."""
        with self._in_turn():
            return self._open is not None or self._reader.is_occupied()

    def begin(self) -> tuple[str, str]:
        """The reading's key, and what to ask the platform. A reading begun before is given up."""
        with self._in_turn(), ExitStack() as stack:
            self._give_up()
            channel = stack.enter_context(self._reader.card())
            begun = terminal.begin(channel)
            key = secrets.token_urlsafe(16)
            alarm = threading.Timer(self._patience_s, self._expire, [key])
            alarm.daemon = True
            alarm.start()
            self._open = _Open(key, begun, channel, stack.pop_all(), alarm)
            return key, begun.request.text()

    def finish(self, key: str, answer: str) -> Basics:
        """What the card tells, with the platform's answer; the card is let go in any case."""
        with self._in_turn():
            found = self._open
            if found is None or not secrets.compare_digest(found.key.encode(), key.encode()):
                raise ReadingGone
            try:
                return terminal.finish(found.channel, found.begun, AuthAnswer.read(answer))
            finally:
                self._give_up()

    def close(self) -> None:
        with self._in_turn():
            self._give_up()

    def _expire(self, key: str) -> None:
        with self._turn:
            if self._open is not None and self._open.key == key:
                self._give_up()

    def _give_up(self) -> None:
        found, self._open = self._open, None
        if found is not None:
            found.alarm.cancel()
            found.stack.close()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=_TURN_S):
            raise Busy
        try:
            yield
        finally:
            self._turn.release()
