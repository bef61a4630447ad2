"""Transactions on the personal account: to the fen, once, provable, and nothing lost when the card is torn out."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.cards import CHIP, PIN, SSSE, card, draws, hsm, image
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card.image import Image, pin_block
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.registry.cards.chip.keys import CardKey

MEDICAL = bytes.fromhex("00A4040006D15600000503")
TERMINAL = bytes.fromhex("510100000001")
AT = bytes.fromhex("20261121101530")
pytestmark = pytest.mark.clause("S9")


@pytest.fixture
def device(tmp_path: Path) -> SoftHsm:
    return hsm(tmp_path)


class Desk:
    """A terminal with a key device behind it, and a card of the medical application before it."""

    def __init__(self, device: SoftHsm, chip: VirtualCard, *, pin: bool = True) -> None:
        self.device, self.chip = device, chip
        self.answer = self.ask("", MEDICAL)
        if pin:
            self.ask("0020000003", pin_block(PIN))

    def ask(self, head: str, data: bytes = b"") -> str:
        return self.chip.transmit(bytes.fromhex(head) + data).hex().upper()

    def begin_load(self, fen: int) -> str:
        return self.ask("B02800010B", b"\x01" + fen.to_bytes(4, "big") + TERMINAL)

    def load(self, fen: int, *, spoil: int = 0) -> str:
        told = bytes.fromhex(self.begin_load(fen))
        factor = told[8:12] + told[4:6] + b"\x80\x00"
        claim = told[:4] + fen.to_bytes(4, "big") + b"\x01" + TERMINAL
        assert self.is_mac(CardKey.DLK, factor, claim, told[12:16])
        message = fen.to_bytes(4, "big") + b"\x01" + TERMINAL + AT
        mac = self.device.mac(CardKey.DLK, CHIP, factor=factor, message=message)
        return self.ask("B02A00000B", AT + bytes((mac[0] ^ spoil,)) + mac[1:])

    def begin_debit(self, account: int, own: int = 0, pool: int = 0, *, key: int = 1) -> str:
        amounts = b"".join(value.to_bytes(4, "big") for value in (account, own, pool))
        return self.ask("B028010113", bytes((key,)) + amounts + TERMINAL)

    def debit(self, account: int, own: int = 0, pool: int = 0, *, at: bytes = AT, spoil: int = 0) -> str:
        told = bytes.fromhex(self.begin_debit(account, own, pool))
        number = (77).to_bytes(4, "big")
        amounts = b"".join(value.to_bytes(4, "big") for value in (account, own, pool))
        factor, sequence = told[18:22] + told[14:16] + number[2:], told[14:16]
        message = amounts + b"\x02" + TERMINAL + at
        mac = self.device.mac(CardKey.DPK, CHIP, factor=factor, message=message)
        answer = self.ask("B02C01000F", number + at + bytes((mac[0] ^ spoil,)) + mac[1:])
        if answer.endswith("9000"):
            raw = bytes.fromhex(answer)
            assert self.is_mac(CardKey.DTK, b"", message + number + sequence, raw[:4])
            assert self.is_mac(CardKey.DPK, factor, amounts, raw[4:8])
        return answer

    def is_mac(self, key: CardKey, factor: bytes, message: bytes, claim: bytes) -> bool:
        return self.device.is_mac(key, CHIP, factor=factor, message=message, claim=claim)

    def state(self) -> tuple[int, int, int, str, int]:
        """Balance, own, pool, year and debits so far, as the card tells them."""
        raw = bytes.fromhex(self.begin_debit(0))
        values = [int.from_bytes(raw[at : at + 4], "big") for at in (0, 4, 8)]
        return values[0], values[1], values[2], raw[12:14].hex(), int.from_bytes(raw[14:16], "big")

    def rows(self) -> list[str]:
        self.ask("00A4020002EF08")
        found = []
        for number in range(1, 40):
            answer = self.ask(f"00B2{number:02X}041C")
            if answer == "6A83":
                break
            found.append(answer.removesuffix("9000"))
        return found


@pytest.fixture
def desk(device: SoftHsm) -> Desk:
    return Desk(device, card(device))


def test_the_application_tells_its_name(desk: Desk) -> None:
    assert desk.answer == "6F088406D156000005039000"


def test_a_load_and_a_debit_move_exactly_their_amounts(desk: Desk) -> None:
    assert desk.load(10_000)[-4:] == "9000"
    assert len(desk.debit(2_345, own=100, pool=700)) == 2 * (4 + 4 + 2)
    assert desk.state() == (7_655, 100, 700, "2026", 1)
    assert desk.rows() == [
        "0000" + "02" + TERMINAL.hex() + AT.hex() + "00000929" + "00000064" + "000002BC",
        "0000" + "01" + TERMINAL.hex() + AT.hex() + "00002710" + "00000000" + "00000000",
    ]


def test_another_year_counts_from_nothing(desk: Desk) -> None:
    desk.load(10_000)
    desk.debit(1, own=100, pool=700)
    desk.debit(1, own=5, pool=6, at=bytes.fromhex("20270101080000"))
    assert desk.state() == (9_998, 5, 6, "2027", 2)


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (lambda desk: desk.begin_debit(10_001), "9401"),
        (lambda desk: desk.begin_debit(1, key=2), "9403"),
        (lambda desk: desk.begin_debit(1, own=2**32 - 1, pool=2**32 - 1)[-4:], "9000"),
        (lambda desk: desk.begin_load(2**32 - 10_000), "6985"),
        (lambda desk: desk.debit(5, spoil=1), "9302"),
        (lambda desk: desk.load(5, spoil=1), "9302"),
        (lambda desk: desk.debit(5, at=bytes.fromhex("2026112110153A")), "6A80"),
        (lambda desk: desk.ask("B02801020100"), "6A86"),
        (lambda desk: desk.ask("B0280101120" + "0" * 35), "6700"),
        (lambda desk: desk.ask("B02E0002020000"), "9406"),
    ],
)
def test_a_refusal_moves_nothing(desk: Desk, refused: object, status: str) -> None:
    desk.load(10_000)
    before = (desk.state(), desk.rows())
    assert callable(refused)
    assert refused(desk) == status
    assert (desk.state(), desk.rows()) == before


def test_without_the_pin_nothing_moves(device: SoftHsm) -> None:
    desk = Desk(device, card(device), pin=False)
    assert desk.begin_debit(0) == "6982"
    assert desk.begin_load(100) == "6982"
    desk.ask("00A4020002EF08")
    assert desk.ask("00B201041C") == "6982", "nor is the list read"


def test_three_bad_macs_lock_the_application_for_good(desk: Desk) -> None:
    desk.load(100)
    assert [desk.debit(1, spoil=1) for _ in range(3)] == ["9302", "9302", "9303"]
    desk.chip.reset()
    desk.ask("", SSSE)
    again = Desk(desk.device, desk.chip)
    assert again.begin_debit(1) == "9303"
    assert again.begin_load(1) == "9303"


def test_a_right_mac_forgets_the_bad_ones(desk: Desk) -> None:
    desk.load(100)
    for _ in range(3):
        assert [desk.debit(1, spoil=1) for _ in range(2)] == ["9302", "9302"]
        assert desk.debit(1).endswith("9000")


def test_anything_in_between_ends_a_transaction(desk: Desk) -> None:
    desk.load(100)
    desk.begin_debit(10)
    desk.ask("0084000008")
    assert desk.ask("B02C01000F", bytes(4) + AT + bytes(4)) == "6901"


def test_the_halves_of_different_transactions_do_not_fit(desk: Desk) -> None:
    desk.load(100)
    desk.begin_debit(10)
    assert desk.ask("B02A00000B", AT + bytes(4)) == "6901"
    desk.begin_load(10)
    assert desk.ask("B02C01000F", bytes(4) + AT + bytes(4)) == "6901"


def test_torn_out_before_the_mac_nothing_has_moved(desk: Desk) -> None:
    desk.load(100)
    desk.begin_debit(60)
    desk.chip.reset()
    again = Desk(desk.device, desk.chip)
    assert again.state()[0] == 100


def test_torn_out_after_the_mac_the_proof_is_told_again(desk: Desk) -> None:
    desk.load(100)
    answer = desk.debit(60)
    desk.chip.reset()
    again = Desk(desk.device, desk.chip)
    assert again.ask("B02E0002020000") == answer
    assert again.ask("B02E0002020001") == "9406"
    assert again.ask("B02E0001020000") == "9406"
    assert again.state()[0] == 40


def test_the_list_keeps_the_last_thirty(desk: Desk) -> None:
    desk.load(1_000)
    for _ in range(35):
        desk.debit(1)
    rows = desk.rows()
    assert len(rows) == 30
    assert [int(row[:4], 16) for row in rows] == list(range(34, 4, -1))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[SoftHsm, Image]:
    device = hsm(tmp_path_factory.mktemp("keys"))
    return device, image(device)


@given(
    st.lists(
        st.tuples(st.sampled_from(["load", "debit", "torn", "spoilt"]), st.integers(0, 3_000)), max_size=25
    )
)
@settings(max_examples=80, deadline=None)
def test_the_balance_is_what_was_loaded_less_what_was_paid(
    written: tuple[SoftHsm, Image], moves: list[tuple[str, int]]
) -> None:
    device, read = written
    desk, expected = Desk(device, VirtualCard(read, draws())), 0
    for kind, fen in moves:
        if kind == "load":
            assert desk.load(fen).endswith("9000")
            expected += fen
        elif kind == "debit" and fen <= expected:
            assert desk.debit(fen).endswith("9000")
            expected -= fen
        elif kind == "debit":
            assert desk.begin_debit(fen) == "9401"
        elif kind == "torn":
            desk.begin_load(fen)
            desk.chip.reset()
            desk = Desk(device, desk.chip)
        else:
            desk.load(fen, spoil=1)
            desk.load(0)  # so that the third bad one in a row never comes
    assert desk.state()[0] == expected
