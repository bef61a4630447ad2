"""Days and hours of the province: stored in UTC, spoken in Beijing time."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """For portals, api, tasks, gate and commands only; everything below takes `at`."""
    return datetime.now(UTC)


def day_of(at: datetime) -> date:
    """The civil day in Beijing at that instant."""
    return at.astimezone(BEIJING).date()
