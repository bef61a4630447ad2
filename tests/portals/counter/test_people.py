"""At the desk: what happens in a person's life, each checked before it is done; undoing is a supervisor's."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from tests import cast
from tests.portals.counter.typed import text
from yikatong.core.actor import Role
from yikatong.core.clock import day_of, now
from yikatong.core.models import Look
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Holder, LifeEvent, Merge

PAPER = "户口簿 510107001"


@pytest.fixture
def chief(stage: None) -> Client:
    """A supervisor's browser."""
    user = cast.staff("周主任", "zhou", role=Role.SUPERVISOR, scope="51", organisation="省社保卡中心")
    return cast.log_in(Client(), user)


def step(form: dict[str, Any], which: str = "confirm") -> dict[str, Any]:
    return form | {"verified": "yes", "step": which}


@pytest.mark.clause("A1", "N13")
@pytest.mark.parametrize(
    ("key", "form", "shown", "reason"),
    [
        ("name", {"name": "王芳华", "evidence": PAPER}, "王芳华", "姓名变更"),
        ("number", {"number": cast.id_number(77), "evidence": PAPER}, cast.id_number(77), "证件号码变更"),
        (
            "move",
            {"division_code": "510703", "address": "涪城区示例路 2 号", "evidence": PAPER},
            "涪城区",
            "所在地变更",
        ),
    ],
)
def test_a_change_is_checked_done_and_has_a_receipt(
    desk: Client, key: str, form: dict[str, str], shown: str, reason: str
) -> None:
    holder = cast.wang_fang()
    base = f"/counter/holders/{holder.pk}"
    checked = text(desk.post(f"{base}/{key}", step(form, "check")))
    assert "请与持卡人核对" in checked
    assert shown in checked
    assert LifeEvent.objects.count() == Case.objects.count() == 0
    missing = desk.post(f"{base}/{key}", step(form | {"evidence": "x"}))
    assert missing.status_code == 422
    assert "请填写依据材料的名称和编号，2 至 100 字。" in text(missing)
    done = desk.post(f"{base}/{key}", step(form))
    case = Case.objects.get()
    assert done.headers["Location"] == f"/counter/cases/{case.number}/?new=1"
    assert f"信息变更（{reason}）" in text(desk.get(done.headers["Location"]))
    page = text(desk.get(f"{base}/"))
    assert PAPER in page
    assert cast.WANG_FANG_NUMBER not in page
    assert cast.id_number(77) not in page
    assert ">王芳<" not in page


@pytest.mark.clause("A6", "B2")
def test_a_death_is_registered_and_undone_only_by_a_supervisor(desk: Client, chief: Client) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    base = f"/counter/holders/{holder.pk}"
    cancel = text(desk.get(f"{base}/cancel"))
    assert "死亡" not in cancel
    form = {"on": day_of(now()).isoformat(), "evidence": "居民死亡医学证明 1"}
    page = text(desk.post(f"{base}/death", step(form, "check")))
    assert "在同一时刻停用" in page
    assert "金融账户由继承人向蜀安银行办理" in page
    assert Holder.objects.get().status == "active"
    late = desk.post(f"{base}/death", step(form | {"on": "2099-01-01"}))
    assert (late.status_code, "死亡日期不能晚于今天" in text(late)) == (422, True)
    assert desk.post(f"{base}/death", step(form)).status_code == 303
    card.refresh_from_db()
    assert (Holder.objects.get().status, card.status) == ("deceased", "4")
    assert f"{base}/restore" not in text(desk.get(f"{base}/"))
    reason = step({"reason": "本人健在，同名误登"})
    assert desk.post(f"{base}/restore", reason).status_code == 403
    assert f"{base}/restore" in text(chief.get(f"{base}/"))
    assert "恢复到登记前的状态" in text(chief.post(f"{base}/restore", reason | {"step": "check"}))
    assert chief.post(f"{base}/restore", reason).status_code == 303
    card.refresh_from_db()
    assert (Holder.objects.get().status, card.status) == ("active", "1")


@pytest.mark.clause("A6")
def test_leaving_ends_the_card(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    form = {"reason": "moved", "evidence": "户口迁移证 1"}
    assert desk.post(f"/counter/holders/{holder.pk}/leaving", step(form)).status_code == 303
    assert (Holder.objects.get().status, Card.objects.get().cancel_reason) == ("left", "moved")


def test_whose_record_goes_into_which_is_seen_before_it_is_confirmed(desk: Client, chief: Client) -> None:
    kept = cast.wang_fang()
    cast.register(cast.id_number(7, born="19610501"), name="李秀英", phone="13900000007")
    form = {"evidence": PAPER, "reason": "同一人两次登记", "verified": "yes", "step": "check"}

    def check(number: str) -> str:
        return text(chief.post(f"/counter/holders/{kept.pk}/merge", form | {"number": number}))

    page = check(cast.id_number(7, born="19610501"))
    for words in ("<b>李秀英</b>", "与保留的登记姓名不同", "1961", "与保留的登记出生年不同"):
        assert words in page
    assert "没有找到这个号码的另一条登记，请核对。" in check(cast.id_number(8))
    assert "不能与自己合并" in check(cast.WANG_FANG_NUMBER)
    assert Merge.objects.count() == 0


@pytest.mark.clause("A1", "N13")
def test_two_records_are_merged_and_parted_by_a_supervisor(desk: Client, chief: Client) -> None:
    kept = cast.wang_fang()
    cast.card_in_use(kept)
    gone = cast.register(cast.id_number(7), phone="13900000007")
    base = f"/counter/holders/{kept.pk}"
    form = {"number": cast.id_number(7), "evidence": PAPER, "reason": "同一人两次登记"}
    assert desk.post(f"{base}/merge", step(form)).status_code == 403
    unknown = chief.post(f"{base}/merge", step(form | {"number": cast.id_number(8)}))
    assert (unknown.status_code, "没有找到这个号码的另一条登记，请核对。" in text(unknown)) == (422, True)
    own = chief.post(f"{base}/merge", step(form | {"number": cast.WANG_FANG_NUMBER}))
    assert "不能与自己合并" in text(own)
    assert Merge.objects.count() == 0
    check = text(chief.post(f"{base}/merge", form | {"verified": "yes", "step": "check"}))
    assert "将要并入的登记" in check
    assert "与保留的登记姓名不同" not in check
    assert Look.objects.filter(holder_id=gone.pk, purpose="窗口办理：合并登记").exists()
    assert chief.post(f"{base}/merge", step(form)).headers["Location"] == f"{base}/?done=merge"
    merged = Merge.objects.get()
    assert f"/counter/holders/{gone.pk}/" in text(chief.get(f"{base}/"))
    assert "已并入" in text(chief.get(f"/counter/holders/{gone.pk}/"))
    undo = step({"which": str(merged.pk), "reason": "不是同一人"})
    assert desk.post(f"{base}/unmerge", undo).status_code == 403
    assert chief.post(f"{base}/unmerge", undo).headers["Location"] == f"{base}/?done=unmerge"
    assert Holder.objects.filter(status="active").count() == 2


@pytest.mark.clause("N13", "A5")
def test_what_a_new_birth_date_changes_is_told_beside_what_it_was(desk: Client) -> None:
    holder = cast.register(cast.id_number(5, born="19500307"))
    elder = {"kind": "elder", "source": "公安人口库", "evidence": "户口簿", "valid_from": date(2010, 3, 7)}
    holders.add_category(holder.pk, **elder, by=cast.clerk(), at=now())
    year = now().year - 50  # sixty in ten years
    form = {"number": cast.id_number(5, born=f"{year}0307"), "evidence": "户口簿 1", "verified": "yes"}
    period = {"certificate_from": f"{year + 47}-05-01", "certificate_until": "", "certificate_long_term": "1"}
    answer = desk.post(f"/counter/holders/{holder.pk}/number", form | period | {"step": "confirm"})
    page = desk.get(answer.headers["Location"]).content.decode()
    assert "变更前后" in page
    for before, after in (
        ("1950 年", f"{year} 年"), ("2010-03-07 起", f"{year + 60}-03-07 起"),
        (cast.id_number(5, born="19500307")[:3] + "***********", form["number"][-4:]),
    ):  # fmt: skip
        assert before in page
        assert after in page
    assert f"老年人优待：{year + 60}-03-07 起" in page
    assert '<th scope="row">老年人优待</th>' in page
    assert "<td>随出生日期重算</td>" in page
    assert f"{year}-03-07" not in page  # the birthday itself stays covered
    current = holder.certificates.get(is_current=True)
    assert (str(current.valid_from), current.is_long_term) == (f"{year + 47}-05-01", True)
