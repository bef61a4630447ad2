"""Text as GB 18030-2022 bytes, on top of Python 3.11's codec, which still follows the table of 2000.

Government services must hold all of GB 18030-2022 (民委发〔2016〕33号 asks the same of names), and bank
files and the card chip are written in it. Its table of 2022 moved 18 two-byte codes from private-use
code points to the characters they always showed, as that of 2005 did for one (ḿ). Six more two-byte codes
still point to private use; their characters have four-byte codes of their own, which are the ones to write.
Old peers still send the old forms, so reading accepts both and always answers with the standard character,
and writing sends the form of 2022; this is what the Unicode Technical Committee recommends (L2/23-003).
"""

import codecs
import re
from typing import Final, Literal

from yikatong.core.errors import DomainError

FileEncoding = Literal["utf-8-sig", "utf-8", "gb18030"]

#: Two-byte code → (private-use code point before 2022, standard code point since): the 18 of 2022.
MOVED_2022: Final = {
    "A6D9": ("\ue78d", "\ufe10"),
    "A6DA": ("\ue78e", "\ufe12"),
    "A6DB": ("\ue78f", "\ufe11"),
    "A6DC": ("\ue790", "\ufe13"),
    "A6DD": ("\ue791", "\ufe14"),
    "A6DE": ("\ue792", "\ufe15"),
    "A6DF": ("\ue793", "\ufe16"),
    "A6EC": ("\ue794", "\ufe17"),
    "A6ED": ("\ue795", "\ufe18"),
    "A6F3": ("\ue796", "\ufe19"),
    "FE59": ("\ue81e", "\u9fb4"),
    "FE61": ("\ue826", "\u9fb5"),
    "FE66": ("\ue82b", "\u9fb6"),
    "FE67": ("\ue82c", "\u9fb7"),
    "FE6D": ("\ue832", "\u9fb8"),
    "FE7E": ("\ue843", "\u9fb9"),
    "FE90": ("\ue854", "\u9fba"),
    "FEA0": ("\ue864", "\u9fbb"),
}
#: Moved the same way by the edition of 2005.
MOVED_2005: Final = {"A8BC": ("\ue7c7", "\u1e3f")}
#: Two-byte code → (private-use code point, standard character that is written with four bytes).
RETIRED: Final = {
    "FE51": ("\ue816", "\U00020087"),
    "FE52": ("\ue817", "\U00020089"),
    "FE53": ("\ue818", "\U000200cc"),
    "FE6C": ("\ue831", "\U000215d7"),
    "FE76": ("\ue83b", "\U0002298f"),
    "FE91": ("\ue855", "\U000241fe"),
}
_MOVED: Final = {**MOVED_2022, **MOVED_2005}
_STANDARD: Final = str.maketrans(dict((_MOVED | RETIRED).values()))
# The codec knows the moved two-byte codes by their old private-use code points, and nothing else does.
_FOR_CODEC: Final = str.maketrans({new: old for old, new in _MOVED.values()})
_BOMS_OF_OTHERS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BINARY: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TWO_BYTE_UTF8: Final = re.compile(rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf])*")


class NotEncodable(DomainError):
    """The text holds a lone surrogate: no byte form exists."""

    code, status = "not_encodable", 422


class TooLong(DomainError):
    """The text needs more bytes than its field has; it is never cut."""

    code, status = "text_too_long", 422


class NotDecodable(DomainError):
    """The bytes are not GB 18030."""

    code, status = "not_decodable", 422


class EncodingUnknown(DomainError):
    """The bytes are no text in UTF-8 or GB 18030, or could be either."""

    code, status = "encoding_unknown", 422


def standardise(text: str) -> str:
    """Replace the private-use code points of older editions by the standard characters."""
    return text.translate(_STANDARD)


def encode(text: str, max_bytes: int | None = None) -> bytes:
    """GB 18030-2022 bytes of `text`; raises NotEncodable, and TooLong past `max_bytes`."""
    try:
        encoded = standardise(text).translate(_FOR_CODEC).encode("gb18030")
    except UnicodeEncodeError as error:
        raise NotEncodable(f"第 {error.start + 1} 个字符不是有效文字，请重新输入。") from None
    if max_bytes is not None and len(encoded) > max_bytes:
        raise TooLong(f"文字有 {len(encoded)} 字节，此处最多 {max_bytes} 字节，请核对后重填。")
    return encoded


def decode(raw: bytes) -> str:
    """Text of GB 18030 bytes of any edition, in standard characters; raises NotDecodable."""
    try:
        return standardise(raw.decode("gb18030"))
    except UnicodeDecodeError as error:
        raise NotDecodable(f"第 {error.start + 1} 个字节起不是国标编码，请核对文件编码。") from None


def sniff(raw: bytes, *, final: bool = True) -> FileEncoding:
    """Name the encoding of a file by its bytes alone; pass `final=False` for the head of a longer file.

    Plain ASCII is "utf-8". Raises EncodingUnknown for UTF-16/32, binary, text that is valid in neither
    encoding, and for the rare short text that reads differently in each: guessing would misspell names.
    """
    if raw.startswith(codecs.BOM_UTF8):
        return _checked(raw, "utf-8-sig", final=final)
    if raw.startswith(_BOMS_OF_OTHERS):
        raise EncodingUnknown("文件是 UTF-16 或 UTF-32 编码，请另存为 UTF-8 或 GB 18030 后再上传。")
    if _BINARY.search(raw):
        raise EncodingUnknown("文件不是文本（含有二进制内容），请上传 CSV 或 TXT 文本文件。")
    return _of_text(raw, final=final)


def _of_text(raw: bytes, *, final: bool) -> FileEncoding:
    utf8, gb = _valid(raw, "utf-8", final=final), _valid(raw, "gb18030", final=final)
    if utf8 and gb and not raw.isascii() and _TWO_BYTE_UTF8.fullmatch(raw) and _all_han(raw, final=final):
        raise EncodingUnknown("文件内容太少，无法判断编码，请另存为带签名的 UTF-8（UTF-8 BOM）后再上传。")
    if utf8:
        return "utf-8"
    if gb:
        return "gb18030"
    raise EncodingUnknown("文件既不是 UTF-8 也不是 GB 18030 编码，或已损坏，请另存为 UTF-8 后再上传。")


def _checked(raw: bytes, name: FileEncoding, *, final: bool) -> FileEncoding:
    if not _valid(raw, name, final=final) or _BINARY.search(raw):
        raise EncodingUnknown("文件标明是 UTF-8，但内容不符或已损坏，请重新导出后再上传。")
    return name


def _valid(raw: bytes, name: str, *, final: bool) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(raw, final)
    except UnicodeDecodeError:
        return False
    return True


def _all_han(raw: bytes, *, final: bool) -> bool:
    text = codecs.getincrementaldecoder("gb18030")().decode(raw, final)
    return all("\u4e00" <= char <= "\u9fff" for char in text if not char.isascii())
