"""The self-service kiosk: who one is, what can be done, and that it forgets."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client

from tests import cast
from tests.portals.citizen import people
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.portals.kiosk import session
from yikatong.registry.cards import actions
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.models import Card, Case, CaseKind, CaseStep
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.rules import birthday
from yikatong.registry.regions.models import Outlet
from yikatong.using.codes import actions as codes
from yikatong.using.identity import actions as identity_acts
from yikatong.using.identity import queries as identity
from yikatong.using.identity.models import SmsCode
from yikatong.using.identity.rules import SmsTooMany

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo(settings: object) -> None:
    site.DEMO = True
    site.SMS_SENDER = "yikatong.adapters.sms.demo.DemoSender"
    people.world()


@pytest.fixture
def wang() -> Holder:
    return people.ready(people.holder(people.WANG, "王芳", people.PHONE))


@pytest.fixture
def chen() -> Holder:
    return people.holder(people.CHEN, "陈静", people.OTHER_PHONE)


def proved(number: str, phone: str, matter: str = "progress", machine: Client | None = None) -> Client:
    """Through the front door: the number, then the code of the message."""
    client = machine or Client()
    assert client.post(f"/kiosk/who/{matter}", {"number": number})["Location"] == f"/kiosk/code/{matter}"
    sent = identity.latest_message(phone)
    assert sent is not None
    found = re.search(r"\d{6}", str(sent.text))
    assert found
    assert client.post(f"/kiosk/code/{matter}", {"code": found[0]})["Location"] == f"/kiosk/{matter}"
    return client


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def claim(**more: str) -> dict[str, str]:
    return {"bank": "95903", "outlet": str(Outlet.objects.get().pk)} | more


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("5101071990", "身份证件号码是 18 位，您输入了 10 位"),
        (people.WANG[:16] + str(9 - int(people.WANG[16])) + people.WANG[17], "号码有一位不对（校验码不符）"),
    ],
)
def test_a_slip_of_the_finger_is_told_and_no_message_awaited(wang: Holder, number: str, said: str) -> None:
    answer = Client().post("/kiosk/who/progress", {"number": number})

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not SmsCode.objects.exists()


def test_a_wrong_code_is_not_left_in_the_way_of_the_next(wang: Holder) -> None:
    client = Client()
    client.post("/kiosk/who/progress", {"number": people.WANG})

    wrong = client.post("/kiosk/code/progress", {"code": "000000"})

    assert wrong.status_code == 422
    assert "验证码不正确或已失效" in wrong.content.decode()
    assert 'value="000000"' not in wrong.content.decode()


def test_who_has_no_phone_with_him_is_not_sent_a_message_to_it(wang: Holder) -> None:
    page = text(Client(), "/kiosk/who/loss")

    assert "手机不在身边的：请带身份证件到人工窗口。" in page
    assert "没有带手机的" not in page


@pytest.mark.clause("B1", "B3", "S14", "G5")
def test_a_number_and_a_message_lead_to_an_application(chen: Holder) -> None:
    client = proved(people.CHEN, people.OTHER_PHONE, "apply")
    assert "checked" not in text(client, "/kiosk/apply")
    check = client.post("/kiosk/apply", claim()).content.decode()
    assert "请核对后提交" in check
    assert not Case.objects.exists()
    answer = client.post("/kiosk/apply", claim(confirm="1"))

    case = Case.objects.get()
    assert answer["Location"] == f"/kiosk/progress/{case.number}?new=1"
    assert (case.status, case.channel, case.bank_id) == ("submitted", "kiosk", "95903")
    page = text(client, answer["Location"])
    for words in ("申请已提交", "武侯区社会保障卡服务大厅（审核岗）", "天府惠民银行（预开户岗）"):
        assert words in page


def test_what_is_missing_is_named_and_a_refusal_is_told(chen: Holder) -> None:
    client = proved(people.CHEN, people.OTHER_PHONE, "apply")
    answer = client.post("/kiosk/apply", {"outlet": "x"})
    assert answer.status_code == 422
    assert "请选择一家合作银行" in answer.content.decode()
    client.post("/kiosk/apply", claim(confirm="1"))
    again = client.post("/kiosk/apply", claim(confirm="1"))
    assert again.status_code == 409
    assert "不能重复申请" in again.content.decode()


@pytest.mark.clause("B1", "B3")
def test_begun_at_the_counter_it_is_finished_here(chen: Holder) -> None:
    clerk = Actor(None, "李强", Role.CLERK, Channel.COUNTER, scope="51")
    wish = Wish(division_code="510107", bank_code="95903")
    draft = actions.save_draft(chen.pk, kind=CaseKind.APPLY, wish=wish, by=clerk, at=now())
    client = proved(people.CHEN, people.OTHER_PHONE)
    assert "接着填写并提交" in text(client, f"/kiosk/progress/{draft.number}")
    assert draft.number in text(client, "/kiosk/apply")
    client.post("/kiosk/apply", claim(confirm="1"))

    assert Case.objects.get().number == draft.number
    assert list(CaseStep.objects.order_by("at").values_list("channel", flat=True)) == ["counter", "kiosk"]


@pytest.mark.clause("B2", "B3", "G5")
def test_a_code_held_before_the_scanner_leads_to_a_loss(wang: Holder) -> None:
    holder = Actor(wang.pk, "持卡人本人", Role.HOLDER, Channel.MOBILE)
    shown = codes.server_code(wang.pk, 1, by=holder, at=now())
    client = Client()
    assert client.post("/kiosk/scan/loss", {"text": shown})["Location"] == "/kiosk/loss"
    assert "临时挂失" in text(client, "/kiosk/loss")
    assert "立即停用" in client.post("/kiosk/loss", {"kind": "temporary"}).content.decode()
    assert Card.objects.get().status == "1"
    answer = client.post("/kiosk/loss", {"kind": "temporary", "confirm": "1"})

    assert answer["Location"] == "/kiosk/loss/done"
    assert Card.objects.get().status == "B"
    assert Case.objects.get(kind="loss").channel == "kiosk"
    assert "卡片已停用" in text(client, "/kiosk/loss/done")
    second = Client().post("/kiosk/scan/loss", {"text": shown})
    assert second.status_code == 422  # the card is lost now, and the code was used


def test_a_code_of_a_card_that_has_expired_since_opens_nothing(wang: Holder) -> None:
    holder = Actor(wang.pk, "持卡人本人", Role.HOLDER, Channel.MOBILE)
    shown = codes.server_code(wang.pk, 1, by=holder, at=now())
    Card.objects.update(expires_on=day_of(now()) - timedelta(days=1))
    answer = Client().post("/kiosk/scan/progress", {"text": shown})
    assert answer.status_code == 422
    assert "该卡已超过有效期" in answer.content.decode()


def test_a_code_is_good_once(wang: Holder) -> None:
    holder = Actor(wang.pk, "持卡人本人", Role.HOLDER, Channel.MOBILE)
    shown = codes.server_code(wang.pk, 1, by=holder, at=now())
    assert Client().post("/kiosk/scan/progress", {"text": shown}).status_code == 303

    again = Client().post("/kiosk/scan/progress", {"text": shown})

    assert again.status_code == 422
    assert "该码已使用过" in again.content.decode()
    for bad in ("YKS1:00", "https://example.org", ""):
        assert Client().post("/kiosk/scan/progress", {"text": bad}).status_code == 422


@pytest.mark.clause("S15", "G17")
def test_a_stranger_learns_nothing(wang: Holder) -> None:
    known, unknown = Client(), Client()
    first = known.post("/kiosk/who/progress", {"number": people.WANG})
    other = unknown.post("/kiosk/who/progress", {"number": people.CHEN})

    assert (first.status_code, first["Location"]) == (other.status_code, other["Location"])
    assert SmsCode.objects.count() == 1
    wrong = unknown.post("/kiosk/code/progress", {"code": "123456"})
    assert wrong.status_code == 422
    assert "验证码不正确或已失效" in wrong.content.decode()
    for address in ("progress", "apply", "loss", "loss/done"):
        assert Client().get(f"/kiosk/{address}")["Location"] == "/kiosk/"
    assert Client().get("/kiosk/who/others").status_code == 404


def test_a_limit_reached_tells_no_stranger_who_is_known(wang: Holder, settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"sms_phone_daily": 1})
    identity_acts.send_code(people.PHONE, at=now() - timedelta(minutes=2))
    with pytest.raises(SmsTooMany):
        identity_acts.send_code(people.PHONE, at=now())
    answers = [Client().post("/kiosk/who/loss", {"number": one}) for one in (people.WANG, people.CHEN)]
    assert {(one.status_code, one["Location"]) for one in answers} == {(303, "/kiosk/code/loss")}
    settings.SMS_SENDER = ""
    answers = [Client().post("/kiosk/who/loss", {"number": one}) for one in (people.WANG, people.CHEN)]
    assert {one.status_code for one in answers} == {503}


def test_another_holders_case_is_not_found(chen: Holder) -> None:
    li = people.holder(people.LI, "李强", people.PHONE)
    by = Actor(li.pk, "持卡人本人", Role.HOLDER, Channel.KIOSK)
    case = actions.apply(li.pk, bank_code="95903", division_code="510107", by=by, at=now())
    client = proved(people.CHEN, people.OTHER_PHONE)

    assert client.get(f"/kiosk/progress/{case.number}").status_code == 404


def test_the_machine_forgets(chen: Holder) -> None:
    for way in ("/kiosk/leave", "/kiosk/"):
        client = proved(people.CHEN, people.OTHER_PHONE)
        SmsCode.objects.all().delete()
        assert client.get("/kiosk/progress").status_code == 200
        client.get(way)
        assert client.get("/kiosk/progress").status_code == 302

    client = proved(people.CHEN, people.OTHER_PHONE)
    store = client.session
    store[session._SEEN] = (now() - timedelta(seconds=session.IDLE_S + 1)).isoformat()
    store.save()
    assert client.get("/kiosk/progress").status_code == 302
    assert "kiosk_holder" not in client.session


def test_it_is_no_log_in_to_the_citizens_pages(chen: Holder) -> None:
    client = proved(people.CHEN, people.OTHER_PHONE)

    assert client.get("/m/cases").status_code == 302


@pytest.mark.clause("B1", "B3", "G5")
def test_who_need_not_or_cannot_apply_is_told_before_he_chooses(chen: Holder) -> None:
    client, form = proved(people.CHEN, people.OTHER_PHONE, "apply"), 'name="bank"'
    Holder.objects.filter(pk=chen.pk).update(ground="insurance")
    page = text(client, "/kiosk/apply")
    assert ("现在还不能申领" in page, form in page) == (True, False)
    assert "下一步：登记参保缴费证明后再申领。" in page
    Holder.objects.filter(pk=chen.pk).update(ground="residence")
    assert form in text(client, "/kiosk/apply")
    client.post("/kiosk/apply", claim(confirm="1"))
    page = text(client, "/kiosk/apply")
    assert ("您的申领正在办理，不用重复申请。" in page, form in page) == (True, False)
    case = cast.make_card(Case.objects.get())
    page = text(client, "/kiosk/apply")
    assert "新卡已经制成，等您领取。" in page
    assert f'href="/kiosk/progress/{case.number}"' in page


@pytest.mark.clause("A1", "B3")
def test_the_period_of_the_certificate_is_told_and_checked_here(chen: Holder) -> None:
    today = day_of(now())
    told = {
        "certificate_from": str(birthday(today, -10)),
        "certificate_until": str(birthday(today, 10)),
    }
    client = proved(people.CHEN, people.OTHER_PHONE, "apply")
    assert "3. 证件有效期" in text(client, "/kiosk/apply")
    check = client.post("/kiosk/apply", claim() | told).content.decode()
    assert f"{told['certificate_from']} 至 {told['certificate_until']}" in check
    over = client.post("/kiosk/apply", claim(confirm="1") | told | {"certificate_until": "2026-01-01"})
    assert over.status_code == 422
    assert "居民身份证已于 2026-01-01 到期，不能据以办理。" in over.content.decode()
    assert not Case.objects.exists()
    client.post("/kiosk/apply", claim(confirm="1") | told)
    assert Case.objects.count() == 1
    certificate = chen.certificates.get()
    assert f"{certificate.valid_from} {certificate.valid_until}" == " ".join(told.values())


@pytest.mark.clause("B3", "B4", "S14")
def test_the_machine_takes_what_its_hall_offers(wang: Holder, chen: Holder) -> None:
    """Set up by its start address; told before anything is filled in, and refused where it is posted nevertheless."""
    Outlet.objects.update(services=["挂失"])
    assert "本网点不办理" not in text(
        proved(people.CHEN, people.OTHER_PHONE, "apply"), "/kiosk/apply"
    )  # of no hall

    machine = Client()
    assert "本机所在网点：武侯区社会保障卡服务大厅" in text(machine, "/kiosk/?outlet=5101070001")
    assert "本机所在网点：武侯区社会保障卡服务大厅" in text(machine, "/kiosk/")
    assert "本机所在网点" not in text(Client(), "/kiosk/?outlet=none")
    SmsCode.objects.all().delete()
    proved(people.CHEN, people.OTHER_PHONE, "apply", machine)
    told = text(machine, "/kiosk/apply")
    assert "本网点不办理这项业务" in told
    assert "可办业务中没有“申领”，不能受理。下一步：可以拨打 12333 咨询办理地点。" in told
    refused = machine.post("/kiosk/apply", claim(confirm="1"))
    assert refused.status_code == 409
    assert not Case.objects.filter(holder=chen).exists()

    Outlet.objects.update(services=["申领"])
    assert machine.post("/kiosk/apply", claim(confirm="1")).status_code == 303
    machine.get("/kiosk/leave")
    proved(people.WANG, people.PHONE, "loss", machine)
    told = text(machine, "/kiosk/loss")
    assert "可办业务中没有“挂失”" in told
    assert "挂失不能等：也可以马上在手机上办理，或拨打 12333。" in told
