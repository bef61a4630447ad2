"""A code from a picture, and pictures that are none."""

import io
import os
from pathlib import Path

import pytest
import segno
from PIL import Image

from tests.terminal.device import Phone
from yikatong.terminal.errors import BadPicture
from yikatong.terminal.picture import read_code


def png(path: Path, *texts: str, rotate: float = 0) -> Path:
    images = []
    for text in texts:
        drawn = io.BytesIO()
        segno.make(text, error="m", boost_error=False).save(drawn, kind="png", scale=6, border=4)
        images.append(Image.open(drawn).convert("L"))
    sheet = Image.new("L", (sum(each.width for each in images), max(each.height for each in images)), 255)
    for place, image in enumerate(images):
        sheet.paste(image, (place * images[0].width, 0))
    sheet.rotate(rotate, expand=True, fillcolor=255).save(path)
    return path


def test_a_code_is_read(tmp_path: Path, phone: Phone) -> None:
    shown = phone.show()
    assert read_code(png(tmp_path / "a.png", shown)) == shown
    assert read_code(png(tmp_path / "b.jpg", shown, rotate=7)) == shown


def test_the_same_code_twice_is_one(tmp_path: Path, phone: Phone) -> None:
    shown = phone.show()
    assert read_code(png(tmp_path / "a.png", shown, shown)) == shown


def test_two_codes_are_one_too_many(tmp_path: Path, phone: Phone) -> None:
    with pytest.raises(BadPicture, match="不止一个二维码"):
        read_code(png(tmp_path / "a.png", phone.show(), phone.show()))


def test_a_cut_code(tmp_path: Path, phone: Phone) -> None:
    whole = Image.open(png(tmp_path / "a.png", phone.show()))
    whole.crop((0, 0, whole.width * 2 // 3, whole.height)).save(tmp_path / "cut.png")
    with pytest.raises(BadPicture, match="没有完整的二维码"):
        read_code(tmp_path / "cut.png")


def test_a_cut_file(tmp_path: Path, phone: Phone) -> None:
    path = png(tmp_path / "a.png", phone.show())
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(BadPicture, match="不完整或已损坏"):
        read_code(path)


def test_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(BadPicture, match="没有这个图片文件"):
        read_code(path)
    with pytest.raises(BadPicture, match="不是图片文件"):
        read_code(tmp_path)
    path.write_text("YKT1:")
    with pytest.raises(BadPicture, match="不是可识别的图片文件"):
        read_code(path)
    Image.new("L", (200, 200), 255).save(path)
    with pytest.raises(BadPicture, match="没有完整的二维码"):
        read_code(path)


def test_huge_pictures_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 500 * 1024 * 1024)  # half a gigabyte of nothing
    with pytest.raises(BadPicture, match="500 MB，上限 20 MB"):
        read_code(path)
    Image.new("1", (30_000, 30_000)).save(path)  # small on disk, 900 million pixels when opened
    with pytest.raises(BadPicture, match=r"图片过大|不完整或已损坏"):
        read_code(path)
