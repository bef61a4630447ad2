"""Logging in with a code by text message, choosing a holder, logging out."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from tests.portals.citizen import people
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import now
from yikatong.core.sm import sm2
from yikatong.portals.citizen import session
from yikatong.portals.citizen.session import actor_of
from yikatong.registry.cards.models import Card, CardStatus
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import actions as codes
from yikatong.using.codes.models import Device
from yikatong.using.identity.models import SmsCode


def ask(client: Client, phone: str = people.PHONE) -> str:
    """The code as the demonstration shows it; "" when there is none."""
    assert client.post("/m/login", {"phone": phone}).headers["Location"] == "/m/login/code"
    found = re.search(r"验证码为 (\d{6})", client.get("/m/login/code").content.decode())
    return found[1] if found else ""


def test_a_holder_logs_in_and_lands_where_he_wanted(client: Client, wang: Holder) -> None:
    assert client.get("/m/card").headers["Location"] == "/m/login?next=%2Fm%2Fcard"
    client.get("/m/login?next=/m/card")
    code = ask(client)

    reply = client.post("/m/login/code", {"code": code})

    assert (reply.status_code, reply.headers["Location"]) == (303, "/m/card")
    assert "王*" in client.get("/m/card").content.decode()


def test_a_wrong_code_opens_nothing(client: Client, wang: Holder) -> None:
    code = ask(client)

    reply = client.post("/m/login/code", {"code": "000000" if code != "000000" else "111111"})

    assert reply.status_code == 422
    assert "验证码不正确或已失效。请核对，或重新获取。" in reply.content.decode()
    assert client.get("/m/").status_code == 302


def test_a_stranger_learns_nothing_about_a_phone(client: Client, wang: Holder) -> None:
    assert ask(client, "13999999999") == ""
    assert "如果 <span" in client.get("/m/login/code").content.decode()


@pytest.mark.parametrize("phone", ["", "12", "1390000000a", "23900000001"])
def test_a_phone_that_is_none_is_named(client: Client, db: None, phone: str) -> None:
    reply = client.post("/m/login", {"phone": phone})

    assert reply.status_code == 422
    assert "手机号码" in reply.content.decode().split('class="errors"')[1].split("</ul>")[0]


def test_asked_twice_within_a_minute_the_first_code_still_counts(client: Client, wang: Holder) -> None:
    code = ask(client)

    assert client.post("/m/login", {"phone": people.PHONE}).headers["Location"] == "/m/login/code?sent"
    assert client.post("/m/login/code", {"code": code}).status_code == 303


def test_where_a_phone_has_logged_in_a_stranger_cannot_use_up_its_codes(
    client: Client, wang: Holder, settings: Settings
) -> None:
    settings.ENV = settings.ENV.model_copy(update={"sms_phone_daily": 1})
    client.post("/m/login/code", {"code": ask(client)})
    client.post("/m/logout")
    SmsCode.objects.update(sent_at=F("sent_at") - timedelta(minutes=2))

    stranger = Client()
    assert "过于频繁" in stranger.post("/m/login", {"phone": people.PHONE}).content.decode()
    stranger.cookies["ykt_familiar"] = client.cookies["ykt_familiar"].value + "A"
    assert stranger.post("/m/login", {"phone": people.PHONE}).status_code == 429

    assert client.post("/m/login/code", {"code": ask(client)}).status_code == 303
    assert people.PHONE not in client.cookies["ykt_familiar"].value


@pytest.mark.clause("cap:O1")
@pytest.mark.parametrize("phone", [people.PHONE, "13999999999"], ids=["known", "unknown"])
def test_after_the_limit_it_says_when_to_try_again_and_no_more(
    client: Client, wang: Holder, settings: Settings, phone: str
) -> None:
    env = settings.ENV.model_copy(update={"sms_phone_daily": 1})
    settings.ENV = env
    ask(client, phone)
    SmsCode.objects.update(sent_at=F("sent_at") - timedelta(minutes=2))
    asked = SmsCode.objects.count()

    reply = Client().post("/m/login", {"phone": phone})

    said = reply.content.decode()
    assert reply.status_code == 429
    assert re.search(
        r"<li>获取验证码过于频繁。请在(今天|明天) \d{1,2}:\d\d 后再试，或到服务网点办理。</li>", said
    )
    assert 86_000 < int(reply.headers["Retry-After"]) <= 86_400 - 120 + 1
    assert f'value="{phone}"' in said  # what was typed is still there
    assert SmsCode.objects.count() == asked


def test_who_does_not_choose_at_once_leaves_nothing_to_choose_from(client: Client, wang: Holder) -> None:
    """The next at a shared computer would log in as one of them, with no code of his own."""
    li = people.holder(people.LI, "李强", people.PHONE)
    client.post("/m/login/code", {"code": ask(client)})
    held = client.session
    held[session.OFFERED] = now().isoformat()
    held.save()
    late = client.post("/m/login/choose", {"holder": str(li.id)})
    assert (late.status_code, late.headers["Location"]) == (302, "/m/login")
    assert client.get("/m/me").status_code == 302


def test_those_who_share_a_phone_choose(client: Client, wang: Holder, chen: Holder) -> None:
    li = people.holder(people.LI, "李强", people.PHONE)

    reply = client.post("/m/login/code", {"code": ask(client)})
    page = client.get("/m/login/choose").content.decode()
    stranger = client.post("/m/login/choose", {"holder": str(chen.id)})
    chosen = client.post("/m/login/choose", {"holder": str(li.id)})

    assert reply.headers["Location"] == "/m/login/choose"
    assert "王*" in page
    assert "李*" in page
    assert people.WANG not in page
    assert stranger.status_code == 422
    assert chosen.status_code == 303
    assert "李*" in client.get("/m/me").content.decode()


def test_an_act_after_the_session_has_ended_is_said_not_to_be_done(client: Client, wang: Holder) -> None:
    answer = client.post("/m/card/loss", {"kind": "formal"})

    assert "刚才的操作没有办成" in client.get(answer.headers["Location"]).content.decode()
    assert "刚才的操作没有办成" not in client.get("/m/login").content.decode()
    assert Card.objects.get().status == CardStatus.NORMAL


def test_next_never_leads_away(client: Client, wang: Holder) -> None:
    client.get("/m/login?next=https://evil.example/")

    assert client.post("/m/login/code", {"code": ask(client)}).headers["Location"] == "/m/"


def test_who_is_logged_in_is_not_asked_again(hers: Client) -> None:
    assert hers.get("/m/login?next=/m/uses").headers["Location"] == "/m/uses"


def test_without_the_demonstration_no_code_is_shown(client: Client, wang: Holder, settings: object) -> None:
    settings.DEMO = False

    assert ask(client) == ""


def test_logging_out_clears_the_browser_and_releases_its_device(hers: Client, wang: Holder) -> None:
    by = actor_of(wang)
    device = codes.register_device(wang.id, public_key=sm2.generate().public, name="手机", by=by, at=now())
    session = hers.session
    session["citizen_device"] = str(device.id)
    session.save()

    reply = hers.post("/m/logout")

    assert reply.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert 'data-forget="all"' in hers.get(reply.headers["Location"]).content.decode()
    assert hers.get("/m/").status_code == 302
    assert Device.objects.get(id=device.id).status == Device.Status.REVOKED


def test_logging_out_needs_a_post(hers: Client) -> None:
    assert hers.get("/m/logout").status_code == 405
    assert hers.get("/m/").status_code == 200


def test_a_stranger_at_another_browser_cannot_use_up_the_tries(client: Client, wang: Holder) -> None:
    code = ask(client)
    stranger = Client()

    too_soon = stranger.post("/m/login", {"phone": people.PHONE})
    tries = [stranger.post("/m/login/code", {"code": "000000"}).headers["Location"] for _ in range(6)]

    assert too_soon.status_code == 429
    assert set(tries) == {"/m/login"}
    assert client.post("/m/login/code", {"code": code}).status_code == 303


def test_a_passer_by_leaves_no_session_and_no_session_holds_a_phone(client: Client, wang: Holder) -> None:
    client.get("/m/login")
    assert not Session.objects.exists()

    ask(client)

    kept = Session.objects.get().get_decoded()
    assert people.PHONE not in repr(kept)


def test_a_session_ends_when_the_phone_that_opened_it_is_changed(client: Client, wang: Holder) -> None:
    client.post("/m/login/code", {"code": ask(client)})
    assert client.get("/m/").status_code == 200

    clerk = Actor(None, "李强", Role.CLERK, Channel.COUNTER, scope="5101")
    holders.change_phone(wang.id, phone="13900000099", by=clerk, at=now())

    assert client.get("/m/").headers["Location"].startswith("/m/login")
    assert client.post("/m/card/loss", {"kind": "formal"}).headers["Location"].startswith("/m/login")
    assert Card.objects.get().status == "1"
