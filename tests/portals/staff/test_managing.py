"""What an administrator does for a colleague who cannot log in."""

from typing import Any

import pytest
from django.test import Client
from typer.testing import CliRunner

from tests import cast
from yikatong.cli import staff as command
from yikatong.core.actor import SYSTEM, Channel, Role
from yikatong.core.clock import now
from yikatong.core.errors import Forbidden
from yikatong.core.models import AuditEntry, StaffUser
from yikatong.portals.staff import guard, managing
from yikatong.portals.staff.models import LogInTries

pytestmark = pytest.mark.django_db
LOST = "手机遗失，已核对工作证"


@pytest.fixture
def administrator() -> StaffUser:
    return cast.staff("系统管理员", "admin", role=Role.ADMIN, scope="", is_staff=True, is_superuser=True)


@pytest.fixture
def administration(administrator: StaffUser) -> Client:
    return cast.log_in(Client(), administrator)


def page_of(user: StaffUser, act: str = "reset-authenticator") -> str:
    return f"/admin/core/staffuser/{user.pk}/{act}/"


def everything() -> tuple[object, ...]:
    people = StaffUser.objects.order_by("pk").values_list("pk", "totp_confirmed_at", "totp_last_step")
    acts = AuditEntry.objects.filter(event__startswith="staff:").count()
    tries = LogInTries.objects.order_by("key").values_list("key", "tries", "blocked_until")
    return list(people), acts, [(bytes(key), *rest) for key, *rest in tries]


def lock_out(login: str, *browsers: Client) -> None:
    for browser in browsers or (Client(),):
        for _ in range(guard.NAME.tries):
            browser.post("/staff/login", {"username": login, "password": "wrong"})


def enters(login: str, browser: Client | None = None) -> int:
    given = {"username": login, "password": cast.PASSWORD}
    return (browser or Client()).post("/staff/login", given).status_code


# --- a lost phone ---


@pytest.mark.clause("cap:O1", "cap:O5")
def test_a_lost_phone_is_replaced_by_a_new_enrolment(administration: Client) -> None:
    clerk = cast.li_qiang()
    desk = cast.log_in(Client(), clerk)
    old = str(clerk.totp_secret)
    assert "重置验证器" in administration.get(f"/admin/core/staffuser/{clerk.pk}/change/").content.decode()
    before = everything()
    asked = administration.get(page_of(clerk))
    assert "此人的登录全部结束" in asked.content.decode()
    assert (asked.status_code, everything()) == (200, before)  # a link does nothing by itself
    assert desk.get("/counter/").status_code == 200

    answer = administration.post(page_of(clerk), {"reason": f" {LOST} "})
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/admin/core/staffuser/{clerk.pk}/change/",
    )
    assert "已重置验证器" in administration.get(answer.headers["Location"]).content.decode()
    told = AuditEntry.objects.get(event="staff:totp:reset")
    assert (told.subject, told.actor_name, told.facts) == (
        f"staff:{clerk.pk}",
        "系统管理员",
        {"reason": LOST},
    )
    assert desk.get("/counter/").headers["Location"] == "/staff/login?next=%2Fcounter%2F"

    assert enters("liqiang", desk) == 303
    page = desk.get("/staff/code").content.decode()
    clerk.refresh_from_db()
    assert ("绑定验证器" in page, clerk.totp_secret != old) == (True, True)
    finder = StaffUser(totp_secret=old)
    assert desk.post("/staff/code", {"code": cast.code_of(finder)}).status_code == 422
    assert desk.post("/staff/code", {"code": cast.code_of(clerk)}).status_code == 303
    assert desk.get("/counter/").status_code == 200


def test_a_session_of_the_administrator_lives_on(administration: Client) -> None:
    clerk = cast.li_qiang()
    administration.post(page_of(clerk), {"reason": LOST})
    assert administration.get("/admin/").status_code == 200


@pytest.mark.clause("cap:O1")
@pytest.mark.parametrize("act", ["reset-authenticator", "release-lock"])
def test_nobody_helps_himself(administration: Client, administrator: StaffUser, act: str) -> None:
    """Who has got hold of his session must not get rid of the second factor by it."""
    lock_out("admin")
    before = everything()
    page = administration.get(page_of(administrator, act)).content.decode()
    assert ("请另一名系统管理员办理" in page, 'name="reason"' in page) == (True, False)
    answer = administration.post(page_of(administrator, act), {"reason": LOST})
    assert (answer.status_code, "请另一名系统管理员办理" in answer.content.decode()) == (403, True)
    assert everything() == before
    assert administration.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("reason", "bound", "status", "words"),
    [(" ", True, 422, "请填写原因"), (LOST, False, 409, "还没有绑定验证器")],
)
def test_a_reset_that_is_refused_changes_nothing(
    administration: Client,
    reason: str,
    bound: bool,  # noqa: FBT001
    status: int,
    words: str,
) -> None:
    clerk = cast.li_qiang()
    if not bound:
        StaffUser.objects.filter(pk=clerk.pk).update(totp_secret=None, totp_confirmed_at=None)
    before = everything()
    answer = administration.post(page_of(clerk), {"reason": reason})
    assert (answer.status_code, words in answer.content.decode()) == (status, True)
    assert everything() == before


@pytest.mark.parametrize("role", [Role.CLERK, Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR])
def test_only_an_administrator_helps(role: Role) -> None:
    clerk, other = cast.li_qiang(), cast.staff("某某", "other", role=role, scope="51")
    with pytest.raises(Forbidden):
        managing.reset_authenticator(clerk.pk, reason=LOST, by=other.actor(Channel.WEB), at=now())
    browser = cast.log_in(Client(), other)
    assert browser.post(page_of(clerk), {"reason": LOST}).status_code == 302
    clerk.refresh_from_db()
    assert clerk.totp_confirmed_at is not None
    assert not AuditEntry.objects.filter(event="staff:totp:reset").exists()


def test_nobody_by_that_key(administration: Client) -> None:
    for key in ("01900000-0000-7000-8000-00000000ffff", "nonsense"):
        assert administration.get(f"/admin/core/staffuser/{key}/release-lock/").status_code == 404


def test_a_code_shown_while_it_is_reset_lets_nobody_in() -> None:
    """The password was right before the reset; the code of the lost phone comes after it."""
    clerk = cast.li_qiang()
    browser = Client()
    assert enters("liqiang", browser) == 303
    managing.reset_authenticator(clerk.pk, reason=LOST, by=SYSTEM, at=now())
    assert browser.post("/staff/code", {"code": cast.code_of(clerk)}).status_code == 422
    clerk.refresh_from_db()
    assert clerk.totp_confirmed_at is None


# --- a lock-out ---


@pytest.mark.clause("cap:O1", "cap:O5")
def test_a_lock_out_ends_in_every_browser(administration: Client) -> None:
    clerk = cast.li_qiang()
    his = cast.log_in(Client(), clerk)
    his.post("/staff/logout")
    lock_out("liqiang", Client(), his)
    assert (enters("liqiang"), enters("liqiang", his)) == (429, 429)
    changing = administration.get(f"/admin/core/staffuser/{clerk.pk}/change/").content.decode()
    until = guard.blocked_until("liqiang", at=now())
    assert until is not None
    assert "没有锁定" not in changing

    answer = administration.post(page_of(clerk, "release-lock"), {"reason": "本人连续输错"})
    assert answer.status_code == 303
    assert (enters("liqiang"), enters("liqiang", his)) == (303, 303)
    told = AuditEntry.objects.get(event="staff:lock:released")
    assert (told.subject, told.facts) == (f"staff:{clerk.pk}", {"reason": "本人连续输错"})
    assert "没有锁定" in administration.get(f"/admin/core/staffuser/{clerk.pk}/change/").content.decode()

    before = everything()
    again = administration.post(page_of(clerk, "release-lock"), {"reason": "本人连续输错"})
    assert (again.status_code, "没有被锁定" in again.content.decode()) == (409, True)
    assert everything() == before


def test_another_name_stays_locked(administration: Client) -> None:
    clerk = cast.li_qiang()
    cast.chen_jing()
    lock_out("liqiang")
    lock_out("chenjing")
    administration.post(page_of(clerk, "release-lock"), {"reason": "本人连续输错"})
    assert (enters("liqiang"), enters("chenjing")) == (303, 429)


# --- from the server ---


def run(*arguments: str, given: str = "") -> Any:
    return CliRunner().invoke(command.app, list(arguments), input=given)


@pytest.mark.clause("cap:O5")
def test_the_last_administrator_is_helped_from_the_server(administrator: StaffUser) -> None:
    lock_out("admin")
    stopped = run("reset-totp", "admin", "--reason", LOST, given="n\n")
    assert stopped.exit_code == 1
    assert not AuditEntry.objects.filter(event="staff:totp:reset").exists()

    done = run("reset-totp", "ADMIN", "--reason", LOST, "--yes")
    assert (done.exit_code, done.stdout) == (
        0,
        "已重置 admin（系统管理员）的验证器，其登录已全部结束。\n",
    )
    administrator.refresh_from_db()
    assert administrator.totp_secret is None
    done = run("unlock", "admin", "--reason", LOST)
    assert (done.exit_code, done.stdout) == (0, "已解除 admin（系统管理员）的锁定，可以立即重新登录。\n")
    assert enters("admin") == 303
    told = AuditEntry.objects.filter(event__in=["staff:totp:reset", "staff:lock:released"])
    assert {entry.actor_name.split()[0] for entry in told} == {"命令行"}


@pytest.mark.parametrize("words", [("reset-totp", "nobody", "--yes"), ("unlock", "nobody")])
def test_the_server_names_what_is_wrong(db: None, words: tuple[str, ...]) -> None:
    done = run(*words, "--reason", LOST)
    assert (done.exit_code, str(done.exception)) == (1, "没有这个工作人员账号。请核对用户名后重试。")
