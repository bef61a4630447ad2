"""Registering a person, and linking a certificate."""

import pytest
from django.test import Client

from tests import cast
from tests.portals.counter.typed import NEW_NUMBER, registration, text
from yikatong.registry.holders.models import Holder


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


@pytest.mark.clause("A1", "A3")
@pytest.mark.parametrize("typed", ["法国", "fra", "FRA"])
def test_a_nationality_is_typed_by_name_or_code_and_read_by_name(desk: Client, typed: str) -> None:
    form = registration(
        kind="C", number="E1234567", name="Jean Exemple", birth_date="1980-01-02", sex="1", nationality=typed
    )
    assert "<dt>国籍</dt><dd>法国</dd>" in text(desk.post("/counter/register", form))
    done = desk.post("/counter/register", form | {"step": "confirm"})
    assert Holder.objects.get().nationality == "FRA"
    assert "<dt>国籍</dt><dd>法国</dd>" in text(desk.get(done.headers["Location"]))


def test_a_country_that_is_none_is_refused_at_its_field(desk: Client) -> None:
    form = registration(kind="C", number="E1234567", birth_date="1980-01-02", nationality="法兰西")
    page = text(desk.post("/counter/register", form | {"step": "confirm"}))
    assert '<a href="#id_nationality">国籍应为国家名称或三位字母代码，如“法国”或“FRA”' in page
    assert 'value="法兰西"' in page
    assert Holder.objects.count() == 0
