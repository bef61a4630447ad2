"""The cast, put on stage by the acts themselves.

王芳 is a holder in 成都; 李强, a clerk, serves her there; 陈晓 is his supervisor; 陈静 is a clerk in another city
of the province; 赵敏, a clerk in 重庆, must see nothing; 周敏华 leads and sees boards only. All persons, numbers
and accounts are invented; check characters are valid.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pyotp
from django.test import Client

from tests.agreements import agree
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.core.models import StaffUser
from yikatong.registry.banks import actions as bank_acts
from yikatong.registry.banks.models import Bank
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards import numbers
from yikatong.registry.cards.models import Card, Case, CaseStatus
from yikatong.registry.holders import actions as holder_acts
from yikatong.registry.holders.certificates import check_character
from yikatong.registry.holders.models import Holder
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import Division, Organisation, Outlet

PASSWORD = "蜀道难于上青天 A1"  # an invented one, for invented people
JOINT, APART = "95901", "95903"
WANG_FANG_NUMBER = "510107199003070129"
PHONE = "13900000001"
HALL = UUID("01900000-0000-7000-8000-000000000001")

_DIVISIONS = {
    "510000": "四川省", "510100": "成都市", "510107": "武侯区", "510700": "绵阳市", "510703": "涪城区",
    "500000": "重庆市", "500103": "渝中区",
}  # fmt: skip


def id_number(serial: int = 1, *, region: str = "510107", born: str = "19900307") -> str:
    """A valid GB 11643 number of an invented woman."""
    body = f"{region}{born}{serial * 2:03d}"
    return body + check_character(body)


def set_stage() -> None:
    """Divisions, a hall, a bank that joins in a loss and one that does not."""
    Division.objects.bulk_create(
        [
            Division(code=code, name=name, level=_level(code), province_code=code[:2] + "0000")
            for code, name in _DIVISIONS.items()
        ],
        ignore_conflicts=True,
    )
    hrss = Organisation.objects.create(
        code="CDHRSS", name="成都市人社局", kind="hrss", division_code="510100"
    )
    Outlet.objects.create(
        id=HALL,
        number="5101070001",
        name="武侯区社保经办大厅",
        organisation=hrss,
        division_code="510107",
        address="武侯区示例路 1 号",
        hours="周一至周五 9:00–17:00",
        services=list(SERVICES),
    )
    bank(JOINT, "蜀安银行", "622951", joint_loss=True)
    bank(APART, "天府惠民银行", "622953", joint_loss=False)


def bank(code: str, name: str, prefix: str, **more: Any) -> Bank:
    """A bank and its agreement; `more` is what it promises beyond keeping accounts."""
    made = Bank.objects.create(code=code, name=name, short_name=name[:2], bin=prefix, hotline=code)
    agree(code, keeps_account=True, **more)
    return made


def _level(code: str) -> int:
    return 1 if code.endswith("0000") else 2 if code.endswith("00") else 3


def staff(name: str, login: str, *, role: Role = Role.CLERK, scope: str = "5101", **more: Any) -> StaffUser:
    """A member of staff with an authenticator bound; a clerk of a bank's outlet is the joint bank's."""
    if role is Role.BANK_CLERK:
        more = {"bank_code": JOINT} | more
    user = StaffUser(
        username=login,
        display_name=name,
        role=role,
        scope=scope,
        totp_secret=pyotp.random_base32(),
        totp_confirmed_at=now(),
        **more,
    )
    user.set_password(PASSWORD)
    user.save()
    return user


def li_qiang() -> StaffUser:
    more = {
        "organisation": "武侯区社保经办大厅",
        "outlet_id": HALL,
        "window": "3 号窗口",
        "staff_number": "0317",
    }
    return staff("李强", "liqiang", **more)


def chen_xiao() -> StaffUser:
    more = {"organisation": "武侯区社保经办大厅", "outlet_id": HALL, "staff_number": "0302"}
    return staff("陈晓", "chenxiao", role=Role.SUPERVISOR, scope="51", **more)


def chen_jing() -> StaffUser:
    return staff("陈静", "chenjing", scope="5107", organisation="绵阳市人社局")


def zhao_min() -> StaffUser:
    return staff("赵敏", "zhaomin", scope="50", organisation="重庆市人社局")


def leader() -> StaffUser:
    return staff("周敏华", "zhouminhua", role=Role.LEADER, scope="51")


def clerk() -> Actor:
    """Who does what must have been done before a test begins."""
    return Actor(UUID(int=9), "前台", Role.CLERK, Channel.COUNTER, scope="51", organisation="省社保卡中心")


def supervisor() -> Actor:
    return Actor(
        UUID(int=8), "主管", Role.SUPERVISOR, Channel.COUNTER, scope="51", organisation="省社保卡中心"
    )


def register(number: str = WANG_FANG_NUMBER, *, at: datetime | None = None, **changes: Any) -> Holder:
    claim: dict[str, Any] = {
        "kind": "A",
        "number": number,
        "name": "王芳",
        "phone": PHONE,
        "division_code": "510107",
        "ground": "residence",
        "address": "成都市武侯区示例路 1 号",
        "by": clerk(),
        "at": at or now(),
    }
    return holder_acts.register(**(claim | changes))


def wang_fang() -> Holder:
    return register()


def apply(holder: Holder, *, bank_code: str = JOINT, at: datetime | None = None, **more: Any) -> Case:
    wish: dict[str, Any] = {"bank_code": bank_code, "division_code": "510107", "outlet_id": HALL} | more
    return card_acts.apply(holder.pk, **wish, by=clerk(), at=at or now())


def make_card(case: Case, *, at: datetime | None = None) -> Case:
    """The card lies at the outlet: what bank and card maker do, without the round of their files."""
    at = at or now()
    serial = Card.objects.count() + 1
    account = f"{case.bank.bin if case.bank else '622951'}90{serial:010d}"
    opened = bank_acts.preopen(
        case.holder_id,
        bank_code=str(case.bank_id),
        number=account + numbers.luhn_digit(account),
        by=supervisor(),
        at=at,
    )
    card = Card.objects.create(
        holder_id=case.holder_id,
        number=numbers.make("A", serial),
        identification=numbers.identifier("510100", serial, b"test"),
        reset_info=numbers.reset_information(b"MAKER", serial.to_bytes(8, "big")),
        account=opened,
        division_code="510107",
        issued_on=day_of(at),
        expires_on=day_of(at) + timedelta(days=3650),
        replaces=case.old_card,
    )
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.READY, card=card)
    return Case.objects.get(pk=case.pk)


def card_in_use(holder: Holder, *, bank_code: str = JOINT) -> Card:
    """Applied for, made, handed over, activated on both sides."""
    at = now()
    case = make_card(apply(holder, bank_code=bank_code))
    card = card_acts.hand_over(case.pk, by=clerk(), at=at)
    card_acts.activate_account(card.pk, by=clerk(), at=at)
    return card_acts.activate(card.pk, by=clerk(), at=at)


def code_of(user: StaffUser, at: datetime | None = None) -> str:
    """What the user's authenticator shows."""
    return pyotp.TOTP(str(user.totp_secret)).at(at or now())


def log_in(client: Client, user: StaffUser) -> Client:
    """Through the front door, with both factors."""
    client.post("/staff/login", {"username": user.username, "password": PASSWORD})
    answer = client.post("/staff/code", {"code": code_of(user)})
    assert answer.status_code == 303, answer.content.decode()
    return client
