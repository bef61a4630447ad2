"""Readers of the machine, through PC/SC (pyscard). Without the library every call says so: CardFault -5."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

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
        from smartcard.Exceptions import SmartcardException  # noqa: PLC0415 - an optional extra

        try:
            data, first, second = self._connection.transmit(list(command))
        except SmartcardException:
            raise fault(Fault.MUTE) from None
        return bytes((*data, first, second))


class PcscReader:
    """A `Reader`: the one whose name contains `wanted`, else the first there is."""

    def __init__(self, wanted: str = "") -> None:
        self._wanted = wanted

    @property
    def name(self) -> str:
        return str(self._found())

    def is_occupied(self) -> bool:
        name = self.name  # says so where the library is missing
        from smartcard import scard  # noqa: PLC0415 - an optional extra

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
        reader = self._found()  # says so where the library is missing
        from smartcard.Exceptions import (  # noqa: PLC0415 - an optional extra, as is the next one
            CardConnectionException,
            NoCardException,
            SmartcardException,
        )
        from smartcard.scard import SCARD_SHARE_EXCLUSIVE  # noqa: PLC0415

        connection = reader.createConnection()
        try:
            # For ourselves: no other program of the machine may use what we have opened.
            connection.connect(mode=SCARD_SHARE_EXCLUSIVE)
            yield PcscChannel(connection)
        except NoCardException:
            raise fault(Fault.NO_CARD) from None
        except CardConnectionException:
            raise fault(Fault.MUTE) from None
        except SmartcardException:
            raise fault(Fault.READER_BROKEN) from None
        finally:
            for end in (connection.disconnect, connection.release):
                with suppress(SmartcardException):
                    end()

    def _found(self) -> Any:
        found = [one for one in _readers() if self._wanted.lower() in str(one).lower()]
        if not found:
            raise fault(Fault.NOT_CONNECTED)
        return found[0]


def names() -> list[str]:
    """The readers of this machine; CardFault -5 without the library, -12 without the service."""
    return [str(one) for one in _readers()]


def _readers() -> list[Any]:
    try:
        from smartcard.pcsc.PCSCExceptions import BaseSCardException  # noqa: PLC0415 - an optional extra
        from smartcard.System import readers  # noqa: PLC0415
    except ImportError:
        raise fault(Fault.NO_LIBRARY) from None
    try:
        return list(readers())
    except BaseSCardException:  # the service is not running
        raise fault(Fault.NOT_CONNECTED) from None
