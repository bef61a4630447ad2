"""亮码: the password before it, the reasons without it, and what the browser's own code asks for."""

import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from tests.portals.citizen import people
from tests.portals.citizen.conftest import LogIn, session_of
from yikatong.core.clock import day_of
from yikatong.core.sm import sm2
from yikatong.registry.cards.models import Card, CardStatus, ECard
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import issuing, pass_
from yikatong.using.codes.models import Device
from yikatong.using.identity.models import ECardPassword

JSON = "application/json"


def test_the_password_comes_first_once_a_session(logged_in: LogIn, wang: Holder) -> None:
    client = logged_in(wang)

    asked = client.get("/m/code?scene=3")
    wrong = client.post("/m/code/password?scene=3", {"password": "999999"})
    right = client.post("/m/code/password?scene=3", {"password": people.PASSWORD})

    assert asked.headers["Location"] == "/m/code/password?scene=3"
    assert wrong.status_code == 422
    assert "密码不正确，请重新输入。还可以试 4 次。" in wrong.content.decode()
    assert right.headers["Location"] == "/m/code?scene=3"
    assert client.get("/m/code?scene=3").status_code == 200


def test_who_has_no_password_sets_one(logged_in: LogIn, wang: Holder) -> None:
    ECardPassword.objects.all().delete()
    client = logged_in(wang)

    unequal = client.post("/m/code/password", {"password": "284195", "again": "284196"})
    weak = client.post("/m/code/password", {"password": "123456", "again": "123456"})

    assert unequal.status_code == weak.status_code == 422
    assert "两次输入的密码不一样" in unequal.content.decode()
    assert "密码不能是连续的数字。请换一个。" in weak.content.decode()
    assert not ECardPassword.objects.exists()
    assert client.post("/m/code/password", {"password": "284195", "again": "284195"}).status_code == 303


def test_a_forgotten_password_is_reset_by_text_message(logged_in: LogIn, wang: Holder) -> None:
    client = logged_in(wang)
    page = client.post("/m/code/password/reset", {"send": "1"}).content.decode()
    code = re.search(r"验证码为 (\d{6})", page)
    assert code

    reply = client.post("/m/code/password/reset", {"code": code[1], "password": "917364", "again": "917364"})

    assert (reply.status_code, reply.headers["Location"]) == (303, "/m/code")
    assert logged_in(wang).post("/m/code/password", {"password": "917364"}).status_code == 303


@pytest.mark.clause("S2", "B8")
@pytest.mark.parametrize(
    ("status", "words", "to"),
    [
        (CardStatus.TEMPORARILY_LOST, "该卡已临时挂失", "/m/card/release"),
        (CardStatus.LOST, "该卡已正式挂失", "/m/card/replace"),
        (CardStatus.CANCELLED, "该卡已注销", "/m/apply"),
        (CardStatus.INACTIVE, "该卡尚未启用", "/m/help#activate"),
    ],
)
def test_no_code_for_a_card_out_of_use(hers: Client, status: CardStatus, words: str, to: str) -> None:
    at = datetime.now(UTC)
    Card.objects.update(status=status, loss_ends_at=at if status == CardStatus.TEMPORARILY_LOST else None)

    page = hers.get("/m/code").content.decode()

    assert words in page
    assert f'href="{to}"' in page
    assert 'data-forget="credentials"' in page
    assert "data-code" not in page


@pytest.mark.clause("S2", "B8")
def test_no_code_the_day_after_the_card_s_last(hers: Client) -> None:
    today = day_of(datetime.now(UTC))
    Card.objects.update(expires_on=today)
    assert "data-code" in hers.get("/m/code").content.decode()
    Card.objects.update(expires_on=today - timedelta(days=1))
    page = hers.get("/m/code").content.decode()
    assert "该卡已超过有效期" in page
    assert 'href="/m/card/replace"' in page
    assert "data-code" not in page
    assert hers.get("/m/code/short.svg").status_code == 409


def test_without_an_ecard_it_can_be_issued(hers: Client, wang: Holder) -> None:
    hers.post("/m/card/ecard/remove")
    page = hers.get("/m/code").content.decode()

    assert "签发电子社保卡" in page
    assert 'data-forget="all"' in page
    assert hers.post("/m/card/ecard").headers["Location"] == "/m/code"
    assert ECard.objects.get().status == ECard.Status.ISSUED


def test_without_a_card_there_is_none_to_show(logged_in: LogIn, chen: Holder) -> None:
    page = logged_in(chen).get("/m/code").content.decode()

    assert "您还没有社会保障卡" in page
    assert 'href="/m/apply"' in page


def test_a_new_card_on_its_way_is_where_to_look(logged_in: LogIn, chen: Holder) -> None:
    case = people.open_case(chen)

    page = logged_in(chen).get("/m/code").content.decode()

    assert f'href="/m/cases/{case.number}">看新卡的进度' in page


@pytest.mark.clause("C1", "C2")
def test_a_browser_binds_its_key_and_its_presentations_pass(hers: Client, wang: Holder) -> None:
    keys = sm2.generate()
    body = {"public_key": b64encode(keys.public).decode()}
    device = hers.post("/m/code/device", body, content_type=JSON, HTTP_USER_AGENT="iPhone Safari/1").json()
    answer = hers.post("/m/code/credentials", device, content_type=JSON).json()

    assert answer["holder"] == {"name": "王*", "number": "510***********2343", "tag": str(wang.id)[-12:]}
    assert [one["label"] for one in answer["credentials"]] == ["通用码", "就医码", "乘车码", "入园码"]
    assert Device.objects.get().name == "iPhone · Safari"
    now = int(answer["now"])
    row = issuing.signing_keyset(datetime.now(UTC))
    for one in answer["credentials"]:
        credential, secret, tweak = (b64decode(one[name]) for name in ("credential", "secret", "tweak"))
        raw = pass_.present(credential, secret, sm2.shift_private(keys.private, tweak), now, 1)
        found = pass_.verify_online(pass_.parse(raw), {(row.issuer, row.key_id): row}, now=now)
        assert (found.device, found.scene) == (Device.objects.get().number, one["scene"])


def test_another_holders_device_does_not_exist(hers: Client, chen: Holder) -> None:
    keys = {"public_key": b64encode(sm2.generate().public).decode()}
    device = hers.post("/m/code/device", keys, content_type=JSON).json()["device"]
    Holder.objects.filter(id=chen.id).update(phone=None)
    people.ready(people.holder(people.LI, "李强", people.PHONE))
    li = Client()
    li.cookies[settings.SESSION_COOKIE_NAME] = session_of(Holder.objects.get(name="李强"))

    reply = li.post("/m/code/credentials", {"device": device}, content_type=JSON, HTTP_ACCEPT=JSON)
    removed = li.post("/m/card/devices/remove", {"device": device})

    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
    assert removed.status_code == 404
    assert Device.objects.get(id=device).status == Device.Status.ACTIVE


@pytest.mark.parametrize("body", ["", "[]", "{", '{"public_key": "@@"}', '{"public_key": "AAAA"}', "{}"])
def test_a_strange_key_binds_nothing(hers: Client, body: str) -> None:
    reply = hers.post("/m/code/device", body, content_type=JSON, HTTP_ACCEPT=JSON)

    assert reply.status_code == 422
    assert not Device.objects.exists()


def test_machines_get_problems_not_pages(client: Client, logged_in: LogIn, wang: Holder) -> None:
    out = client.post("/m/code/credentials", {"device": str(uuid4())}, content_type=JSON, HTTP_ACCEPT=JSON)
    closed = logged_in(wang).post("/m/code/device", {}, content_type=JSON, HTTP_ACCEPT=JSON)

    assert (out.status_code, out.json()["code"]) == (401, "logged_out")
    assert (closed.status_code, closed.json()["code"]) == (403, "forbidden")
    assert closed.json()["title"] == "请先输入电子社保卡密码。"


def test_a_token_is_needed_to_bind(wang: Holder) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[settings.SESSION_COOKIE_NAME] = session_of(wang)

    assert strict.post("/m/code/device", {}, content_type=JSON, HTTP_ACCEPT=JSON).status_code == 403


def test_the_short_code_is_a_picture_for_this_scene_only(hers: Client) -> None:
    reply = hers.get("/m/code/short.svg?scene=3")

    assert reply.headers["Content-Type"] == "image/svg+xml"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.content.startswith(b'<svg xmlns="http://www.w3.org/2000/svg"')
    assert hers.get("/m/code/short.svg?scene=3").content != reply.content


def test_a_plain_page_for_browsers_that_stay_behind(hers: Client) -> None:
    page = hers.get("/m/code?scene=2&plain=1").content.decode()

    assert '<meta http-equiv="refresh" content="50">' in page
    assert '<img src="/m/code/short.svg?scene=2"' in page
    assert "code.js" not in page


def test_the_kept_shell_has_nobody_in_it(hers: Client, client: Client) -> None:
    page = hers.get("/m/code/shell").content.decode()

    assert "王" not in page
    assert "2343" not in page
    assert "csrf" not in page
    assert client.get("/m/code/shell").status_code == 200


def test_the_service_worker_keeps_only_files_and_shells(client: Client, db: None) -> None:
    reply = client.get("/sw.js")

    assert reply.headers["Content-Type"].startswith("text/javascript")
    assert reply.headers["Cache-Control"] == "no-cache"
    assert b'"/m/code/shell", "/m/offline"' in reply.content.replace(b"\\u002D", b"-")
    assert client.get("/sw.js").content == reply.content
