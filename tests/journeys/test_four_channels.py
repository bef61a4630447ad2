"""One case, four channels: begun on a phone, taken up at kiosk and counter, corrected on the phone, followed."""

import re
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.test import Client

from tests import cast
from yikatong.core.actor import Role
from yikatong.core.clock import day_of, now
from yikatong.portals.citizen import session
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import Case
from yikatong.registry.holders.models import Holder
from yikatong.using.identity import queries as identity

pytestmark = pytest.mark.django_db


def phone_of(holder: Holder) -> Client:
    client, store = Client(), Client().session
    store[session.HOLDER], store[session.PHONE] = str(holder.pk), bytes(holder.phone_index or b"").hex()
    store.create()
    client.cookies["sessionid"] = str(store.session_key)
    return client


def at_kiosk() -> Client:
    client = Client()
    client.post("/kiosk/who/progress", {"number": cast.WANG_FANG_NUMBER})
    sent = identity.latest_message(cast.PHONE)
    assert sent is not None
    found = re.search(r"\d{6}", str(sent.text))
    assert found
    client.post("/kiosk/code/progress", {"code": found[0]})
    return client


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.clause("B1", "B3", "S14", "G5")
def test_one_case_through_four_channels(settings: object) -> None:
    site.SMS_SENDER = "yikatong.adapters.sms.demo.DemoSender"
    cast.set_stage()
    holder = cast.wang_fang()
    phone, kiosk = phone_of(holder), at_kiosk()
    desk = cast.log_in(Client(), cast.li_qiang())
    checker = cast.log_in(Client(), cast.staff("何丽", "heli", organisation="成都市人社局"))
    head = cast.log_in(Client(), cast.staff("周主任", "zhou", role=Role.SUPERVISOR, scope="51"))

    # Begun on the phone, without a bank yet; the kiosk shows it and can finish it; the clerk does.
    phone.post("/m/apply", {"outlet": str(cast.HALL), "delivery": "0", "save": "1"})
    number = Case.objects.get().number
    assert "接着填写并提交" in text(kiosk, f"/kiosk/progress/{number}")
    form = text(desk, f"/counter/holders/{holder.pk}/apply")
    assert number in form
    given = {"bank_code": cast.JOINT, "delivery": "0", "outlet_id": str(cast.HALL), "verified": "yes"}
    desk.post(f"/counter/holders/{holder.pk}/apply", given | {"step": "confirm"})
    case = Case.objects.get()
    assert (case.number, case.status, case.channel) == (number, "submitted", "mobile")

    # The checker sends it back; the clock stands; the holder corrects it on the phone.
    checker.post(f"/counter/cases/{number}/ask", {"bank": "该行暂停新增，请另选"})
    assert "请在" in text(kiosk, f"/kiosk/progress/{number}")
    phone.post(f"/m/cases/{number}/correct", {"bank": cast.APART})
    case.refresh_from_db()
    assert (case.status, case.bank_id, case.days_left) == ("submitted", cast.APART, None)

    # It lies too long; the supervisor sees it and says so; then it is checked, and the bank is next.
    Case.objects.update(step_due_on=day_of(now()) - timedelta(days=9))
    assert actions.escalate_overdue(at=now()) == 1
    head.post(f"/counter/cases/{number}/order", {"order": "今日办结"})
    assert "今日办结" in text(phone, f"/m/cases/{number}")
    checker.post(f"/counter/cases/{number}/check")
    for client, address in ((phone, "/m/cases/"), (kiosk, "/kiosk/progress/"), (desk, "/counter/cases/")):
        page = text(client, f"{address}{number}" + ("/" if "counter" in address else ""))
        assert "天府惠民银行（预开户岗）" in page
    assert number not in text(head, "/counter/overdue")
    assert list(case.steps.values_list("status", "channel")) == [
        ("draft", "mobile"), ("submitted", "counter"), ("correcting", "counter"), ("submitted", "mobile"),
        ("checked", "counter"),
    ]  # fmt: skip
