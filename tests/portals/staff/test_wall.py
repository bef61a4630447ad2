"""A board that nobody sits before: polls keep no person's session, and a wall has one of its own."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from tests import cast
from yikatong.core.actor import Role
from yikatong.core.clock import now
from yikatong.core.models import AuditEntry, StaffUser

pytestmark = [pytest.mark.django_db, pytest.mark.clause("cap:O1")]
OTHERS = [role for role in Role if role not in {Role.HOLDER, Role.SYSTEM, Role.LEADER, Role.CLERK}]


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


@pytest.fixture
def leader(client: Client) -> Client:
    return cast.log_in(client, cast.leader())


@pytest.fixture
def wall(leader: Client) -> Client:
    answer = leader.post("/staff/wall")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/board/")
    return leader


def wait(client: Client, name: str, waited: timedelta) -> float:
    """So much time has passed since the session noted `name`; returns what it notes now."""
    session = client.session
    session[name] -= waited.total_seconds()
    session.save()
    return float(session[name])


def last() -> AuditEntry:
    return AuditEntry.objects.latest("id")


@pytest.mark.parametrize(
    "address",
    ["/board/?part=live&auto=1", "/board/?range=week&auto=1", "/board/?rotate=1&auto=1", "/staff/alive"],
)
def test_what_a_page_asks_by_itself_keeps_no_session(leader: Client, address: str) -> None:
    seen = wait(leader, "staff_seen", timedelta(minutes=20))
    assert leader.get(address).status_code == 200
    assert leader.session["staff_seen"] == seen

    wait(leader, "staff_seen", timedelta(minutes=11))
    assert leader.get(address).status_code in {302, 401}
    assert last().facts == {"reason": "idle"}


@pytest.mark.parametrize("address", ["/board/", "/board/?part=live", "/board/print"])
def test_what_a_person_asks_does(leader: Client, address: str) -> None:
    seen = wait(leader, "staff_seen", timedelta(minutes=20))
    leader.get(address)
    assert leader.session["staff_seen"] > seen + 19 * 60


def test_pages_that_renew_themselves_say_so(leader: Client) -> None:
    page = leader.get("/board/?range=week&rotate=1").content.decode()
    assert 'content="30;url=/board/?range=week&amp;auto=1"' in page
    assert "rotate=1&amp;auto=1" in page.split("data-next=")[1].split(" ")[0]


def test_a_wall_shows_the_board_for_days(wall: Client) -> None:
    wait(wall, "staff_seen", timedelta(days=3))
    wait(wall, "staff_wall", timedelta(days=3))

    page = wall.get("/board/?part=live&auto=1")
    assert page.status_code == 200
    assert wall.get("/board/print").status_code == 200
    assert "结束大屏" in wall.get("/board/").content.decode()
    assert "挂为大屏" not in wall.get("/board/").content.decode()
    assert AuditEntry.objects.filter(event="staff:login:wall_begun").count() == 1


def test_a_wall_ends_on_its_day(wall: Client) -> None:
    left = wall.session["staff_wall"] - now().timestamp()
    assert settings.ENV.wall_days * 86_400 - 60 < left <= settings.ENV.wall_days * 86_400

    wait(wall, "staff_wall", timedelta(days=settings.ENV.wall_days))
    assert wall.get("/board/").headers["Location"].startswith("/staff/login")
    assert (last().event, last().facts) == ("staff:login:out", {"reason": "wall_over"})


@pytest.mark.parametrize("address", ["/staff/account", "/staff/wall", "/console/", "/counter/", "/admin/"])
def test_a_wall_is_a_stranger_everywhere_else(wall: Client, address: str) -> None:
    for answer in (wall.get(address), wall.post(address)):
        assert answer.status_code == 302
        assert "/login" in answer.headers["Location"]
    assert wall.get("/staff/alive").status_code == 401
    assert wall.post("/board/").status_code in {302, 405}
    assert wall.get("/board/").status_code == 200


def test_a_wall_is_ended_by_hand_by_a_new_password_and_by_closing_the_account(wall: Client) -> None:
    user = wall.get("/board/").wsgi_request.user
    user.is_active = False
    user.save()
    assert wall.get("/board/").status_code == 302
    user.is_active = True
    user.save()
    assert wall.get("/board/").status_code == 200
    user.set_password("另一个够长的密码 B2")
    user.save()
    assert wall.get("/board/").status_code == 302


def test_leaving_a_wall(wall: Client) -> None:
    assert wall.post("/staff/logout").status_code == 303
    assert wall.get("/board/").status_code == 302
    assert last().facts == {"reason": "asked"}


def test_who_logs_in_at_a_wall_has_a_persons_session(wall: Client) -> None:
    user = wall.get("/board/").wsgi_request.user
    StaffUser.objects.update(totp_last_step=0)  # half a minute later
    cast.log_in(wall, user)

    assert wall.get("/staff/account").status_code == 200
    assert "staff_wall" not in wall.session
    assert wall.session.get_expiry_age() == settings.SESSION_COOKIE_AGE
    wait(wall, "staff_seen", timedelta(minutes=31))
    assert wall.get("/board/").status_code == 302


@pytest.mark.parametrize("role", OTHERS)
def test_only_who_does_nothing_but_watch_may_hang_one(role: Role, client: Client) -> None:
    cast.log_in(client, cast.staff("某某", "someone", role=role, scope="51"))
    assert client.get("/staff/wall").status_code == 403
    assert client.post("/staff/wall").status_code == 403
    assert "staff_wall" not in client.session
    assert "挂为大屏" not in client.get("/board/").content.decode()


def test_an_installation_may_have_none(leader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ENV", settings.ENV.model_copy(update={"wall_days": 0}))
    assert leader.post("/staff/wall").status_code == 403
    assert "挂为大屏" not in leader.get("/board/").content.decode()
