import pytest

from yikatong.core import gb18030
from yikatong.registry.holders import names
from yikatong.registry.holders.names import Name, card_fields, mask, normalise

LONG = "阿卜杜热合曼·吐尔逊买买提江·热合木"  # 18 characters, 36 bytes


@pytest.mark.clause("A1")
@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("王芳", "王芳"),
        (" 王　芳 ", "王芳"),
        ("张䶮", "张䶮"),
        ("李𬭊", "李𬭊"),
        ("王㛃", "王㛃"),
        ("赵𫖯", "赵𫖯"),
        ("王\ue81e", "王龴"),  # private use of the old tables
        ("王⼀", "王一"),  # a radical copied from a document
        ("阿米娜.买买提", "阿米娜·买买提"),
        ("阿米娜．买买提", "阿米娜·买买提"),
        ("阿米娜•买买提", "阿米娜·买买提"),
        ("阿米娜‧买买提", "阿米娜·买买提"),
        ("阿米娜・买买提", "阿米娜·买买提"),
        ("阿米娜 · 买买提", "阿米娜·买买提"),
        ("阿米娜 . 买买提", "阿米娜·买买提"),
        ("Ana•Maria", "Ana·Maria"),
        ("  John   R.R.  Smith ", "John R.R. Smith"),
        ("O’Neil", "O'Neil"),
        ("Ｊｏｈｎ", "John"),
        ("José", "José"),
        ("王〇", "王〇"),
        (LONG, LONG),
    ],
)
def test_one_spelling(typed: str, text: str) -> None:
    assert normalise(typed) == Name(text, original=typed)


def test_characters_newer_than_python_are_han() -> None:
    assert normalise("王\U0002ebf0\U00031350").text == "王\U0002ebf0\U00031350"


@pytest.mark.clause("A1")
@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        ("", "name_missing", "请填写姓名"),
        ("　 ", "name_missing", "请填写姓名"),
        ("-", "name_missing", "请填写姓名"),
        ("王1", "name_character", "第 2 个字符（U+0031）是数字"),
        ("王芳２", "name_character", "是数字"),
        ("王\u200b芳", "name_character", "控制字符"),
        ("王\x07芳", "name_character", "控制字符"),
        ("王\n芳", "name_character", "控制字符"),
        ("王\ue000", "name_character", "自造字"),
        ("王\U000e0fff", "name_character", "不是标准字符"),
        ("王\ud800", "name_character", "控制字符"),
        ("王芳😀", "name_character", "是符号"),
        ("王芳（大）", "name_character", "是标点"),
        ("葛\U000e0100", "name_character", "字形选择符"),
        ("·王芳", "name_separator", "间隔号"),
        ("王芳·", "name_separator", "间隔号"),
        ("阿米娜··买买提", "name_separator", "间隔号"),
        ("阿" * 26, "name_too_long", "50 字节"),
    ],
)
def test_refusals(typed: str, code: str, words: str) -> None:
    with pytest.raises(names.BadName) as refusal:
        normalise(typed)

    assert (refusal.value.code, refusal.value.status) == (code, 422)
    assert words in refusal.value.message


def test_twenty_five_characters_fit() -> None:
    first, rest = card_fields("阿" * 25)

    assert (len(first), len(rest)) == (30, 20)


def test_card_fields_are_cut_between_characters() -> None:
    first, rest = card_fields("阿" * 14 + "𬭊" + "江" * 5)

    assert (gb18030.decode(first), gb18030.decode(rest)) == ("阿" * 14, "𬭊" + "江" * 5)
    assert (len(first), len(rest)) == (28, 14)


def test_fifty_bytes_that_do_not_fit_the_two_fields_are_refused() -> None:
    name = "𬭊" * 12 + "江"  # 50 bytes, but only seven four-byte characters go into the first thirty

    with pytest.raises(names.NameTooLong):
        card_fields(name)


def test_a_short_name_leaves_the_extension_empty() -> None:
    assert card_fields("王芳") == ("王芳".encode("gb18030"), b"")


@pytest.mark.clause("cap:O1")
@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("", "*"),
        ("王", "*"),
        ("王芳", "王*"),
        ("王美丽", "王*丽"),
        ("欧阳美丽", "欧**丽"),
        ("李𬭊", "李*"),
        ("阿米娜·买买提", "阿**·**提"),
        ("John Smith", "J**h"),
    ],
)
def test_masks(name: str, masked: str) -> None:
    assert mask(name) == masked
