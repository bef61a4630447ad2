import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from yikatong.registry.cards import numbers

SEQUENCES = st.integers(0, numbers.SEQUENCE_MAX)
LETTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_the_standards_example() -> None:
    assert numbers.check("D2143569-X") == "D2143569X"
    assert numbers.make("D", 2143569) == "D2143569X"


@given(LETTERS, SEQUENCES)
def test_made_numbers_are_sound(letter: str, sequence: int) -> None:
    number = numbers.make(letter, sequence)

    assert len(number) == 9
    assert numbers.check(number.lower()) == number
    assert numbers.sequence_number(number[1:8]) == sequence


@given(LETTERS, st.integers(0, 9_999_999), st.integers(1, 7), st.integers(1, 9))
def test_any_single_wrong_digit_is_caught(letter: str, sequence: int, at: int, shift: int) -> None:
    number = numbers.make(letter, sequence)
    wrong = number[:at] + str((int(number[at]) + shift) % 10) + number[at + 1 :]

    with pytest.raises(numbers.BadCardNumber):
        numbers.check(wrong)


@given(LETTERS, LETTERS, SEQUENCES)
def test_a_wrong_area_letter_is_caught_unless_eleven_away(right: str, wrong: str, sequence: int) -> None:
    assume((ord(right) - ord(wrong)) % 11 != 0)

    with pytest.raises(numbers.BadCardNumber):
        numbers.check(wrong + numbers.make(right, sequence)[1:])


@given(SEQUENCES, SEQUENCES)
def test_sequences_sort_like_their_numbers(one: int, other: int) -> None:
    assert (one < other) == (numbers.sequence_text(one) < numbers.sequence_text(other))


def test_sequences_at_their_borders() -> None:
    edges = [0, 9_999_999, 10_000_000, 10_000_035, numbers.SEQUENCE_MAX]

    assert [numbers.sequence_text(n) for n in edges] == [
        "0000000",
        "9999999",
        "A000000",
        "A00000Z",
        "ZZZZZZZ",
    ]


@pytest.mark.parametrize("sequence", [-1, numbers.SEQUENCE_MAX + 1])
def test_no_number_past_the_last(sequence: int) -> None:
    with pytest.raises(numbers.SequenceExhausted):
        numbers.make("A", sequence)


@pytest.mark.parametrize("letter", ["", "a", "1", "AB", "川"])
def test_the_area_is_one_capital(letter: str) -> None:
    with pytest.raises(numbers.BadCardNumber):
        numbers.make(letter, 1)


@pytest.mark.parametrize("number", ["", "D2143569", "D21435690", "12143569X", "D2143569XX", "D214356９X"])
def test_bad_card_numbers(number: str) -> None:
    with pytest.raises(numbers.BadCardNumber) as refusal:
        numbers.check(number)

    assert (refusal.value.code, refusal.value.status) == ("card_number_invalid", 422)


@pytest.mark.parametrize("text", ["0A00000", "", "00000000", "a000000"])
def test_sequences_that_are_never_made(text: str) -> None:
    with pytest.raises(numbers.BadCardNumber):
        numbers.sequence_number(text)


def test_luhn_of_published_samples() -> None:
    assert numbers.luhn_digit("7992739871") == "3"
    assert numbers.luhn_ok("4111111111111111")
    assert not numbers.luhn_ok("4111111111111112")


@pytest.mark.parametrize(
    "number", ["", "79927398713", "4111 1111 1111 1111", "４１１１１１１１１１１１１１１１"]
)
def test_luhn_wants_sixteen_to_nineteen_digits(number: str) -> None:
    assert not numbers.luhn_ok(number)


@given(st.from_regex(r"62[0-9]{13,16}", fullmatch=True), st.integers(0, 14), st.integers(1, 9))
def test_luhn_catches_any_single_wrong_digit(body: str, at: int, shift: int) -> None:
    number = body + numbers.luhn_digit(body)
    wrong = number[:at] + str((int(number[at]) + shift) % 10) + number[at + 1 :]

    assert numbers.luhn_ok(number)
    assert not numbers.luhn_ok(wrong)


def test_identifier_of_a_card() -> None:
    identifier = numbers.identifier("510100", 0x12AB, bytes.fromhex("DEADBEEF"))

    assert identifier == "510100D156000005000012ABDEADBEEF"
    assert numbers.check_identifier(identifier.lower()) == identifier


@pytest.mark.parametrize(
    ("city", "serial", "authenticator"),
    [
        ("5101", 1, b"1234"),
        ("51010A", 1, b"1234"),
        ("510100", 2**32, b"1234"),
        ("510100", -1, b"1234"),
        ("510100", 1, b"123"),
    ],
)
def test_bad_parts_of_an_identifier(city: str, serial: int, authenticator: bytes) -> None:
    with pytest.raises(numbers.BadIdentifier):
        numbers.identifier(city, serial, authenticator)


@pytest.mark.parametrize("text", ["", "510100D156000006000012ABDEADBEEF", "510100D156000005000012ABDEADBEE"])
def test_bad_identifiers(text: str) -> None:
    with pytest.raises(numbers.BadIdentifier):
        numbers.check_identifier(text)


def test_reset_information() -> None:
    reset = numbers.reset_information(b"\x00\x81\x54\x44\x4b", bytes(range(8)))

    assert reset == "008154444B0001020304050607"
    assert len(reset) == 26
    assert numbers.diversification_factor(reset) == bytes(range(8))


def test_reset_information_of_a_wrong_size() -> None:
    with pytest.raises(numbers.BadIdentifier):
        numbers.reset_information(b"\x00", bytes(8))
    with pytest.raises(numbers.BadIdentifier):
        numbers.diversification_factor("00")
