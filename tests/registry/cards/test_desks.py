"""A matter begins only at an outlet that offers it; who came is told the nearest that do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests import cast
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import now
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry
from yikatong.registry.banks.models import Agreement, BankAccount
from yikatong.registry.cards import actions
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.actions.desks import SERVICE
from yikatong.registry.cards.models import Card, CardStatus, Case, CaseKind
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Holder
from yikatong.registry.outlets.offering import check_offered
from yikatong.registry.outlets.rules import SERVICES, NotOffered
from yikatong.registry.regions.models import Organisation, Outlet

pytestmark = pytest.mark.django_db
HERE = Actor(UUID(int=3), "李强", Role.CLERK, Channel.COUNTER, scope="51", outlet_id=cast.HALL)


@pytest.fixture(autouse=True)
def _stage() -> None:
    cast.set_stage()


def offer(*services: str) -> None:
    Outlet.objects.filter(pk=cast.HALL).update(services=list(services))


def other(number: int, *, bank: bool = False, **changes: Any) -> Outlet:
    code, kind = ("B", "bank") if bank else ("H", "hrss")
    keeper, _ = Organisation.objects.get_or_create(
        code=code, defaults={"name": "示例", "kind": kind, "division_code": "510100"}
    )
    where = {"division_code": "510107", "services": list(SERVICES), "organisation": keeper}
    return Outlet.objects.create(number=f"{number}", name=f"第{number}网点", **where | changes)


def _change(card: Card, at: datetime) -> None:
    holders.change_phone(card.holder_id, phone="13900000009", by=HERE, at=at)


def _activate_account(card: Card, at: datetime) -> None:
    BankAccount.objects.update(status="preopened", activated_at=None)
    actions.activate_account(card.pk, by=HERE, at=at)


def _newcomer() -> Holder:
    """One who has no card yet."""
    return Holder.objects.exclude(name="王芳").first() or cast.register(cast.id_number(7), name="李娜")


def _apply(card: Card, at: datetime) -> None:
    actions.apply(_newcomer().pk, bank_code=cast.JOINT, division_code="510107", by=HERE, at=at)


def _keep(card: Card, at: datetime) -> None:
    actions.save_draft(_newcomer().pk, kind=CaseKind.APPLY, wish=Wish("510107"), by=HERE, at=at)


def _replace(card: Card, at: datetime) -> None:
    actions.replace(card.holder_id, reason="damaged", division_code="510107", by=HERE, at=at)


def _release(card: Card, at: datetime) -> None:
    lost = {"status": CardStatus.TEMPORARILY_LOST, "lost_at": at, "loss_ends_at": at + timedelta(days=7)}
    Card.objects.filter(pk=card.pk).update(**lost)
    actions.release_loss(card.pk, by=HERE, at=at)


def _activate(card: Card, at: datetime) -> None:
    Card.objects.filter(pk=card.pk).update(status=CardStatus.INACTIVE, activated_at=None)
    actions.activate(card.pk, by=HERE, at=at)


ACTS: dict[str, list[Callable[[Card, datetime], object]]] = {
    "申领": [_apply, _keep],
    "补换": [_replace],
    "挂失": [
        lambda card, at: actions.report_temporary_loss(card.pk, by=HERE, at=at),
        lambda card, at: actions.report_loss(card.pk, by=HERE, at=at),
    ],
    "解挂": [_release],
    "注销": [lambda card, at: actions.cancel(card.pk, reason="request", by=HERE, at=at)],
    "启用": [_activate],
    "金融激活": [_activate_account],
    "信息变更": [
        _change,
        lambda card, at: holders.link_certificate(
            card.holder_id, kind="C", number="E12345678", by=HERE, at=at
        ),
        lambda card, at: actions.change_name(card.holder_id, name="王方", evidence="改名", by=HERE, at=at),
        lambda card, at: actions.change_number(
            card.holder_id, number=cast.id_number(8), evidence="更正", by=HERE, at=at
        ),
        lambda card, at: actions.move(
            card.holder_id, division_code="510703", evidence="迁移证", by=HERE, at=at
        ),
    ],
}


def test_every_service_is_asked_for() -> None:
    assert {*ACTS, "全省通办"} == set(SERVICES)
    assert set(SERVICE.values()) < set(SERVICES)


@pytest.mark.clause("B4", "S14", "G5")
@pytest.mark.parametrize(("service", "number"), [(name, n) for name in ACTS for n in range(len(ACTS[name]))])
def test_what_the_outlet_does_not_offer_does_not_begin_there(service: str, number: int) -> None:
    card = cast.card_in_use(cast.wang_fang())
    offer(*(set(SERVICES) - {service}))
    before = (Case.objects.count(), AuditEntry.objects.filter(event__startswith="cards:").count())

    with pytest.raises(NotOffered) as caught:
        ACTS[service][number](card, now())

    words = f"武侯区社保经办大厅的可办业务中没有“{service}”，不能受理。下一步：可以拨打 12333 咨询办理地点。"
    assert (caught.value.message, caught.value.facts) == (words, {"service": service, "outlets": []})
    assert (Case.objects.count(), AuditEntry.objects.filter(event__startswith="cards:").count()) == before

    offer(service)
    ACTS[service][number](card, now())  # nothing else is asked of it


@pytest.mark.clause("B4", "B9", "S14")
def test_the_nearest_that_offer_it_are_named() -> None:
    """With distances where it has coordinates, else those of the city; no other bank's, and none that is shut."""
    other(1, longitude=104.10, latitude=30.64)
    other(2, longitude=104.05, latitude=30.64, services=["挂失"])
    other(3, longitude=104.06, latitude=30.64)
    other(4, longitude=104.041, latitude=30.64, bank=True)
    other(5, longitude=104.042, latitude=30.64, is_open=False)
    other(6, division_code="510703", longitude=104.2, latitude=30.64)
    offer()
    with pytest.raises(NotOffered) as caught:
        check_offered("注销", by=HERE, at=now())
    assert caught.value.facts["outlets"] == ["第1网点", "第3网点"]

    Outlet.objects.filter(pk=cast.HALL).update(longitude=104.04, latitude=30.64)
    with pytest.raises(NotOffered) as caught:
        check_offered("注销", by=HERE, at=now())
    assert caught.value.message == (
        "武侯区社保经办大厅的可办业务中没有“注销”，不能受理。"
        "下一步：可以到第3网点（1.9 公里）、第1网点（5.7 公里）、第6网点（15.3 公里）办理。"
    )


@pytest.mark.clause("B4", "G12", "K2")
def test_a_bank_outlet_needs_both_its_agreement_and_its_list() -> None:
    branch = other(1, bank=True, services=["申领"])
    by = replace(HERE, role=Role.BANK_CLERK, bank=cast.JOINT, outlet_id=branch.pk)
    agreement = Agreement.objects.get(bank_id=cast.JOINT)
    holder = cast.register(cast.id_number(7))

    def outcome() -> str:
        try:
            actions.apply(holder.pk, bank_code=cast.JOINT, division_code="510107", by=by, at=now())
        except DomainError as refusal:
            return refusal.code
        return "taken"

    assert outcome() == "outlet_not_delegated"
    agreement.outlets.add(branch)
    Agreement.objects.update(matters=["loss"])
    assert outcome() == "matter_not_delegated"
    Agreement.objects.update(matters=["apply"])
    Outlet.objects.filter(pk=branch.pk).update(services=["挂失"])
    assert outcome() == "not_offered_here"
    Outlet.objects.filter(pk=branch.pk).update(services=["申领"])
    assert outcome() == "taken"


@pytest.mark.clause("B4", "O10")
def test_another_city_needs_an_outlet_with_that_service() -> None:
    """全省通办 is a service of its own, for what is taken and for what ends on the spot."""
    holder: Holder = cast.wang_fang()
    hall = other(1, division_code="510703", services=["申领", "挂失"])
    by = replace(HERE, scope="5107", outlet_id=hall.pk)
    with pytest.raises(NotOffered) as caught:
        actions.apply(holder.pk, bank_code=cast.JOINT, division_code="510703", by=by, at=now())
    assert caught.value.facts["service"] == "全省通办"
    assert not Case.objects.exists()
    Outlet.objects.filter(pk=hall.pk).update(services=["申领", "全省通办"])
    case = actions.apply(holder.pk, bank_code=cast.JOINT, division_code="510703", by=by, at=now())
    assert (case.taken_code, case.division_code) == ("510703", "510107")


def test_who_stands_at_no_outlet_is_not_asked() -> None:
    offer()
    check_offered("注销", by=replace(HERE, outlet_id=None), at=now())
    check_offered("注销", by=replace(HERE, outlet_id=UUID(int=77)), at=now())  # of an outlet long gone
