"""The national functions by their names, as a terminal program calls them: a number back, and a text.

For who builds such a program, and to prove a terminal: the card stays under power from call to call, as in a terminal.
There is no PSAM here; functions that need one say so (-2201), and their HSM steps are to be called.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from types import MappingProxyType
from typing import Any, ClassVar, Final

from yikatong.adapters.national_card import terminal, terminal_debit, terminal_files, terminal_pin
from yikatong.adapters.national_card.image import INITIAL_PIN
from yikatong.adapters.national_card.terminal import Channel
from yikatong.core.errors import DomainError
from yikatong.registry.cards.chip.faults import CardFault, Fault, fault
from yikatong.registry.cards.chip.messages import AuthAnswer
from yikatong.registry.cards.chip.requests import KeyRequest, SecureRequest

#: Gives the card on the reader of an iType.
Place = Callable[[int], AbstractContextManager[Channel]]
#: Asks the holder for a PIN with these words: None when he cancels, TimeoutError when he types nothing.
Pad = Callable[[str], str | None]
Given = Mapping[str, Any]
_Act = Callable[["Functions", Given], str | None]
_ENDS: Final = frozenset({Fault.NO_CARD, Fault.MUTE, Fault.READER_BROKEN, Fault.NOT_CONNECTED})


class Functions:
    """One terminal: `number` twelve digits, `device` its own name. Not for threads."""

    def __init__(self, place: Place, pad: Pad, *, number: str = "", device: str = "") -> None:
        self._place, self._pad, self._number, self._device = place, pad, number, device
        self._stack = ExitStack()
        self._channel: Channel | None = None
        self._face = 0
        self._begun: tuple[str, object] = ("", None)
        self._shown = ""

    def call(self, name: str, given: Given) -> tuple[int, str]:
        """0 and what the function tells, or its negative number and why; never an exception of the card's."""
        function = self._ACTS.get(name)
        if function is None:
            return _refused(fault(Fault.NOT_SUPPORTED))
        act, needed = function
        if not all(_is_right(given.get(one), one) for one in needed):
            return _refused(fault(Fault.BAD_PARAMETERS))
        try:
            return 0, act(self, given) or ""
        except CardFault as refusal:
            if refusal.number in _ENDS:
                self.close()
            return _refused(refusal)
        except DomainError as refusal:  # two cards on the readers: which one is meant is not said
            return _refused(CardFault(Fault.WRONG_KIND, refusal.message))

    def close(self) -> None:
        """Let the card go; what was proven and shown ends."""
        self._stack.close()
        self._stack, self._channel, self._begun, self._shown = ExitStack(), None, ("", None), ""

    def _card(self, given: Given) -> Channel:
        face = given["iType"]
        if self._channel is None or face != self._face:
            self.close()
            self._channel, self._face = self._stack.enter_context(self._place(face)), face
        return self._channel

    def _keep(self, step: str, begun: object) -> None:
        self._begun = (step, begun)

    def _go_on(self, step: str, kind: type[Any]) -> tuple[Channel, Any]:
        """What the step before has left, once: a step sent again has nothing to go on from."""
        (name, begun), self._begun = self._begun, ("", None)
        if self._channel is None or name != step or not isinstance(begun, kind):
            raise fault(Fault.BAD_PARAMETERS)
        return self._channel, begun

    def _type(self, words: str) -> str:
        try:
            typed = self._pad(words)
        except TimeoutError:
            raise fault(Fault.PIN_TIMEOUT) from None
        if typed is None:
            raise fault(Fault.PIN_CANCELLED)
        return typed

    def _needs_psam(self, given: Given) -> str:
        terminal.card_file(self._card(given))
        raise fault(Fault.NO_PSAM)

    def _bas_1(self, given: Given) -> str:
        begun = terminal.begin(self._card(given), self._number)
        self._keep("bas", begun)
        return begun.request.text()

    def _bas_2(self, given: Given) -> str:
        channel, begun = self._go_on("bas", terminal.Begun)
        answer = AuthAnswer.read(given["pKey"])
        return terminal.finish(channel, begun, answer, terminal=self._number, device=self._device).text()

    def _read_1(self, given: Given) -> str:
        begun = terminal_files.begin_read(self._card(given), given["pCardInfo"], given["pFileAddr"])
        self._keep("read", begun)
        return begun.request.text()

    def _read_2(self, given: Given) -> str:
        channel, begun = self._go_on("read", terminal_files.Begun)
        return terminal_files.finish_read(channel, begun, given["pKey"])

    def _write_1(self, given: Given) -> str:
        begun = terminal_files.begin_write(self._card(given), given["pCardInfo"], given["pFileAddr"])
        self._keep("write", begun)
        return begun.request.text()

    def _write_2(self, given: Given) -> None:
        channel, begun = self._go_on("write", terminal_files.Begun)
        terminal_files.finish_write(channel, begun, given["pKey"], given["pWriteData"])

    def _verify(self, given: Given) -> None:
        channel = self._card(given)
        typed, self._shown = self._type("请输入密码"), ""
        terminal_pin.verify_pin(channel, typed)
        self._shown = "initial" if typed == INITIAL_PIN else "own"

    def _change(self, given: Given) -> None:
        channel = self._card(given)
        old, new, again = (
            self._type(words) for words in ("请输入原密码", "请输入新密码", "请再次输入新密码")
        )
        terminal_pin.change_pin(channel, old, new, again)
        self._shown = "own"

    def _puk_1(self, given: Given) -> str:
        begun = terminal_pin.begin_reload(self._card(given), given["pCardInfo"])
        self._keep("puk", begun)
        return begun.text()

    def _reload_2(self, given: Given) -> str:
        channel, begun = self._go_on("puk", KeyRequest)
        new, again = self._type("请输入新密码"), self._type("请再次输入新密码")
        asked = terminal_pin.reload(channel, begun, given["pKey"], new, again)
        self._keep("pin", asked)
        return asked.text()

    def _unblock_2(self, given: Given) -> str:
        channel, begun = self._go_on("puk", KeyRequest)
        asked = terminal_pin.unblock(channel, begun, given["pKey"])
        self._keep("pin", asked)
        return asked.text()

    def _pin_3(self, given: Given) -> None:
        channel, begun = self._go_on("pin", SecureRequest)
        terminal_pin.finish_reload(channel, begun, given["pKey"])

    def _debit_1(self, given: Given) -> str:
        if self._shown == "initial":
            raise fault(Fault.PIN_INITIAL)
        card, payment = given["pCardInfo"], given["pPayInfo"]
        begun = terminal_debit.begin_debit(self._card(given), card, payment, self._number)
        self._keep("debit", begun)
        return begun.request.text()

    def _debit_2(self, given: Given) -> str:
        """The key may come with the terminal's sequence and the time before it, as older programs put it together."""
        channel, begun = self._go_on("debit", terminal_debit.Begun)
        mac = given["pKey"].removesuffix("|").rpartition("|")[2]
        return terminal_debit.finish_debit(channel, begun, mac).text()

    def _records(self, given: Given) -> str:
        return "$".join(terminal_debit.debit_records(self._card(given)))

    _CARD: ClassVar = ("iType", "pCardInfo")
    #: By its name: what is done, and which arguments it needs.
    _ACTS: ClassVar[Mapping[str, tuple[_Act, tuple[str, ...]]]] = MappingProxyType(
        {
            "iReadCardBas": (_needs_psam, ("iType",)),
            "iReadCardBas_HSM_Step1": (_bas_1, ("iType",)),
            "iReadCardBas_HSM_Step2": (_bas_2, ("pKey",)),
            "iReadCard": (_needs_psam, ("iType",)),
            "iReadCard_HSM_Step1": (_read_1, (*_CARD, "pFileAddr")),
            "iReadCard_HSM_Step2": (_read_2, ("pKey",)),
            "iWriteCard": (_needs_psam, ("iType",)),
            "iWriteCard_HSM_Step1": (_write_1, (*_CARD, "pFileAddr")),
            "iWriteCard_HSM_Step2": (_write_2, ("pKey", "pWriteData")),
            "iVerifyPIN": (_verify, ("iType",)),
            "iChangePIN": (_change, ("iType",)),
            "iReloadPIN": (_needs_psam, ("iType",)),
            "iReloadPIN_HSM_Step1": (_puk_1, _CARD),
            "iReloadPIN_HSM_Step2": (_reload_2, ("pKey",)),
            "iReloadPIN_HSM_Step3": (_pin_3, ("pKey",)),
            "iUnblockPIN": (_needs_psam, ("iType",)),
            "iUnblockPIN_HSM_Step1": (_puk_1, _CARD),
            "iUnblockPIN_HSM_Step2": (_unblock_2, ("pKey",)),
            "iUnblockPIN_HSM_Step3": (_pin_3, ("pKey",)),
            "iDoDebit": (_needs_psam, ("iType",)),
            "iDoDebit_HSM_Step1": (_debit_1, (*_CARD, "pPayInfo")),
            "iDoDebit_HSM_Step2": (_debit_2, ("pKey",)),
            "iReadDebitRecord": (_records, ("iType",)),
        }
    )
    NAMES: ClassVar = tuple(_ACTS)


def _is_right(value: object, name: str) -> bool:
    if name == "iType":
        return isinstance(value, int) and value in {1, 2, 3, 4}
    return isinstance(value, str)


def _refused(refusal: CardFault) -> tuple[int, str]:
    return refusal.number, refusal.message
