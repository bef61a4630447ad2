"""Readers of the machine, through PC/SC (pyscard). Without the library every call says so: CardFault -5."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from yikatong.adapters.card_reader import Reader
from yikatong.adapters.national_card.terminal import Channel
from yikatong.registry.cards.chip.faults import Fault, fault


class PcscChannel:
    """A `Channel` to the card in a PC/SC reader."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @property
    def atr(self) -> bytes:
        return bytes(self._connection.getATR())

    def transmit(self, command: bytes) -> bytes:
        errors = _library().Exceptions
        try:
            data, first, second = self._connection.transmit(list(command))
        except errors.SmartcardException:
            raise fault(Fault.MUTE) from None
        return bytes((*data, first, second))


class PcscReader:
    """A `Reader`: the one whose name contains `wanted`, else the first there is. See also `all_readers`."""

    def __init__(self, wanted: str = "") -> None:
        self._wanted = wanted

    @property
    def name(self) -> str:
        return str(self._found())

    def is_occupied(self) -> bool:
        name, scard = self.name, _library().scard
        result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if result != scard.SCARD_S_SUCCESS:
            raise fault(Fault.NOT_CONNECTED)
        try:
            _, states = scard.SCardGetStatusChange(context, 0, [(name, scard.SCARD_STATE_UNAWARE)])
        finally:
            scard.SCardReleaseContext(context)
        return any(state & scard.SCARD_STATE_PRESENT for _, state, _ in states)

    @contextmanager
    def card(self) -> Iterator[Channel]:
        library = _library()
        errors = library.Exceptions
        connection = self._found().createConnection()
        try:
            # For ourselves: no other program of the machine may use what we have opened.
            connection.connect(mode=library.scard.SCARD_SHARE_EXCLUSIVE)
            yield PcscChannel(connection)
        except errors.NoCardException:
            raise fault(Fault.NO_CARD) from None
        except errors.CardConnectionException:
            raise fault(Fault.MUTE) from None
        except errors.SmartcardException:
            raise fault(Fault.READER_BROKEN) from None
        finally:
            # Before 2.1 (Debian 12 has 2.0.5) a connection releases itself when it is forgotten.
            for name in ("disconnect", "release"):
                with suppress(errors.SmartcardException, AttributeError):
                    getattr(connection, name)()

    def _found(self) -> Any:
        found = [one for one in _readers() if self._wanted.lower() in str(one).lower()]
        if not found:
            raise fault(Fault.NOT_CONNECTED)
        return found[0]


def all_readers() -> list[Reader]:
    """Each reader of this machine; CardFault -5 without the library, -12 without the service or any reader."""
    found = [_Named(one) for one in _readers()]
    if not found:
        raise fault(Fault.NOT_CONNECTED)
    return list(found)


class _Named(PcscReader):
    """The very reader of that name: one name may be part of another."""

    def __init__(self, reader: Any) -> None:
        super().__init__(str(reader))
        self._reader = reader

    def _found(self) -> Any:
        return self._reader


def names() -> list[str]:
    """The readers of this machine; CardFault -5 without the library, -12 without the service."""
    return [str(one) for one in _readers()]


def _readers() -> list[Any]:
    library = _library()
    try:
        return list(library.System.readers())
    except library.pcsc.PCSCExceptions.BaseSCardException:  # the service is not running
        raise fault(Fault.NOT_CONNECTED) from None


def _library() -> Any:
    """pyscard, an optional extra, with the parts used here; CardFault -5 where it is not installed."""
    try:
        for part in ("Exceptions", "System", "pcsc.PCSCExceptions", "scard"):
            import_module(f"smartcard.{part}")
        return import_module("smartcard")
    except ImportError:
        raise fault(Fault.NO_LIBRARY) from None
