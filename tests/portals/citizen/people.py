"""王芳 holds a card and its e-card; 李强 shares her phone; 陈静 is a stranger with a matter of her own. All invented."""

from datetime import date, timedelta
from typing import Any

from tests.agreements import agree
from yikatong.core.clock import day_of, now
from yikatong.core.fields import blind_index
from yikatong.portals.citizen.session import actor_of
from yikatong.registry.banks.models import Bank, BankAccount
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards import numbers
from yikatong.registry.cards.models import Card, CardStatus, Case
from yikatong.registry.catalogue.models import Domain, Item, Place
from yikatong.registry.holders.models import Certificate, Holder
from yikatong.registry.regions.models import Division, Organisation, Outlet
from yikatong.using.codes import actions as codes
from yikatong.using.identity import actions as identity

WANG, LI, CHEN = "510107199003072343", "510107198811230018", "510107197505120027"
PHONE, OTHER_PHONE = "13900000001", "13900000002"
PASSWORD = "284195"


def world() -> None:
    """A district with an outlet, two banks, and a library."""
    for code, name, level in (("510000", "四川省", 1), ("510100", "成都市", 2), ("510107", "武侯区", 3)):
        Division.objects.create(code=code, name=name, level=level, province_code="510000")
    halls = Organisation.objects.create(code="h", name="成都市人社局", kind="hrss", division_code="510100")
    Outlet.objects.create(
        number="5101070001",
        name="武侯区社会保障卡服务大厅",
        organisation=halls,
        division_code="510107",
        address="示例路 1 号",
        hours="周一至周五 9:00–17:00",
        services=["申领"],
    )
    common = {"hotline": "95901", "short_name": "甲"}
    Bank.objects.create(code="95901", name="蜀安银行", bin="622951", **common)
    Bank.objects.create(code="95903", name="天府惠民银行", bin="622953", **common)
    agree("95901", joint_loss=True)
    agree("95903")
    culture = Domain.objects.create(code="culture", name="文化体验", order=1, icon="library")
    item = Item.objects.create(
        code="W1",
        name="图书借阅",
        domain=culture,
        department=halls,
        methods=["扫码"],
        valid_from=date(2026, 1, 1),
    )
    library = Place.objects.create(
        number="P1",
        name="武侯区图书馆",
        kind="图书馆",
        domain=culture,
        keeper=halls,
        division_code="510107",
        address="示例路 2 号",
    )
    library.items.add(item)


def holder(number: str, name: str, phone: str) -> Holder:
    at = now()
    made = Holder.objects.create(
        name=name,
        name_original=name,
        social_security_number=number,
        social_security_index=blind_index("social_security", number),
        sex="2",
        birth_date=date(int(number[6:10]), int(number[10:12]), int(number[12:14])),
        division_code="510107",
        phone=phone,
        phone_index=blind_index("phone", phone),
        address="成都市武侯区示例路 3 号",
        created_at=at,
    )
    index = blind_index("certificate", f"A:{number}")
    Certificate.objects.create(holder=made, kind="A", number=number, number_index=index, created_at=at)
    return made


def card(owner: Holder, status: CardStatus = CardStatus.NORMAL, bank: str = "95901", **more: Any) -> Card:
    serial, at = Card.objects.count() + 1, now()
    body = f"62295{serial:013d}"
    number = body + numbers.luhn_digit(body)
    account = BankAccount.objects.create(
        holder_id=owner.id,
        bank_id=bank,
        number=number,
        number_index=blind_index("account", number),
        status=BankAccount.Status.ACTIVE,
        opened_at=at,
    )
    lost = status in {CardStatus.TEMPORARILY_LOST, CardStatus.LOST}
    return Card.objects.create(
        holder=owner,
        number=f"A{serial:07d}0",
        identification=f"{serial:032x}",
        reset_info=f"{serial:026x}",
        account=account,
        division_code="510107",
        status=status,
        issued_on=day_of(at) - timedelta(days=40),
        expires_on=day_of(at) + timedelta(days=3000),
        activated_at=at,
        lost_at=at if lost else None,
        loss_ends_at=at + timedelta(days=7) if status == CardStatus.TEMPORARILY_LOST else None,
        **more,
    )


def ready(owner: Holder) -> Holder:
    """With a card in use, an e-card and its password."""
    card(owner)
    codes.issue_ecard(owner.id, by=actor_of(owner), at=now())
    identity.set_password(owner.id, PASSWORD, by=actor_of(owner), at=now())
    return owner


def open_case(owner: Holder) -> Case:
    outlet = Outlet.objects.get()
    return cards.apply(
        owner.id, bank_code="95903", outlet_id=outlet.id, division_code="510107", by=actor_of(owner), at=now()
    )
