from datetime import date, timedelta
from typing import Any

import pytest

from tests.insight.dashboards.conftest import AT, CHENGDU, MIANYANG, MakeUse
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.insight.dashboards import actions, queries, scope
from yikatong.insight.dashboards.models import Stock
from yikatong.insight.dashboards.periods import Range
from yikatong.insight.dashboards.queries import Tally
from yikatong.insight.dashboards.scope import FinerThanCity, Scope
from yikatong.registry.regions import profile
from yikatong.registry.regions.profile import Profile
from yikatong.using.codes.reasons import Reason
from yikatong.using.usage.models import Use

pytestmark = [pytest.mark.django_db, pytest.mark.clause("L3", "O12")]
DAY = 1440


def count_all() -> None:
    actions.rebuild(day_of(AT - timedelta(days=60)), day_of(AT), at=AT)


def looker(scope_: str) -> Actor:
    return Actor(None, "周敏华", Role.LEADER, Channel.WEB, scope=scope_)


@pytest.fixture
def day(use: MakeUse, make_terminal: Any) -> None:
    """Today up to 10:30: 7 accepted (2 offline), 3 refused. Yesterday up to 10:30: 4 accepted; 9 later that day."""
    make_terminal(CHENGDU, "transit")
    make_terminal(MIANYANG, "medical")
    for back in (0, 1, 61):
        use(back, amount_fen=200)
    use(2, method=Use.Method.SHORT)
    use(3, method=Use.Method.CARD, is_offline=True)
    use(
        90,
        method=Use.Method.CARD,
        is_offline=True,
        city_code=MIANYANG,
        domain_code="medical",
        amount_fen=5_000,
    )
    use(100, city_code=MIANYANG, domain_code="medical")
    use(4, outcome=Reason.REPLAYED.value)
    use(5, outcome=Reason.REPLAYED.value, method=Use.Method.SHORT)
    use(6, outcome=Reason.CARD_LOST.value, city_code=MIANYANG, domain_code="medical")
    for back in (0, 10, 70, 600):
        use(DAY + back)
    for minutes in range(9):
        use(DAY - 60 - minutes)
    count_all()


def test_today_beside_the_same_time_yesterday(day: None, whole: Scope) -> None:
    board = queries.board(whole, Range.DAY, at=AT)

    assert board.total == Tally(accepted=7, refused=3, offline=2, amount_fen=5_600)
    assert board.before == Tally(accepted=4)
    assert (board.total.success, board.total.offline_share) == (0.7, 2 / 7)


def test_by_domain_the_busiest_first(day: None, whole: Scope) -> None:
    board = queries.board(whole, Range.DAY, at=AT)
    counted = [
        (part.name, part.tally.accepted, part.tally.refused) for part in board.domains if part.is_known
    ]

    assert counted == [("交通出行", 5, 2), ("医疗健康", 2, 1)]
    assert len(board.domains) == 9  # the others are there, and known to be unknown


def test_by_city_and_what_lies_elsewhere(day: None, use: MakeUse, whole: Scope) -> None:
    use(0, city_code="", outcome=Reason.TERMINAL_UNKNOWN.value)
    count_all()
    board = queries.board(whole, Range.DAY, at=AT)
    counted = {part.name: (part.tally.accepted, part.tally.refused) for part in board.cities if part.is_known}

    assert counted == {"成都": (5, 2), "绵阳": (2, 1)}
    assert board.elsewhere == Tally(refused=1)
    assert (len(board.cities), sum(part.is_partner for part in board.cities)) == (22, 1)


def test_by_method_with_its_offline_share(day: None, whole: Scope) -> None:
    board = queries.board(whole, Range.DAY, at=AT)

    assert [(part.name, part.tally.accepted, part.tally.offline) for part in board.methods] == [
        ("电子码", 4, 0),
        ("短码", 1, 0),
        ("实体卡", 2, 2),
    ]


def test_refusals_say_their_reason(day: None, whole: Scope) -> None:
    assert queries.board(whole, Range.DAY, at=AT).reasons == [("该码已使用过", 2), ("该卡已正式挂失", 1)]


def test_the_hours_of_the_day(day: None, whole: Scope) -> None:
    series = queries.board(whole, Range.DAY, at=AT).series
    counted = {
        f"{point.start:%H}": point.tally.accepted for point in series if point.tally and point.tally.total
    }

    assert len(series) == 24
    assert counted == {"08": 1, "09": 2, "10": 4}
    assert series[10].tally == Tally(accepted=4, refused=3, offline=1, amount_fen=400)
    assert series[3].tally == Tally()  # counted, and nothing was
    assert series[11].tally is None  # still to come


def test_a_week_counts_whole_days(day: None, whole: Scope) -> None:
    board = queries.board(whole, Range.WEEK, at=AT)

    assert board.total.accepted == 7 + 4 + 9
    assert board.before is None  # the history begins yesterday: not zero, unknown
    assert [point.tally and point.tally.accepted for point in board.series] == [None] * 5 + [13, 7]


def test_a_week_beside_the_week_before(use: MakeUse, whole: Scope) -> None:
    for days in (0, 3, 6, 7, 8, 13, 14):
        use(days * DAY + 1)
    use(20 * DAY)
    count_all()
    board = queries.board(whole, Range.WEEK, at=AT)

    assert (board.total.accepted, board.before) == (
        3,
        Tally(accepted=3),
    )  # the fourteenth day back is no part


def test_a_month_beside_the_month_before_up_to_this_day(use: MakeUse, whole: Scope) -> None:
    for days in (0, 5, 19, 31, 32, 40):  # 20, 15, 1 November; 20, 19, 11 October
        use(days * DAY + 1)
    use(30 * DAY - 60)  # 21 October
    use(49 * DAY)
    use(55 * DAY)
    count_all()
    board = queries.board(whole, Range.MONTH, at=AT)

    assert (board.total.accepted, board.before) == (3, Tally(accepted=4))  # with 2 October
    assert len(board.series) == 20


def test_a_city_sees_itself(day: None, province: Profile) -> None:
    seen = scope.of_actor(looker("5107"), province)
    board = queries.board(seen, Range.DAY, at=AT)

    assert board.total == Tally(accepted=2, refused=1, offline=1, amount_fen=5_000)
    assert board.before == Tally()
    assert [part.name for part in board.cities] == ["绵阳"]
    assert board.fleet.count == 1
    with pytest.raises(NotFound):
        queries.board(seen, Range.DAY, at=AT, city=CHENGDU)


@pytest.mark.parametrize("prefix", ["", "51", "510000"])
def test_the_province_sees_everything(prefix: str, province: Profile) -> None:
    seen = scope.of_actor(looker(prefix), province)

    assert seen.cities is None
    assert len(seen.tiles) == 22


def test_a_neighbour_sees_only_its_own_tile(province: Profile) -> None:
    assert scope.of_actor(looker("50"), province).cities == ("500000",)


def test_less_than_a_city_is_refused(province: Profile) -> None:
    with pytest.raises(FinerThanCity):
        scope.of_actor(looker("510107"), province)


def test_a_municipality_counts_by_district() -> None:
    seen = scope.of_actor(looker("500103"), profile.load("chongqing"))
    assert seen.cities == ("500103",)


def test_one_domain_and_one_city(day: None, whole: Scope) -> None:
    medical = queries.board(whole, Range.DAY, at=AT, domain="medical")
    mianyang = queries.board(whole, Range.DAY, at=AT, city=MIANYANG)

    assert medical.total == mianyang.total == Tally(accepted=2, refused=1, offline=1, amount_fen=5_000)
    assert (medical.fleet.count, mianyang.fleet.count) == (1, 1)
    assert medical.stock == {}
    for wrong in ({"domain": "nothing"}, {"city": "110100"}):
        with pytest.raises(NotFound):
            queries.board(whole, Range.DAY, at=AT, **wrong)


def test_stock_beside_yesterday(whole: Scope) -> None:
    for back, city, kind, count in (
        (0, CHENGDU, "ecards", 12), (0, MIANYANG, "ecards", 5), (1, CHENGDU, "ecards", 10),
        (0, CHENGDU, "holders", 20), (3, CHENGDU, "holders", 1),
    ):  # fmt: skip
        Stock.objects.create(day=date(2026, 11, 20 - back), city_code=city, kind=kind, count=count)
    stock = queries.board(whole, Range.DAY, at=AT).stock

    assert (stock["ecards"].count, stock["ecards"].before) == (17, 10)
    assert (stock["holders"].count, stock["holders"].before) == (20, 0)


def test_before_anything_was_counted_nothing_is_known(whole: Scope) -> None:
    board = queries.board(whole, Range.DAY, at=AT)

    assert (board.updated_at, board.before, board.stock) == (None, None, {})
    assert board.total.success is None
    assert {point.tally for point in board.series} == {None}


def test_a_page_reads_no_uses(day: None, whole: Scope, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(13) as asked:
        queries.board(whole, Range.DAY, at=AT)

    assert not [query["sql"] for query in asked.captured_queries if "usage_use" in query["sql"]]
