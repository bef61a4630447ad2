from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yikatong.registry.holders import certificates
from yikatong.registry.holders.certificates import BadCertificate, Certificate, Kind, check, check_character

TODAY = date(2026, 11, 21)
# 110103 (崇文区) was abolished in 2010: its people keep their numbers.
DIVISIONS = frozenset({"110000", "110103", "110105", "340524", "440524", "510104", "510000"})


def read(kind: Kind, number: str) -> Certificate:
    return check(kind, number, known_divisions=DIVISIONS, today=TODAY)


def with_check(body: str) -> str:
    return body + check_character(body)


FIRST_SAMPLE = Certificate(Kind.RESIDENT_ID, "11010519491231002X", date(1949, 12, 31), "2", "110105")


@pytest.mark.clause("A1", "G5")
@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002X",
        "11010519491231002x",
        "１１０１０５１９４９１２３１００２ｘ",
        " 110105 19491231 002-X ",
    ],
)
def test_the_first_sample_of_the_standard(typed: str) -> None:
    assert read(Kind.RESIDENT_ID, typed) == FIRST_SAMPLE


def test_the_second_sample_of_the_standard_is_sound_but_nobody_is_so_old() -> None:
    with pytest.raises(certificates.WrongBirthDate, match="早于 1900 年"):
        read(Kind.RESIDENT_ID, "440524188001010014")


def test_a_man_born_in_1980() -> None:
    assert read(Kind.RESIDENT_ID, "34052419800101001X") == Certificate(
        Kind.RESIDENT_ID, "34052419800101001X", date(1980, 1, 1), "1", "340524"
    )


def test_an_abolished_division_still_counts() -> None:
    number = with_check("11010319700301002")

    assert read(Kind.RESIDENT_ID, number).region == "110103"


@pytest.mark.clause("A3", "G10")
@pytest.mark.parametrize("region", ["810000", "820000", "830000"])
def test_compatriots_residence_permit(region: str) -> None:
    number = with_check(region + "19850607012")

    assert read(Kind.HK_MO_TW_RESIDENCE, number) == Certificate(
        Kind.HK_MO_TW_RESIDENCE, number, date(1985, 6, 7), "2", region
    )
    with pytest.raises(certificates.OtherKind, match="港澳台居民居住证") as refusal:
        read(Kind.RESIDENT_ID, number)
    assert refusal.value.facts == {"kind": "M"}


@pytest.mark.clause("A3", "O7")
def test_published_specimen_of_the_permanent_residence_card() -> None:
    number = "911124198108030024"

    assert read(Kind.FOREIGN_RESIDENT, number) == Certificate(
        Kind.FOREIGN_RESIDENT, number, date(1981, 8, 3), "2", "110000"
    )
    with pytest.raises(certificates.OtherKind, match="外国人永久居留身份证"):
        read(Kind.RESIDENT_ID, number)


@pytest.mark.parametrize(
    ("kind", "typed", "number"),
    [
        (Kind.FOREIGN_RESIDENT, "usa110083073001", "USA110083073001"),
        (Kind.PASSPORT, "e 1234-5678", "E12345678"),
        (Kind.HK_MO_PERMIT, "h12345678", "H12345678"),
        (Kind.HK_MO_PERMIT, "M1234567802", "M12345678"),  # one person, however often re-issued
        (Kind.TW_PERMIT, "０１２３４５６７", "01234567"),
    ],
)
def test_other_documents(kind: Kind, typed: str, number: str) -> None:
    assert read(kind, typed) == Certificate(kind, number)


@pytest.mark.clause("A1")
@pytest.mark.parametrize(
    ("kind", "number", "code", "words"),
    [
        (Kind.RESIDENT_ID, "  ", "certificate_length", "请填写居民身份证号码"),
        (Kind.RESIDENT_ID, "1101051949123100", "certificate_length", "现在是 16 位"),
        (Kind.RESIDENT_ID, "110105491231002", "certificate_old_number", "15 位旧号码"),
        (Kind.RESIDENT_ID, "1101051949123100XX", "certificate_characters", "前 17 位应为数字"),
        (Kind.RESIDENT_ID, "11010519491231002Y", "certificate_characters", "末位为数字或 X"),
        (Kind.RESIDENT_ID, "110105194912310020", "certificate_checksum", "校验码不符"),
        (Kind.RESIDENT_ID, with_check("99010519491231002"), "certificate_kind", "外国人永久居留身份证"),
        (Kind.RESIDENT_ID, with_check("12345619491231002"), "certificate_region", "行政区划代码"),
        (Kind.RESIDENT_ID, with_check("11010519490230002"), "certificate_birth_date", "不存在"),
        (Kind.RESIDENT_ID, with_check("11010520261122002"), "certificate_birth_date", "晚于今天"),
        (Kind.RESIDENT_ID, with_check("11010518991231002"), "certificate_birth_date", "早于 1900 年"),
        (Kind.HK_MO_TW_RESIDENCE, "11010519491231002X", "certificate_region", "810000"),
        (Kind.FOREIGN_RESIDENT, "11010519491231002X", "certificate_region", "以 9、"),
        (Kind.FOREIGN_RESIDENT, with_check("97712419810803002"), "certificate_region", "受理地"),
        (Kind.FOREIGN_RESIDENT, with_check("91115619810803002"), "certificate_region", "国籍"),
        (Kind.FOREIGN_RESIDENT, "911124198108030025", "certificate_checksum", "校验码不符"),
        (Kind.FOREIGN_RESIDENT, "USA11008307300", "certificate_length", "现在是 14 位"),
        (Kind.FOREIGN_RESIDENT, "US1110083073001", "certificate_characters", "3 位字母"),
        (Kind.FOREIGN_RESIDENT, "USA110083133001", "certificate_birth_date", "第 8 至 13 位"),
        (Kind.PASSPORT, "E123", "certificate_length", "5 至 15 位"),
        (Kind.PASSPORT, "E1234567890123456", "certificate_length", "5 至 15 位"),
        (Kind.PASSPORT, "ABCDEF", "certificate_characters", "含有数字"),
        (Kind.PASSPORT, "护照1234567", "certificate_characters", "字母和数字"),
        (Kind.HK_MO_PERMIT, "H1234567", "certificate_length", "8 位数字"),
        (Kind.HK_MO_PERMIT, "A12345678", "certificate_characters", "H 或 M"),
        (Kind.TW_PERMIT, "1234567", "certificate_length", "8 位"),
        (Kind.TW_PERMIT, "1234567A", "certificate_characters", "全部为数字"),
    ],
)
def test_refusals(kind: Kind, number: str, code: str, words: str) -> None:
    with pytest.raises(BadCertificate) as refusal:
        read(kind, number)

    assert (refusal.value.code, refusal.value.status) == (code, 422)
    assert words in refusal.value.message


def test_a_refused_checksum_does_not_tell_the_right_one() -> None:
    with pytest.raises(certificates.WrongChecksum) as refusal:
        read(Kind.RESIDENT_ID, "110105194912310020")

    assert refusal.value.message == "校验码不符，请对照证件逐位核对号码。"
    assert refusal.value.facts == {}


BODIES = st.builds(
    lambda born, sequence: f"510104{born:%Y%m%d}{sequence:03d}",
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(0, 999),
)


@given(BODIES)
def test_every_sound_number_is_accepted(body: str) -> None:
    found = read(Kind.RESIDENT_ID, with_check(body))

    assert found.birth_date is not None
    assert (f"{found.birth_date:%Y%m%d}", found.sex) == (body[6:14], "21"[int(body[16]) % 2])


@given(BODIES, st.integers(0, 16), st.integers(1, 9))
def test_any_single_wrong_digit_is_caught(body: str, at: int, shift: int) -> None:
    number = with_check(body)
    wrong = number[:at] + str((int(number[at]) + shift) % 10) + number[at + 1 :]

    with pytest.raises(certificates.WrongChecksum):
        read(Kind.RESIDENT_ID, wrong)


@given(BODIES, st.integers(0, 15))
def test_any_swap_of_neighbours_is_caught(body: str, at: int) -> None:
    number = with_check(body)
    wrong = number[:at] + number[at + 1] + number[at] + number[at + 2 :]

    if wrong != number:
        with pytest.raises(certificates.WrongChecksum):
            read(Kind.RESIDENT_ID, wrong)


@pytest.mark.clause("cap:O1")
def test_mask_hides_the_birth_date() -> None:
    assert certificates.mask("11010519491231002X") == "110***********002X"


def test_kinds_carry_the_exchange_letters() -> None:
    assert {kind.value: kind.label for kind in Kind} == {
        "A": "居民身份证",
        "C": "护照",
        "D": "外国人永久居留身份证",
        "J": "港澳居民来往内地通行证",
        "K": "台湾居民来往大陆通行证",
        "M": "港澳台居民居住证",
        "B": "出生医学证明",
    }
