"""Jobs that keep the board at most ten seconds behind the uses."""

from django.conf import settings
from procrastinate.contrib.django import app

from yikatong.core import clock
from yikatong.insight.dashboards import actions
from yikatong.registry.regions import profile


# The sixth field of a cron line is seconds.
@app.periodic(cron="* * * * * */5")
@app.task(name="dashboards.refresh", queue="dashboards", queueing_lock="dashboards.refresh")
def refresh(timestamp: int) -> None:  # noqa: ARG001 - the job's own parameter
    """Only what is new since the last time, so that it costs little at any volume."""
    actions.catch_up(at=clock.now())


@app.periodic(cron="* * * * *")
@app.task(name="dashboards.settle", queue="dashboards", queueing_lock="dashboards.settle")
def settle(timestamp: int) -> None:  # noqa: ARG001
    """The last five minutes again and in full: what was committed late, what came too late, refusals by place."""
    actions.refresh_minutes(at=clock.now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="dashboards.stock", queue="dashboards", queueing_lock="dashboards.stock")
def stock(timestamp: int) -> None:  # noqa: ARG001
    if not actions.is_stock_due(at=clock.now()):
        return
    cities = [city.code for city in profile.load(settings.PROVINCE).cities]
    actions.take_stock(cities=cities, at=clock.now())


@app.periodic(cron="50 3 * * *")
@app.task(name="dashboards.forget", queue="dashboards", queueing_lock="dashboards.forget")
def forget(timestamp: int) -> None:  # noqa: ARG001
    actions.forget(at=clock.now())
