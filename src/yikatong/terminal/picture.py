"""The text of a QR code in a picture. A picture is somebody's input: its size is looked at before its content."""

from pathlib import Path

from yikatong.terminal.errors import BadPicture

BYTES_MOST = 20 * 1024 * 1024
PIXELS_MOST = 40_000_000


def read_code(path: Path) -> str:
    """The one code in the picture. Raises BadPicture, with the cause in its sentence."""
    import zxingcpp  # noqa: PLC0415 - a terminal with a scanner needs no picture library

    found = zxingcpp.read_barcodes(
        _opened(path), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    )
    texts = {each.text for each in found if each.text}
    if not texts:
        raise BadPicture("图片中没有完整的二维码")
    if len(texts) > 1:
        raise BadPicture("图片中有不止一个二维码", "请只保留要核验的那一个")
    return str(texts.pop())


def _opened(path: Path) -> object:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    _check_size(path)
    try:
        with Image.open(path) as image:
            if image.width * image.height > PIXELS_MOST:
                raise BadPicture(f"图片过大：{image.width}×{image.height} 像素", "请缩小图片后重试")
            return image.convert("L")
    except UnidentifiedImageError:
        raise BadPicture("不是可识别的图片文件") from None
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        raise BadPicture("图片文件不完整或已损坏") from None


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError:
        raise BadPicture(f"没有这个图片文件：{path}") from None
    if not path.is_file():
        raise BadPicture(f"不是图片文件：{path}")
    if size > BYTES_MOST:
        megabytes = f"{size // (1024 * 1024)} MB"
        raise BadPicture(f"图片过大：{megabytes}，上限 {BYTES_MOST // (1024 * 1024)} MB", "请缩小图片后重试")
