"""Departments, banks, outlets and staff of the demonstration."""

import secrets
import tomllib
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from importlib import resources
from typing import Any

from django.contrib.auth.hashers import make_password

from yikatong.cli.demo.plan import Loading
from yikatong.core.actor import Role
from yikatong.core.clock import BEIJING, day_of
from yikatong.core.models import StaffUser
from yikatong.registry.banks.models import Agreement, Bank
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import Division, Organisation, Outlet
from yikatong.registry.regions.profile import BankEntry

#: A bank's outlet does what its agreement says; both take cases of other cities (全省通办).
BANK_SERVICES = ["申领", "启用", "金融激活", "挂失", "解挂", "补换", "全省通办"]
AWAY = "外市窗口经办"
STAFF = [
    ("liqiang", "李强", Role.CLERK, "窗口经办"),
    ("hejing", "何静", Role.CLERK, AWAY),
    ("linfang", "林芳", Role.BANK_CLERK, "银行网点经办"),
    ("chenxiao", "陈晓", Role.SUPERVISOR, "业务主管"),
    ("zhouyun", "周芸", Role.OPERATOR, "终端运营"),
    ("wumin", "吴敏", Role.LEADER, "运行监测"),
    ("zhengan", "郑安", Role.AUDITOR, "安全审计"),
    ("admin", "系统管理员", Role.ADMIN, "系统管理"),
]


def catalogue_file() -> dict[str, Any]:
    return tomllib.loads((resources.files(__package__) / "catalogue.toml").read_text(encoding="utf-8"))


def load_counties(loading: Loading) -> None:
    """Counties of the profile's cities, as loaded from GB/T 2260."""
    cities = {city.code for city in loading.profile.cities if not city.partner}
    counties = Division.objects.filter(
        province_code=loading.profile.code, level=Division.Level.COUNTY, is_current=True
    ).order_by("code")
    loading.counties = [county for county in counties if loading.profile.city_of(county.code) in cities]


def load_departments(loading: Loading) -> None:
    province = loading.profile.code
    loading.departments = {
        key: Organisation.objects.create(
            code=f"{province}-{key}",
            name=loading.profile.short + name.removeprefix("省")
            if key != "disabled"
            else f"{loading.profile.short}残疾人联合会",
            kind=Organisation.Kind.HRSS if key == "hrss" else Organisation.Kind.DEPARTMENT,
            division_code=province,
        )
        for key, name in catalogue_file()["departments"]
    }


def load_banks(loading: Loading) -> None:
    """The banks, each under an agreement since the beginning of last year."""
    fields = {"code", "name", "short_name", "bin", "hotline"}
    loading.banks = Bank.objects.bulk_create(
        Bank(**entry.model_dump(include=fields)) for entry in loading.profile.banks
    )
    year = day_of(loading.at).year
    period = date(year - 1, 1, 1), date(year + 2, 1, 1)
    signed = datetime.combine(date(year - 2, 12, 20), time(10), BEIJING)
    Agreement.objects.bulk_create(
        agreements(loading.profile.banks, loading.profile.short, *period, at=signed)
    )


def agreements(
    entries: Iterable[BankEntry], short: str, begin: date, end: date, *, at: datetime
) -> list[Agreement]:
    """What the profile's banks promise, as agreements that two persons have confirmed; not yet stored."""
    promised = {"keeps_account", "joint_loss", "is_online", "on_death", "delivers_by"}
    return [
        Agreement(
            bank_id=entry.code,
            number=f"{short}社卡合作〔{begin.year}〕{place:03d} 号",
            valid_from=begin,
            valid_until=end,
            opens_accounts=True,
            matters=Agreement.Matter.values,
            on_time_percent=95,
            sent_back_percent=5,
            median_days=10,
            status=Agreement.Status.CONFIRMED,
            drafted_at=at - timedelta(days=2),
            drafted_by="陈晓",
            confirmed_at=at,
            confirmed_by="刘主任",
            **entry.model_dump(include=promised),
        )
        for place, entry in enumerate(entries, 1)
    ]


def load_outlets(loading: Loading) -> None:
    """Two of three outlets are halls of the department; the third is a bank's."""
    dice = loading.dice("outlets")
    halls = loading.departments["hrss"]
    keepers = [
        Organisation.objects.create(
            code=f"{loading.profile.code}-bank-{bank.code}",
            name=bank.name,
            kind=Organisation.Kind.BANK,
            division_code=loading.profile.code,
        )
        for bank in loading.banks
    ]
    step = max(len(loading.counties) // loading.sizes.outlets, 1)
    chosen = loading.counties[::step][: loading.sizes.outlets]
    loading.outlets = Outlet.objects.bulk_create(
        _outlet(number, county, halls if number % 3 else dice.choice(keepers), dice.random())
        for number, county in enumerate(chosen, 1)
    )
    for agreement in Agreement.objects.all():
        keeper = f"{loading.profile.code}-bank-{agreement.bank_id}"
        agreement.outlets.set([one for one in loading.outlets if one.organisation.code == keeper])


def _outlet(number: int, county: Division, keeper: Organisation, chance: float) -> Outlet:
    bank = keeper.kind == Organisation.Kind.BANK
    return Outlet(
        number=f"{county.code}{number:04d}",
        name=f"{keeper.name}{county.name}网点" if bank else f"{county.name}社会保障卡服务大厅",
        organisation=keeper,
        division_code=county.code,
        address=f"{county.name}示例路 {number} 号",
        phone="12333",
        hours="周一至周六 9:00–17:00" if bank else "周一至周五 9:00–12:00，13:30–17:00；周六 9:00–12:00",
        services=BANK_SERVICES if bank else list(SERVICES),
        issues_at_once=chance < 0.4,
        is_accessible=chance < 0.8,
    )


def _branch(loading: Loading, hall: Outlet) -> tuple[Bank, Outlet]:
    """An outlet that a bank keeps under its agreement; a province without one lends its hall."""
    keepers = {f"{loading.profile.code}-bank-{bank.code}": bank for bank in loading.banks}
    for outlet in loading.outlets:
        if outlet.organisation.code in keepers:
            return keepers[outlet.organisation.code], outlet
    return loading.banks[0], hall


def _away(loading: Loading, hall: Outlet) -> Outlet:
    """A hall of another city, whose clerk takes cases for the first one (全省通办)."""
    own, city_of = hall.organisation_id, loading.profile.city_of
    halls = [one for one in loading.outlets if one.organisation_id == own]
    return next(
        (one for one in halls if city_of(one.division_code) != city_of(hall.division_code)), halls[-1]
    )


def load_staff(loading: Loading) -> None:
    """Members of staff with one random password, which only this installation's demo file knows."""
    password = secrets.token_urlsafe(9)
    hashed = make_password(password)
    hall = next(o for o in loading.outlets if o.organisation_id == loading.departments["hrss"].id)
    bank, branch = _branch(loading, hall)
    Agreement.objects.get(bank=bank).outlets.add(branch)
    away = _away(loading, hall)
    for number, (login, name, role, title) in enumerate(STAFF, 1):
        is_away, at_hall = title == AWAY, role in {Role.CLERK, Role.SUPERVISOR}
        outlet = branch if role is Role.BANK_CLERK else away if is_away else hall if at_hall else None
        StaffUser.objects.create(
            username=login,
            display_name=name,
            password=hashed,
            role=role,
            staff_number=f"{300 + number:04d}",
            scope=away.division_code[:4] if is_away else loading.profile.code[:2],
            organisation=outlet.name if outlet else loading.departments["hrss"].name,
            outlet_id=outlet.id if outlet else None,
            bank_code=bank.code if role is Role.BANK_CLERK else "",
            window="3 号窗口" if role is Role.CLERK else "",
            is_staff=role is Role.ADMIN,
            is_superuser=role is Role.ADMIN,
        )
    faces = {
        Role.LEADER: "/board/",
        Role.OPERATOR: "/console/",
        Role.ADMIN: "/admin/",
        Role.AUDITOR: "/console/",
    }
    loading.staff = [
        {
            "role": title,
            "name": name,
            "login": login,
            "hint": f"密码 {password}",
            "url": faces.get(role, "/counter/"),
        }
        for login, name, role, title in STAFF
    ]
