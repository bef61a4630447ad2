"""Every address of the site: who gets in, and who does not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests import cast
from yikatong.core.actor import Role
from yikatong.core.models import StaffUser

#: Whoever knows the address may open these. A new page is private until it is written down here.
PUBLIC = {
    "", "healthz", "readyz", "sw.js",
    "m/login", "m/login/code", "m/login/choose", "m/logout", "m/offline", "m/manifest.webmanifest", "m/help",
    "m/places", "m/places/<uuid:key>", "m/settings", "m/settings/display", "m/code/shell",
    "m/outlets", "m/outlets/<uuid:key>", "m/guide", "m/guide/<slug:key>", "kiosk/outlets",
    "staff/login", "staff/code", "staff/logout", "staff/back", "staff/display", "staff/alive",
    "admin/login/", "admin/logout/", "admin/password_change/",  # to the pages of staff
    # The kiosk's page holds nothing: its key is in the browser that was enrolled.
    "terminal/", "terminal/desk.js", "terminal/eye.js", "terminal/reasons.json", "terminal/sw.js",
    "terminal/manifest.webmanifest",
    # Where one proves who he is at a self-service kiosk, and where he leaves.
    "kiosk/", "kiosk/who/<slug:matter>", "kiosk/scan/<slug:matter>", "kiosk/code/<slug:matter>", "kiosk/leave",
}  # fmt: skip
#: Closed to strangers by the network or a key of its own, not by a log-in.
GUARDED_OTHERWISE = {"metrics", "api/v1/outlets/<slug:number>/queue"}
#: Who has business in a face; every other role is refused there.
ROLES = {
    "counter": {Role.CLERK, Role.BANK_CLERK, Role.SUPERVISOR},
    "board": {Role.SUPERVISOR, Role.OPERATOR, Role.LEADER, Role.AUDITOR, Role.ADMIN},
    "console": {Role.SUPERVISOR, Role.OPERATOR, Role.AUDITOR, Role.ADMIN},
    "admin": {Role.ADMIN},
}
STAFF = [role for role in Role if role not in {Role.HOLDER, Role.SYSTEM}]
_VALUES = {"uuid": str(UUID(int=7)), "int": "7", "slug": "loss", "str": "510107126010001", "path": "x"}
_LOG_IN = ("/m/login", "/staff/login", "/admin/login/", "/kiosk/")


@dataclass(frozen=True)
class Door:
    """An address of the resolver, and one way of filling it in."""

    route: str
    address: str

    @property
    def face(self) -> str:
        return self.route.split("/", 1)[0]


def doors() -> Iterator[Door]:
    for route in walk(get_resolver(), ""):
        if route.startswith("^") or "(?P" in route:  # the admin's catch-all for what it does not know
            continue
        yield Door(route, "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda found: _VALUES[found[1] or "str"], route))


def walk(resolver: URLResolver, before: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from walk(entry, route)


DOORS = list(doors())
PRIVATE = [door for door in DOORS if door.route not in PUBLIC | GUARDED_OTHERWISE]
FACES = {door.face for door in DOORS}


def by_route(door: Door) -> str:
    return door.route


def test_the_walk_sees_the_house() -> None:
    assert len(DOORS) > 100
    assert {"m/card", "counter/find", "board/", "admin/core/auditentry/"} <= {door.route for door in DOORS}
    gone = (PUBLIC | GUARDED_OTHERWISE) - {door.route for door in DOORS}
    assert gone == set(), "written down as public, but there is no such page"
    assert {door.face for door in PRIVATE} <= ROLES.keys() | {"m", "staff", "kiosk"}, (
        "a new face: say in ROLES whose it is"
    )


@pytest.mark.django_db
@pytest.mark.clause("cap:O1")
@pytest.mark.parametrize("door", PRIVATE, ids=by_route)
def test_a_stranger_is_sent_to_the_log_in(door: Door) -> None:
    """For reading and for writing; only «this method is never served» may stand for one of the two."""
    answers = [Client().get(door.address), Client().post(door.address)]
    for answer in answers:
        to = answer.headers.get("Location", "")
        is_refused = answer.status_code in {401, 403, 405} or (
            answer.status_code == 302 and to.startswith(_LOG_IN)
        )
        assert is_refused, f"{door.route}: a stranger gets {answer.status_code} {to}"
    assert {answer.status_code for answer in answers} != {405}


@pytest.mark.django_db
@pytest.mark.parametrize("route", sorted(PUBLIC))
def test_public_pages_ask_for_nothing(route: str) -> None:
    """And they never fail, whatever an anonymous visitor sends."""
    door = next(door for door in DOORS if door.route == route)
    for answer in (Client().get(door.address), Client().post(door.address)):
        assert answer.status_code < 500


@pytest.fixture
def keys_of(db: None) -> dict[Role, Client]:
    """A browser for each role, logged in with both factors."""
    banks = {Role.BANK_CLERK: {"bank_code": cast.JOINT}}
    people = {
        role: cast.staff("某某", f"door-{role}", role=role, scope="51", **banks.get(role, {}))
        for role in STAFF
    }
    StaffUser.objects.filter(role=Role.ADMIN).update(is_staff=True, is_superuser=True)
    return {role: cast.log_in(Client(), person) for role, person in people.items()}


@pytest.mark.clause("cap:O1")
@pytest.mark.parametrize("face", sorted(ROLES.keys() & FACES))
def test_a_colleague_without_the_permission_is_refused(face: str, keys_of: dict[Role, Client]) -> None:
    let_in = [
        f"{door.route}: {role} gets {answer.status_code} {answer.headers.get('Location', '')}"
        for door in PRIVATE
        if door.face == face
        for role in STAFF
        if role not in ROLES[face]
        for answer in (keys_of[role].get(door.address), keys_of[role].post(door.address))
        if not _is_refused(answer)
    ]
    assert let_in == []


def _is_refused(answer: Any) -> bool:
    to = answer.headers.get("Location", "")
    return answer.status_code in {403, 405} or (answer.status_code == 302 and to.startswith("/admin/login/"))


@pytest.mark.parametrize("face", sorted(ROLES.keys() & FACES))
def test_who_has_business_there_gets_in(face: str, keys_of: dict[Role, Client]) -> None:
    """Otherwise a door shut to everybody would prove nothing."""
    for role in ROLES[face]:
        assert keys_of[role].get(f"/{face}/").status_code == 200, role
