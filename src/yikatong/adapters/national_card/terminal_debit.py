"""The terminal's half of iDoDebit in HSM mode and of iReadDebitRecord: the personal account of the medical application.

Amounts are texts in yuan at the interface, as terminals give them, and whole fen everywhere else. A terminal that
did not hear the card's answer asks again (`settled`): paid and proven, or not paid at all; never in doubt.
"""

import re
from typing import Final, NamedTuple

from yikatong.adapters.national_card.image import MEDICAL, TRANSACTIONS
from yikatong.adapters.national_card.state import LOG_ROWS
from yikatong.adapters.national_card.terminal import Channel, select_application, select_file, send
from yikatong.adapters.national_card.terminal_files import check_card
from yikatong.registry.cards.chip.faults import CardFault, Fault, fault
from yikatong.registry.cards.chip.messages import fields_of, text_of
from yikatong.registry.cards.chip.requests import DebitRequest, mac_of

_YUAN: Final = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,2}))?")
_MOST: Final = 2**32 - 1
_TOLD: Final = 22
_ROW: Final = 28
_NO_RECORD, _NO_PROOF = -27267, -37894


class Begun(NamedTuple):
    """`balance` in fen, before."""

    request: DebitRequest
    balance: int


class Receipt(NamedTuple):
    """What the terminal keeps of a debit: proof to whoever settles. `balance` in fen, after."""

    request: DebitRequest
    balance: int
    tac: bytes
    mac2: bytes

    def text(self) -> str:
        """交易序号|个人账户余额|TAC|MAC2|"""
        return text_of(
            f"{self.request.sequence:04X}",
            yuan(self.balance),
            self.tac.hex().upper(),
            self.mac2.hex().upper(),
        )


def begin_debit(channel: Channel, card: str, payment: str, terminal: str) -> Begun:
    """iDoDebit_HSM_Step1; `payment` is 个人账户|个人自付|统筹支付|时间|, without the first where it pays nothing.

    CardFault -14, -22, -23, -41, -42 for texts and cards; -27010 without the PIN, -37889 when the balance is short.
    """
    amounts, at = _payment(payment)
    if not re.fullmatch(r"[0-9]{12}", terminal):
        raise fault(Fault.BAD_PARAMETERS)
    check_card(channel, card)
    select_application(channel, MEDICAL)
    raw = b"".join(value.to_bytes(4, "big") for value in amounts)
    told = send(channel, bytes.fromhex("B02801011301") + raw + bytes.fromhex(terminal))
    if len(told) != _TOLD:
        raise fault(Fault.BAD_DATA)
    sequence = int.from_bytes(told[14:16], "big")
    request = DebitRequest(told[18:22], sequence, amounts, terminal, at)
    return Begun(request, int.from_bytes(told[:4], "big"))


def finish_debit(channel: Channel, begun: Begun, answer: str) -> Receipt:
    """iDoDebit_HSM_Step2. CardFault -23, -37634 for a wrong MAC1: nothing is paid."""
    asked = begun.request
    data = asked.terminal_sequence + bytes.fromhex(asked.at) + mac_of(answer)
    return _receipt(begun, send(channel, bytes.fromhex("B02C01000F") + data))


def settled(channel: Channel, begun: Begun) -> Receipt | None:
    """After a card was torn out: the receipt once more, or None when the debit did not happen."""
    select_application(channel, MEDICAL)
    sequence = begun.request.sequence.to_bytes(2, "big")
    try:
        return _receipt(begun, send(channel, bytes.fromhex("B02E000202") + sequence))
    except CardFault as refusal:
        if refusal.number == _NO_PROOF:
            return None
        raise


def debit_records(channel: Channel) -> list[str]:
    """The national iReadDebitRecord, the latest first; CardFault -27010 without the PIN.

    序号|类型|终端机编号|时间|个人账户|个人自付|统筹支付|
    """
    select_application(channel, MEDICAL)
    select_file(channel, TRANSACTIONS)
    found: list[str] = []
    for number in range(1, LOG_ROWS + 1):
        try:
            row = send(channel, bytes((0x00, 0xB2, number, 0x04, _ROW)))
        except CardFault as refusal:
            if refusal.number == _NO_RECORD:
                break
            raise
        found.append(_record(row))
    return found


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def fen(text: str) -> int:
    """CardFault -41 for what is no amount of at most two decimals, -42 for one the card cannot hold."""
    found = _YUAN.fullmatch(text)
    if found is None:
        raise fault(Fault.ILLEGAL_CHARACTERS)
    value = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    if value > _MOST:
        raise fault(Fault.WRONG_LENGTH)
    return value


def _payment(text: str) -> tuple[tuple[int, int, int], str]:
    *amounts, at = fields_of(text)
    if len(amounts) not in {2, 3} or not re.fullmatch(r"20[0-9]{12}", at):
        raise fault(Fault.BAD_PARAMETERS)
    account, own, pool = (fen(one) for one in ["0", *amounts][-3:])
    return (account, own, pool), at


def _receipt(begun: Begun, answer: bytes) -> Receipt:
    if len(answer) != 8:
        raise fault(Fault.BAD_DATA)
    return Receipt(begun.request, begun.balance - begun.request.amounts[0], answer[:4], answer[4:])


def _record(row: bytes) -> str:
    if len(row) != _ROW:
        raise fault(Fault.BAD_DATA)
    amounts = (int.from_bytes(row[at : at + 4], "big") for at in (16, 20, 24))
    head = (row[:2].hex().upper(), f"{row[2]:02d}", row[3:9].hex(), row[9:16].hex())
    return text_of(*head, *(yuan(one) for one in amounts))
