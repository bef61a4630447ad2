from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from yikatong.cli.insight import app
from yikatong.core.errors import DomainError
from yikatong.insight.dashboards.models import UseDay
from yikatong.using.usage.models import Use

pytestmark = pytest.mark.django_db


def test_days_are_counted_again() -> None:
    at = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
    Use.objects.create(
        day=at.date(), terminal=1, sequence=1, used_at=at, received_at=at, method=1, scene=1, request_digest=bytes(16)
    )  # fmt: skip
    command = ["rebuild", "--first", "2026-11-17", "--last", "2026-11-18"]
    first, again = (CliRunner().invoke(app, command) for _ in range(2))

    assert (first.exit_code, first.stdout) == (0, "已统计 2 天，更新 3 行。\n")
    assert (again.exit_code, again.stdout) == (0, "已统计 2 天，更新 0 行。\n")
    assert list(UseDay.objects.values_list("day", "count")) == [(at.date(), 1)]


def test_days_beyond_retention_are_refused() -> None:
    result = CliRunner().invoke(app, ["rebuild", "--first", "2020-01-01", "--last", "2020-01-01"])

    assert isinstance(result.exception, DomainError)
    assert "已过保存期限" in result.exception.message
