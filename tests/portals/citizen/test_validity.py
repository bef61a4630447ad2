"""证件有效期 on the phone: told with an application, and shown among what is registered."""

from datetime import timedelta

import pytest

from tests.portals.citizen.conftest import LogIn
from tests.portals.citizen.test_cases import claim
from yikatong.core.clock import day_of, now
from yikatong.registry.cards.models import Case
from yikatong.registry.holders import validity
from yikatong.registry.holders.models import Certificate, Holder, LifeEvent
from yikatong.registry.holders.rules import birthday
from yikatong.registry.holders.validity import Validity

TODAY = day_of(now())
HALF = Validity(birthday(TODAY, -10), birthday(TODAY, 10))
OVER = TODAY - timedelta(days=1)
TYPED = {
    "certificate_from": str(HALF.begins),
    "certificate_until": str(HALF.ends),
    "certificate_long_term": "",
}


@pytest.mark.clause("A1", "B3")
def test_it_is_told_with_the_application_and_shown_then(logged_in: LogIn, chen: Holder) -> None:
    client = logged_in(chen)
    assert "5. 证件有效期" in client.get("/m/apply").content.decode()
    assert "有效期未登记" in client.get("/m/record").content.decode()

    assert client.post("/m/apply", claim() | TYPED).status_code == 303

    assert validity.of(chen.certificates.get()) == HALF
    page = client.get("/m/record").content.decode()
    assert f"{HALF.begins} 至 {HALF.ends}" in page
    assert "证件有效期登记" in page
    event = LifeEvent.objects.get(holder=chen)
    assert (event.channel, event.after) == ("mobile", HALF.words)


def test_without_it_the_application_goes_on(logged_in: LogIn, chen: Holder) -> None:
    assert logged_in(chen).post("/m/apply", claim()).status_code == 303
    assert validity.of(chen.certificates.get()) == Validity()


@pytest.mark.clause("A2", "G5")
def test_one_that_has_run_out_is_refused_until_the_new_period_is_told(logged_in: LogIn, chen: Holder) -> None:
    Certificate.objects.filter(holder=chen).update(valid_from=birthday(OVER, -20), valid_until=OVER)
    client = logged_in(chen)
    assert "已到期" in client.get("/m/record").content.decode()
    assert "请填写新证件的有效期" in client.get("/m/apply").content.decode()

    reply = client.post("/m/apply", claim())

    assert reply.status_code == 422
    assert f"居民身份证已于 {OVER} 到期，不能据以办理。" in reply.content.decode()
    assert not Case.objects.exists()
    reply = client.post("/m/apply", claim() | TYPED | {"certificate_until": ""})
    assert reply.status_code == 422
    assert "证件有效期须填写起始日期和截止日期" in reply.content.decode()
    assert client.post("/m/apply", claim() | TYPED).status_code == 303
    assert Case.objects.count() == 1


def test_it_is_not_asked_for_again(logged_in: LogIn, chen: Holder) -> None:
    Certificate.objects.filter(holder=chen).update(valid_from=HALF.begins, valid_until=HALF.ends)
    assert "证件有效期" not in logged_in(chen).get("/m/apply").content.decode()
