"""Which systems are reached where, and under which key: a TOML file of one table a system."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from yikatong.core import env

KEY_SIZE: Final = 32


class Channel(BaseModel):
    """`name` is what our staff read; where it is missing, the house has a name for the system already."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://[^/?#]+$")
    key_file: Path
    answer_s: float = Field(default=6.0, gt=0, le=60)
    name: str = Field(default="", max_length=40)

    @property
    def key(self) -> bytes:
        return _key(self.key_file)


_TABLES: Final = TypeAdapter(dict[str, dict[str, Channel]])


@lru_cache(maxsize=8)
def read(path: Path, table: str, setting: str) -> Mapping[str, Channel]:
    """The channels of `[table.<system>]`; raises BadSettings naming what is wrong."""
    try:
        found = _TABLES.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise env.BadSettings(f"设置 {env.PREFIX}{setting}={path} 不能用：{error}") from None
    if set(found) != {table}:
        raise env.BadSettings(f"设置 {env.PREFIX}{setting}={path} 不能用：应当只有 [{table}.…]")
    return found[table]


@lru_cache(maxsize=64)
def _key(path: Path) -> bytes:
    return env.secret_file(path, KEY_SIZE)
