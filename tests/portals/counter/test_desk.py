from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests import cast
from tests.bank_sandbox import Sandbox
from yikatong.core.actor import Role
from yikatong.core.clock import day_of, now
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.banks import tasks as bank_tasks
from yikatong.registry.banks.models import Bank, BankAccount, BankRequest
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards import batches
from yikatong.registry.cards.models import Card, Case, CaseStatus, CaseStep
from yikatong.registry.holders.models import Holder

NEW_NUMBER = cast.id_number(7)


def text(answer: Any) -> str:
    return answer.content.decode()


def registration(**changes: str) -> dict[str, str]:
    form = {
        "kind": "A",
        "number": NEW_NUMBER,
        "name": "李小花",
        "phone": "13900000007",
        "ground": "residence",
        "division_code": "510107",
        "address": "",
        "birth_date": "",
        "sex": "",
        "nationality": "CHN",
        "verified": "yes",
        "step": "check",
    }
    return form | changes


def looks() -> list[tuple[str, str]]:
    return list(Look.objects.order_by("at", "id").values_list("looker_name", "purpose"))


def everything() -> tuple[object, ...]:
    """What an act on a case may change; equal before and after a refusal."""
    acts = AuditEntry.objects.filter(event__startswith="cards:").count()
    return sorted(Case.objects.values_list("pk", "status", "closed_at")), CaseStep.objects.count(), acts


# --- finding ---


@pytest.mark.clause("G5")
def test_a_certificate_number_leads_to_its_holder_and_leaves_a_look(desk: Client) -> None:
    holder = cast.wang_fang()
    answer = desk.post("/counter/find?for=loss", {"q": cast.WANG_FANG_NUMBER})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/counter/holders/{holder.pk}/loss")
    assert looks() == [("李强", "窗口查找持卡人")]


def test_a_name_leads_to_a_masked_list(desk: Client) -> None:
    cast.wang_fang()
    page = text(desk.post("/counter/find", {"q": "王芳"}))
    assert "找到 1 人" in page
    assert "王*" in page
    assert "510***********0129" in page
    assert "139****0001" in page
    assert cast.WANG_FANG_NUMBER not in page
    assert cast.PHONE not in page
    assert ">王芳<" not in page


def test_a_certificate_finds_a_holder_of_another_city_but_a_name_does_not(stage: None) -> None:
    """全省通办 within the province."""
    holder = cast.wang_fang()
    mian_yang = cast.log_in(Client(), cast.chen_jing())
    assert "没有找到" in text(mian_yang.post("/counter/find", {"q": "王芳"}))
    found = mian_yang.post("/counter/find", {"q": cast.WANG_FANG_NUMBER})
    assert found.headers["Location"] == f"/counter/holders/{holder.pk}/"
    assert mian_yang.get(found.headers["Location"]).status_code == 200


def test_another_province_finds_and_sees_nothing(chongqing: Client) -> None:
    holder = cast.wang_fang()
    case = cast.apply(holder)
    assert "没有找到" in text(chongqing.post("/counter/find", {"q": cast.WANG_FANG_NUMBER}))
    addresses = [f"/counter/holders/{holder.pk}/{key}" for key in ("", "loss", "apply", "collect")]
    addresses += [f"/counter/cases/{case.number}/{key}" for key in ("", "receipt")]
    assert [chongqing.get(address).status_code for address in addresses] == [404] * 6
    posts = [f"/counter/cases/{case.number}/{act}" for act in ("check", "withdraw", "retry")]
    posts += [f"/counter/holders/{holder.pk}/loss", f"/counter/holders/{holder.pk}/collect"]
    form = {"verified": "yes", "loss": "formal", "step": "confirm", "do": "activate"}
    assert [chongqing.post(address, form).status_code for address in posts] == [404] * 5
    reveal = {"field": "phone", "reason": "核对联系方式"}
    assert chongqing.post(f"/counter/holders/{holder.pk}/reveal", reveal).status_code == 404
    assert looks() == []
    assert Case.objects.get().status == CaseStatus.SUBMITTED


def test_too_short_a_search_is_refused_at_its_field(desk: Client) -> None:
    answer = desk.post("/counter/find", {"q": "王"})
    page = text(answer)
    assert answer.status_code == 422
    assert "<title>有错误：持卡人查询 - 一卡通柜面" in page
    assert '<a href="#id_q">请输入完整的证件号码、卡号、手机号码，或至少两个字的姓名。</a>' in page


@pytest.mark.parametrize("address", ["", "find", "register", "check", "progress"])
def test_strangers_are_asked_to_log_in(client: Client, db: None, address: str) -> None:
    assert (
        client.get(f"/counter/{address}").headers["Location"] == f"/staff/login?next=%2Fcounter%2F{address}"
    )


def test_a_leader_has_no_counter(stage: None) -> None:
    holder = cast.wang_fang()
    client = cast.log_in(Client(), cast.staff("周敏华", "zhou", role=Role.LEADER, scope="51"))
    for address in ("", "find", f"holders/{holder.pk}/"):
        assert client.get(f"/counter/{address}").status_code == 403
    assert looks() == []


# --- registering ---


@pytest.mark.clause("G5", "A1")
def test_registering_is_checked_before_it_is_done(desk: Client) -> None:
    answer = desk.post("/counter/register", registration())
    assert answer.status_code == 200
    assert "请与持卡人核对" in text(answer)
    assert "李小花" in text(answer)
    assert "武侯区" in text(answer)
    assert Holder.objects.count() == 0
    back = desk.post("/counter/register", registration(step="edit"))
    assert f'value="{NEW_NUMBER}"' in text(back)
    assert "有错误" not in text(back)
    answer = desk.post("/counter/register", registration(step="confirm"))
    holder = Holder.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/counter/holders/{holder.pk}/?done=registered",
    )
    assert (holder.name, holder.phone, holder.social_security_number) == ("李小花", "13900000007", NEW_NUMBER)


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        (
            "number",
            NEW_NUMBER[:-1] + ("1" if NEW_NUMBER[-1] != "1" else "2"),
            "校验码不符，请对照证件逐位核对号码。",
        ),
        ("number", "123", "居民身份证号码应为18 位，现在是 3 位，请核对。"),
        ("phone", "1390000000", "手机号码应为 11 位数字，以 13 至 19 开头，请核对。"),
        ("sex", "1", "填写的性别与证件号码不一致，请对照证件核对。"),
        ("birth_date", "1991-03-07", "填写的出生日期与证件号码不一致，请对照证件核对。"),
        ("ground", "", "请选择申领依据"),
        ("verified", "", "请确认已核验本人身份证件"),
    ],
)
def test_a_fault_is_named_at_its_field_and_in_the_summary(
    desk: Client, field: str, typed: str, message: str
) -> None:
    form = {name: value for name, value in registration(**{field: typed}).items() if value}
    answer = desk.post("/counter/register", form)
    page = text(answer)
    assert answer.status_code == 422
    assert "<title>有错误：登记持卡人" in page
    assert "请改正 1 处问题" in page
    assert f'<a href="#id_{field}">{message}</a>' in page
    assert f'<p class="field-error" id="id_{field}_error">{message}</p>' in page
    assert 'value="李小花"' in page  # nothing typed is lost
    assert Holder.objects.count() == 0


def test_a_person_is_registered_once(desk: Client) -> None:
    holder = cast.wang_fang()
    answer = desk.post("/counter/register", registration(number=cast.WANG_FANG_NUMBER, step="confirm"))
    assert answer.status_code == 409
    assert "此人已经登记，不能重复登记。请直接查找该持卡人办理。" in text(answer)
    assert "第五条" in text(answer)
    assert f'<a href="/counter/holders/{holder.pk}/">打开已登记的持卡人</a>' in text(answer)
    assert Holder.objects.count() == 1


# --- the whole way of a card ---


def application(**changes: str) -> dict[str, str]:
    form = {"bank_code": cast.JOINT, "delivery": "0", "outlet_id": str(cast.HALL), "verified": "yes"}
    return form | {"step": "confirm"} | changes


@pytest.mark.clause("G5", "N17", "B1")
def test_from_application_to_activation(desk: Client) -> None:
    holder = cast.wang_fang()
    base = f"/counter/holders/{holder.pk}"
    checked = desk.post(f"{base}/apply", application(step="check"))
    assert "蜀安银行" in text(checked)
    assert "武侯区社保经办大厅" in text(checked)
    assert Case.objects.count() == 0
    answer = desk.post(f"{base}/apply", application())
    case = Case.objects.get()
    assert answer.headers["Location"] == f"/counter/cases/{case.number}/?new=1"
    assert (case.division_code, case.outlet_id, case.created_by) == ("510107", cast.HALL, "李强")
    page = text(desk.get(answer.headers["Location"]))
    assert case.number in page
    assert "接下来：经办机构审核申请材料。" in page
    checker = cast.log_in(Client(), cast.chen_xiao())
    assert checker.post(f"/counter/cases/{case.number}/check").status_code == 303
    cast.make_card(Case.objects.get())
    steps = [desk.post(f"{base}/collect", {"verified": "yes", "do": do}) for do in ("hand_over", "activate")]
    assert [answer.headers["Location"] for answer in steps] == [
        f"{base}/collect?done=hand_over",
        f"{base}/collect?done=activate",
    ]
    card = Card.objects.get()
    assert (card.status, card.account and card.account.status) == ("1", "preopened")
    desk.post(f"{base}/collect", {"verified": "yes", "do": "activate_account"})
    card.refresh_from_db()
    assert card.account is not None
    assert card.account.status == "active"
    assert {"窗口办理：申领", "窗口办理：领卡与启用", "查询受理进度"} <= {purpose for _, purpose in looks()}


@pytest.mark.clause("G5", "B1")
def test_who_took_a_case_is_not_offered_to_approve_it(desk: Client) -> None:
    """A double F9, accept and approve, is what four eyes are against."""
    holder = cast.wang_fang()
    taken = desk.post(f"/counter/holders/{holder.pk}/apply", application()).headers["Location"]
    case = Case.objects.get()
    other = cast.apply(cast.register(cast.id_number(9), name="赵晚", phone="13900000009"))

    page = text(desk.get(taken))
    assert "四眼原则：本件由您受理" in page
    assert "请另一名审核人员在“待审核”中打开本件审核" in page
    assert 'form="check"' not in page
    assert 'data-key="F9"' not in page
    assert text(desk.get("/counter/check")).count("本人受理，由他人审核") == 1
    assert text(desk.get("/counter/")).count("本人受理，由他人审核") == 1
    assert 'form="check"' in text(desk.get(f"/counter/cases/{other.number}/"))

    before = everything()
    refused = desk.post(f"/counter/cases/{case.number}/check")
    assert (refused.status_code, "四眼原则：本件由您受理" in text(refused)) == (403, True)
    assert 'form="check"' not in text(refused)
    assert everything() == before

    checker = cast.log_in(Client(), cast.chen_xiao())
    page = text(checker.get(f"/counter/cases/{case.number}/"))
    assert ('form="check"' in page, "四眼原则" in page) == (True, False)
    assert "由他人审核" not in text(checker.get("/counter/check"))
    assert checker.post(f"/counter/cases/{case.number}/check").status_code == 303
    case.refresh_from_db()
    assert case.status == CaseStatus.CHECKED


# --- withdrawing ---

WITHDRAWAL = {"verified": "yes", "step": "confirm"}


@pytest.mark.clause("G5", "B1")
def test_a_withdrawal_says_what_it_undoes_before_it_is_done(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    address = f"/counter/cases/{case.number}/withdraw"
    assert f'href="{address}"' in text(desk.get(f"/counter/cases/{case.number}/"))
    before = everything()

    asked = text(desk.get(address))
    words = ("撤回申领", "本件不再审核。", "不制卡，申请人仍没有社会保障卡。", "撤回后不能恢复", "确认撤回")
    assert [one for one in words if one not in asked] == []
    assert "工本费" not in asked
    unverified = desk.post(address, {"step": "confirm"})
    assert (unverified.status_code, "请确认已核验本人身份证件" in text(unverified)) == (422, True)
    assert everything() == before

    done = desk.post(address, WITHDRAWAL)
    assert done.headers["Location"] == f"/counter/cases/{case.number}/?done=1"
    case.refresh_from_db()
    assert case.status == CaseStatus.WITHDRAWN
    page = text(desk.get(done.headers["Location"]))
    assert "已办理。接下来：需要时可以重新申请。" in page
    assert "申请人撤回" not in page

    before = everything()
    again = desk.post(address, WITHDRAWAL)
    assert (again.status_code, "受理单当前为“已撤回”，不能转为“已撤回”" in text(again)) == (409, True)
    assert everything() == before


@pytest.mark.clause("G5", "B2")
def test_a_withdrawn_replacement_leaves_the_old_card_as_it_is(desk: Client) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    card_acts.report_loss(card.pk, by=cast.clerk(), at=now())
    case = card_acts.replace(holder.pk, reason="lost", division_code="510107", by=cast.clerk(), at=now())
    card_acts.check(case.pk, by=cast.supervisor(), at=now())

    page = text(desk.get(f"/counter/cases/{case.number}/withdraw"))
    assert "已通过的审核作废，不再送银行预开户。" in page
    assert "不制新卡；原卡仍为“正式挂失”，不因撤回而改变。" in page
    assert "工本费 ¥20.00不再收取，已经收取的请当场退还。" in page
    assert desk.post(f"/counter/cases/{case.number}/withdraw", WITHDRAWAL).status_code == 303
    card.refresh_from_db()
    case.refresh_from_db()
    assert (card.status, case.status) == ("2", CaseStatus.WITHDRAWN)


@pytest.mark.clause("G5", "B1")
def test_what_lies_with_the_bank_is_not_withdrawn_at_the_counter(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    card_acts.check(case.pk, by=cast.supervisor(), at=now())
    batches.open_batch(cast.JOINT, by=cast.supervisor(), at=now())
    before = everything()
    page = text(desk.get(f"/counter/cases/{case.number}/withdraw"))
    assert ("申请已送银行或制卡机构办理，不能撤回" in page, "确认撤回" in page) == (True, False)
    refused = desk.post(f"/counter/cases/{case.number}/withdraw", WITHDRAWAL)
    assert (refused.status_code, "申请已送银行或制卡机构办理，不能撤回" in text(refused)) == (409, True)
    assert everything() == before


# --- refusals of an application ---


def test_a_second_application_is_refused_and_nothing_typed_is_lost(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.apply(holder)
    answer = desk.post(f"/counter/holders/{holder.pk}/apply", application(bank_code=cast.APART))
    page = text(answer)
    assert answer.status_code == 409
    assert "此人已有一件申领或补换正在办理，不能重复申请；请查询办理进度。" in page
    assert "依据：《广东省社会保障卡居民服务一卡通条例（参照）》第五条" in page
    assert f'<option value="{cast.APART}" selected>' in page
    assert Case.objects.count() == 1


def test_a_child_is_applied_for_by_a_guardian(desk: Client) -> None:
    child = cast.register(cast.id_number(9, born="20150601"), name="王小宝", phone="13900000009")
    assert "由监护人代为办理" in text(desk.get(f"/counter/holders/{child.pk}/apply"))
    assert "由监护人代为办理" not in text(desk.get(f"/counter/holders/{cast.wang_fang().pk}/apply"))


def test_who_has_a_card_is_told_before_he_fills_in(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    page = text(desk.get(f"/counter/holders/{holder.pk}/apply"))
    assert "现在不能办理申领" in page
    assert "一人一卡：此人已有社会保障卡。" in page
    assert 'name="bank_code"' not in page


def test_collecting_asks_for_the_document_only_while_there_is_a_step_to_do(desk: Client) -> None:
    holder = cast.wang_fang()
    page = f"/counter/holders/{holder.pk}/collect"
    confirmed = 'name="verified"'
    cast.make_card(cast.apply(holder))
    assert confirmed in text(desk.get(page))
    for do in ("hand_over", "activate", "activate_account"):
        assert confirmed in text(desk.get(page))
        desk.post(page, {"verified": "yes", "do": do})
    assert confirmed not in text(desk.get(page))
    assert "各步都已完成。" in text(desk.get(page))


def test_handing_over_before_the_card_is_there_is_refused(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.apply(holder)
    answer = desk.post(f"/counter/holders/{holder.pk}/collect", {"verified": "yes", "do": "hand_over"})
    assert answer.status_code == 409
    assert "没有待领取的卡。" in text(answer)
    assert Case.objects.get().status == CaseStatus.SUBMITTED


def test_rejecting_needs_a_reason_the_applicant_can_read(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    assert desk.post(f"/counter/cases/{case.number}/reject", {"reason": ""}).status_code == 422
    case.refresh_from_db()
    assert case.status == CaseStatus.SUBMITTED
    assert desk.post(f"/counter/cases/{case.number}/reject", {"reason": "相片不合格"}).status_code == 303
    assert "相片不合格" in text(desk.get(f"/counter/cases/{case.number}/"))
    case.refresh_from_db()
    assert case.status == CaseStatus.REJECTED


# --- loss and after ---


@pytest.mark.clause("G5", "S14", "B2")
@pytest.mark.parametrize(("kind", "status"), [("temporary", "B"), ("formal", "2")])
def test_a_loss_takes_one_page(desk: Client, kind: str, status: str) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    page = text(desk.get(f"/counter/holders/{holder.pk}/loss"))
    assert "社会保障功能和蜀安银行金融账户同时挂失。" in page
    answer = desk.post(f"/counter/holders/{holder.pk}/loss", {"loss": kind, "verified": "yes"})
    case = Case.objects.latest("created_at")
    assert answer.headers["Location"] == f"/counter/cases/{case.number}/?new=1"
    card.refresh_from_db()
    assert (card.status, case.kind) == (status, "loss")


def test_a_bank_that_has_not_joined_is_named_with_its_hotline(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder, bank_code=cast.APART)
    page = text(desk.get(f"/counter/holders/{holder.pk}/loss"))
    assert "只挂失社会保障功能；金融账户须另向天府惠民银行挂失，请拨打 95903。" in page


def test_loss_needs_the_document_seen(desk: Client) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    answer = desk.post(f"/counter/holders/{holder.pk}/loss", {"loss": "formal"})
    assert answer.status_code == 422
    card.refresh_from_db()
    assert card.status == "1"


def test_a_replacement_for_loss_asks_for_the_loss_first(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    form = application(reason="lost", bank_code="")
    answer = desk.post(f"/counter/holders/{holder.pk}/replace", form)
    assert answer.status_code == 409
    assert "以丢失为由补卡，须先办理正式挂失。" in text(answer)
    desk.post(f"/counter/holders/{holder.pk}/loss", {"loss": "formal", "verified": "yes"})
    assert desk.post(f"/counter/holders/{holder.pk}/replace", form).status_code == 303
    case = Case.objects.latest("created_at")
    assert (case.kind, case.bank_id, case.fee_fen) == ("replace", cast.JOINT, 2000)


def test_release_and_cancel(desk: Client) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    card_acts.report_temporary_loss(card.pk, by=cast.clerk(), at=now())
    assert desk.post(f"/counter/holders/{holder.pk}/release", {"verified": "yes"}).status_code == 303
    card.refresh_from_db()
    assert card.status == "1"
    form = {"reason": "request", "verified": "yes"}
    assert "本人申请" in text(desk.post(f"/counter/holders/{holder.pk}/cancel", form))
    card.refresh_from_db()
    assert card.status == "1"  # the check page changes nothing
    assert desk.post(f"/counter/holders/{holder.pk}/cancel", form | {"step": "confirm"}).status_code == 303
    card.refresh_from_db()
    assert (card.status, card.cancel_reason) == ("4", "request")


def test_changing_the_phone(desk: Client) -> None:
    holder = cast.wang_fang()
    wrong = desk.post(
        f"/counter/holders/{holder.pk}/change", {"phone": "123", "verified": "yes", "step": "confirm"}
    )
    assert wrong.status_code == 422
    form = {"phone": "139 1234 5678", "verified": "yes", "step": "confirm"}
    assert desk.post(f"/counter/holders/{holder.pk}/change", form).status_code == 303
    holder.refresh_from_db()
    assert holder.phone == "13912345678"


@pytest.mark.clause("A1")
def test_a_new_certificate_is_linked_to_the_same_person(desk: Client) -> None:
    holder = cast.wang_fang()
    form = {"kind": "C", "number": "ej1234567", "verified": "yes"}
    assert "护照" in text(desk.post(f"/counter/holders/{holder.pk}/certificate", form))
    assert holder.certificates.count() == 1
    assert (
        desk.post(f"/counter/holders/{holder.pk}/certificate", form | {"step": "confirm"}).status_code == 303
    )
    assert (
        desk.post("/counter/find", {"q": "EJ1234567"}).headers["Location"] == f"/counter/holders/{holder.pk}/"
    )
    other = cast.register(cast.id_number(9), name="赵晚", phone="13900000009")
    refused = desk.post(f"/counter/holders/{other.pk}/certificate", form | {"step": "confirm"})
    assert refused.status_code == 409
    assert "该证件已登记在另一持卡人名下" in text(refused)
    assert other.certificates.count() == 1


def test_no_such_matter(desk: Client) -> None:
    assert desk.get(f"/counter/holders/{cast.wang_fang().pk}/nonsense").status_code == 404


# --- looking in clear ---


@pytest.mark.clause("G17", "cap:O2")
def test_revealing_writes_the_reason_where_the_holder_sees_it(desk: Client) -> None:
    holder = cast.wang_fang()
    form = {"field": "phone", "reason": "核对联系方式"}
    answer = desk.post(f"/counter/holders/{holder.pk}/reveal", form, headers={"Accept": "application/json"})
    assert answer.json() == {"value": cast.PHONE, "seconds": 30}
    assert looks() == [("李强", "核对联系方式")]
    page = desk.post(f"/counter/holders/{holder.pk}/reveal", form)
    assert cast.PHONE in text(page)
    assert page.headers["Refresh"] == f"30; url=/counter/holders/{holder.pk}/"
    assert cast.PHONE not in text(desk.get(f"/counter/holders/{holder.pk}/"))


def test_revealing_without_a_reason_shows_nothing(desk: Client) -> None:
    holder = cast.wang_fang()
    answer = desk.post(f"/counter/holders/{holder.pk}/reveal", {"field": "phone", "reason": ""})
    assert answer.status_code == 422
    assert cast.PHONE not in text(answer)
    assert desk.get(f"/counter/holders/{holder.pk}/reveal").status_code == 405
    assert looks() == []


# --- cases ---


def test_progress_by_number(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    answer = desk.post("/counter/progress", {"number": f" {case.number} "})
    assert answer.headers["Location"] == f"/counter/cases/{case.number}/"
    unknown = desk.post("/counter/progress", {"number": "510107112199999"})
    assert unknown.status_code == 422
    assert "没有找到这件受理单。请核对受理号后重试。" in text(unknown)


def test_a_receipt_is_masked_and_carries_the_number(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    page = text(desk.get(f"/counter/cases/{case.number}/receipt"))
    assert case.number in page
    assert "王*" in page
    assert "510***********0129" in page
    assert "王芳" not in page
    assert cast.WANG_FANG_NUMBER not in page
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page


def test_work_lists_put_the_late_first_and_name_no_one(desk: Client) -> None:
    fresh = cast.apply(cast.wang_fang())
    late = cast.apply(cast.register(cast.id_number(9), name="赵晚", phone="13900000009"))
    elsewhere = cast.apply(
        cast.register(cast.id_number(11), name="钱远", phone="13900000011"), outlet_id=None
    )
    Case.objects.filter(pk=late.pk).update(step_due_on=day_of(now()) - timedelta(days=1))
    Case.objects.filter(pk=elsewhere.pk).update(division_code="510703")
    page = text(desk.get("/counter/"))
    assert page.index(late.number) < page.index(fresh.number)
    assert elsewhere.number not in page
    assert "赵晚" not in page
    assert "1</span> 件超时" in page
    assert late.number in text(desk.get("/counter/check"))
    assert looks() == []


def test_today_is_counted_by_what_the_clerk_has_done(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    assert '今日已办 <span class="num">0</span> 件' in text(desk.get("/counter/"))
    desk.post(f"/counter/cases/{case.number}/check")
    assert '今日已办 <span class="num">1</span> 件' in text(desk.get("/counter/"))
    holder = cast.register(cast.id_number(9), name="赵晚", phone="13900000009")
    cast.card_in_use(holder)
    desk.post(
        f"/counter/holders/{holder.pk}/loss", {"loss": "formal", "verified": "yes"}
    )  # two steps, one case
    assert '今日已办 <span class="num">2</span> 件' in text(desk.get("/counter/"))


def test_a_namesake_does_not_see_what_i_did_today(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    desk.post(f"/counter/cases/{case.number}/check")
    namesake = cast.log_in(Client(), cast.staff("李强", "liqiang2", scope="5107"))

    mine, his = text(desk.get("/counter/")), text(namesake.get("/counter/"))

    assert '今日已办 <span class="num">1</span> 件' in mine
    assert case.number in mine
    assert '今日已办 <span class="num">0</span> 件' in his
    assert case.number not in his


@pytest.mark.clause("B2")
def test_the_desk_sees_how_far_a_loss_has_come_at_the_bank(desk: Client, bank: Sandbox) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    card_acts.report_loss(card.pk, by=cast.clerk(), at=now())
    address = f"/counter/holders/{holder.pk}/"
    assert "蜀安银行（挂失已通知银行，等待确认）" in text(desk.get(address))
    bank.goes_wrong("lost")
    bank_tasks.send(cast.JOINT)
    assert "蜀安银行（挂失已通知银行，等待确认）" in text(desk.get(address)), "nothing is taken for granted"
    BankRequest.objects.update(next_try_at=now())
    bank_tasks.send(cast.JOINT)
    assert "蜀安银行（已挂失）" in text(desk.get(address))


@pytest.mark.clause("G12")
def test_an_account_is_activated_once_the_bank_says_so(desk: Client, bank: Sandbox) -> None:
    Bank.objects.update(is_online=True)
    holder = cast.wang_fang()
    case = cast.make_card(cast.apply(holder))
    base = f"/counter/holders/{holder.pk}/collect"
    desk.post(base, {"verified": "yes", "do": "hand_over"})
    desk.post(base, {"verified": "yes", "do": "activate_account"})
    page = text(desk.get(f"{base}?done=activate_account"))
    assert "金融账户：未激活，激活已通知银行。" in page
    desk.post(base, {"verified": "yes", "do": "activate_account"})
    assert BankRequest.objects.filter(act="activate").count() == 1
    bank_tasks.send(str(case.bank_id))
    assert BankAccount.objects.get().status == "active"


@pytest.mark.clause("G5", "B6")
def test_who_changes_the_bank_is_shown_all_that_changes(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    address = f"/counter/holders/{holder.pk}/replace"
    other = text(desk.post(address, application(reason="bank", bank_code=cast.APART) | {"step": "check"}))
    assert "换卡前后对照" in other
    assert "原账户及余额仍在蜀安银行，不会自动转移，由本人办理转账或销户。" in other
    same = text(desk.post(address, application(reason="damaged", bank_code="") | {"step": "check"}))
    assert "账号不变" in same
    assert "原账户及余额" not in same
