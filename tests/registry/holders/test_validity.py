"""证件有效期: what a certificate can say, when it has run out, and what that stops."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.registry.conftest import AT, JOINT, LI_QIANG, herself
from yikatong.core.actor import Role
from yikatong.core.errors import DomainError, Forbidden
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Case
from yikatong.registry.holders import actions, queries, refusals, validity
from yikatong.registry.holders.actions.life import NothingChanged
from yikatong.registry.holders.certificates import Kind
from yikatong.registry.holders.models import Certificate, Holder, LifeEvent
from yikatong.registry.holders.validity import Validity

Register = Callable[..., Holder]
TODAY = date(2026, 11, 20)
BORN = date(1990, 3, 7)
TWENTY = Validity(date(2016, 5, 1), date(2036, 5, 1))
OVER = Validity(date(2006, 5, 1), date(2026, 5, 1))
FOR_EVER = Validity(date(2016, 5, 1), None, is_long_term=True)


@pytest.mark.parametrize(
    ("told", "kind", "born"),
    [
        (Validity(), Kind.RESIDENT_ID, BORN),
        (TWENTY, Kind.RESIDENT_ID, BORN),
        (
            Validity(date(2006, 11, 20), date(2026, 11, 20)),
            Kind.RESIDENT_ID,
            BORN,
        ),  # the last day still counts
        (
            Validity(date(2016, 3, 7), None, is_long_term=True),
            Kind.RESIDENT_ID,
            date(1970, 3, 7),
        ),  # 46 that day
        (Validity(date(2022, 1, 1), date(2031, 12, 31)), Kind.PASSPORT, BORN),
        (Validity(date(2022, 1, 1), date(2027, 1, 1)), Kind.HK_MO_TW_RESIDENCE, BORN),
    ],
)
def test_what_a_certificate_can_say(told: Validity, kind: Kind, born: date) -> None:
    assert validity.check(told, kind, born, TODAY) == told
    assert validity.read(told.words) == (told if told.is_told else None)


@pytest.mark.clause("A1", "A2")
@pytest.mark.parametrize(
    ("told", "kind", "born", "refusal"),
    [
        (Validity(None, date(2036, 5, 1)), Kind.RESIDENT_ID, BORN, refusals.BadValidity),
        (Validity(date(2016, 5, 1)), Kind.RESIDENT_ID, BORN, refusals.BadValidity),
        (
            Validity(date(2016, 5, 1), date(2036, 5, 1), is_long_term=True),
            Kind.RESIDENT_ID,
            BORN,
            refusals.BadValidity,
        ),
        (Validity(date(2016, 5, 1), date(2016, 5, 1)), Kind.RESIDENT_ID, BORN, refusals.BadValidity),
        (Validity(date(2026, 11, 21), date(2036, 5, 1)), Kind.RESIDENT_ID, BORN, refusals.BadValidity),
        (Validity(date(1989, 5, 1), date(1999, 5, 1)), Kind.RESIDENT_ID, BORN, refusals.BadValidity),
        (Validity(date(2016, 5, 1), date(2036, 5, 2)), Kind.RESIDENT_ID, BORN, refusals.BadValidity),
        (Validity(date(2022, 1, 1), date(2027, 1, 2)), Kind.HK_MO_TW_RESIDENCE, BORN, refusals.BadValidity),
        (
            Validity(date(2016, 3, 6), None, is_long_term=True),
            Kind.RESIDENT_ID,
            date(1970, 3, 7),
            refusals.LongTermNotAllowed,
        ),
        (FOR_EVER, Kind.PASSPORT, date(1950, 1, 1), refusals.LongTermNotAllowed),
        (
            Validity(date(2006, 11, 19), date(2026, 11, 19)),
            Kind.RESIDENT_ID,
            BORN,
            refusals.CertificateExpired,
        ),
    ],
)
def test_what_no_certificate_says(told: Validity, kind: Kind, born: date, refusal: type[DomainError]) -> None:
    with pytest.raises(refusal) as refused:
        validity.check(told, kind, born, TODAY)
    assert type(refused.value) is refusal


def test_the_article_is_the_documents_own() -> None:
    assert validity.expired(Kind.RESIDENT_ID, TODAY).article == "《中华人民共和国居民身份证法》第十一条"
    assert validity.expired(Kind.PASSPORT, TODAY).article.endswith("第五条")
    assert validity.expired(Kind.PASSPORT, TODAY).message.startswith("护照已于 2026-11-20 到期")


@pytest.mark.parametrize(
    "words", ["", "2016-05-01", "2016-05-01/", "2016-13-01/2036-05-01", "长期", "长期/长期"]
)
def test_words_that_are_no_period(words: str) -> None:
    assert validity.read(words) is None


@pytest.mark.clause("A1", "N13")
def test_a_period_is_recorded_and_the_former_one_stays_readable(wang_fang: Holder) -> None:
    first = Validity(date(2006, 12, 1), date(2026, 12, 1))
    actions.record_validity(wang_fang.pk, validity=first, evidence="证件原件", by=LI_QIANG, at=AT)
    later = AT + timedelta(days=30)
    renewed = Validity(date(2026, 12, 1), date(2046, 12, 1))
    actions.record_validity(wang_fang.pk, validity=renewed, by=LI_QIANG, at=later)
    certificate = wang_fang.certificates.get()
    assert validity.of(certificate) == renewed
    assert certificate.validity_words == "2026-12-01 至 2046-12-01"
    events = LifeEvent.objects.filter(holder=wang_fang, kind="validity").order_by("at")
    assert [(one.before, one.after, one.reason) for one in events] == [
        (None, "2006-12-01/2026-12-01", "居民身份证"),
        ("2006-12-01/2026-12-01", "2026-12-01/2046-12-01", "居民身份证"),
    ]
    assert AuditEntry.objects.filter(event="holders:holder:life_validity").count() == 2
    with pytest.raises(NothingChanged):
        actions.record_validity(wang_fang.pk, validity=renewed, by=LI_QIANG, at=later)


def test_nobody_else_records_it(wang_fang: Holder, register: Register) -> None:
    with pytest.raises(DomainError) as refused:
        actions.record_validity(wang_fang.pk, validity=TWENTY, by=herself(register(2)), at=AT)
    assert refused.value.code == "not_found"
    with pytest.raises(Forbidden):
        actions.record_validity(
            wang_fang.pk, validity=TWENTY, by=replace(LI_QIANG, role=Role.BANK_CLERK, bank=JOINT), at=AT
        )
    assert validity.of(wang_fang.certificates.get()) == Validity()


@pytest.mark.clause("A2", "G5")
def test_who_applies_with_a_certificate_that_has_run_out_is_refused(register: Register) -> None:
    holder = register(validity=Validity(date(2006, 12, 1), date(2026, 12, 1)))
    later, wish = AT + timedelta(days=12), {"bank_code": JOINT, "division_code": "510107"}
    with pytest.raises(refusals.CertificateExpired) as refused:
        cards.apply(holder.pk, **wish, by=herself(holder), at=later)
    assert refused.value.message == (
        "居民身份证已于 2026-12-01 到期，不能据以办理。下一步：换领新证后，登记新证的有效期再办理。"
    )
    assert not Case.objects.exists()
    assert cards.application_hindrance(holder, by=LI_QIANG, at=later).code == "certificate_expired"  # type: ignore[union-attr]
    assert (
        cards.application_hindrance(holder, by=herself(holder), at=later) is None
    )  # he tells the new one as he applies
    renewed = Validity(date(2026, 12, 1), date(2046, 12, 1))
    case = cards.apply(holder.pk, **wish, validity=renewed, by=herself(holder), at=later)
    assert case.status == "submitted"
    assert validity.of(holder.certificates.get()) == renewed


@pytest.mark.clause("A1")
def test_another_certificate_in_force_is_enough(register: Register) -> None:
    passport = {"kind": "C", "number": "EJ1234567", "name": "MARIA SILVA", "nationality": "BRA", "sex": "2"}
    over = Validity(date(2017, 1, 1), date(2026, 12, 1))
    holder = register(2, **passport, birth_date=BORN, validity=over)
    later = AT + timedelta(days=20)
    with pytest.raises(refusals.CertificateExpired):
        actions.check_certificate(holder, at=later)
    renewed = Validity(date(2026, 11, 1), date(2036, 11, 1))
    new = actions.link_certificate(
        holder.pk, kind="C", number="EJ7654321", validity=renewed, by=LI_QIANG, at=AT
    )
    actions.check_certificate(Holder.objects.get(pk=holder.pk), at=later)
    assert queries.certificate_on(Holder.objects.get(pk=holder.pk), later.date()) == new
    assert (new.valid_from, new.valid_until) == (date(2026, 11, 1), date(2036, 11, 1))


@pytest.mark.clause("A1")
def test_who_should_renew_is_told_once(register: Register) -> None:
    soon = register(1, validity=Validity(date(2006, 12, 20), date(2026, 12, 20)))  # in thirty days
    register(2, name="李秀兰", validity=Validity(date(2006, 12, 21), date(2026, 12, 21)))  # a day later
    register(3, name="赵明", validity=Validity(date(2016, 12, 21), date(2036, 12, 21)))
    dead = register(4, name="钱进", validity=Validity(date(2006, 12, 1), date(2026, 12, 1)))
    cards.record_death(dead.pk, on=TODAY, evidence="死亡证明 1", by=LI_QIANG, at=AT)
    assert actions.tell_expiring(at=AT) == 1
    assert actions.tell_expiring(at=AT) == 0
    job = ProcrastinateJob.objects.get(task_name="identity.tell_holder")
    assert job.args["holder_id"] == str(soon.pk)
    assert job.args["text"].startswith("您登记的居民身份证将于 2026-12-20 到期。请换领新证")
    assert Certificate.objects.get(holder=soon).expiry_told_on == TODAY
    assert actions.tell_expiring(at=AT + timedelta(days=1)) == 1
    assert AuditEntry.objects.filter(event="holders:holder:certificate_expiry_told").count() == 2
