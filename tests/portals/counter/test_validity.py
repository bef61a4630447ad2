"""证件有效期 at the desk: typed with the certificate, renewed under its number, and asked for before an application."""

from datetime import timedelta

import pytest
from django.test import Client

from tests import cast
from tests.portals.counter.typed import registration, text
from yikatong.core.clock import day_of, now
from yikatong.registry.cards.models import Case
from yikatong.registry.holders import validity
from yikatong.registry.holders.models import Certificate, Holder, LifeEvent
from yikatong.registry.holders.rules import birthday
from yikatong.registry.holders.validity import Validity

TODAY = day_of(now())
#: Twenty years, half of them gone.
HALF = Validity(birthday(TODAY, -10), birthday(TODAY, 10))
OVER = Validity(birthday(TODAY, -20), TODAY - timedelta(days=1))


def typed(told: Validity, **more: str) -> dict[str, str]:
    return {
        "certificate_from": str(told.begins or ""),
        "certificate_until": str(told.ends or ""),
        "certificate_long_term": "1" if told.is_long_term else "",
    } | more


@pytest.mark.clause("A1")
def test_the_period_is_read_to_the_holder_and_registered(desk: Client) -> None:
    page = text(desk.post("/counter/register", registration() | typed(HALF)))
    assert str(HALF.begins) in page
    assert str(HALF.ends) in page
    desk.post("/counter/register", registration(step="confirm") | typed(HALF))
    holder = Holder.objects.get()
    assert validity.of(holder.certificates.get()) == HALF
    page = text(desk.get(f"/counter/holders/{holder.pk}/"))
    assert f"{HALF.begins} 至 {HALF.ends}" in page


@pytest.mark.parametrize(
    ("told", "field", "message"),
    [
        (OVER, "certificate_until", f"居民身份证已于 {OVER.ends} 到期"),
        (Validity(HALF.begins), "certificate_from", "证件有效期须填写起始日期和截止日期"),
        (
            Validity(HALF.begins, None, is_long_term=True),
            "certificate_long_term",
            "居民身份证自年满 46 周岁后申领的才长期有效",
        ),
    ],
)
def test_what_is_wrong_stands_at_its_field(desk: Client, told: Validity, field: str, message: str) -> None:
    answer = desk.post("/counter/register", registration() | typed(told))
    assert answer.status_code == 422
    assert f'<a href="#id_{field}">{message}' in text(answer)
    assert Holder.objects.count() == 0


@pytest.mark.clause("A2", "G5")
def test_a_certificate_that_has_run_out_is_renewed_before_the_application(desk: Client) -> None:
    holder = cast.register(cast.id_number(1))
    Certificate.objects.filter(holder=holder).update(valid_from=OVER.begins, valid_until=OVER.ends)
    page = text(desk.get(f"/counter/holders/{holder.pk}/apply"))
    assert f"居民身份证已于 {OVER.ends} 到期，不能据以办理。" in page
    assert "《中华人民共和国居民身份证法》第十一条" in page
    assert f'href="/counter/holders/{holder.pk}/validity"' in page
    assert "已到期" in text(desk.get(f"/counter/holders/{holder.pk}/"))

    given = typed(HALF, which=str(holder.certificates.get().pk), verified="yes", step="confirm")
    answer = desk.post(f"/counter/holders/{holder.pk}/validity", given)
    assert answer.headers["Location"] == f"/counter/holders/{holder.pk}/?done=validity"
    assert validity.of(holder.certificates.get()) == HALF
    page = text(desk.get(answer.headers["Location"]))
    assert "证件有效期已登记。" in page
    assert f"{OVER.begins} 至 {OVER.ends}" in page  # what stood there before
    assert LifeEvent.objects.get(holder=holder).evidence == "证件原件"
    assert "现在不能办理申领" not in text(desk.get(f"/counter/holders/{holder.pk}/apply"))
    assert not Case.objects.exists()


def test_a_new_certificate_comes_with_its_period(desk: Client) -> None:
    holder = cast.register(cast.id_number(1))
    five = Validity(birthday(TODAY, -1), birthday(TODAY, 4))
    given = {"kind": "C", "number": "E12345678", "verified": "yes", "step": "confirm"}
    desk.post(f"/counter/holders/{holder.pk}/certificate", given | typed(five))
    assert validity.of(holder.certificates.get(kind="C")) == five
