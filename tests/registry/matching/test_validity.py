"""证件有效期 from the population register: recorded where none is, an issue where it differs, never overwritten."""

from collections.abc import Callable
from datetime import date

import pytest

from tests.registry.conftest import AT
from tests.registry.matching.test_comparing import CHIEF, Field, Listed, n, open_issues, refused
from yikatong.registry.holders import validity
from yikatong.registry.holders.models import Certificate, Holder, LifeEvent
from yikatong.registry.holders.validity import Validity
from yikatong.registry.matching import actions
from yikatong.registry.matching.comparing import Slice, compare
from yikatong.registry.matching.models import Issue

Register = Callable[..., Holder]
TWENTY = Validity(date(2016, 5, 1), date(2036, 5, 1))


@pytest.mark.clause("A1", "A6", "N13")
def test_a_source_fills_what_is_not_recorded_and_overwrites_nothing(register: Register) -> None:
    empty, other = register(1), register(2, name="李秀兰", validity=TWENTY)
    unfit, over = register(3, name="赵明"), register(4, name="钱进")
    source = Listed(
        **{
            n(1): {Field.VALIDITY: "2016-05-01/2036-05-01"},
            n(2): {Field.VALIDITY: "2020-05-01/2040-05-01"},
            n(3): {Field.VALIDITY: "2016-05-01/长期"},
            n(4): {Field.VALIDITY: "2006-05-01/2026-05-01"},
        }
    )
    assert compare("population", source, at=AT) == Slice(compared=4, opened=1, agreed=0, deaths=0)
    assert open_issues() == [("population", "validity", "2016-05-01/2036-05-01", "2020-05-01/2040-05-01")]
    recorded = {one.holder_id: validity.of(one) for one in Certificate.objects.all()}
    assert recorded == {empty.pk: TWENTY, other.pk: TWENTY, unfit.pk: Validity(), over.pk: Validity()}
    event = LifeEvent.objects.get()
    assert (event.holder_id, event.evidence, event.actor_name) == (empty.pk, "示例数据源", "平台")


def test_a_name_that_differs_fills_nothing(wang_fang: Holder) -> None:
    source = Listed(**{n(1): {Field.NAME: "王芳华", Field.VALIDITY: "2016-05-01/2036-05-01"}})
    compare("population", source, at=AT)
    assert [one[1] for one in open_issues()] == ["name"]
    assert validity.of(wang_fang.certificates.get()) == Validity()


@pytest.mark.clause("A6")
def test_a_supervisor_takes_theirs(register: Register) -> None:
    holder = register(1, validity=TWENTY)
    compare("population", Listed(**{n(1): {Field.VALIDITY: "2020-05-01/2040-05-01"}}), at=AT)
    actions.take(Issue.objects.get().pk, note="已换新证", **CHIEF)
    assert validity.of(holder.certificates.get()) == Validity(date(2020, 5, 1), date(2040, 5, 1))


def test_what_is_no_period_cannot_be_taken(register: Register) -> None:
    holder = register(1, validity=TWENTY)
    compare("population", Listed(**{n(1): {Field.VALIDITY: "长期"}}), at=AT)
    refused("theirs_unusable", lambda: actions.take(Issue.objects.get().pk, note="已换新证", **CHIEF))
    assert validity.of(holder.certificates.get()) == TWENTY
