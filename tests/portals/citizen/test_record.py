"""我的登记信息: what is registered of a holder, as he sees it."""

from datetime import timedelta
from typing import Any

import pytest

from tests import cast
from tests.portals.citizen.conftest import LogIn
from yikatong.core.clock import day_of, now
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Authorisation
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Holder


def agent_for(holder: Holder) -> Authorisation:
    until = day_of(now()) + timedelta(days=30)
    return cards.authorise(
        holder.pk, name="赵大力", kind="A", number=cast.id_number(41), matters=["loss"], evidence="letter",
        valid_until=until, by=cast.clerk(), at=now(),
    )  # fmt: skip


@pytest.mark.clause("O10", "A4", "G17")
def test_a_holder_sees_his_agents_and_takes_an_authorisation_back(
    wang: Holder, chen: Holder, logged_in: LogIn
) -> None:
    given = agent_for(wang)
    mine = logged_in(wang)
    page = mine.get("/m/record").content.decode()
    assert "赵*力" in page
    assert "赵大力" not in page
    form = {"authorisation": str(given.pk)}
    assert logged_in(chen).post("/m/record/authorisations/end", form).status_code == 404
    assert Authorisation.objects.get().ended_at is None
    answer = mine.post("/m/record/authorisations/end", form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/m/record?ended=1")
    assert Authorisation.objects.get().ended_at is not None
    assert "已收回" in mine.get("/m/record").content.decode()


@pytest.mark.clause("A5", "N13", "G17")
def test_a_holder_sees_his_categories_and_what_has_changed(wang: Holder, logged_in: LogIn) -> None:
    by: dict[str, Any] = {"by": cast.clerk(), "at": now()}
    proof: dict[str, Any] = {"kind": "student", "source": "教育部门名单", "valid_from": day_of(now())}
    holders.add_category(wang.pk, **proof, **by)
    cards.change_name(wang.pk, name="王芳华", evidence="户口簿 510107001", **by)
    page = logged_in(wang).get("/m/record").content.decode()
    assert "学生" in page
    assert "依据：教育部门名单" in page
    assert "姓名变更" in page
    assert "户口簿 510107001" in page
