"""A board made ready for its templates: shapes, words and links, no decisions of its own about numbers."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from yikatong.insight.dashboards.gate_health import GateHealth
from yikatong.insight.dashboards.periods import Range
from yikatong.insight.dashboards.queries import Board, Part, Point
from yikatong.insight.dashboards.risks import Risk
from yikatong.insight.dashboards.scope import Scope
from yikatong.portals.board import charts, words
from yikatong.portals.board.words import Unit
from yikatong.registry.regions.profile import Profile

REASONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Kpi:
    """`tone`: plain, good or warn; the note says in words what the tone only colours.

    `is_spoken`: read out when it has changed.
    """

    label: str
    value: str
    unit: str
    note: str
    tone: str = "plain"
    is_spoken: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    url: str
    value: str
    share: str
    width: str  # per cent of the longest


@dataclass(frozen=True, slots=True)
class Tile:
    shape: charts.Hexagon
    name: str
    url: str
    value: str
    label: str  # for screen readers, and beside the pointer
    style: str  # class: step-1 … step-6, partner, unknown


@dataclass(frozen=True, slots=True)
class Page:
    """What is being looked at, and how to get elsewhere from it."""

    range: Range
    city: str | None = None
    domain: str | None = None

    def url(self, range_: Range | None = None) -> str:
        if self.city:
            path = reverse("board:city", args=[self.city])
        else:
            path = reverse("board:domain", args=[self.domain]) if self.domain else reverse("board:overview")
        return _with_range(path, range_ or self.range)

    @property
    def printed(self) -> str:
        asked = {"city": self.city, "domain": self.domain, "range": self.range.value}
        return f"{reverse('board:print')}?{urlencode({k: v for k, v in asked.items() if v})}"


def context(
    page: Page, board: Board, scope: Scope, profile: Profile, risks: list[Risk], gate: GateHealth
) -> dict[str, Any]:
    """Everything the templates name."""
    uses = words.unit_for(max([part.tally.accepted for part in board.domains] or [0]))
    unit = words.unit_for(max([part.tally.accepted for part in board.cities] or [0]))
    names = {part.code: part.name for part in board.domains}
    grid = charts.hexagons([(tile.column, tile.row) for tile in scope.tiles])
    return {
        "page": page,
        "board": board,
        "ranges": [(range_, page.url(range_), range_ is page.range) for range_ in Range],
        "title": _title(page, board, names),
        "place": names.get(page.domain or "") or (board.cities[0].name if page.city else ""),
        "against": page.range.against,
        "kpis": _kpis(board, profile, whole=scope.cities is None and not (page.city or page.domain)),
        "domain_bars": _bars(board.domains, uses, page.range, "board:domain"),
        "domain_unit": f"{uses.prefix}次",
        "city_bars": _bars(
            sorted(board.cities, key=lambda part: -part.tally.accepted), unit, page.range, "board:city"
        ),
        "city_unit": f"{unit.prefix}次",
        "places": "市（州）"
        if any(not tile.partner and tile.code.endswith("00") for tile in scope.tiles)
        else "区县",
        "tiles": _tiles(board, grid, unit, page.range),
        "grid": grid,
        "partner": profile.partners[0].label if profile.partners and scope.cities is None else "",
        "ring": charts.ring([part.tally.accepted for part in board.methods]),
        "methods": [(n, part, _share(part, board)) for n, part in enumerate(board.methods, 1)],
        "total_words": words.say(board.total.accepted, "次"),
        "total_value": words.unit_for(board.total.accepted).say(board.total.accepted),
        "total_unit": words.unit_for(board.total.accepted).prefix + "次",
        "chart": _series(board),
        "risks": risks,
        "gate": gate,
        "gate_p95": words.UNKNOWN if gate.p95_ms is None else f"{gate.p95_ms:.0f} ms",
        "gate_answered": words.percent(gate.answered_share, 2),
        "list_age": words.age(board.fleet.lists.p99),
        "reasons": (reasons := _reasons(board)),
        "reasons_left": len(reasons) - REASONS_SHOWN,
        "clock": words.clock(board.at),
        "updated": words.updated(board.updated_at, board.at),
    }


def _title(page: Page, board: Board, names: dict[str, str]) -> str:
    if page.domain:
        return f"{names.get(page.domain, page.domain)}运行监测"
    return f"{board.cities[0].name}运行监测" if page.city and board.cities else "社会保障卡一卡通运行监测"


def _with_range(path: str, range_: Range) -> str:
    return path if range_ is Range.DAY else f"{path}?range={range_.value}"


def _kpis(board: Board, profile: Profile, *, whole: bool) -> list[Kpi]:
    found = [*_stock_kpis(board), _uses(board), _success(board)]
    if whole and profile.partners:
        found.append(_partner(board, profile.partners[0].label))
    return [*found, _online(board)]


def _stock_kpis(board: Board) -> list[Kpi]:
    if not board.stock:
        return []
    holders, cards, ecards = (board.stock[kind] for kind in ("holders", "cards", "ecards"))
    covered = words.percent(cards.count / holders.count if holders.count else None)
    return [
        _kpi("登记人数", holders.count, "人", f"持卡率 {covered}", "good"),
        _kpi("电子社保卡", ecards.count, "张", _grown(ecards.count, ecards.before)),
    ]


def _grown(now: int, before: int | None) -> str:
    if before is None:
        return "暂无昨日数据"
    return f"较昨日 {'−' if now < before else '+'}{words.say(abs(now - before))}"


def _kpi(label: str, number: int, measure: str, note: str, tone: str = "plain") -> Kpi:
    unit = words.unit_for(number)
    return Kpi(label, unit.say(number), unit.prefix + measure, note, tone)


def _uses(board: Board) -> Kpi:
    changed = words.change(board.total.accepted, board.before.accepted if board.before else None)
    range_ = board.period.range
    note = f"{range_.against} {changed}" if changed else f"{range_.against}：暂无可比数据"
    tone = "good" if changed and changed.startswith("+") else "plain"
    return replace(_kpi(f"{range_.label}用卡", board.total.accepted, "次", note, tone), is_spoken=True)


def _success(board: Board) -> Kpi:
    share = words.percent(board.total.success, 2)
    value, unit = (share[:-1], "%") if share != words.UNKNOWN else (share, "")
    return Kpi("核验成功率", value, unit, f"拒绝 {words.say(board.total.refused, '次')}", is_spoken=True)


def _partner(board: Board, label: str) -> Kpi:
    parts = [part for part in board.cities if part.is_partner]
    if not any(part.is_known for part in parts):
        return Kpi(f"{label}互认", "未接入", "", "对方终端尚未接入本平台")
    return _kpi(f"{label}互认", sum(part.tally.accepted for part in parts), "次", "在对方辖区用卡")


def _online(board: Board) -> Kpi:
    offline = board.fleet.offline
    return _kpi("在线终端", board.fleet.online, "台", f"离线 {offline:,} 台", "warn" if offline else "good")


def _bars(parts: list[Part], unit: Unit, range_: Range, route: str) -> list[Bar]:
    longest = max([part.tally.accepted for part in parts] or [0]) or 1
    whole = sum(part.tally.accepted for part in parts)
    return [
        Bar(
            name=part.name,
            url=_with_range(reverse(route, args=[part.code]), range_) if part.code else "",
            value=unit.say(part.tally.accepted) if part.is_known else "未接入",
            share=words.percent(part.tally.accepted / whole if whole else None) if part.is_known else "",
            width=f"{part.tally.accepted / longest * 100:.1f}%",
        )
        for part in parts
    ]


def _tiles(board: Board, grid: charts.HexGrid, unit: Unit, range_: Range) -> list[Tile]:
    if len(board.cities) != len(grid.tiles):  # one city of many: no map
        return []
    own = [part for part in board.cities if part.is_known and not part.is_partner]
    levels = dict(
        zip([part.code for part in own], charts.steps([part.tally.accepted for part in own]), strict=True)
    )
    return [
        _tile(shape, part, levels.get(part.code), unit, range_)
        for shape, part in zip(grid.tiles, board.cities, strict=True)
    ]


def _tile(shape: charts.Hexagon, part: Part, level: int | None, unit: Unit, range_: Range) -> Tile:
    value = unit.say(part.tally.accepted) if part.is_known else "未接入"
    style = "partner" if part.is_partner else (f"step-{level}" if level else "unknown")
    said = f"{part.name} {value}{unit.prefix + '次' if part.is_known else ''}"
    return Tile(
        shape, part.name, _with_range(reverse("board:city", args=[part.code]), range_), value, said, style
    )


def _share(part: Part, board: Board) -> str:
    return words.percent(part.tally.accepted / board.total.accepted if board.total.accepted else None, 0)


def _reasons(board: Board) -> list[Bar]:
    most = board.reasons[0][1] if board.reasons else 1
    return [
        Bar(
            sentence,
            "",
            f"{count:,}",
            words.percent(count / board.total.refused),
            f"{count / most * 100:.1f}%",
        )
        for sentence, count in board.reasons
    ]


@dataclass(frozen=True, slots=True)
class Chart:
    """The series for the server's own drawing, and as numbers for the script's."""

    heading: str
    uses: str
    area: str
    success: str
    top: str
    unit: str
    low: str
    ticks: list[tuple[str, str]]  # (x in per cent, label)
    grid: list[tuple[str, str, str]]  # (y in per cent, left label, right label)
    rows: list[tuple[str, Point]]
    numbers: dict[str, Any]


def _series(board: Board) -> Chart:
    hourly = board.period.range is Range.DAY
    points = [point.tally for point in board.series]
    labels = [
        f"{point.start:%H:%M}" if hourly else f"{point.start.month}月{point.start.day}日"
        for point in board.series
    ]
    uses = [None if tally is None else tally.accepted for tally in points]
    success = [
        None if tally is None or tally.success is None else round(tally.success * 100, 2) for tally in points
    ]
    top = charts.nice_top(max([value for value in uses if value is not None] or [0]))
    low = _floor([value for value in success if value is not None])
    unit = words.unit_for(top)
    count = len(points)
    path = charts.line(uses, low=0, high=top, points=count)
    every = 2 if hourly else max(1, count // 8)
    return Chart(
        heading="24 小时用卡量与成功率" if hourly else "每日用卡量与成功率",
        uses=path,
        area=_area(path),
        success=charts.line(success, low=low, high=100, points=count),
        top=unit.say(top),
        unit=f"{unit.prefix}次",
        low=f"{low:g}%",
        ticks=[(f"{(n + 0.5) / count * 100:.2f}%", labels[n]) for n in range(0, count, every)],
        grid=[
            (f"{n * 25}%", unit.say(top * (4 - n) // 4), f"{100 - (100 - low) * n / 4:g}%") for n in range(5)
        ],
        rows=list(zip(labels, board.series, strict=True)),
        numbers={
            "labels": labels,
            "uses": uses,
            "success": success,
            "top": top,
            "low": low,
            "unit": f"{unit.prefix}次",
            "size": unit.size,
        },
    )


def _floor(shares: list[float]) -> float:
    """The foot of the success axis: a whole number of the steps 100, 99, 98, 96, 92, 80, 60, 0 below the lowest."""
    lowest = min(shares, default=100)
    return next(foot for foot in (98.0, 96.0, 92.0, 80.0, 60.0, 0.0) if foot <= lowest or foot == 0)


def _area(path: str) -> str:
    """The line closed down to the axis; the series has no gap before now, so one piece is enough."""
    if not path:
        return ""
    left, right = path[1:].split(" ", 1)[0], path.rsplit("L", 1)[-1].lstrip("M").split()[0]
    return f"{path}L{right} 1000L{left} 1000Z"
