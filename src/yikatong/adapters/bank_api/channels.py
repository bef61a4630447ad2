"""Which bank is reached where, and under which key."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from yikatong.adapters.bank_api.wire import ANSWER_S, Wire
from yikatong.core import env

KEY_SIZE: Final = 32


class Channel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://[^/?#]+$")
    key_file: Path
    answer_s: float = Field(default=ANSWER_S, gt=0, le=60)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    banks: dict[str, Channel]


def wire_to(bank: str) -> Wire | None:
    """The line to this bank; None when none is set up."""
    settings = env.load()
    if settings.banks_file != Path():
        channel = _channels(settings.banks_file).get(bank)
        return Wire(channel.url, _key(channel.key_file), answer_s=channel.answer_s) if channel else None
    if settings.demo:
        return Wire(settings.bank_sandbox_url, _key(settings.bank_sandbox_key_path))
    return None


@lru_cache(maxsize=4)
def _channels(path: Path) -> dict[str, Channel]:
    """Raises BadSettings naming what is wrong."""
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).banks
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise env.BadSettings(f"设置 YIKATONG_BANKS_FILE={path} 不能用：{error}") from None


@lru_cache(maxsize=64)
def _key(path: Path) -> bytes:
    return env.secret_file(path, KEY_SIZE)
