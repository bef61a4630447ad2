"""Every page of the desk that shows a holder's record leaves a row the holder can see."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests import cast
from tests.repository.test_doors import DOORS
from yikatong.core.actor import Role
from yikatong.core.clock import now
from yikatong.core.models import Look
from yikatong.portals.counter.matters import MATTERS
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.holders.models import Holder

#: What stands for a person in an address. A page of the desk with one of these shows his record.
_PERSON = re.compile(r"<\w+:(holder_id|holder|card_id|card|case_id|number)>")
_FACES = ("counter/", "console/holders/", "console/cases/", "console/cards/")
#: Doors for the texts of a chip. A refusal tells nothing of a person, and what is written into a card leaves its row:
#: tests/registry/cards/test_chips.py.
_OF_A_CHIP = re.compile(r"/chip/(write|puk|pin)$")
#: What a page that only takes a form must be sent, so that it shows anything.
_FORMS: dict[str, dict[str, str]] = {
    "counter/holders/<uuid:holder_id>/reveal": {"field": "phone", "reason": "核对联系方式"},
}


def pages() -> list[str]:
    """The routes, those of a matter once for each matter."""
    found = [door.route for door in DOORS if door.route.startswith(_FACES) and _PERSON.search(door.route)]
    found = [route for route in found if not _OF_A_CHIP.search(route)]
    return sorted(
        filled
        for route in found
        for filled in (
            [route.replace("<slug:key>", key) for key in MATTERS] if "<slug:key>" in route else [route]
        )
    )


PAGES = pages()


@pytest.fixture
def desk(db: None) -> Client:
    """李强's browser; a supervisor's, to whom every page of the desk opens."""
    cast.set_stage()
    return cast.log_in(Client(), cast.staff("李强", "liqiang", role=Role.SUPERVISOR, scope="51"))


@pytest.fixture
def holder(desk: Client) -> Holder:
    """王芳 with a card in use, lost yesterday, and a replacement asked for."""
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    card_acts.report_loss(card.pk, by=cast.clerk(), at=now())
    card_acts.replace(
        holder.pk, reason="lost", division_code="510107", outlet_id=cast.HALL, by=cast.clerk(), at=now()
    )
    return holder


def address(route: str, holder: Holder) -> str:
    case = Case.objects.filter(holder=holder).latest("created_at", "pk")
    card = Card.objects.get(holder=holder)
    values = {
        "holder_id": holder.pk, "holder": holder.pk, "card_id": card.pk, "card": card.pk, "case_id": case.pk,
        "number": case.number,
    }  # fmt: skip
    return "/" + _PERSON.sub(lambda found: str(values[found[1]]), route)


def looks_of(holder: Holder) -> int:
    return Look.objects.filter(holder_id=holder.pk, looker_name="李强").count()


def test_the_desk_s_pages_are_found() -> None:
    assert len(PAGES) >= 15
    assert "counter/holders/<uuid:holder_id>/loss" in PAGES


@pytest.mark.clause("G17", "cap:O2")
@pytest.mark.parametrize("route", PAGES)
def test_opening_it_leaves_a_row(route: str, desk: Client, holder: Holder) -> None:
    before = looks_of(holder)
    answer = desk.get(address(route, holder))
    if answer.status_code == 405:
        answer = desk.post(address(route, holder), _FORMS.get(route, {}))
    assert answer.status_code in {200, 303, 409, 422}
    assert looks_of(holder) > before, f"{route} shows {answer.status_code} and leaves no row"


def _certificate(_: Holder) -> str:
    return cast.WANG_FANG_NUMBER


def _card(holder: Holder) -> str:
    return Card.objects.get(holder=holder).number


@pytest.mark.clause("G17", "cap:O2")
@pytest.mark.parametrize(
    "said",
    [_certificate, _card, lambda _: cast.PHONE, lambda _: "王芳"],
    ids=["certificate", "card", "phone", "name"],
)
def test_finding_him_leaves_a_row(said: Callable[[Holder], str], desk: Client, holder: Holder) -> None:
    before = looks_of(holder)
    assert desk.post("/counter/find", {"q": said(holder)}).status_code in {200, 303}
    assert looks_of(holder) == before + 1


@pytest.mark.clause("G17", "cap:O2")
def test_finding_his_case_leaves_a_row(desk: Client, holder: Holder) -> None:
    before = looks_of(holder)
    number = Case.objects.filter(holder=holder).latest("created_at", "pk").number
    assert desk.post("/counter/progress", {"number": number}).status_code == 303
    assert looks_of(holder) == before + 1


def test_a_look_that_finds_nobody_leaves_none(desk: Client, holder: Holder) -> None:
    before = Look.objects.count()
    desk.post("/counter/find", {"q": cast.id_number(50)})
    assert Look.objects.count() == before
