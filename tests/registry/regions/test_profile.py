import re
from pathlib import Path

import pytest

from yikatong.registry.regions import profile
from yikatong.registry.regions.profile import BadProfile, Profile

SRC = Path(profile.__file__).parents[2]
PROFILES = Path(profile.__file__).parent / "profiles"
SICHUAN = (PROFILES / "sichuan.toml").read_text(encoding="utf-8")


@pytest.fixture(params=profile.names())
def any_profile(request: pytest.FixtureRequest) -> Profile:
    return profile.load(request.param)


@pytest.mark.clause("Q2")
def test_there_are_two_provinces() -> None:
    assert profile.names() == ("chongqing", "sichuan")


@pytest.mark.clause("Q2", "S2", "O2")
def test_sichuan_speaks_its_own_words() -> None:
    sichuan = profile.load("sichuan")

    assert (sichuan.name, sichuan.code, sichuan.issuer) == ("四川省", "510000", 510000)
    assert (sichuan.codes.person, sichuan.codes.label("transit")) == ("天府个人码", "乘车码")
    assert (sichuan.loss.temporary_days, sichuan.card.replacement_fen) == (7, 2000)
    assert [partner.label for partner in sichuan.partners] == ["川渝"]


def test_the_cartogram_has_21_cities_and_the_neighbour() -> None:
    cities = profile.load("sichuan").cities
    tiles = {city.short: (city.column, city.row) for city in cities}

    assert (len(cities), [city.short for city in cities if city.partner]) == (22, ["重庆"])
    assert (tiles["成都"], tiles["绵阳"], tiles["宜宾"], tiles["重庆"]) == ((1, 1), (2, 0), (2, 4), (6, 2))


def test_the_municipality_has_38_districts() -> None:
    cities = profile.load("chongqing").cities

    assert len([city for city in cities if not city.partner]) == 38


def test_a_division_finds_the_letter_of_its_city() -> None:
    sichuan, chongqing = profile.load("sichuan"), profile.load("chongqing")

    assert [sichuan.letter_of(code) for code in ("510104", "510104017", "510700", "519999")] == [
        "A",
        "A",
        "B",
        "A",
    ]
    assert [chongqing.letter_of(code) for code in ("500103", "500114001")] == ["A", "H"]


def test_limits_by_step() -> None:
    limits = profile.load("sichuan").limits

    assert (limits.days("produce"), limits.days("produce", urgent=True)) == (5, 2)
    assert (limits.ordinary.total, limits.urgent.total) == (12, 5)


def test_banks_are_found_by_code() -> None:
    sichuan = profile.load("sichuan")

    assert sichuan.bank("95901").short_name == "蜀安"
    with pytest.raises(KeyError):
        sichuan.bank("95588")


def test_banks_of_all_provinces_differ() -> None:
    banks = [bank for name in profile.names() for bank in profile.load(name).banks]

    assert len({bank.code for bank in banks}) == len({bank.bin for bank in banks}) == len(banks) == 6


def test_a_profile_is_frozen_all_the_way_down(any_profile: Profile) -> None:
    assert isinstance(hash(any_profile), int)
    with pytest.raises(ValueError, match="frozen"):
        any_profile.loss.temporary_days = 1  # type: ignore[misc]


def test_every_rule_names_its_articles(any_profile: Profile) -> None:
    for rule in (
        any_profile.codes,
        any_profile.loss,
        any_profile.card,
        any_profile.limits,
        any_profile.pass_,
    ):
        assert rule.articles


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ("temporary_days = 7", "temporary_days = 0", r"loss.temporary_days：Input should be greater"),
        ("temporary_days = 7", "temporary_day = 7", r"loss.temporary_days：缺少这一项"),
        ("temporary_days = 7", "temporary_day = 7", r"loss.temporary_day：没有这一项"),
        (
            "temporary_days = 7",
            'temporary_days = "7"',
            r"loss.temporary_days：Input should be a valid integer",
        ),
        ('bin = "622952"', 'bin = "411111"', r"banks\[1\].bin：String should match"),
        ('bin = "622952"', 'bin = "622951"', r"整体：banks: bin 重复（622951）"),
        ('letter = "B"', "", r"整体：cities: 缺少 letter（绵阳市）"),
        ('code = "510700"', 'code = "500103"', r"cities: 不属于本省（绵阳市）"),
        ("column = 2\nrow = 0", "column = 1\nrow = 0", r"cities: 位置重叠（1,0）"),
        ('articles = ["S10", "O5", "O9"]', 'articles = ["Z10"]', r"articles: laws 中没有这部法规（Z10）"),
        ('articles = ["S10", "O5", "O9"]', "articles = []", r"pass.articles：Tuple should have at least 1"),
        ("per_use_fen = 5000", "per_use_fen = 50000", r"pass：offline_total_fen 不能小于 per_use_fen"),
        ("produce = 2", "produce = 20", r"limits：urgent 的合计不能多于 ordinary"),
        (
            "formal_releasable = true",
            "formal_releasable = false",
            r"loss：formal_releasable 与 release_channels",
        ),
        ('name = "四川省"', "name = 四川省", r"不是有效的 TOML"),
    ],
)
def test_a_bad_file_names_the_key(was: str, becomes: str, words: str) -> None:
    assert was in SICHUAN

    with pytest.raises(BadProfile, match=words) as refusal:
        profile.parse(SICHUAN.replace(was, becomes, 1), source="bad.toml")

    assert all(line.startswith("bad.toml ") for line in str(refusal.value).splitlines())


def test_an_unknown_province_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadProfile, match="没有名为 atlantis 的省份配置，可用：chongqing、sichuan"):
        profile.load("atlantis")


@pytest.mark.clause("Q2")
def test_no_code_names_a_province() -> None:
    named = re.compile("|".join(sorted({p.short for p in map(profile.load, profile.names())} | {
        "川渝", "天府个人码", "广东", "宁夏", "510000", "500000",
    })))  # fmt: skip
    suffixes = {".py", ".html", ".js", ".css", ".sql", ".txt"}
    files = [path for path in SRC.rglob("*") if path.suffix in suffixes and PROFILES not in path.parents]

    found = [
        f"{path.relative_to(SRC)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if named.search(line) and "/demo" not in path.as_posix() and "/vendor/" not in path.as_posix()
    ]

    assert found == []
