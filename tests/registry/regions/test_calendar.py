"""Working days of an installation: the public calendar and what an administrator enters above it."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from tests import cast
from yikatong.core.actor import Role
from yikatong.core.models import AuditEntry
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.models import CalendarDay, CalendarYear

pytestmark = pytest.mark.django_db


def test_without_entries_it_is_the_public_calendar() -> None:
    found = calendar(date(2026, 12, 31))

    assert found.add(date(2026, 12, 31), 1) == date(2027, 1, 4)
    assert (found.is_expected(date(2026, 12, 31)), found.is_expected(date(2027, 1, 4))) == (False, True)


@pytest.mark.clause("B1", "S14")
def test_a_notice_entered_counts_at_once() -> None:
    year = CalendarYear.objects.create(year=2027, notice="国办发明电〔2026〕0号")
    CalendarDay.objects.create(day=date(2027, 1, 4), year=year, works=False, name="示例")
    CalendarDay.objects.create(day=date(2027, 1, 9), year=year, works=True, name="示例调休")
    found = calendar(date(2026, 12, 31))

    assert found.add(date(2026, 12, 31), 2) == date(2027, 1, 5)  # 1 January is a Friday no more named
    assert found.is_workday(date(2027, 1, 9))
    assert not found.is_expected(date(2027, 1, 5))


def test_single_days_leave_the_year_expected() -> None:
    year = CalendarYear.objects.create(year=2027, notice="省政府通知", is_published=False)
    CalendarDay.objects.create(day=date(2027, 1, 4), year=year)
    found = calendar(date(2026, 12, 31))

    assert found.add(date(2026, 12, 31), 1) == date(2027, 1, 5)  # 1 January still rests
    assert found.is_expected(date(2027, 1, 5))


def test_an_administrator_enters_it_and_the_log_says_so(client: Client) -> None:
    user = cast.staff("郑远", "zhengyuan", role=Role.ADMIN, scope="51", is_staff=True, is_superuser=True)
    cast.log_in(client, user)
    rows = {
        "days-TOTAL_FORMS": "1", "days-INITIAL_FORMS": "0", "days-0-day": "2027-02-11", "days-0-name": "春节",
        "days-0-year": "",
    }  # fmt: skip
    given = {"year": "2027", "notice": "国办发明电〔2026〕0号", "is_published": "on"} | rows

    wrong = client.post(reverse("admin:regions_calendaryear_add"), given | {"days-0-day": "2028-02-11"})
    assert wrong.status_code == 200
    assert "日期不在 2027 年内" in wrong.content.decode()
    assert not CalendarYear.objects.exists()

    client.post(reverse("admin:regions_calendaryear_add"), given)

    assert CalendarDay.objects.get().day == date(2027, 2, 11)
    assert not calendar(date(2027, 2, 1)).is_workday(date(2027, 2, 11))
    client.post(
        reverse("admin:regions_calendaryear_add"), given | {"year": "2028", "days-0-day": "2028-01-27"}
    )
    for name in ("cards.renew_limits", "joint.renew_limits"):
        assert ProcrastinateJob.objects.filter(task_name=name, status="todo").count() == 1
    entry = AuditEntry.objects.get(event="admin:calendaryear:added", subject="calendaryear:2027")
    assert entry.facts["now"] == {"notice": "国办发明电〔2026〕0号", "is_published": True}
