"""The terminal's half of the national interface: the texts, the numbers of faults, and a card that lies."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.cards import CHIP, WANG_FANG, card, hsm, image
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import terminal
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.registry.cards.chip import authentication
from yikatong.registry.cards.chip.faults import CardFault, of_status
from yikatong.registry.cards.chip.keys import Chip
from yikatong.registry.cards.chip.messages import AuthAnswer, AuthRequest, Basics

BASICS = (
    f"510100|510107199003070129|{WANG_FANG.card_number}|{CHIP.identification}|王芳|{CHIP.reset_info}|3.00"
    "|20261120|20361120|510100000001|YK-7|"
)


@pytest.fixture
def device(tmp_path: Path) -> SoftHsm:
    return hsm(tmp_path)


def read(chip: terminal.Channel, device: SoftHsm) -> str:
    begun = terminal.begin(chip, "510100000001")
    asked = AuthRequest.read(begun.request.text())
    answered = AuthAnswer.read(authentication.answer(asked, device).text())
    return terminal.finish(chip, begun, answered, terminal="510100000001", device="YK-7").text()


@pytest.mark.clause("E3", "O8")
def test_a_card_is_read_from_one_text_to_the_other(device: SoftHsm) -> None:
    assert read(card(device), device) == BASICS


@pytest.mark.clause("E3")
def test_what_step_one_says(device: SoftHsm) -> None:
    begun = terminal.begin(card(device), "510100000001")
    assert begun.request.text() == (
        f"510100|{CHIP.reset_info}|03|{CHIP.identification}|0000000000000002|0000000000000001"
        "|0000000000000004|0000000000000003|510100000001|"
    )
    assert begun.card_number == WANG_FANG.card_number


def test_the_whole_answer_to_reset_is_taken_as_well(device: SoftHsm) -> None:
    text = terminal.begin(card(device)).request.text()
    assert AuthRequest.read(text.replace(CHIP.reset_info, "3B6D0000" + CHIP.reset_info)).chip == CHIP


@pytest.mark.clause("S15", "N17")
def test_a_copy_of_a_card_that_has_no_keys_is_found_out(device: SoftHsm, tmp_path: Path) -> None:
    written = image(device)
    copied = VirtualCard(replace(written, keys=dict.fromkeys(written.keys, bytes(16))))
    with pytest.raises(CardFault) as refusal:
        read(copied, device)
    assert (refusal.value.number, refusal.value.message) == (
        -25,
        "内部认证与加密机不一致，卡片不合法或加密机密钥不符",
    )


class Relayed:
    """A trap: tells what one card says of itself, and lets another answer for it."""

    def __init__(self, shown: VirtualCard, behind: VirtualCard) -> None:
        self.atr, self._shown, self._behind = shown.atr, shown, behind

    def transmit(self, command: bytes) -> bytes:
        self._shown.transmit(command) if command[1] not in {0x88, 0x82} else None
        told = self._behind.transmit(command)
        return told if command[1] in {0x88, 0x82, 0x84} else self._shown.transmit(command)


@pytest.mark.clause("S15", "N17")
def test_one_card_does_not_answer_for_another(device: SoftHsm) -> None:
    other = Chip.of(CHIP.identification[:-1] + "0", f"{CHIP.reset_info[:-1]}8")
    trap = Relayed(card(device), card(device, chip=other))
    with pytest.raises(CardFault) as refusal:
        read(trap, device)
    assert (refusal.value.number, refusal.value.message) == (
        -25, "内部认证与加密机不一致，卡片不合法或加密机密钥不符",
    )  # fmt: skip


def test_step_two_sent_twice_opens_nothing_more(device: SoftHsm) -> None:
    chip = card(device)
    begun = terminal.begin(chip)
    answered = authentication.answer(begun.request, device)
    terminal.finish(chip, begun, answered)
    with pytest.raises(CardFault) as refusal:
        terminal.finish(chip, begun, answered)
    assert (refusal.value.number, refusal.value.message) == (-27012, "随机数无效")
    chip.reset()
    with pytest.raises(CardFault) as refusal:
        terminal.finish(chip, begun, answered)
    assert (refusal.value.number, refusal.value.message) == (-27013, "不满足使用条件")
    terminal.begin(chip)
    with pytest.raises(CardFault) as refusal:
        terminal.finish(chip, begun, answered)
    assert refusal.value.number == -25538, "an older pair of challenges, and counted"


def test_a_key_device_with_another_rkssse_is_told_by_the_card(device: SoftHsm) -> None:
    chip = card(device)
    begun = terminal.begin(chip)
    right = authentication.answer(begun.request, device)
    with pytest.raises(CardFault) as refusal:
        terminal.finish(chip, begun, replace(right, external=bytes(8)))
    assert (refusal.value.number, refusal.value.message) == (-25538, "认证失败，剩余可尝试 2 次")


def test_an_answer_about_another_card_is_not_used(device: SoftHsm) -> None:
    chip = card(device)
    begun = terminal.begin(chip)
    other = terminal.begin(chip).request
    with pytest.raises(CardFault) as refusal:
        terminal.finish(chip, begun, authentication.answer(other, device))
    assert refusal.value.number == -22


def number_of(call: Callable[[], int]) -> int:
    """What a terminal program would return."""
    try:
        return call()
    except CardFault as refusal:
        return refusal.number


class Other:
    """A card of another kind: an answer to reset, and one answer to everything."""

    def __init__(self, atr: str, *answers: str) -> None:
        self.atr, self.answers = bytes.fromhex(atr), [bytes.fromhex(answer) for answer in answers]

    def transmit(self, _: bytes) -> bytes:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


ATR = "3B6D0000" + CHIP.reset_info


@pytest.mark.parametrize(
    ("chip", "number"),
    [
        (Other("3B00", "9000"), -1),
        (Other("", "9000"), -1),
        (Other("3B6D00", "9000"), -1),
        (Other(ATR, "6A82"), -1),
        (Other(ATR, "9000"), -13),  # no algorithm named: the old one
        (Other(ATR, "6F069F0C03860102" + "9000"), -13),
        (Other(ATR, "6A81"), -27265),
        (Other(ATR, ""), -4),
        (Other(ATR, "6110"), -4),
        (Other(ATR, "9F0C038601039000", "9000", "9000"), -23),
        (Other(ATR, "9F0C038601039000", "9000", "0105009000"), -23),
    ],
)
def test_other_cards_are_named_by_their_numbers(chip: Other, number: int) -> None:
    with pytest.raises(CardFault) as refusal:
        terminal.begin(chip)
    assert refusal.value.number == number
    assert refusal.value.message


@pytest.mark.parametrize(
    ("atr", "found"),
    [
        ("3B6D0000" + CHIP.reset_info, CHIP.reset_info),
        ("3B8D8001" + CHIP.reset_info + "55", CHIP.reset_info),  # contactless: TD1, TD2, check byte
        ("3B0D" + CHIP.reset_info, CHIP.reset_info),
    ],
)
def test_historical_bytes_of_any_answer_to_reset(atr: str, found: str) -> None:
    assert terminal.history(bytes.fromhex(atr)).hex().upper() == found


@given(st.binary(max_size=40))
def test_any_answer_to_reset_is_read_or_refused(atr: bytes) -> None:
    assert number_of(lambda: len(terminal.history(atr))) in {13, -1}


@pytest.mark.parametrize(
    ("word", "number"),
    [
        (0x63C2, -25538), (0x63C0, -25536), (0x6700, -26368), (0x6C12, -26368), (0x6A86, -26370),
        (0x6E00, -26371), (0x6901, -26881), (0x6981, -27009), (0x6982, -27010), (0x6983, -27011),
        (0x6984, -27012), (0x6985, -27013), (0x6A80, -27264), (0x6A82, -27266), (0x6A83, -27267),
        (0x6A88, -27272), (0x9302, -37634), (0x9303, -37635), (0x9406, -37894), (0x6F00, -28416),
    ],
)  # fmt: skip
def test_status_words_become_national_numbers(word: int, number: int) -> None:
    assert of_status(word).number == number
    assert of_status(word).problem()["number"] == number


REQUEST = (
    f"510100|{CHIP.reset_info}|03|{CHIP.identification}|0000000000000002|0000000000000001"
    "|0000000000000004|0000000000000003|"
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", -14),
        ("510100|", -14),
        (REQUEST + "1|2|", -14),
        (REQUEST * 3, -14),
        (REQUEST.replace("510100|", "５１０１００|", 1), -14),
        (REQUEST.replace("|03|", "|01|"), -13),
        (REQUEST.replace("D156000005", "D156000006"), -20),
        (REQUEST.replace(CHIP.reset_info, CHIP.reset_info[:-2]), -20),
        (REQUEST.replace("510100|", "510200|", 1), -23),
        (REQUEST.replace("0000000000000002", "000000000000000G"), -41),
        (REQUEST.replace("0000000000000002", "00000000000002"), -42),
        (REQUEST + "终端|", -14),
        (REQUEST + "a b|", -41),
        (REQUEST + "1" * 33 + "|", -41),
    ],
)
def test_requests_that_are_none(text: str, number: int) -> None:
    with pytest.raises(CardFault) as refusal:
        AuthRequest.read(text)
    assert refusal.value.number == number


@given(st.text(max_size=200))
def test_any_text_is_a_request_or_a_fault(text: str) -> None:
    for reader in (AuthRequest.read, AuthAnswer.read, Basics.read):
        assert number_of(lambda reader=reader: reader(text) and 0) in {0, -13, -14, -20, -23, -41, -42}


def test_the_texts_come_back_as_they_were() -> None:
    assert AuthRequest.read(REQUEST).text() == REQUEST
    assert Basics.read(BASICS).text() == BASICS
    answer = "F4A0CF965BDCEA300102030405060708|774A08EDF447A1DE1112131415161718|"
    assert AuthAnswer.read(answer).text() == answer


def test_what_every_card_tells(device: SoftHsm) -> None:
    told = terminal.card_file(card(device))
    assert (told.chip, told.card_number) == (CHIP, WANG_FANG.card_number)
    assert (told.category, told.spec_version, told.issued_on, told.expires_on) == (
        "3", "3.00", "20261120", "20361120",
    )  # fmt: skip
    assert told.institution == "915600000251010051010001"
