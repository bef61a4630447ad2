"""The PIN functions of the national interface over the virtual card: exact numbers and words, and what changed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.cards import CHIP, PIN, WANG_FANG, Torn, card, hsm
from tests.adapters.national_card.test_terminal import ATR, Other, number_of
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import terminal, terminal_pin
from yikatong.adapters.national_card.image import INITIAL_PIN
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.registry.cards.chip import authentication
from yikatong.registry.cards.chip.faults import CardFault
from yikatong.registry.cards.chip.keys import CardKey
from yikatong.registry.cards.chip.requests import SecureRequest

THIS = f"{CHIP.identification}|{WANG_FANG.card_number}|"
NEW = "135790"


@pytest.fixture
def device(tmp_path: Path) -> SoftHsm:
    return hsm(tmp_path)


@pytest.fixture
def chip(device: SoftHsm) -> VirtualCard:
    return card(device)


def refused(act: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(CardFault) as refusal:
        act()
    return refusal.value.number, refusal.value.message


def verify(chip: terminal.Channel, pin: str, *, to_pay: bool = False) -> Callable[[], None]:
    return lambda: terminal_pin.verify_pin(chip, pin, to_pay=to_pay)


def lock(chip: VirtualCard) -> None:
    for _ in range(3):
        refused(verify(chip, "000000"))


# --- iVerifyPIN ---


@pytest.mark.clause("S15")
def test_a_pin_is_verified_by_the_card_alone(chip: VirtualCard) -> None:
    terminal_pin.verify_pin(chip, PIN)
    for said in ("", "12345", "1234567", "12345a", "１２３４５６", "12345\n", "123456\n"):
        assert refused(verify(chip, said)) == (-33, "输入密码长度错，应为 6 位数字")
    for left in (2, 1, 0):
        assert refused(verify(chip, "000000")) == (-51, f"密码校验失败，剩余 {left} 次")
    assert refused(verify(chip, PIN)) == (-52, "密码已锁定，请到窗口重置密码")
    chip.reset()
    assert refused(verify(chip, PIN))[0] == -52


def test_a_card_that_knows_no_pin_says_so_in_its_own_words() -> None:
    assert refused(verify(Other(ATR, "6D00"), PIN)) == (-27904, "卡片不支持该命令")


@pytest.mark.clause("S15")
def test_the_maker_s_pin_pays_nothing(chip: VirtualCard, device: SoftHsm) -> None:
    set_anew(chip, device, INITIAL_PIN)
    terminal_pin.verify_pin(chip, INITIAL_PIN)
    assert refused(verify(chip, INITIAL_PIN, to_pay=True)) == (-35, "初始密码不能交易，请先修改密码")
    assert refused(verify(chip, PIN, to_pay=True)) == (-51, "密码校验失败，剩余 2 次")


# --- iChangePIN ---


@pytest.mark.clause("S15")
def test_who_knows_the_pin_changes_it(chip: VirtualCard) -> None:
    terminal_pin.change_pin(chip, PIN, NEW, NEW)
    assert refused(verify(chip, PIN)) == (-51, "密码校验失败，剩余 2 次")
    terminal_pin.verify_pin(chip, NEW)


@pytest.mark.parametrize(
    ("old", "new", "again", "number", "words"),
    [
        ("12345", NEW, NEW, -33, "输入密码长度错，应为 6 位数字"),
        (PIN, "13579", "13579", -33, "输入密码长度错，应为 6 位数字"),
        (PIN, NEW, "135791", -34, "两次输入的密码不一致，请重新输入"),
        (PIN, INITIAL_PIN, INITIAL_PIN, -36, "不能改为初始密码，请另设密码"),
    ],
)
def test_what_is_no_change_does_not_reach_the_card(
    chip: VirtualCard, old: str, new: str, again: str, number: int, words: str
) -> None:
    unasked = Torn(chip, at=1, is_done=True)
    assert refused(lambda: terminal_pin.change_pin(unasked, old, new, again)) == (number, words)
    assert unasked.sent == 0
    terminal_pin.verify_pin(chip, PIN)


def test_a_wrong_old_pin_counts_and_changes_nothing(chip: VirtualCard) -> None:
    change = lambda: terminal_pin.change_pin(chip, "000000", NEW, NEW)  # noqa: E731
    for left in (2, 1, 0):
        assert refused(change) == (-51, f"密码校验失败，剩余 {left} 次")
    assert refused(change) == (-52, "密码已锁定，请到窗口重置密码")
    assert refused(lambda: terminal_pin.change_pin(chip, PIN, NEW, NEW))[0] == -52


@pytest.mark.parametrize(("when", "holds"), [("before", PIN), ("after", NEW)])
def test_torn_out_while_changing_the_pin_is_the_old_one_or_the_new_one(
    chip: VirtualCard, when: str, holds: str
) -> None:
    torn = Torn(chip, at=1, is_done=when == "after")
    assert refused(lambda: terminal_pin.change_pin(torn, PIN, NEW, NEW))[0] == -4
    terminal_pin.verify_pin(chip, holds)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("805E000007862904FF135790", "6A86"),
        ("805E010103862904", "6A86"),
        ("805E010003862904", "6700"),  # no new one
        ("805E010004FF135790", "6700"),  # no old one
        ("805E0100" + "0F" + "11" * 7 + "FF" + "22" * 7, "6700"),
        ("805E01000A862904FF13FF57900000", "6A80"),
        ("805E0100", "6700"),
    ],
)
def test_malformed_changes_change_nothing(chip: VirtualCard, command: str, status: str) -> None:
    before = chip._state.memory
    assert chip.transmit(bytes.fromhex(command)).hex().upper() == status
    assert chip._state.memory == before


# --- iReloadPIN, iUnblockPIN ---


def set_anew(chip: VirtualCard, device: SoftHsm, pin: str = NEW) -> None:
    begun = terminal_pin.begin_reload(chip, THIS)
    second = terminal_pin.reload(chip, begun, authentication.prove(begun, CHIP, device), pin, pin)
    terminal_pin.finish_reload(chip, second, authentication.secure(second, CHIP, device))


@pytest.mark.clause("B2", "E3")
def test_a_locked_pin_is_set_anew_in_three_steps(chip: VirtualCard, device: SoftHsm) -> None:
    lock(chip)
    set_anew(chip, device)
    terminal_pin.verify_pin(chip, NEW)
    assert refused(verify(chip, PIN))[0] == -51


@pytest.mark.clause("B2", "E3")
def test_unblocking_leaves_the_pin_as_it_was(chip: VirtualCard, device: SoftHsm) -> None:
    lock(chip)
    begun = terminal_pin.begin_reload(chip, THIS)
    second = terminal_pin.unblock(chip, begun, authentication.prove(begun, CHIP, device))
    terminal_pin.finish_reload(chip, second, authentication.secure(second, CHIP, device))
    terminal_pin.verify_pin(chip, PIN)


def test_the_texts_of_the_steps(chip: VirtualCard, device: SoftHsm) -> None:
    """As a terminal's log has them: the answer comes with the command's head before it, or without."""
    begun = terminal_pin.begin_reload(chip, THIS)
    assert begun.text() == "03|0090|0000000000000002|0000000000000001|"
    answer = authentication.prove(begun, CHIP, device)
    assert (len(answer), answer[16:]) == (33, "0000000000000001|")
    second = terminal_pin.reload(chip, begun, answer, NEW, NEW)
    assert second.text() == "03|0173|0000000000000003|8424000114|135790|"
    assert SecureRequest.read("03|0173|0000000000000003|8424000114|135790") == second
    sealed = authentication.secure(second, CHIP, device)
    assert len(sealed) == 41
    terminal_pin.finish_reload(chip, second, "8424000114" + sealed)
    terminal_pin.verify_pin(chip, NEW)
    assert "135790" not in repr(second)


def test_the_steps_are_good_for_one_time_and_one_card(chip: VirtualCard, device: SoftHsm) -> None:
    begun = terminal_pin.begin_reload(chip, THIS)
    answer = authentication.prove(begun, CHIP, device)
    second = terminal_pin.reload(chip, begun, answer, NEW, NEW)
    again = lambda: terminal_pin.reload(chip, begun, answer, "000000", "000000")  # noqa: E731
    assert refused(again) == (-27012, "随机数无效"), "Step2 sent twice"
    sealed = authentication.secure(second, CHIP, device)
    terminal_pin.finish_reload(chip, second, sealed)
    repeated = lambda: terminal_pin.finish_reload(chip, second, sealed)  # noqa: E731
    assert refused(repeated) == (-27010, "不满足安全条件"), "Step3 sent twice"
    terminal_pin.verify_pin(chip, NEW)


@pytest.mark.parametrize(
    ("spoilt", "number"),
    [
        (lambda sealed: sealed[:-3] + ("00|" if sealed[-3:-1] != "00" else "11|"), -27016),
        (lambda sealed: sealed[:-2], -23),
        (lambda sealed: "x" + sealed[1:], -23),
        (lambda _: "", -23),
    ],
)
def test_a_spoilt_message_sets_no_pin(
    chip: VirtualCard, device: SoftHsm, spoilt: Callable[[str], str], number: int
) -> None:
    begun = terminal_pin.begin_reload(chip, THIS)
    second = terminal_pin.reload(chip, begun, authentication.prove(begun, CHIP, device), NEW, NEW)
    sealed = authentication.secure(second, CHIP, device)
    assert refused(lambda: terminal_pin.finish_reload(chip, second, spoilt(sealed)))[0] == number
    terminal_pin.verify_pin(chip, PIN)


def test_a_message_for_unblocking_sets_no_pin(chip: VirtualCard, device: SoftHsm) -> None:
    begun = terminal_pin.begin_reload(chip, THIS)
    second = terminal_pin.reload(chip, begun, authentication.prove(begun, CHIP, device), NEW, NEW)
    other = SecureRequest(second.factor, "8424000004", "")
    mac = bytes.fromhex(authentication.secure(other, CHIP, device)[:-1])
    assert chip.transmit(bytes.fromhex("8424000114") + bytes(16) + mac).hex() == "6988"
    terminal_pin.verify_pin(chip, PIN)


def test_another_card_is_not_served(chip: VirtualCard, device: SoftHsm) -> None:
    other = f"{CHIP.identification[:-1]}0|{WANG_FANG.card_number}|"
    assert refused(lambda: terminal_pin.begin_reload(chip, other)) == (-22, "传入数据与卡内不符，请重新读卡")
    assert refused(lambda: terminal_pin.begin_reload(chip, "x|y|")) == (
        -20, "卡识别码格式错，请核对是否为社会保障卡",
    )  # fmt: skip
    assert refused(lambda: terminal_pin.begin_reload(chip, f"{CHIP.identification}|"))[0] == -14
    assert refused(lambda: terminal_pin.begin_reload(chip, f"{CHIP.identification}|A12345678|"))[0] == -23


def test_a_wrong_proof_of_puk_is_counted(chip: VirtualCard, device: SoftHsm) -> None:
    begun = terminal_pin.begin_reload(chip, THIS)
    wrong = device.authenticator(CardKey.RKSSSE, CHIP, factor=begun.factor, data=begun.data) + begun.data
    assert refused(lambda: terminal_pin.unblock(chip, begun, wrong.hex() + "|")) == (
        -25538, "认证失败，剩余可尝试 2 次",
    )  # fmt: skip
    assert refused(lambda: terminal_pin.unblock(chip, begun, "00" * 16 + "|"))[0] == -22
    assert refused(lambda: terminal_pin.unblock(chip, begun, "00" * 15 + "|"))[0] == -23


@given(st.text(max_size=60))
def test_any_text_is_a_secure_message_request_or_a_fault(text: str) -> None:
    number = number_of(lambda: bool(SecureRequest.read(text)) - 1)
    assert number in {0, -13, -14, -24, -33, -41, -42}
