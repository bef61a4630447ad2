"""The virtual card by its commands: exact answers, exact status words, and nothing else, whatever bytes come."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.adapters.cards import CHIP, EF05, EF06, PIN, SSSE, WANG_FANG, card, draws, hsm, image
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import apdu
from yikatong.adapters.national_card.image import Image, pin_block
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.registry.cards.chip import keys
from yikatong.registry.cards.chip.keys import CardKey
from yikatong.registry.holders.names import NameTooLong

CHALLENGE = bytes.fromhex("0084000008")
VERIFY = bytes.fromhex("0020000003")
OK = bytes.fromhex("9000")


@pytest.fixture
def device(tmp_path: Path) -> SoftHsm:
    return hsm(tmp_path)


@pytest.fixture
def chip(device: SoftHsm) -> VirtualCard:
    return card(device)


def ask(chip: VirtualCard, command: str | bytes) -> str:
    """The whole answer in hexadecimal."""
    raw = bytes.fromhex(command) if isinstance(command, str) else command
    return chip.transmit(raw).hex().upper()


def external(chip: VirtualCard, device: SoftHsm, key: CardKey = CardKey.RKSSSE, number: int = 0x0A) -> str:
    data, factor = chip.transmit(CHALLENGE)[:8], chip.transmit(CHALLENGE)[:8]
    value = device.authenticator(key, CHIP, factor=factor, data=data)
    return ask(chip, bytes((0x00, 0x82, 0x00, number, 0x10)) + value + data)


def read(chip: VirtualCard, tag: int, size: int = 0) -> str:
    return ask(chip, bytes((0x00, 0xB2, tag, 0x00, size)))


# --- selecting ---


def test_the_answer_to_reset_carries_the_reset_information(chip: VirtualCard) -> None:
    assert chip.reset().hex().upper() == "3B6D0000" + CHIP.reset_info


@pytest.mark.clause("E3")
def test_the_environment_is_selected_by_its_name(chip: VirtualCard) -> None:
    assert ask(chip, SSSE) == "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C038601039000"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00A404000E315041592E5359532E4444463031", "6A82"),  # the bank's half is another firewall
        ("00A4040006D15600000502", "6A82"),
        ("00A4020002EF09", "6A82"),
        ("00A4010002EF05", "6A86"),
        ("00A4020102EF05", "6A86"),
        ("00A4020003EF0500", "6700"),
        ("00A40200", "6700"),
        ("00A4020002EF", "6700"),
        ("00B2010012", "6901"),  # no file chosen
        ("00", "6700"),
        ("", "6700"),
        ("00840000080000", "6700"),
        ("0084000004", "6700"),
        ("0084010008", "6A86"),
        ("01A4020002EF05", "6E00"),
        ("00CA000000", "6D00"),
        ("8420000000", "6D00"),
        ("00880000" + "0F" + "00" * 15, "6700"),
        ("00880100" + "10" + "00" * 16, "6A86"),
        ("0082000C" + "10" + "00" * 16, "6A88"),
        ("0082010A" + "10" + "00" * 16, "6A86"),
        ("0082000A" + "10" + "00" * 16, "6984"),  # no challenge drawn
        ("0082000A" + "08" + "00" * 8, "6700"),
        ("0020010000", "6A86"),
        ("0020000007" + "00" * 7, "6700"),
        ("8424000114" + "00" * 20, "6982"),
        ("8424000214" + "00" * 20, "6A86"),
        ("8424000113" + "00" * 19, "6700"),
        ("B028010113" + "00" * 19, "6985"),  # the medical application is not chosen
        ("B02C01000F" + "00" * 15, "6901"),
        ("B02A00000B" + "00" * 11, "6901"),
        ("B02E0002020000", "6985"),
    ],
)
def test_wrong_commands_have_their_status_words(chip: VirtualCard, command: str, status: str) -> None:
    ask(chip, SSSE)
    assert ask(chip, command) == status


@pytest.mark.parametrize("command", ["0088000010" + "00" * 16, "0082000A10" + "00" * 16, "00A4020002EF05"])
def test_nothing_is_proven_or_chosen_before_the_environment(chip: VirtualCard, command: str) -> None:
    assert ask(chip, command) in {"6985", "6A82"}


# --- files ---


@pytest.mark.clause("E3")
@pytest.mark.parametrize(
    ("tag", "size", "value"),
    [
        (0x01, 0x12, "0110" + CHIP.identification),
        (0x02, 0x03, "020133"),
        (0x03, 0x06, "0304332E3030"),
        (0x04, 0x0E, "040C" + "9156000002" + "510100" + "510100" + "01"),
        (0x05, 0x06, "050420261120"),
        (0x06, 0x06, "060420361120"),
        (0x07, 0x0B, "0709" + WANG_FANG.card_number.encode().hex().upper()),
    ],
)
def test_ef05_is_free_to_read(chip: VirtualCard, tag: int, size: int, value: str) -> None:
    ask(chip, SSSE)
    assert ask(chip, EF05) == "9000"
    assert read(chip, tag, size) == value + "9000"
    assert read(chip, tag) == value + "9000"
    assert read(chip, tag, size - 1) == f"6C{size:02X}"


def test_all_of_ef05_at_once(chip: VirtualCard) -> None:
    ask(chip, SSSE)
    ask(chip, EF05)
    whole = "".join(read(chip, tag)[:-4] for tag in range(1, 8))
    assert ask(chip, "00B2010500") == whole + "9000"
    assert ask(chip, "00B2020500") == "6A86"
    assert ask(chip, "00B2010400") == "6A86"
    assert read(chip, 0x08) == "6A83"


@pytest.mark.clause("S15", "G17", "N14")
def test_ef06_stays_closed_until_the_terminal_has_proven_itself(chip: VirtualCard, device: SoftHsm) -> None:
    ask(chip, SSSE)
    ask(chip, EF06)
    assert {read(chip, tag) for tag in range(256)} == {"6982"}
    assert ask(chip, "00B2010500") == "6982"
    assert external(chip, device) == "9000"
    ask(chip, EF06)
    assert read(chip, 0x08, 0x14) == "0812" + b"510107199003070129".hex().upper() + "9000"
    assert read(chip, 0x09, 0x20) == "091E" + "CDF5B7BC" + "00" * 26 + "9000"
    assert read(chip, 0x4E, 0x16) == "4E14" + "00" * 20 + "9000"
    assert read(chip, 0x0A, 0x03) == "0A01329000"
    assert read(chip, 0x0B, 0x03) == "0B01019000"
    assert read(chip, 0x0C, 0x05) == "0C035101079000"
    assert read(chip, 0x0D, 0x06) == "0D04199003079000"


@pytest.mark.clause("S15", "G17")
@pytest.mark.parametrize("lost_by", ["reset", "reselect"])
def test_what_was_proven_ends_with_the_power_and_with_another_selection(
    chip: VirtualCard, device: SoftHsm, lost_by: str
) -> None:
    ask(chip, SSSE)
    external(chip, device)
    if lost_by == "reset":
        chip.reset()
    ask(chip, SSSE)
    ask(chip, EF06)
    assert read(chip, 0x08) == "6982"


def test_a_card_of_version_2_keeps_ef06_open(device: SoftHsm) -> None:
    chip = card(device, spec_version="2.00")
    ask(chip, SSSE)
    ask(chip, EF06)
    assert read(chip, 0x08).endswith("9000")


@pytest.mark.clause("A1")
@pytest.mark.parametrize(
    ("name", "first", "rest"),
    [
        ("张䶮", "张䶮", ""),
        ("阿依古丽·买买提·图尔荪巴克·甲乙丙", "阿依古丽·买买提·图尔荪巴克·", "甲乙丙"),
        ("𬭊" * 8, "𬭊" * 7, "𬭊"),  # four bytes each: never cut within one
    ],
)
def test_long_and_rare_names_go_on_in_the_second_field(
    device: SoftHsm, name: str, first: str, rest: str
) -> None:
    chip = card(device, name=name)
    ask(chip, SSSE)
    external(chip, device)
    ask(chip, EF06)
    values = [bytes.fromhex(read(chip, tag)[4:-4]).rstrip(b"\0").decode("gb18030") for tag in (0x09, 0x4E)]
    assert values == [first, rest]


def test_a_name_the_card_cannot_hold_is_not_cut(device: SoftHsm) -> None:
    with pytest.raises(NameTooLong):
        image(device, name="甲" * 26)


def test_numbers_that_are_no_citizen_s_have_no_birthplace(device: SoftHsm) -> None:
    chip = card(device, social_security_number="911124198108030", ethnicity="")
    ask(chip, SSSE)
    external(chip, device)
    ask(chip, EF06)
    assert read(chip, 0x08) == "0812" + b"911124198108030".hex().upper() + "0000009000"
    assert read(chip, 0x0C) == "0C03FFFFFF9000"
    assert read(chip, 0x0B) == "0B01FF9000"


# --- authentication ---


@pytest.mark.clause("E3")
def test_the_card_proves_itself(chip: VirtualCard, device: SoftHsm) -> None:
    ask(chip, SSSE)
    factor, data = bytes(range(8)), bytes(range(8, 16))
    expected = device.authenticator(CardKey.IRK, CHIP, factor=factor, data=data)
    assert ask(chip, bytes.fromhex("0088000010") + factor + data) == expected.hex().upper() + "9000"


@pytest.mark.clause("S15")
def test_three_wrong_proofs_block_the_key_for_good(chip: VirtualCard, device: SoftHsm) -> None:
    ask(chip, SSSE)
    for status in ("63C2", "63C1", "63C0"):
        ask(chip, CHALLENGE)
        data = chip.transmit(CHALLENGE)[:8]
        assert ask(chip, bytes.fromhex("0082000A10") + bytes(8) + data) == status
    assert external(chip, device) == "6983"
    chip.reset()
    ask(chip, SSSE)
    assert external(chip, device) == "6983"


def test_a_right_proof_gives_the_tries_back(chip: VirtualCard, device: SoftHsm) -> None:
    ask(chip, SSSE)
    for _ in range(4):
        ask(chip, CHALLENGE)
        ask(chip, CHALLENGE)
        assert ask(chip, "0082000A10" + "00" * 16) == "63C2"
        assert external(chip, device) == "9000"


@pytest.mark.clause("S15")
def test_a_proof_is_good_for_one_pair_of_challenges(chip: VirtualCard, device: SoftHsm) -> None:
    ask(chip, SSSE)
    data, factor = chip.transmit(CHALLENGE)[:8], chip.transmit(CHALLENGE)[:8]
    value = device.authenticator(CardKey.RKSSSE, CHIP, factor=factor, data=data)
    command = bytes.fromhex("0082000A10") + value + data
    assert ask(chip, command) == "9000"
    assert ask(chip, command) == "6984", "no challenge is left"
    ask(chip, CHALLENGE)
    ask(chip, CHALLENGE)
    assert ask(chip, command) == "63C2", "and new ones want a new proof"


def test_another_card_s_proof_opens_nothing(chip: VirtualCard, device: SoftHsm) -> None:
    ask(chip, SSSE)
    data, factor = chip.transmit(CHALLENGE)[:8], chip.transmit(CHALLENGE)[:8]
    other = keys.Chip.of(CHIP.identification, f"{CHIP.reset_info[:-1]}8")
    value = device.authenticator(CardKey.RKSSSE, other, factor=factor, data=data)
    assert ask(chip, bytes.fromhex("0082000A10") + value + data) == "63C2"


# --- the PIN ---


@pytest.mark.clause("S15")
def test_three_wrong_pins_lock_it_for_good(chip: VirtualCard) -> None:
    right, wrong = VERIFY + pin_block(PIN), VERIFY + pin_block("000000")
    assert ask(chip, wrong) == "63C2"
    assert ask(chip, right) == "9000", "a right one gives the tries back"
    assert [ask(chip, wrong) for _ in range(3)] == ["63C2", "63C1", "63C0"]
    assert ask(chip, right) == "6983"
    chip.reset()
    assert ask(chip, right) == "6983"


def test_whether_a_pin_is_needed(chip: VirtualCard) -> None:
    assert ask(chip, "0020000000") == "63C3"
    ask(chip, VERIFY + pin_block(PIN))
    assert ask(chip, "0020000000") == "9000"
    chip.reset()
    assert ask(chip, "0020000000") == "63C3"
    assert [ask(chip, VERIFY + b"\0\0\0") for _ in range(3)] == ["63C2", "63C1", "63C0"]
    assert ask(chip, "0020000000") == "6983"


def reset_pin(chip: VirtualCard, device: SoftHsm, pin: str, *, spoilt: bool = False) -> str:
    factor = chip.transmit(CHALLENGE)[:8]
    session = keys.session_key(device.personalise(CHIP)[CardKey.STKSSSE], factor)
    message = keys.seal_secret(session, bytes.fromhex("8424000114"), pin_block(pin))
    if spoilt:
        message = message[:-1] + bytes((message[-1] ^ 1,))
    return ask(chip, bytes.fromhex("8424000114") + message)


@pytest.mark.clause("B2")
def test_a_locked_pin_is_set_anew_under_puk(chip: VirtualCard, device: SoftHsm) -> None:
    for _ in range(3):
        ask(chip, VERIFY + b"\0\0\0")
    ask(chip, SSSE)
    assert reset_pin(chip, device, "135790") == "6982", "not without PUK"
    assert external(chip, device, CardKey.PUK, 0x06) == "9000"
    assert reset_pin(chip, device, "135790", spoilt=True) == "6988"
    assert reset_pin(chip, device, "135790") == "6982", "PUK is good for one try"
    assert external(chip, device, CardKey.PUK, 0x06) == "9000"
    assert reset_pin(chip, device, "135790") == "9000"
    assert ask(chip, VERIFY + pin_block(PIN)) == "63C2"
    assert ask(chip, VERIFY + pin_block("135790")) == "9000"


def test_a_pin_is_not_set_without_a_challenge(chip: VirtualCard, device: SoftHsm) -> None:
    ask(chip, SSSE)
    external(chip, device, CardKey.PUK, 0x06)
    assert ask(chip, "8424000114" + "00" * 20) == "6984"


# --- whatever bytes come ---

_HEADS = [
    "00A4", "00B2", "00B0", "00DC", "0084", "0088", "0082", "0020", "805E", "8424", "B028", "B02C", "B02A", "B02E",
]  # fmt: skip
commands = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda head, parameters, data, tail: bytes.fromhex(head) + parameters + bytes((len(data),)) + data + tail,
        st.sampled_from(_HEADS), st.binary(min_size=2, max_size=2), st.binary(max_size=40), st.binary(max_size=1),
    ),
    st.sampled_from([SSSE, EF05, EF06, CHALLENGE, bytes.fromhex("00A4040006D15600000503"), VERIFY + b"\0\0\0"]),
    st.builds(lambda p1, p2: bytes((0x00, 0xB2, p1, p2, 0)), st.integers(0, 255), st.sampled_from([0, 4, 5])),
)  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return image(hsm(tmp_path_factory.mktemp("keys")))


@given(st.lists(commands, max_size=30))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_get_a_status_word_and_no_secret(written: Image, sent: list[bytes]) -> None:
    chip = VirtualCard(written, draws())
    for command in sent:
        answer = chip.transmit(command)
        assert 2 <= len(answer) <= 258
        assert answer[-2] in {0x90, 0x63, 0x67, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x93, 0x94}
        assert len(answer) == 2 or answer.endswith(OK), "data only with 9000"
        assert not any(key in answer for key in written.keys.values())
        assert written.pin not in answer[:-2]
        assert b"510107199003070129" not in answer, "personal data only to a terminal that has proven itself"


@given(st.lists(commands, max_size=30), st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_stranger_s_bytes_change_nothing_but_the_tries(
    written: Image,
    sent: list[bytes],
    contactless: bool,  # noqa: FBT001
) -> None:
    chip = VirtualCard(written, draws(), contactless=contactless)
    before = chip._state.memory
    for command in sent:
        held = chip._state
        answer = chip.transmit(command)
        after = chip._state.memory
        assert (after.written, after.pin, after.log, after.balance) == (
            before.written, before.pin, before.log, before.balance,
        )  # fmt: skip
        if apdu.parse(command) is None or answer[0] in {0x67, 0x6B, 0x6C, 0x6D, 0x6E}:
            ended = held if held.session.begun is None else held.now(begun=None)
            assert chip._state in {held, ended}, "what is malformed does nothing; it may end a transaction"
    assert not contactless or chip._state.memory.pin_tries == 3, "no PIN is guessed through the air"


@given(st.binary(max_size=270))
def test_a_command_taken_apart_is_the_same_put_together(raw: bytes) -> None:
    command = apdu.parse(raw)
    if command is None:
        return
    head = bytes((command.cla, command.ins, command.p1, command.p2))
    size = bytes((len(command.data),)) if command.data else b""
    expected = b"" if command.expected is None else bytes((command.expected % 256,))
    assert head + size + command.data + expected == raw


class Guessing(RuleBasedStateMachine):
    """A stranger with the card in his hand: he never gets past three guesses, resets or not."""

    written: Image

    def __init__(self) -> None:
        super().__init__()
        self.chip = VirtualCard(self.written, draws())
        self.guesses = 0

    @rule(pin=st.integers(0, 999_999).filter(lambda pin: pin != int(PIN)))
    def guess(self, pin: int) -> None:
        answer = ask(self.chip, VERIFY + pin_block(f"{pin:06d}"))
        assert answer == (f"63C{2 - self.guesses}" if self.guesses < 3 else "6983")
        self.guesses += self.guesses < 3

    @rule()
    def power(self) -> None:
        self.chip.reset()

    @rule(command=commands.filter(lambda raw: raw[:2] not in {b"\x00\x20", b"\x80\x5e"}))
    def other(self, command: bytes) -> None:
        self.chip.transmit(command)

    @invariant()
    def never_shown(self) -> None:
        assert ask(self.chip, "0020000000") == (f"63C{3 - self.guesses}" if self.guesses < 3 else "6983")


def test_guessing_a_pin(written: Image) -> None:
    Guessing.written = written
    machine = Guessing.TestCase()
    machine.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
    machine.runTest()
