"""iDoDebit and iReadDebitRecord over the virtual card: to the fen, never in doubt, and provable by its TAC."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.cards import CHIP, PIN, Torn, card, hsm
from tests.adapters.national_card.test_medical import Desk
from tests.adapters.national_card.test_terminal_pin import THIS, refused
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import terminal, terminal_debit, terminal_pin
from yikatong.adapters.national_card.terminal_debit import Receipt
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.registry.cards.chip import authentication
from yikatong.registry.cards.chip.requests import DebitRequest

TERMINAL = "510100000001"
PAYMENT = "12.30|0.1|7|20261121101530|"
pytestmark = pytest.mark.clause("S9", "E3")


@pytest.fixture
def device(tmp_path: Path) -> SoftHsm:
    return hsm(tmp_path)


@pytest.fixture
def chip(device: SoftHsm) -> VirtualCard:
    """A hundred yuan on the account, and the PIN shown."""
    chip = card(device)
    assert Desk(device, chip).load(10_000).endswith("9000")
    return chip


def pay(chip: terminal.Channel, device: SoftHsm, payment: str = PAYMENT) -> Receipt:
    begun = terminal_debit.begin_debit(chip, THIS, payment, TERMINAL)
    return terminal_debit.finish_debit(chip, begun, authentication.debit_mac(begun.request, CHIP, device))


def balance(chip: VirtualCard) -> int:
    return chip._state.memory.balance


def test_a_debit_is_paid_and_proven(chip: VirtualCard, device: SoftHsm) -> None:
    begun = terminal_debit.begin_debit(chip, THIS, PAYMENT, TERMINAL)
    random = begun.request.random.hex().upper()
    assert begun.balance == 10_000
    assert begun.request.text() == (
        f"03|017F|{random}|0000|000004CE0000000A000002BC|02|{TERMINAL}|20261121101530|"
    )
    assert DebitRequest.read(begun.request.text()) == begun.request
    mac = authentication.debit_mac(begun.request, CHIP, device)
    receipt = terminal_debit.finish_debit(chip, begun, mac)
    assert (receipt.balance, balance(chip)) == (8_770, 8_770)
    assert receipt.text() == f"0000|87.70|{receipt.tac.hex().upper()}|{receipt.mac2.hex().upper()}|"
    assert authentication.is_debit_proven(receipt.request, receipt.tac, CHIP, device)


@pytest.mark.parametrize(
    "other",
    [
        {"amounts": (1_231, 10, 700)}, {"amounts": (1_230, 0, 700)}, {"terminal": "510100000002"}, {"sequence": 1},
        {"at": "20261121101531"},
    ],
)  # fmt: skip
def test_a_proof_is_about_one_debit(chip: VirtualCard, device: SoftHsm, other: dict[str, object]) -> None:
    receipt = pay(chip, device)
    changed = replace(receipt.request, **other)  # type: ignore[arg-type]
    assert not authentication.is_debit_proven(changed, receipt.tac, CHIP, device)
    assert not authentication.is_debit_proven(receipt.request, bytes(4), CHIP, device)


@pytest.mark.parametrize(
    ("payment", "fen"),
    [("0.1|0.2|20261121101530|", 0), ("100|0|0|20261121101530|", 10_000), ("0|0|0|20261121101530", 0)],
)
def test_payments_as_terminals_write_them(chip: VirtualCard, device: SoftHsm, payment: str, fen: int) -> None:
    assert pay(chip, device, payment).balance == 10_000 - fen


@pytest.mark.parametrize(
    ("payment", "number", "words"),
    [
        ("100.01|0|0|20261121101530|", -37889, "余额不足"),
        ("1.234|0|0|20261121101530|", -41, "运算数据含非法字符"),
        ("-1|0|0|20261121101530|", -41, "运算数据含非法字符"),
        ("1e2|0|0|20261121101530|", -41, "运算数据含非法字符"),
        ("42949672.96|0|0|20261121101530|", -42, "运算数据长度错"),
        ("1|0|0|2026112110153|", -14, "命令参数错，请更新终端软件"),
        ("1|20261121101530|", -14, "命令参数错，请更新终端软件"),
        ("１|0|0|20261121101530|", -14, "命令参数错，请更新终端软件"),
    ],
)
def test_payments_that_are_none_move_nothing(
    chip: VirtualCard, device: SoftHsm, payment: str, number: int, words: str
) -> None:
    assert refused(lambda: pay(chip, device, payment)) == (number, words)
    assert balance(chip) == 10_000


def test_without_the_pin_nothing_is_paid_or_told(chip: VirtualCard, device: SoftHsm) -> None:
    chip.reset()
    assert refused(lambda: pay(chip, device)) == (-27010, "不满足安全条件")
    assert refused(lambda: terminal_debit.debit_records(chip)) == (-27010, "不满足安全条件")
    terminal_pin.verify_pin(chip, PIN, to_pay=True)
    assert pay(chip, device).balance == 8_770


def test_a_wrong_mac_or_terminal_pays_nothing(chip: VirtualCard, device: SoftHsm) -> None:
    begun = terminal_debit.begin_debit(chip, THIS, PAYMENT, TERMINAL)
    elsewhere = replace(begun.request, terminal="510100000002")
    wrong = authentication.debit_mac(elsewhere, CHIP, device)
    assert refused(lambda: terminal_debit.finish_debit(chip, begun, wrong)) == (-37634, "MAC 无效")
    right = authentication.debit_mac(begun.request, CHIP, device)
    assert refused(lambda: terminal_debit.finish_debit(chip, begun, right))[0] == -26881, "it is over"
    assert refused(lambda: terminal_debit.finish_debit(chip, begun, "00"))[0] == -23
    assert refused(lambda: terminal_debit.begin_debit(chip, THIS, PAYMENT, "12"))[0] == -14
    assert balance(chip) == 10_000


def test_step_two_sent_twice_pays_once(chip: VirtualCard, device: SoftHsm) -> None:
    begun = terminal_debit.begin_debit(chip, THIS, PAYMENT, TERMINAL)
    mac = authentication.debit_mac(begun.request, CHIP, device)
    terminal_debit.finish_debit(chip, begun, mac)
    repeat: Callable[[], object] = lambda: terminal_debit.finish_debit(chip, begun, mac)  # noqa: E731
    assert refused(repeat) == (-26881, "命令不接受（无效状态）")
    assert balance(chip) == 8_770


@pytest.mark.parametrize(("when", "left"), [("before", 10_000), ("after", 8_770)])
def test_torn_out_while_paying_the_terminal_learns_what_became_of_it(
    chip: VirtualCard, device: SoftHsm, when: str, left: int
) -> None:
    begun = terminal_debit.begin_debit(chip, THIS, PAYMENT, TERMINAL)
    mac = authentication.debit_mac(begun.request, CHIP, device)
    torn = Torn(chip, at=1, is_done=when == "after")
    assert refused(lambda: terminal_debit.finish_debit(torn, begun, mac))[0] == -4
    receipt = terminal_debit.settled(chip, begun)
    assert balance(chip) == left
    if when == "before":
        assert receipt is None
    else:
        assert receipt is not None
        assert receipt.balance == left
        assert authentication.is_debit_proven(receipt.request, receipt.tac, CHIP, device)


def test_the_list_of_debits(chip: VirtualCard, device: SoftHsm) -> None:
    pay(chip, device)
    pay(chip, device, "0.01|0|0|20261122000000|")
    assert terminal_debit.debit_records(chip) == [
        f"0001|02|{TERMINAL}|20261122000000|0.01|0.00|0.00|",
        f"0000|02|{TERMINAL}|20261121101530|12.30|0.10|7.00|",
        f"0000|01|{TERMINAL}|20261121101530|100.00|0.00|0.00|",
    ]


@given(st.integers(0, 2**32 - 1))
def test_an_amount_comes_back_as_it_was(fen: int) -> None:
    assert terminal_debit.fen(terminal_debit.yuan(fen)) == fen
