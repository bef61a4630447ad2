"""Refusals about staff, terminals, outlets, the counter's reader, and what an operator does on the server."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.test import Client, RequestFactory
from pyotp import random_base32

from tests import cast
from tests.adapters.card_reader.test_agent import Desk
from tests.adapters.cards import card as card_on
from tests.adapters.cards import hsm as card_hsm
from tests.adapters.cards import image as card_image
from tests.refusals.stage import Stage
from tests.refusals.table import heard, refuses, way
from yikatong.adapters.card_reader import agent, serving, several
from yikatong.adapters.card_reader.virtual import VirtualReader
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import image
from yikatong.cli import vendor
from yikatong.core import audit_export, errors
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.keyring import Keyring
from yikatong.core.models import StaffUser
from yikatong.insight.dashboards import actions as dashboards
from yikatong.insight.dashboards import scope
from yikatong.portals.console import exporting
from yikatong.portals.counter import collecting, matters, people
from yikatong.portals.staff import actions as staff
from yikatong.portals.staff import guard, managing
from yikatong.registry.access import actions as access
from yikatong.registry.access import rules as access_rules
from yikatong.registry.access.models import Terminal
from yikatong.registry.cards.chip import faults, hsm
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.outlets import actions as outlets
from yikatong.registry.outlets import api, hours
from yikatong.registry.outlets import rules as outlet_rules
from yikatong.registry.regions import centres, divisions
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Organisation

ADDRESS, JSON = "192.0.2.1", "application/json"
OPERATOR: dict[str, Any] = {
    "by": Actor(None, "运营员", Role.OPERATOR, Channel.WEB, scope="51"), "at": Stage.at,
}  # fmt: skip

# --- log-in ---


def wrong_password(s: Stage) -> object:
    return staff.check_password("liqiang", "错误的口令", address=ADDRESS, at=s.at)


way(staff.WrongLogIn, wrong_password)
way(
    staff.WrongCode,
    lambda s: staff.verify_code(
        s.colleague(totp_secret=random_base32()).pk, "000000", address=ADDRESS, at=s.at
    ),
)
way(
    staff.WeakPassword,
    lambda s: staff.change_password(
        s.colleague().pk, old="蜀道难于上青天 A1", new="12345678", address=ADDRESS, at=s.at
    ),
)


@refuses(guard.TooManyTries)
def _(s: Stage) -> None:
    for _again in range(guard.NAME.tries + 1):
        try:
            wrong_password(s)
        except staff.WrongLogIn:
            continue


def reset(s: Stage, user: StaffUser, *, by: Actor | None = None, reason: str = "手机丢失") -> object:
    return managing.reset_authenticator(user.pk, reason=reason, by=by or s.admin, at=s.at)


way(managing.NoAuthenticator, lambda s: reset(s, s.colleague()))
way(managing.NoReason, lambda s: reset(s, s.colleague(), reason=""))
way(
    managing.NotLocked,
    lambda s: managing.release_lock(s.colleague().pk, reason="忘记口令", by=s.admin, at=s.at),
)


@refuses(managing.OwnAccount)
def _(s: Stage) -> None:
    user = s.colleague()
    reset(s, user, by=Actor(user.pk, "管理员", Role.ADMIN, Channel.WEB))


# --- counter and console ---

way(collecting.NothingToCollect, lambda s: collecting.do("activate", s.enter().pk, by=s.clerk, at=s.at))
way(matters.NoCard, lambda s: matters._card(s.enter()))
way(
    people.NoOther,
    lambda s: people._merge(
        s.enter(),
        {"number": "510107199003070145", "reason": "重复", "evidence": "户口簿"},
        by=s.supervisor,
        at=s.at,
    ),
)


@refuses(exporting.NoPeriod)
def _(_s: Stage) -> None:
    auditor = cast.log_in(Client(), cast.staff("郑安", "zhengan", role=Role.AUDITOR, scope="51"))
    heard(auditor.get("/console/audit.csv", headers={"Accept": JSON}).json(), exporting.NoPeriod)


@refuses(exporting.TooManyRows)
def _(s: Stage) -> None:
    s.enter()
    s.enter(2)
    s.settings.ENV = settings.ENV.model_copy(update={"export_rows": 1})
    exporting.count(type(s.enter(3)).objects.all())


way(
    scope.FinerThanCity,
    lambda _: scope.of_actor(Actor(None, "县领导", Role.LEADER, Channel.WEB, scope="510107"), province()),
)
way(dashboards.UsesGone, lambda s: dashboards.rebuild(s.today - timedelta(days=2_000), s.today, at=s.at))

# --- terminals ---


def terminal(s: Stage, **changes: Any) -> Terminal:
    domain, _ = Domain.objects.get_or_create(code="transit", defaults={"name": "交通出行"})
    keeper, _ = Organisation.objects.get_or_create(
        code="BUS", defaults={"name": "测试公交", "kind": "operator", "division_code": "510100"}
    )
    place, _ = Place.objects.get_or_create(
        number="P1",
        defaults={
            "name": "测试线路",
            "kind": "bus",
            "domain": domain,
            "keeper": keeper,
            "division_code": "510107",
        },
    )
    given = {"name": "一号车载机", "kind": "bus", "place_id": place.pk, "owner_id": keeper.pk, "scenes": [3]}
    return access.register_terminal(**(given | OPERATOR | changes))  # type: ignore[arg-type]


way(access_rules.TerminalMove, lambda s: access.resume(terminal(s).pk, **OPERATOR))
way(access_rules.ReasonMissing, lambda s: access.retire(terminal(s).pk, reason="", **OPERATOR))
way(access_rules.ScenesWrong, lambda s: terminal(s, scenes=[]))
way(access_rules.NumberWrong, lambda s: terminal(s, number=110101000001))
way(access_rules.EnrolmentRefused, lambda s: access.enrol(terminal(s).number, "0000-0000-0000-0000", at=s.at))
way(access_rules.NumberTaken, lambda s: [terminal(s, number=510107000001) for _ in range(2)])
way(access_rules.NoNumberLeft, lambda s: [terminal(s, number=510107999999), terminal(s)])

# --- outlets ---

KEEPER: dict[str, Any] = {"by": Stage.supervisor, "at": Stage.at}
OFFERS: dict[str, Any] = {
    "phone": "", "address": "示例路 1 号", "services": [], "facilities": [], "longitude": None, "latitude": None,
    "is_open": True,
}  # fmt: skip

way(outlet_rules.BadHours, lambda _: hours.parse("九点到十二点"))
way(
    outlet_rules.BadServices,
    lambda s: outlets.describe(s.hall().pk, **OFFERS | {"services": ["算命"]}, **KEEPER),
)
way(
    outlet_rules.BadPosition, lambda s: outlets.describe(s.hall().pk, **OFFERS | {"longitude": 1.0}, **KEEPER)
)
way(outlet_rules.ChangeGone, lambda _: outlets.take_back_change(UUID(int=1), **KEEPER))
way(outlet_rules.BadQueue, lambda s: outlets.report_queue(s.hall().pk, waiting=-1, **s.who))
way(outlet_rules.NoOutletOfYours, lambda s: outlets.report_queue(s.hall().pk, waiting=1, **s.who))


@refuses(outlet_rules.BadChange)
def _(s: Stage) -> None:
    days = {"since": s.today - timedelta(days=1), "until": s.today, "span": None}
    outlets.change_hours(s.hall().pk, **days, reason="停电", **KEEPER)


@refuses(outlet_rules.ReportTooOld)
def _(s: Stage) -> None:
    hall = s.hall()
    for _again in range(2):
        outlets.machine_report(hall, waiting=1, windows=1, measured_at=s.at)


@refuses(outlet_rules.MachineUnknown)
def _(s: Stage) -> None:
    api.queue(RequestFactory().post("/api/outlets/0/queue"), "0")


# --- cards on a reader ---


def reader(s: Stage, *, contactless: bool = False) -> VirtualReader:
    """With a card on it."""
    placed = card_on(card_hsm(s.folder))
    placed.present(contactless=contactless)
    return VirtualReader(placed)


def two(s: Stage) -> several.Several:
    both: list[Any] = [reader(s), reader(s)]
    return several.Several(lambda: both)


way(several.TwoCards, lambda s: agent.Agent(two(s)).begin())
way(faults.CardFault, lambda _: agent.Agent(VirtualReader(None)).begin())
way(agent.ReadingGone, lambda s: agent.Agent(reader(s)).finish("nothing begun", ""))
way(agent.ContactNeeded, lambda s: agent.Agent(reader(s, contactless=True)).begin_pin())


@refuses(agent.Busy)
def _(s: Stage) -> None:
    one = agent.Agent(reader(s))
    with one._turn:
        one.has_card()


def sent(s: Stage, code: str, kinds: tuple[type[errors.DomainError], ...], *, tries: int = 1) -> None:
    """A page asks the reader agent over the network; the last of its answers is raised."""
    desk = Desk(s.folder)
    try:
        for _again in range(tries):
            told = desk.send("POST", "/v1/state", b"{}", Authorization=code or None).body
    finally:
        desk.close()
    heard(told, *kinds)


way(serving.NotPaired, lambda s: sent(s, "", (serving.NotPaired,)))
way(
    serving.TooManyTries,
    lambda s: sent(s, "Bearer 00000000", (serving.NotPaired, serving.TooManyTries), tries=12),
)
way(image.PhotoTooLarge, lambda s: card_image(card_hsm(s.folder), photo=bytes(4097)))


@refuses(hsm.HsmUnavailable)
def _(s: Stage) -> None:
    path = s.folder / "cards.json"
    path.write_text("{}")
    path.chmod(0o600)
    SoftHsm(path, Keyring(bytes(32))).check_values()


# --- on the server ---


@refuses(audit_export.FolderNotEmpty)
def _(s: Stage) -> None:
    (s.folder / "before.txt").write_text("")
    by = Actor(None, "审计员", Role.AUDITOR, Channel.WEB)
    audit_export.export(s.folder, publics={}, by=by, at=s.at)


def raise_from_file(s: Stage) -> None:
    path = s.folder / "centres.csv"
    path.write_text("a,b,c\n")
    list(centres.read(path))


way(centres.BadCentres, raise_from_file)
way(divisions.DivisionsMissing, lambda s: divisions.rows(s.folder, served=["51"]))
way(vendor.NotAsPinned, lambda _: vendor._check({"htmx.min.js": "sha384-other"}))
