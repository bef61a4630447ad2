"""The steps of loading the demo province, in order, in one transaction each."""

import json
import secrets
from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction

from yikatong.cli.demo import (
    applicants,
    cards,
    centres,
    joint,
    offices,
    parties,
    people,
    places,
    sources,
    uses,
)
from yikatong.cli.demo.diary import himself
from yikatong.cli.demo.plan import Loading, Person
from yikatong.core import partitions
from yikatong.core.clock import day_of
from yikatong.core.errors import DomainError
from yikatong.insight.dashboards import actions as dashboards
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import actions as codes
from yikatong.using.identity import actions as identity

Tick = Callable[[str], None]
LIVED = [
    "codes.card_changed", "cards.account_answered", "identity.tell_holder", "stock.print_next", "matching.inquire",
    "banks.send",
]  # fmt: skip
PARTITIONED = ("usage_use", "usage_shown", "core_look")


def is_loaded() -> bool:
    return Holder.objects.exists()


def prepare_partitions(loading: Loading) -> None:
    today = day_of(loading.at)
    for table in PARTITIONED:
        partitions.ensure(
            table, today - timedelta(days=loading.sizes.days), today + timedelta(days=partitions.DAYS_AHEAD)
        )


def count_for_the_board(loading: Loading) -> None:
    """What the jobs would have counted, had they run all week."""
    today = day_of(loading.at)
    dashboards.rebuild(today - timedelta(days=loading.sizes.days), today, at=loading.at)
    dashboards.take_stock(cities=[city.code for city in loading.profile.cities], at=loading.at)


def write_demo_people(loading: Loading) -> None:
    """Two holders to try, with an e-card password of this installation only; a private file says how to log in."""
    shown = [_demo_holder(loading, person) for person in loading.known]
    loading.demo_file.parent.mkdir(parents=True, exist_ok=True)
    loading.demo_file.touch(mode=0o600)
    loading.demo_file.write_text(
        json.dumps(shown + loading.staff, ensure_ascii=False, indent=2), encoding="utf-8"
    )


def _demo_holder(loading: Loading, person: Person) -> dict[str, str]:
    holder = person.holder
    codes.issue_ecard(holder.id, by=himself(person), at=loading.at - timedelta(days=6))
    password = _set_password(person, loading)
    return {
        "role": "持卡人" if person.age < 60 else "持卡人（长辈版）",
        "name": holder.name,
        "login": str(holder.phone),
        "hint": f"短信验证码显示在登录页；电子社保卡密码 {password}",
        "url": "/m/",
    }


def _set_password(person: Person, loading: Loading) -> str:
    """Six random digits that the rule for holders accepts."""
    while True:
        password = f"{secrets.randbelow(10**6):06d}"
        try:
            identity.set_password(person.holder.id, password, by=himself(person), at=loading.at)
        except DomainError:
            continue
        return password


def drop_jobs_of_the_past(loading: Loading) -> None:  # noqa: ARG001 - a step like the others
    """What the acts of these weeks have asked of the worker was answered then; run now, it would be told as of now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND task_name = ANY(%s)", [LIVED]
        )


STEPS: list[tuple[str, list[Callable[[Loading], None]]]] = [
    ("建立分区", [prepare_partitions]),
    ("区划与部门", [parties.load_counties, parties.load_departments]),
    ("合作银行与网点", [centres.load_centres, parties.load_banks, parties.load_outlets, centres.load_plans]),
    ("工作人员", [parties.load_staff, offices.load_offices]),
    ("应用目录与场所", [places.load_catalogue, places.load_places]),
    ("用卡终端", [places.load_terminals]),
    ("持卡人", [people.load_people]),
    ("社会保障卡", [cards.load_cards]),
    ("近三周的受理、制卡、挂失和空白卡", [applicants.load_weeks]),
    ("银行报送与数据比对", [sources.load_deliveries, sources.load_issues, drop_jobs_of_the_past]),
    ("一周用卡记录", [uses.load_uses]),
    ("看板统计", [count_for_the_board]),
    ("演示人物", [write_demo_people]),
    ("联办", [joint.load_joint_matters]),
]


def load(*, loading: Loading, tick: Tick) -> None:
    """Everything in one transaction: a broken loading leaves nothing behind."""
    with transaction.atomic():
        for name, works in STEPS:
            tick(name)
            for work in works:
                work(loading)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # fresh statistics, or the first pages plan blindly
