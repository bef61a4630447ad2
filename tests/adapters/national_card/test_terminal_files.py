"""iReadCard and iWriteCard over the virtual card: any items by file address, and writing that nothing can spoil."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.cards import CHIP, WANG_FANG, Torn, card, draws, hsm, image
from tests.adapters.national_card.test_terminal import number_of
from tests.adapters.national_card.test_terminal_pin import THIS, refused
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import items, terminal, terminal_files
from yikatong.adapters.national_card.image import BMP_HEAD, Image, Permit, PhotoTooLarge
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.registry.cards.chip import authentication
from yikatong.registry.cards.chip.requests import CardInfo, DebitRequest, KeyRequest

ALL = "3F00EF06|08|09|4E|0A|0B|0C|0D|$"
NAMES = "3F00EF06|09|4E|$"
PERMIT = Permit("51A2026000123", "四川省外国专家局", date(2026, 3, 1), date(2028, 2, 29))
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4 + b"\xff\xd9"


@pytest.fixture
def device(tmp_path: Path) -> SoftHsm:
    return hsm(tmp_path)


@pytest.fixture
def chip(device: SoftHsm) -> VirtualCard:
    return card(device)


def read(chip: terminal.Channel, device: SoftHsm, wanted: str) -> str:
    begun = terminal_files.begin_read(chip, THIS, wanted)
    return terminal_files.finish_read(chip, begun, authentication.prove(begun.request, CHIP, device))


def write(chip: terminal.Channel, device: SoftHsm, wanted: str, data: str) -> None:
    begun = terminal_files.begin_write(chip, THIS, wanted)
    terminal_files.finish_write(chip, begun, authentication.prove(begun.request, CHIP, device), data)


# --- reading ---


@pytest.mark.clause("E3")
@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (ALL, "3F00EF06|510107199003070129|王芳||2|01|510107|19900307|$"),
        ("3F00EF06|0D|09|$", "3F00EF06|19900307|王芳|$"),
        ("3F00EF05|02|03|05|06|$", "3F00EF05|3|3.00|20261120|20361120|$"),
        (
            "3F00EF05|01|04|07|$",
            f"3F00EF05|{CHIP.identification}|915600000251010051010001|{WANG_FANG.card_number}|$",
        ),
        ("DF01EF06|21|$", "DF01EF06||$"),
        ("DF02EF0C|31|32|33|34|$", "DF02EF0C|||||$"),
    ],
)
def test_items_are_read_by_their_address(chip: VirtualCard, device: SoftHsm, wanted: str, told: str) -> None:
    assert read(chip, device, wanted) == told


@pytest.mark.clause("A3", "O7")
def test_a_work_permit_is_carried_on_the_card(device: SoftHsm) -> None:
    chip = card(device, permit=PERMIT, residence="510104")
    assert read(chip, device, "DF02EF0C|31|34|32|33|$") == (
        "DF02EF0C|51A2026000123|四川省外国专家局|20260301|20280229|$"
    )
    assert read(chip, device, "DF01EF06|21|$") == "DF01EF06|510104|$"


@pytest.mark.clause("S15", "G17")
@pytest.mark.parametrize("wanted", ["DF02EF0C", "DF01EF06", "3F00EF06", "3F00EF07", "3F00EF08"])
def test_nothing_personal_is_read_without_proof(device: SoftHsm, wanted: str) -> None:
    chip = card(device, permit=PERMIT, residence="510104", photo=JPEG)
    application = {"DF02": "D15600000501", "DF01": "D15600000500"}.get(wanted[:4])
    terminal.select_environment(chip)
    if application:
        terminal.select_application(chip, bytes.fromhex(application))
    terminal.select_file(chip, int(wanted[4:], 16))
    assert {chip.transmit(bytes((0, 0xB2, tag, 0, 0))).hex() for tag in range(256)} == {"6982"}
    assert chip.transmit(bytes.fromhex("00B2010500")).hex() == "6982"
    assert chip.transmit(bytes.fromhex("00B0000010")).hex() == "6982"


@pytest.mark.parametrize(
    "picture", [JPEG, b"", JPEG.ljust(0xFFE, b"\1") + b"\xff\xd9"], ids=["jpeg", "none", "large"]
)
def test_the_photo_comes_back_whole(device: SoftHsm, picture: bytes) -> None:
    chip = card(device, photo=picture)
    told = read(chip, device, "3F00EF08|$")
    content = bytes.fromhex(told.removeprefix("3F00EF08|").removesuffix("|$"))
    assert len(content) == 4096
    assert terminal_files.photo(content) == picture


def test_a_bitmap_may_end_in_zeros_and_other_pictures_are_none() -> None:
    bitmap = BMP_HEAD + (64).to_bytes(4, "little") + bytes(58)
    assert terminal_files.photo(bitmap.ljust(4096, b"\0")) == bitmap
    for content in (b"GIF89a".ljust(4096, b"\0"), BMP_HEAD + bytes(4093) + b"1"):
        assert refused(lambda content=content: terminal_files.photo(content))[0] == -23


def test_a_photo_that_is_too_large_is_not_cut(device: SoftHsm) -> None:
    with pytest.raises(PhotoTooLarge, match="4096 字节"):
        image(device, photo=bytes(4097))


def test_fingerprints_are_not_kept_by_the_platform(chip: VirtualCard, device: SoftHsm) -> None:
    assert read(chip, device, "3F00EF07|$") == f"3F00EF07|{'00' * 0x300}|$"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00B0030010", "6B00"), ("00B002F820", "6C08"), ("00B0000000", "9000"), ("00B002FF00", "9000"),
        ("00B0000002AABB", "6700"), ("00B00000", "6700"), ("00B2010000", "6981"), ("00DC01000101", "6981"),
    ],
)  # fmt: skip
def test_wrong_pieces_have_their_status_words(
    chip: VirtualCard, device: SoftHsm, command: str, status: str
) -> None:
    read(chip, device, "3F00EF07|$")
    assert chip.transmit(bytes.fromhex(command)).hex().upper()[-4:] == status


def test_a_list_is_not_read_in_pieces(chip: VirtualCard, device: SoftHsm) -> None:
    read(chip, device, ALL)
    assert chip.transmit(bytes.fromhex("00B0000010")).hex() == "6981"


@pytest.mark.parametrize(
    "wanted",
    [
        "", "3F00EF06", "3F00EF06|08", "3F00EF06|$", "3F00EF06|99|$", "3F00EF06|08|08|$", "3F00EF06|8|$",
        "3F00EF09|01|$", "3F00EF07|01|$", "DF03EF05|01|$", "3F00EF06|08|$3F00EF05|01|$", "3F00EF06|0a|$", "$" * 2000,
    ],
)  # fmt: skip
def test_addresses_that_are_none(chip: VirtualCard, wanted: str) -> None:
    for begin in (terminal_files.begin_read, terminal_files.begin_write):
        assert refused(lambda begin=begin: begin(chip, THIS, wanted)) == (-14, "命令参数错，请更新终端软件")


def test_a_step_sent_twice_and_a_card_changed_in_between(chip: VirtualCard, device: SoftHsm) -> None:
    begun = terminal_files.begin_read(chip, THIS, ALL)
    answer = authentication.prove(begun.request, CHIP, device)
    first = terminal_files.finish_read(chip, begun, answer)
    repeat = lambda: terminal_files.finish_read(chip, begun, answer)  # noqa: E731
    assert refused(repeat) == (-27012, "随机数无效"), "Step2 again"
    chip.reset()
    assert refused(repeat) == (-27013, "不满足使用条件"), "the card was lifted: Step1 is over"
    begun = terminal_files.begin_read(chip, THIS, ALL)
    assert refused(lambda: terminal_files.finish_read(chip, begun, answer)) == (
        -22, "传入数据与卡内不符，请重新读卡",
    )  # fmt: skip
    assert read(chip, device, ALL) == first


# --- writing ---


@pytest.mark.clause("A1", "B2", "E3")
def test_a_changed_name_is_written(chip: VirtualCard, device: SoftHsm) -> None:
    write(chip, device, NAMES, "3F00EF06|阿依古丽·买买提·图尔荪巴克·|甲乙丙|$")
    chip.reset()
    assert read(chip, device, NAMES) == "3F00EF06|阿依古丽·买买提·图尔荪巴克·|甲乙丙|$"
    assert read(chip, device, "3F00EF06|08|0D|$") == "3F00EF06|510107199003070129|19900307|$", (
        "the rest stays"
    )


@pytest.mark.clause("A3", "O7")
def test_a_work_permit_is_written_and_taken_off(chip: VirtualCard, device: SoftHsm) -> None:
    permit = "DF02EF0C|31|32|33|34|$"
    data = "DF02EF0C|51A2026000123|20260301|20280229|四川省外国专家局|$"
    write(chip, device, permit, data)
    assert read(chip, device, permit) == data
    write(chip, device, permit, "DF02EF0C|||||$")
    assert read(chip, device, permit) == "DF02EF0C|||||$"
    write(chip, device, "DF01EF06|21|$", "DF01EF06|510104|$")
    assert read(chip, device, "DF01EF06|21|$") == "DF01EF06|510104|$"


@pytest.mark.parametrize(
    ("data", "number"),
    [
        ("3F00EF06|王芳|$", -14),
        ("3F00EF06|王芳||x|$", -14),
        ("3F00EF05|王芳||$", -14),
        ("3F00EF06|王芳|", -14),
        ("3F00EF06|" + "甲" * 16 + "||$", -42),
        ("3F00EF06|\ud800||$", -41),
    ],
)
def test_values_that_do_not_fit_write_nothing(
    chip: VirtualCard, device: SoftHsm, data: str, number: int
) -> None:
    before = chip._state.memory
    assert refused(lambda: write(chip, device, NAMES, data))[0] == number
    assert chip._state.memory == before


def test_digits_only_where_digits_stand(chip: VirtualCard, device: SoftHsm) -> None:
    birth = "3F00EF06|0D|$"
    assert refused(lambda: write(chip, device, birth, "3F00EF06|1990x307|$")) == (-41, "运算数据含非法字符")
    assert refused(lambda: write(chip, device, birth, "3F00EF06|199003071|$")) == (-42, "运算数据长度错")


@pytest.mark.parametrize("wanted", ["3F00EF05|02|$", "3F00EF07|$", "3F00EF08|$"])
def test_what_the_maker_alone_writes(chip: VirtualCard, wanted: str) -> None:
    assert refused(lambda: terminal_files.begin_write(chip, THIS, wanted)) == (
        -24, "密钥级别不够，该终端不能办理此业务，请到窗口办理",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00DC0A0003" + "0A0131", "6982"),  # RKSSSE reads, it does not write
        ("00DC0A0403" + "0A0131", "6A86"),
        ("00DC0A00", "6982"),
    ],
)
def test_reading_opens_no_writing(chip: VirtualCard, device: SoftHsm, command: str, status: str) -> None:
    read(chip, device, ALL)
    assert chip.transmit(bytes.fromhex(command)).hex().upper() == status


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00DC990003" + "990131", "6A83"),
        ("00DC0A0002" + "0A01", "6700"),
        ("00DC0A0004" + "0A013131", "6700"),
        ("00DC0A0003" + "0B0131", "6A80"),
        ("00DC0A0003" + "0A0231", "6A80"),
        ("00DC0A0003" + "0A0131", "9000"),
    ],
)
def test_wrong_writings_have_their_status_words(
    chip: VirtualCard, device: SoftHsm, command: str, status: str
) -> None:
    write(chip, device, NAMES, "3F00EF06|王芳||$")
    before = chip._state.memory
    assert chip.transmit(bytes.fromhex(command)).hex().upper() == status
    assert (chip._state.memory == before) is (status != "9000")


def test_ef05_is_never_written_even_with_the_key(chip: VirtualCard, device: SoftHsm) -> None:
    write(chip, device, NAMES, "3F00EF06|王芳||$")
    terminal.select_file(chip, 0xEF05)
    assert chip.transmit(bytes.fromhex("00DC020003" + "020134")).hex() == "6982"


OLD, FRESH = "3F00EF06|王芳||2|$", "3F00EF06|阿依古丽·买买提·图尔荪巴克·|甲乙丙|1|$"
WRITTEN = "3F00EF06|09|4E|0A|$"


@pytest.mark.clause("B2")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_card_torn_out_anywhere_loses_nothing_and_is_written_by_doing_it_again(
    device: SoftHsm, when: str
) -> None:
    whole = Torn(card(device), at=10_000, is_done=False)
    write(whole, device, WRITTEN, FRESH)
    for at in range(1, whole.sent + 1):
        chip = card(device)
        torn = Torn(chip, at=at, is_done=when == "after")
        assert refused(lambda torn=torn: write(torn, device, WRITTEN, FRESH))[0] == -4
        found = read(chip, device, WRITTEN).split("|")[1:-1]
        pairs = zip(found, OLD.split("|")[1:-1], FRESH.split("|")[1:-1], strict=True)
        assert all(value in {old, fresh} for value, old, fresh in pairs), (
            "each item whole, the old or the new"
        )
        assert read(chip, device, "3F00EF06|08|0D|$") == "3F00EF06|510107199003070129|19900307|$"
        write(chip, device, WRITTEN, FRESH)
        assert read(chip, device, WRITTEN) == FRESH
        assert chip._state.memory.tries_of(terminal_files.CardKey.UKSSSE) == 3


@pytest.mark.clause("A1", "B2")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_torn_card_never_tells_half_of_one_name_and_half_of_another(device: SoftHsm, when: str) -> None:
    old = ("欧阳娜依古丽·阿卜杜热合曼", "·买买提")
    new = ("阿依古丽·买买提·图尔荪巴克·", "甲乙丙")
    fresh = f"3F00EF06|{new[0]}|{new[1]}|$"

    def carded() -> VirtualCard:
        chip = card(device)
        write(chip, device, NAMES, f"3F00EF06|{old[0]}|{old[1]}|$")
        return chip

    whole = Torn(carded(), at=10_000, is_done=False)
    write(whole, device, NAMES, fresh)
    told = set()
    for at in range(1, whole.sent + 1):
        chip = carded()
        torn = Torn(chip, at=at, is_done=when == "after")
        assert refused(lambda torn=torn: write(torn, device, NAMES, fresh))[0] == -4
        told.add(tuple(read(chip, device, NAMES).split("|")[1:-1]))
    assert told <= {old, (old[0], ""), (new[0], ""), new}
    assert len(told) >= 3


# --- through the air ---


@pytest.mark.clause("S15", "G17")
def test_through_the_air_a_card_tells_what_it_must_and_no_more(device: SoftHsm) -> None:
    chip = VirtualCard(image(device, photo=JPEG), draw=draws(), contactless=True)
    assert chip.atr.hex().upper() == f"3B8D8001{CHIP.reset_info}{_check(CHIP.reset_info):02X}"
    assert read(chip, device, ALL) == "3F00EF06|510107199003070129|王芳||2|01|510107|19900307|$"
    begun = terminal.begin(chip)
    answered = authentication.answer(begun.request, device)
    assert terminal.finish(chip, begun, answered).name == "王芳"
    before = chip._state.memory
    for command in (
        "0020000003862904", "0020000000", "805E010007862904FF135790", "8424000004" + "00" * 4, "00B0000010",
        "00DC0A00030A0131", "B028010113" + "00" * 19, "B02E0002020000",
    ):  # fmt: skip
        assert chip.transmit(bytes.fromhex(command)).hex() == "6985"
    assert chip._state.memory == before
    assert refused(lambda: read(chip, device, "3F00EF08|$")) == (-27013, "不满足使用条件")
    chip.present(contactless=False)
    assert read(chip, device, "3F00EF08|$") == f"3F00EF08|{JPEG.ljust(4096, bytes(1)).hex().upper()}|$"


def test_the_answer_to_select_of_the_contactless_interface(device: SoftHsm) -> None:
    assert image(device).ats.hex().upper() == "1278807002" + CHIP.reset_info


def _check(reset_info: str) -> int:
    found = 0
    for byte in bytes.fromhex("8D8001" + reset_info):
        found ^= byte
    return found


# --- whatever texts come ---


@given(st.text(max_size=120))
def test_any_text_is_an_address_or_a_fault(text: str) -> None:
    reads: list[Callable[[], object]] = [
        lambda: items.address(text),
        lambda: items.with_values(items.address(ALL), text),
        lambda: CardInfo.read(text),
        lambda: KeyRequest.read(text),
        lambda: DebitRequest.read(text),
    ]
    for read_it in reads:
        assert number_of(lambda read_it=read_it: bool(read_it()) - 1) in {
            0,
            -1,
            -13,
            -14,
            -20,
            -23,
            -24,
            -41,
            -42,
        }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[SoftHsm, Image]:
    device = hsm(tmp_path_factory.mktemp("keys"))
    return device, image(device)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0x09, 0x4E, 0x0A]), st.text("甲𬭊·aé〇", max_size=12), st.integers(1, 16), st.booleans()
        ),
        max_size=8,
    )
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_card_holds_the_last_value_that_was_written_whole(
    written: tuple[SoftHsm, Image], writings: list[tuple[int, str, int, bool]]
) -> None:
    device, read_image = written
    chip = VirtualCard(read_image, draws())
    expected = {0x09: "王芳", 0x4E: "", 0x0A: "2"}
    for tag, value, at, is_done in writings:
        torn = Torn(chip, at=at, is_done=is_done)
        data = (f"3F00EF06|{tag:02X}|$", f"3F00EF06|{value}|$")
        number = number_of(lambda torn=torn, data=data: write(torn, device, *data) or 0)
        assert number in {0, -4, -42}
        expected[tag] = expected[tag] if number else value
        chip.reset()
        (found,) = read(chip, device, f"3F00EF06|{tag:02X}|$").split("|")[1:-1]
        assert found in {expected[tag], value}
        expected[tag] = found
    told = "".join(f"{expected[tag]}|" for tag in (0x09, 0x4E, 0x0A))
    assert read(chip, device, WRITTEN) == f"3F00EF06|{told}$"
