"""`yikatong insight`: the counts of the board."""

from datetime import datetime
from typing import Annotated

import typer

app = typer.Typer(help="看板统计", no_args_is_help=True)
_DAY = "%Y-%m-%d"


@app.callback()
def _group() -> None:
    """A group of its own, though it has one command."""


@app.command("rebuild")
def rebuild(
    first: Annotated[datetime, typer.Option(formats=[_DAY], help="第一天，如 2026-01-01")],
    last: Annotated[datetime | None, typer.Option(formats=[_DAY], help="最后一天（含），默认今天")] = None,
) -> None:
    """按用卡记录重新统计若干天；可重复执行，结果相同。"""
    import django

    django.setup()
    from datetime import timedelta

    from django.conf import settings

    from yikatong.cli.progress import progress
    from yikatong.core import clock
    from yikatong.insight.dashboards import actions
    from yikatong.registry.regions import profile

    at = clock.now()
    until = last.date() if last else clock.day_of(at)
    days = [first.date() + timedelta(days=n) for n in range((until - first.date()).days + 1)]
    changed = 0
    with progress("重新统计", len(days)) as step:
        for day in days:
            step(day.isoformat())
            changed += actions.rebuild(day, day, at=at)
    actions.take_stock(cities=[city.code for city in profile.load(settings.PROVINCE).cities], at=at)
    print(f"已统计 {len(days)} 天，更新 {changed} 行。")
