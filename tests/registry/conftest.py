"""The cast: 王芳 applies for a card; 李强, a clerk in 成都, serves her; 赵敏, in 重庆, must see nothing.

All persons, numbers and accounts are invented; check characters are valid.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.agreements import agree
from yikatong.core.actor import Actor, Channel, Role
from yikatong.registry.banks import actions as banks
from yikatong.registry.banks import requests
from yikatong.registry.banks.connector import Answer
from yikatong.registry.banks.models import Bank
from yikatong.registry.cards import actions, numbers
from yikatong.registry.cards.models import Card, Case, CaseStatus
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.certificates import check_character
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.models import Division

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # a Friday, 10:00 in Beijing

LI_QIANG = Actor(UUID(int=1), "李强", Role.CLERK, Channel.COUNTER, scope="5101", organisation="成都市人社局")
MIAN_YANG = Actor(UUID(int=2), "陈静", Role.CLERK, Channel.COUNTER, scope="5107", organisation="绵阳市人社局")
ZHAO_MIN = Actor(UUID(int=3), "赵敏", Role.CLERK, Channel.COUNTER, scope="50", organisation="重庆市人社局")
SUPERVISOR = Actor(
    UUID(int=4), "周主任", Role.SUPERVISOR, Channel.COUNTER, scope="51", organisation="省社保卡中心"
)
LEADER = Actor(UUID(int=5), "吴厅", Role.LEADER, Channel.WEB, scope="51")

JOINT, APART, CLOSED = "95901", "95903", "95909"


def id_number(serial: int = 1, *, region: str = "510107", born: str = "19900307", female: bool = True) -> str:
    """A valid GB 11643 number of an invented person."""
    body = f"{region}{born}{serial * 2 % 999:03d}" if female else f"{region}{born}{serial * 2 % 999 + 1:03d}"
    return body + check_character(body)


@pytest.fixture
def places(db: None) -> None:
    names = {
        "510000": "四川省",
        "510100": "成都市",
        "510107": "武侯区",
        "510700": "绵阳市",
        "510703": "涪城区",
    }
    names |= {"500000": "重庆市", "500103": "渝中区", "110000": "北京市", "110101": "东城区"}
    Division.objects.bulk_create(
        Division(
            code=code,
            name=name,
            level=1 if code.endswith("0000") else 2 if code.endswith("00") else 3,
            province_code=code[:2] + "0000",
        )
        for code, name in names.items()
    )


@pytest.fixture
def partners(db: None) -> None:
    """A bank that joins in a loss, one that does not, and one that is closed to new cards."""
    common = {"short_name": "甲", "hotline": "95901"}
    Bank.objects.create(code=JOINT, name="蜀安银行", bin="622951", **common)
    Bank.objects.create(code=APART, name="天府惠民银行", bin="622953", **common)
    Bank.objects.create(code=CLOSED, name="停办银行", bin="622959", accepts_new=False, **common)
    agree(JOINT, joint_loss=True, keeps_account=True)
    agree(APART)
    agree(CLOSED)


@pytest.fixture
def register(places: None, partners: None) -> Callable[..., Holder]:
    def _register(serial: int = 1, **changes: Any) -> Holder:
        claim: dict[str, Any] = {
            "kind": "A",
            "number": id_number(serial),
            "name": "王芳",
            "phone": f"139{serial:08d}",
            "division_code": "510107",
            "ground": "residence",
            "by": LI_QIANG,
            "at": AT,
        }
        return holders.register(**(claim | changes))

    return _register


@pytest.fixture
def wang_fang(register: Callable[..., Holder]) -> Holder:
    return register(address="成都市武侯区示例路 1 号")


def herself(holder: Holder) -> Actor:
    return Actor(holder.pk, holder.name, Role.HOLDER, Channel.MOBILE)


@pytest.fixture
def ready(register: Callable[..., Holder]) -> Callable[..., Case]:
    """A case whose card lies at the outlet, made without the round of files."""

    def _ready(holder: Holder, case: Case | None = None, *, bank_code: str = JOINT) -> Case:
        case = case or actions.apply(
            holder.pk, bank_code=bank_code, division_code="510107", by=LI_QIANG, at=AT
        )
        return make_card(case)

    return _ready


def make_card(case: Case) -> Case:
    serial = Card.objects.count() + 1
    number = f"62295190{serial:010d}"
    account = banks.preopen(
        case.holder_id,
        bank_code=str(case.bank_id),
        number=number + numbers.luhn_digit(number),
        by=SUPERVISOR,
        at=AT,
    )
    card = Card.objects.create(
        holder_id=case.holder_id,
        number=numbers.make("A", serial),
        identification=numbers.identifier("510100", serial, b"test"),
        reset_info=numbers.reset_information(b"MAKER", serial.to_bytes(8, "big")),
        account=account,
        division_code="510107",
        issued_on=date(2026, 11, 20),
        expires_on=date(2036, 11, 20),
        replaces=case.old_card,
    )
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.READY, card=card, step_due_on=date(2027, 5, 19))
    if case.fee_fen:
        actions.take_fee(case.pk, receipt=f"SJ{serial:06d}", by=LI_QIANG, at=AT)
    return Case.objects.get(pk=case.pk)


@pytest.fixture
def carry(ready: Callable[..., Case]) -> Callable[..., Card]:
    """A card in use: handed over and activated on both sides."""

    def _carry(holder: Holder, *, bank_code: str = JOINT) -> Card:
        card = actions.hand_over(ready(holder, bank_code=bank_code).pk, by=LI_QIANG, at=AT)
        actions.activate_account(card.pk, by=LI_QIANG, at=AT)
        return actions.activate(card.pk, by=LI_QIANG, at=AT)

    return _carry


def bank_answers(*, at: datetime = AT) -> None:
    """The banks have carried out all they were asked; how they are reached is tests/registry/banks."""
    to = {"report_loss": "lost", "release": "active", "activate": "active", "change_card": "active"}
    for request in requests.waiting():
        answer = Answer(is_done=True, code="00", reason="", account="", status=to[request.act], at=at)
        requests.settle(request.pk, answer, at=at)


def days(count: float) -> timedelta:
    return timedelta(days=count)


def state(card: Card) -> tuple[str, str]:
    """Status of both halves, as stored."""
    fresh = Card.objects.select_related("account").get(pk=card.pk)
    return fresh.status, fresh.account.status if fresh.account else ""
