"""What the reader agent of a counter does, without its web server: one card, one matter at a time.

Reading, writing and setting a PIN have two or three steps with the platform in between; the card stays under power
meanwhile, for half a minute at most. What opens the card and what is written come from the platform.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import ClassVar, Final, NamedTuple, TypeVar

from yikatong.adapters.card_reader import Reader
from yikatong.adapters.national_card import terminal, terminal_files, terminal_pin
from yikatong.core.errors import DomainError
from yikatong.registry.cards.chip.messages import AuthAnswer, Basics
from yikatong.registry.cards.chip.requests import CardInfo, KeyRequest, SecureRequest

PATIENCE_S: Final = 30.0
#: How PC/SC tells a card of ISO/IEC 14443-4 with thirteen historical bytes.
_THROUGH_THE_AIR: Final = bytes.fromhex("3B8D8001")
_TURN_S: Final = 5.0


class Busy(DomainError):
    code: ClassVar[str] = "reader_busy"
    status: ClassVar[int] = 409
    message = "读卡器正忙，请稍后再试。"


class ReadingGone(DomainError):
    code: ClassVar[str] = "reading_gone"
    status: ClassVar[int] = 409
    message = "读卡已超时或被中断，请重新读卡。"


class ContactNeeded(DomainError):
    code: ClassVar[str] = "reader_contact_needed"
    status: ClassVar[int] = 409
    message = "写卡和卡密码须插卡办理：请把卡片从感应区拿起，插入读卡器后重试。"


_Step = terminal.Begun | terminal_files.Begun | KeyRequest | SecureRequest

_AnyStep = TypeVar("_AnyStep", terminal.Begun, terminal_files.Begun, KeyRequest)


class _Open(NamedTuple):
    """A matter half done: `begun` is its latest step."""

    key: str
    begun: _Step
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
        """The reading's key, and what to ask the platform. A matter begun before is given up."""
        key, begun = self._begin(terminal.begin)
        return key, begun.request.text()

    def finish(self, key: str, answer: str) -> Basics:
        """What the card tells, with the platform's answer; the card is let go in any case."""
        with self._last_step(key) as (channel, begun):
            if not isinstance(begun, terminal.Begun):
                raise ReadingGone
            return terminal.finish(channel, begun, AuthAnswer.read(answer))

    def begin_write(self, wanted: str) -> tuple[str, str, str]:
        """Key, the card's numbers, and what to ask the platform, to write the items `wanted` of a file."""
        card = ""

        def begin(channel: terminal.Channel) -> terminal_files.Begun:
            nonlocal card
            card = card_info(channel)
            return terminal_files.begin_write(channel, card, wanted)

        key, begun = self._begin(begin)
        return key, card, begun.request.text()

    def finish_write(self, key: str, answer: str, data: str) -> None:
        with self._last_step(key) as (channel, begun):
            if not isinstance(begun, terminal_files.Begun):
                raise ReadingGone
            terminal_files.finish_write(channel, begun, answer, data)

    def begin_pin(self) -> tuple[str, str, str]:
        """Key, the card's numbers, and what to ask the platform, to set the PIN anew or to unblock it."""
        card = ""

        def begin(channel: terminal.Channel) -> KeyRequest:
            nonlocal card
            card = card_info(channel)
            return terminal_pin.begin_reload(channel, card)

        key, begun = self._begin(begin)
        return key, card, begun.text()

    def next_pin(self, key: str, answer: str, new: str, again: str, *, keeps: bool) -> str:
        """What to ask the platform next. `keeps`: the PIN stays and only gets its tries back."""
        with self._step(key) as found:
            if not isinstance(found.begun, KeyRequest):
                raise ReadingGone
            if keeps:
                asked = terminal_pin.unblock(found.channel, found.begun, answer)
            else:
                asked = terminal_pin.reload(found.channel, found.begun, answer, new, again)
            self._open = found._replace(begun=asked)
            return asked.text()

    def finish_pin(self, key: str, answer: str) -> None:
        with self._last_step(key) as (channel, begun):
            if not isinstance(begun, SecureRequest):
                raise ReadingGone
            terminal_pin.finish_reload(channel, begun, answer)

    def _begin(self, begin: Callable[[terminal.Channel], _AnyStep]) -> tuple[str, _AnyStep]:
        with self._in_turn(), ExitStack() as stack:
            self._give_up()
            channel = stack.enter_context(self._reader.card())
            begun = begin(channel)
            key = secrets.token_urlsafe(16)
            alarm = threading.Timer(self._patience_s, self._expire, [key])
            alarm.daemon = True
            alarm.start()
            self._open = _Open(key, begun, channel, stack.pop_all(), alarm)
            return key, begun

    @contextmanager
    def _step(self, key: str) -> Iterator[_Open]:
        """The matter of that key; the card is let go when the step fails."""
        with self._in_turn():
            found = self._open
            if found is None or not secrets.compare_digest(found.key.encode(), key.encode()):
                raise ReadingGone
            try:
                yield found
            except DomainError:
                self._give_up()
                raise

    @contextmanager
    def _last_step(self, key: str) -> Iterator[tuple[terminal.Channel, _Step]]:
        with self._step(key) as found:
            try:
                yield found.channel, found.begun
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


def card_info(channel: terminal.Channel) -> str:
    """Which card is in the slot, as the functions name one: 识别码|卡号|. ContactNeeded for one on the field."""
    if channel.atr.startswith(_THROUGH_THE_AIR):
        raise ContactNeeded
    told = terminal.card_file(channel)
    return CardInfo(told.chip.identification, told.card_number).text()
