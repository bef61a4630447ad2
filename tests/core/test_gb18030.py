import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yikatong.core import gb18030

# Four-byte forms that systems on the table of 2000 write for the characters moved in 2022.
OLD_FOUR_BYTES = {
    "84318236": "︐", "84318238": "︒", "84318237": "︑", "84318239": "︓", "84318330": "︔",
    "84318331": "︕", "84318332": "︖", "84318333": "︗", "84318334": "︘", "84318335": "︙",
    "82359037": "龴", "82359038": "龵", "82359039": "龶", "82359130": "龷", "82359131": "龸",
    "82359132": "龹", "82359133": "龺", "82359134": "龻",
}  # fmt: skip


def test_there_are_eighteen_moved_and_six_retired_codes() -> None:
    assert (len(gb18030.MOVED_2022), len(gb18030.RETIRED)) == (18, 6)


@pytest.mark.parametrize(("code", "points"), gb18030.MOVED_2022.items())
def test_moved_codes_go_both_ways(code: str, points: tuple[str, str]) -> None:
    private, standard = points

    assert gb18030.decode(bytes.fromhex(code)) == standard
    assert gb18030.encode(standard).hex().upper() == code
    assert gb18030.encode(private).hex().upper() == code


@pytest.mark.parametrize(("code", "standard"), OLD_FOUR_BYTES.items())
def test_old_four_byte_forms_are_read(code: str, standard: str) -> None:
    assert gb18030.decode(bytes.fromhex(code)) == standard


@pytest.mark.parametrize(("code", "points"), gb18030.RETIRED.items())
def test_retired_codes_are_read_but_no_longer_written(code: str, points: tuple[str, str]) -> None:
    private, standard = points

    assert gb18030.decode(bytes.fromhex(code)) == standard
    assert len(gb18030.encode(standard)) == 4
    assert gb18030.encode(private) == gb18030.encode(standard)


def test_the_code_moved_in_2005() -> None:
    assert gb18030.encode("ḿ").hex() == "a8bc"
    assert gb18030.decode(bytes.fromhex("A8BC8135F437")) == "ḿḿ"


@pytest.mark.parametrize(
    ("name", "size"),
    [("张䶮", 4), ("李𬭊", 6), ("王㛃", 6), ("赵𫖯", 6), ("阿卜杜热合曼·买买提吐尔逊江·艾力", 34), ("·", 2)],
)
def test_rare_names_survive(name: str, size: int) -> None:
    assert len(gb18030.encode(name)) == size
    assert gb18030.decode(gb18030.encode(name)) == name


def test_the_separator_has_its_code() -> None:
    assert gb18030.encode("·").hex() == "a1a4"


@given(st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=50))
def test_every_text_comes_back(text: str) -> None:
    assert gb18030.decode(gb18030.encode(text)) == text


def test_a_text_is_refused_rather_than_cut() -> None:
    assert gb18030.encode("王芳", max_bytes=4) == b"\xcd\xf5\xb7\xbc"

    with pytest.raises(gb18030.TooLong) as refusal:
        gb18030.encode("李𬭊", max_bytes=5)

    assert refusal.value.message == "文字有 6 字节，此处最多 5 字节，请核对后重填。"


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(gb18030.NotEncodable) as refusal:
        gb18030.encode("王\ud800")

    assert refusal.value.message == "第 2 个字符不是有效文字，请重新输入。"


@pytest.mark.parametrize("raw", [b"\xff\xff", "王".encode("gb18030")[:1], b"\x80"])
def test_bytes_of_no_text_are_refused(raw: bytes) -> None:
    with pytest.raises(gb18030.NotDecodable, match="不是国标编码"):
        gb18030.decode(raw)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"", "utf-8"),
        (b"id,amount\r\n1,200\r\n", "utf-8"),
        ("姓名,金额\n张䶮,1\n".encode(), "utf-8"),
        ("姓名,金额\n张䶮,1\n".encode("utf-8-sig"), "utf-8-sig"),
        ("姓名,金额\n张䶮,1\n".encode("gb18030"), "gb18030"),
        ("联通".encode("gb18030"), "gb18030"),
        ("𬭊".encode("gb18030"), "gb18030"),
        ("王芳 Привет".encode(), "utf-8"),
    ],
)
def test_sniff_names_the_encoding(raw: bytes, name: str) -> None:
    assert gb18030.sniff(raw) == name


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("姓名".encode("utf-16"), "UTF-16"),
        (codecs.BOM_UTF16_BE + "姓名".encode("utf-16-be"), "UTF-16"),
        ("name".encode("utf-16-le"), "不是文本"),
        (codecs.BOM_UTF32_LE + "姓名".encode("utf-32-le"), "UTF-16 或 UTF-32"),
        (b"PK\x03\x04\x14\x00\x06\x00", "不是文本"),
        (b"\x89PNG\r\n\x1a\n", "不是文本"),
        (b"abc\xff\xfe", "既不是 UTF-8 也不是 GB 18030"),
        ("姓名".encode("utf-8-sig") + b"\xff", "标明是 UTF-8"),
        ("姓名".encode()[:-1], "既不是 UTF-8 也不是 GB 18030"),
        (b"Jos\xc3\xa9", "内容太少"),
    ],
)
def test_sniff_refuses_what_it_cannot_know(raw: bytes, words: str) -> None:
    with pytest.raises(gb18030.EncodingUnknown, match=words):
        gb18030.sniff(raw)


def test_the_head_of_a_file_may_end_inside_a_character() -> None:
    assert gb18030.sniff("姓名".encode()[:-1], final=False) == "utf-8"
    assert gb18030.sniff("姓名".encode("gb18030")[:-1], final=False) == "gb18030"
