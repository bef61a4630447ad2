import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import cast
from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Role
from yikatong.core.clock import now
from yikatong.core.models import AuditEntry, StaffUser
from yikatong.portals.staff import actions, guard
from yikatong.portals.staff.guard import TooManyTries

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
HERE = "192.0.2.10"


def events() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("event", flat=True))


def test_password_then_code_lets_in(client: Client) -> None:
    user = cast.li_qiang()
    key = client.session.session_key
    answer = client.post(
        "/staff/login?next=/counter/progress", {"username": " LiQiang", "password": cast.PASSWORD}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff/code?next=%2Fcounter%2Fprogress")
    assert client.get("/counter/").headers["Location"] == "/staff/login?next=%2Fcounter%2F"  # not yet in
    between = client.session.session_key
    answer = client.post(answer.headers["Location"], {"code": cast.code_of(user)})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/counter/progress")
    assert len({key, between, client.session.session_key}) == 3
    assert client.get("/counter/").status_code == 200
    assert events() == ["staff:login:in"]


def test_next_never_leads_away_from_the_site(client: Client) -> None:
    user = cast.li_qiang()
    client.post("/staff/login", {"username": "liqiang", "password": cast.PASSWORD})
    answer = client.post("/staff/code?next=//evil.example/", {"code": cast.code_of(user)})
    assert answer.headers["Location"] == "/counter/"


@pytest.mark.parametrize(
    ("name", "password"), [("liqiang", "wrong"), ("nobody", cast.PASSWORD), ("nobody", "x")]
)
def test_wrong_name_and_wrong_password_read_alike(client: Client, name: str, password: str) -> None:
    cast.li_qiang()
    answer = client.post("/staff/login", {"username": name, "password": password})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>有错误：登录" in page
    assert "用户名或密码不正确，请核对后重试。" in page
    assert events() == ["staff:login:failed"]


@pytest.mark.parametrize("name", ["liqiang", "nobody"])
def test_five_failures_block_a_name_for_a_quarter_hour(name: str) -> None:
    user = cast.li_qiang()
    for second in range(5):
        with pytest.raises(actions.WrongLogIn):
            actions.check_password(name, "wrong", address=HERE, at=AT + timedelta(seconds=second))
    with pytest.raises(TooManyTries):  # even the right password
        actions.check_password(name, cast.PASSWORD, address=HERE, at=AT + timedelta(minutes=14))
    assert events() == ["staff:login:failed"] * 5 + ["staff:login:locked"]
    later = AT + timedelta(minutes=15, seconds=5)
    if name == "nobody":
        with pytest.raises(actions.WrongLogIn):
            actions.check_password(name, cast.PASSWORD, address=HERE, at=later)
    else:
        assert actions.check_password(name, cast.PASSWORD, address=HERE, at=later) == user


def test_a_right_password_does_not_wash_away_wrong_codes() -> None:
    """Who has the password may not guess codes without end by logging in between."""
    user = cast.li_qiang()
    for _ in range(4):
        actions.check_password("liqiang", cast.PASSWORD, address=HERE, at=AT)
        with pytest.raises(actions.WrongCode):
            actions.verify_code(user.id, "000000", address=HERE, at=AT)
    actions.check_password("liqiang", cast.PASSWORD, address=HERE, at=AT)
    with pytest.raises(actions.WrongCode):
        actions.verify_code(user.id, "000000", address=HERE, at=AT)
    with pytest.raises(TooManyTries):
        actions.verify_code(user.id, cast.code_of(user, AT), address=HERE, at=AT)


def test_many_failures_block_an_address_but_no_other() -> None:
    for number in range(guard.ADDRESS.tries):
        with pytest.raises(actions.WrongLogIn):
            actions.check_password(f"guess{number}", "wrong", address=HERE, at=AT)
    cast.li_qiang()
    with pytest.raises(TooManyTries) as refusal:
        actions.check_password("liqiang", cast.PASSWORD, address=HERE, at=AT)
    assert refusal.value.facts == {"name": False}
    assert actions.check_password("liqiang", cast.PASSWORD, address="192.0.2.11", at=AT)


def test_a_code_is_good_once() -> None:
    user = cast.li_qiang()
    code = cast.code_of(user, AT)
    actions.verify_code(user.id, code, address=HERE, at=AT)
    with pytest.raises(actions.WrongCode):
        actions.verify_code(user.id, code, address=HERE, at=AT + timedelta(seconds=5))
    before = cast.code_of(user, AT - timedelta(seconds=30))
    with pytest.raises(actions.WrongCode):  # nor an older one after it
        actions.verify_code(user.id, before, address=HERE, at=AT)
    after = AT + timedelta(seconds=30)
    assert actions.verify_code(user.id, cast.code_of(user, after), address=HERE, at=after)


@pytest.mark.parametrize("drift", [-30, 30])
def test_a_clock_may_be_half_a_minute_off(drift: int) -> None:
    user = cast.li_qiang()
    code = cast.code_of(user, AT + timedelta(seconds=drift))
    assert actions.verify_code(user.id, code, address=HERE, at=AT)


@pytest.mark.parametrize("drift", [-60, 60])
def test_a_clock_may_not_be_further_off(drift: int) -> None:
    user = cast.li_qiang()
    code = cast.code_of(user, AT + timedelta(seconds=drift))
    with pytest.raises(actions.WrongCode):
        actions.verify_code(user.id, code, address=HERE, at=AT)


def test_first_log_in_binds_an_authenticator(client: Client) -> None:
    user = cast.li_qiang()
    StaffUser.objects.update(totp_secret=None, totp_confirmed_at=None)
    client.post("/staff/login", {"username": "liqiang", "password": cast.PASSWORD})
    page = client.get("/staff/code").content.decode()
    user.refresh_from_db()
    assert "绑定验证器" in page
    assert "<svg" in page
    assert user.totp_secret is not None
    assert client.post("/staff/code", {"code": "000000"}).status_code == 422
    user.refresh_from_db()
    assert user.totp_confirmed_at is None
    assert client.post("/staff/code", {"code": cast.code_of(user)}).status_code == 303
    user.refresh_from_db()
    assert user.totp_confirmed_at is not None
    secret = str(user.totp_secret)
    client.post("/staff/logout")
    client.post("/staff/login", {"username": "liqiang", "password": cast.PASSWORD})
    assert secret[:4] not in client.get("/staff/code").content.decode()  # never shown again


def test_an_idle_session_ends_and_is_recorded(client: Client) -> None:
    cast.log_in(client, cast.li_qiang())
    session = client.session
    session["staff_seen"] -= 30 * 60 + 1
    session.save()
    assert client.get("/staff/alive").status_code == 401
    assert client.get("/counter/").status_code == 302
    assert events()[-1] == "staff:login:out"
    assert AuditEntry.objects.latest("id").facts == {"reason": "idle"}


def test_asking_whether_it_lives_keeps_no_session_alive(client: Client) -> None:
    cast.log_in(client, cast.li_qiang())
    session = client.session
    session["staff_seen"] -= 20 * 60
    session.save()
    seen = client.session["staff_seen"]
    assert client.get("/staff/alive").json()["alive"] is True
    assert client.session["staff_seen"] == seen
    client.post("/staff/alive")
    assert client.session["staff_seen"] > seen + 19 * 60


def test_a_session_without_the_second_factor_is_none(client: Client) -> None:
    client.force_login(cast.li_qiang())
    assert client.get("/counter/").headers["Location"].startswith("/staff/login")


def test_admin_has_no_other_door(client: Client) -> None:
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.headers["Location"] == "/staff/login?next=/admin/"
    cast.log_in(client, cast.li_qiang())
    assert client.get("/admin/").status_code == 302  # a clerk is no administrator


def test_an_administrator_enters_with_both_factors(client: Client) -> None:
    admin = cast.staff("管理员", "admin", role=Role.ADMIN, is_staff=True, is_superuser=True)
    client.force_login(admin)
    assert client.get("/admin/").status_code == 302
    cast.log_in(client, admin)
    assert client.get("/admin/").status_code == 200
    assert client.get("/counter/").status_code == 403  # he runs the system and handles no one's card


@pytest.fixture
def administration(client: Client) -> Client:
    cast.log_in(client, cast.staff("管理员", "admin", role=Role.ADMIN, is_staff=True, is_superuser=True))
    return client


@pytest.mark.clause("cap:O5")
def test_what_an_administrator_changes_is_in_the_audit_log(administration: Client) -> None:
    user = cast.li_qiang()
    page = f"/admin/core/staffuser/{user.id}"
    form = {
        "username": user.username,
        "display_name": "李强",
        "role": "supervisor",
        "scope": "51",
        "window": "",
    }

    assert administration.post(f"{page}/change/", form | {"is_active": "on"}).status_code == 302
    password = {"password1": "一行白鹭上青天 B2", "password2": "一行白鹭上青天 B2", "usable_password": "true"}
    assert administration.post(f"{page}/password/", password).status_code == 302

    changed, set_password = AuditEntry.objects.filter(event="admin:staffuser:changed").order_by("id")
    assert changed.subject == f"staffuser:{user.id}"
    assert changed.actor_name == "管理员"
    assert changed.facts["now"] == {
        "role": "supervisor", "scope": "51", "bank_code": "", "is_active": True, "is_superuser": False,
    }  # fmt: skip
    assert set_password.subject == changed.subject
    assert "白鹭" not in repr(set_password.facts)


def test_staff_are_never_deleted(administration: Client) -> None:
    user = cast.li_qiang()

    assert administration.post(f"/admin/core/staffuser/{user.id}/delete/", {"post": "yes"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": str(user.id), "post": "yes"}
    administration.post("/admin/core/staffuser/", form)

    assert StaffUser.objects.filter(id=user.id).exists()


def test_the_administration_never_counts_or_searches_the_whole_log(administration: Client) -> None:
    more_than_a_page = (audit.entry("test:it:was", subject="x", by=SYSTEM, at=now()) for _ in range(120))
    audit.record_all(more_than_a_page)
    with CaptureQueriesContext(connection) as asked:
        assert administration.get("/admin/core/auditentry/?q=x").status_code == 200
    asked_of_log = [one["sql"] for one in asked if 'FROM "core_auditentry"' in one["sql"]]
    assert asked_of_log
    assert [sql for sql in asked_of_log if "LIMIT" not in sql or "LIKE" in sql] == []


def test_a_password_is_changed_on_one_page_only(administration: Client) -> None:
    assert administration.get("/admin/password_change/").headers["Location"] == "/staff/account"


def guess(browser: Client, times: int) -> list[int]:
    form = {"username": "liqiang", "password": "wrong"}
    return [browser.post("/staff/login", form).status_code for _ in range(times)]


@pytest.mark.clause("cap:O1")
def test_a_stranger_who_fails_on_purpose_locks_out_strangers_only(client: Client) -> None:
    clerk = cast.li_qiang()
    cast.log_in(client, clerk)
    client.post("/staff/logout")

    assert guess(Client(), 6) == [422] * 5 + [429]

    right = {"username": "liqiang", "password": cast.PASSWORD}
    assert Client().post("/staff/login", right).status_code == 429
    assert client.post("/staff/login", right).status_code == 303
    StaffUser.objects.update(totp_last_step=0)  # half a minute later
    assert client.post("/staff/code", {"code": cast.code_of(clerk)}).status_code == 303


def test_a_known_browser_has_no_more_tries_than_another(client: Client) -> None:
    cast.log_in(client, cast.li_qiang())
    client.post("/staff/logout")

    assert guess(client, 6) == [422] * 5 + [429]
    assert guess(Client(), 1) == [422]


def test_a_browser_is_known_for_those_who_proved_themselves_in_it(client: Client) -> None:
    cast.log_in(client, cast.chen_jing())
    cast.li_qiang()

    assert guess(Client(), 5) == [422] * 5
    assert guess(client, 1) == [429]
    forged = Client()
    forged.cookies["staff_browser"] = client.cookies["staff_browser"].value + "x"
    assert guess(forged, 1) == [429]


def test_who_is_made_inactive_between_the_factors_does_not_get_in(client: Client) -> None:
    clerk = cast.li_qiang()
    client.post("/staff/login", {"username": "liqiang", "password": cast.PASSWORD})
    StaffUser.objects.update(is_active=False)

    assert client.post("/staff/code", {"code": cast.code_of(clerk)}).status_code == 422
    assert client.get("/counter/").status_code == 302


def test_counters_that_count_no_more_are_removed(client: Client) -> None:
    client.post("/staff/login", {"username": "nobody", "password": "x"})
    assert guard.forget(at=now()) == 0
    assert guard.forget(at=now() + timedelta(hours=1)) == 2


def test_a_new_password_needs_the_old_one(client: Client) -> None:
    user = cast.li_qiang()
    cast.log_in(client, user)
    new = "一行白鹭上青天 B2"
    wrong = client.post("/staff/account", {"old": "wrong", "new": new, "again": new})
    assert wrong.status_code == 422
    weak = client.post("/staff/account", {"old": cast.PASSWORD, "new": "short", "again": "short"})
    assert weak.status_code == 422
    user.refresh_from_db()
    assert user.check_password(cast.PASSWORD)
    assert client.post("/staff/account", {"old": cast.PASSWORD, "new": new, "again": new}).status_code == 303
    user.refresh_from_db()
    assert user.check_password(new)
    assert client.get("/counter/").status_code == 200  # this session lives on
    assert events()[-1] == "staff:password:changed"


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_gain_nothing() -> None:
    """Twenty at once: no more than five are looked at, whichever they are."""
    cast.li_qiang()
    seen: list[str] = []

    def guess() -> None:
        try:
            actions.check_password("liqiang", "wrong", address=HERE, at=AT)
        except (actions.WrongLogIn, TooManyTries) as refusal:
            seen.append(type(refusal).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == ["TooManyTries"] * 15 + ["WrongLogIn"] * 5


@pytest.mark.django_db(transaction=True)
def test_of_two_with_one_code_one_gets_in() -> None:
    user = cast.li_qiang()
    code, seen = cast.code_of(user, AT), list[str]()

    def enter() -> None:
        try:
            actions.verify_code(user.id, code, address=HERE, at=AT)
            seen.append("in")
        except actions.WrongCode:
            seen.append("out")
        finally:
            connection.close()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == ["in", "out", "out", "out"]
