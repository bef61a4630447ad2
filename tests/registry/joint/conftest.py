"""刘洋 has a newborn, 刘小满; 孙立 has left the army. All persons and numbers are invented."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.registry.conftest import AT, JOINT, LI_QIANG, herself, id_number
from yikatong.core.clock import now
from yikatong.registry.holders.models import Holder
from yikatong.registry.joint import actions, requests, tasks
from yikatong.registry.joint.actions import Guardian, Making, Newborn, Veteran
from yikatong.registry.joint.models import JointItem, JointMatter, JointRequest

BORN = date(2026, 11, 11)
CERTIFICATE = "T510012345"
MAKING = Making(bank_code=JOINT, division_code="510107")
FATHER = Guardian(name="刘洋", kind="A", number="510107199003070225", phone="13800000009")


def newborn(**changes: Any) -> Newborn:
    typed = {
        "name": "刘小满",
        "sex": "2",
        "birth_date": BORN,
        "birth_certificate": CERTIFICATE,
        "hospital": "武侯区示例妇幼保健院",
        "mother_name": "周小雨",
        "household_book": "510107123",
        "division_code": "510107",
    }
    return Newborn(**(typed | changes))


def veteran(**changes: Any) -> Veteran:
    typed = {
        "discharge_certificate": "退字第2026000123号",
        "discharged_on": date(2026, 9, 1),
        "unit": "示例部队",
        "household_book": "510107456",
        "phone": "13800000010",
        "division_code": "510107",
    }
    return Veteran(**(typed | changes))


@pytest.fixture
def parent(register: Callable[..., Holder]) -> Holder:
    return register(7, name="刘洋")


@pytest.fixture
def sun_li(register: Callable[..., Holder]) -> Holder:
    return register(8, name="孙立")


@pytest.fixture
def at_counter(places: None, partners: None) -> JointMatter:
    """Opened by a clerk; the father is no holder."""
    father = replace(FATHER, number=id_number(9))
    return actions.open_newborn(newborn(), MAKING, guardian=father, by=LI_QIANG, at=AT)


def by_parent(parent: Holder, **changes: Any) -> JointMatter:
    return actions.open_newborn(newborn(**changes), MAKING, by=herself(parent), at=AT)


def states(joint: JointMatter) -> dict[str, str]:
    return dict(joint.items.order_by("position").values_list("key", "status"))


def item(joint: JointMatter, key: str) -> JointItem:
    return joint.items.get(key=key)


def fresh(joint: JointMatter) -> JointMatter:
    return JointMatter.objects.select_related("holder", "case", "guardianship").get(pk=joint.pk)


def all_due() -> None:
    """Every pause is over."""
    JointRequest.objects.filter(status__in=requests.OPEN).update(next_try_at=now() - timedelta(seconds=1))
    JointItem.objects.filter(status="accepted").update(next_ask_at=now() - timedelta(seconds=1))


def departments_work(rounds: int = 8) -> None:
    """The jobs run until nothing moves any more."""
    for _ in range(rounds):
        all_due()
        due = requests.departments_due(at=now())
        if not due:
            return
        for department in due:
            tasks.send(department)
