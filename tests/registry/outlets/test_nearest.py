"""The nearest outlets and places: exact, filtered, and found by the index."""

import random
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests import cast
from yikatong.core.clock import BEIJING
from yikatong.core.ids import uuid7
from yikatong.registry.catalogue import queries as catalogue
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.outlets import actions, queries
from yikatong.registry.outlets.hours import parse
from yikatong.registry.outlets.models import HoursChange
from yikatong.registry.regions import centres
from yikatong.registry.regions.centres import Row
from yikatong.registry.regions.models import Division, Organisation, Outlet
from yikatong.registry.regions.nearest import Point, metres, nearest

pytestmark = pytest.mark.django_db
HERE = Point(104.04, 30.64)
FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=BEIJING)


def strew(count: int, seed: int = 1) -> dict[UUID, Point]:
    dice = random.Random(seed)
    keeper = Organisation.objects.create(code=f"K{seed}", name="示例", kind="hrss", division_code="510100")
    where = {uuid7(): Point(104 + dice.random() * 3, 29 + dice.random() * 3) for _ in range(count)}
    Outlet.objects.bulk_create(
        Outlet(
            id=key,
            number=f"{seed}-{number}",
            name=f"网点 {number}",
            organisation=keeper,
            division_code="510107",
            address="示例",
            hours="",
            longitude=point.longitude,
            latitude=point.latitude,
            services=["申领"] if number % 3 else ["挂失"],
        )
        for number, (key, point) in enumerate(where.items())
    )
    return where


@pytest.mark.clause("B9", "D4")
@pytest.mark.parametrize("origin", [HERE, Point(105.5, 31.9), Point(106.99, 29.01)])
def test_the_nearest_are_exactly_the_nearest(origin: Point) -> None:
    where = strew(400)
    wanted = sorted(where, key=lambda key: metres(origin, where[key]))[:20]
    assert [one.key for one in nearest("regions_outlet", origin, most=20)] == wanted


def test_distances_are_true() -> None:
    assert round(metres(Point(104.07, 30.66), Point(106.55, 29.56)) / 1000) == 268  # 成都 to 重庆
    assert metres(HERE, HERE) == 0


def test_filters_hold_and_nothing_far_is_near() -> None:
    where = strew(400)
    found = queries.near(HERE, service="挂失", at=FRIDAY, most=10)
    assert len(found) == 10
    numbers = [int(Outlet.objects.get(pk=one.key).number.split("-")[1]) for one in found]
    assert all(number % 3 == 0 for number in numbers)
    assert [one.metres for one in found] == [round(metres(HERE, where[one.key])) for one in found]
    assert nearest("regions_outlet", Point(80.0, 45.0), most=10) == []


@pytest.mark.clause("B9", "S14")
def test_open_now_follows_plan_and_change() -> None:
    keys = list(strew(5))
    for key in keys[:3]:
        actions.write_week(Outlet.objects.get(pk=key), {5: parse("9:00-12:00")})
    HoursChange.objects.create(
        outlet_id=keys[0],
        since=FRIDAY.date(),
        until=FRIDAY.date(),
        reason="停电",
        created_at=FRIDAY,
        actor_name="x",
    )
    HoursChange.objects.create(
        outlet_id=keys[3], since=FRIDAY.date(), until=FRIDAY.date(), opens="08:00", closes="18:00", reason="加班",
        created_at=FRIDAY, actor_name="x",
    )  # fmt: skip
    found = {one.key for one in queries.near(Point(105.5, 30.5), open_now=True, at=FRIDAY, most=10)}
    assert found == {keys[1], keys[2], keys[3]}
    told = {one.outlet.pk: one.standing.is_open for one in queries.shown(keys, at=FRIDAY) if one.standing}
    assert told == {keys[0]: False, keys[1]: True, keys[2]: True, keys[3]: True}
    assert set(queries.of_division("5101", open_now=True, at=FRIDAY, most=10)) == found


def test_the_index_is_used() -> None:
    strew(3_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE regions_outlet")
        cursor.execute(
            "EXPLAIN SELECT id FROM regions_outlet t WHERE t.is_open AND t.longitude IS NOT NULL AND t.latitude IS NOT NULL"
            " ORDER BY point(t.longitude, t.latitude) <-> point(104, 30) LIMIT 20"
        )
        assert "regions_outlet_located" in "".join(row[0] for row in cursor.fetchall())


def townships() -> None:
    cast.set_stage()
    Division.objects.bulk_create(
        Division(code=code, name=name, level=4, parent_code=code[:6], province_code="510000")
        for code, name in (("510107021", "玉林街道"), ("510703001", "玉林镇"), ("510107022", "望江路街道"))
    )
    rows = [Row("510107021", Point(104.06, 30.63)), Row("510107", HERE), Row("510703001", Point(104.8, 31.5))]
    assert centres.load(rows, source="测试", by=cast.supervisor(), at=FRIDAY) == 3


@pytest.mark.clause("B9", "D4")
def test_a_place_is_found_by_its_name() -> None:
    townships()
    whole = centres.find("武侯区玉林街道", province="51")
    assert [(one.code, one.name, one.of) for one in whole] == [
        ("510107021", "四川省成都市武侯区玉林街道", "")
    ]
    assert [one.code for one in centres.find("玉林", province="51")] == ["510107021", "510703001"]
    assert [one.code for one in centres.find("武侯区", province="51")] == ["510107"]
    (without,) = centres.find("望江路街道", province="51")
    assert (without.point, without.of) == (HERE, "510107")  # its county's centre, and it says so
    assert centres.find("涪城区", province="51") == []  # nothing known
    assert centres.find("%", province="51") == []
    assert centres.find("玉林街道", province="50") == []


def test_a_table_of_centres_is_read_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    file.write_text("# 来源\ncode,longitude,latitude\n510107,104.04,30.64\n", encoding="utf-8")
    assert list(centres.read(file)) == [Row("510107", HERE)]
    for text, line in (
        ("a,b,c\n", 1),
        ("code,longitude,latitude\n510107,x,1\n", 2),
        ("code,longitude,latitude\n5,104,30\n", 2),
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(centres.BadCentres) as refusal:
            list(centres.read(file))
        assert refusal.value.facts == {"line": line}


@pytest.mark.clause("B9", "D4")
def test_a_rare_domain_is_found_among_its_own() -> None:
    """The nearest of few among many, by an index in which each domain has a plane of its own."""
    dice = random.Random(3)
    keeper = Organisation.objects.create(code="K9", name="示例", kind="hrss", division_code="510100")
    Domain.objects.bulk_create(Domain(code=code, name=code) for code in ("tea", "book", "empty"))
    where = {uuid7(): Point(103 + dice.random() * 3, 29 + dice.random() * 3) for _ in range(3_000)}
    rare = set(list(where)[::100])
    Place.objects.bulk_create(
        Place(id=key, number=f"{number}", name="场所", keeper=keeper, division_code="510107", longitude=at.longitude,
              latitude=at.latitude, domain_id="tea" if key in rare else "book")
        for number, (key, at) in enumerate(where.items())
    )  # fmt: skip
    wanted = sorted(rare, key=lambda key: metres(HERE, where[key]))
    assert [one.key for one in catalogue.near(HERE, domain="tea")] == [
        key for key in wanted if metres(HERE, where[key]) < 200_000
    ]
    assert catalogue.near(HERE, domain="empty") == []
    assert len(catalogue.near(HERE, domain="book")) == catalogue.NEAR_MOST
    with CaptureQueriesContext(connection) as asked, connection.cursor() as cursor:
        catalogue.near(HERE, domain="tea")
        cursor.execute("ANALYZE catalogue_place")
        for one in list(asked)[:2]:
            cursor.execute(f"EXPLAIN {one['sql']}")
            assert "catalogue_place_spot" in "".join(row[0] for row in cursor.fetchall())


def test_no_two_domains_share_a_plane() -> None:
    """Codes made to collide: the first two of d0, d1, … with one value; the database refuses the second."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min('d' || n), max('d' || n) FROM generate_series(1, 5000) n"
            " GROUP BY catalogue_plane('d' || n) HAVING count(*) > 1 LIMIT 1"
        )
        one, other = cursor.fetchone()
    Domain.objects.create(code=one, name="一")
    with pytest.raises(IntegrityError, match="catalogue_domain_plane"), transaction.atomic():
        Domain.objects.create(code=other, name="二")
