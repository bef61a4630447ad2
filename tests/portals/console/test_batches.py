"""A batch on its page: files with their names, one door for returns, each card's fate, and the table to take away."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests import cast
from yikatong.adapters.bank_files import sandbox as bank
from yikatong.adapters.card_maker import sandbox as maker
from yikatong.core.actor import Role
from yikatong.core.clock import now
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import Batch, Case

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    """周芸's, who has opened a batch of three."""
    cast.set_stage()
    for serial, name in ((1, "王芳"), (2, "李小花"), (3, "赵晚")):
        holder = cast.register(cast.id_number(serial), name=name, phone=f"1390000000{serial}")
        actions.check(cast.apply(holder).pk, by=cast.supervisor(), at=now())
    client = cast.log_in(Client(), cast.staff("周芸", "zhouyun", role=Role.SUPERVISOR, scope="51"))
    client.post("/console/batches", {"bank": cast.JOINT})
    return client


def address() -> str:
    return f"/console/batches/{Batch.objects.get().number}"


def page(browser: Client, more: str = "") -> str:
    return browser.get(address() + more).content.decode()


def upload(browser: Client, data: bytes) -> str:
    answer = browser.post(address(), {"file": SimpleUploadedFile("回盘.txt", data)})
    if answer.status_code == 303:
        return str(answer.headers["Location"]).rpartition("=")[2]
    assert answer.status_code in {409, 422}
    return answer.content.decode()


def returned(browser: Client) -> None:
    """The bank has refused the second, the maker has spoiled the third."""
    request = browser.get(address() + "/preopening.txt").content
    answer = bank.answer(request, prefix="622951").decode("gb18030").split("\r\n")
    answer[0] = answer[0].replace("|3|3|0|", "|3|2|1|")
    answer[2] = "2|17||客户身份待核实"
    assert upload(browser, "\r\n".join(answer).encode("gb18030")) == "taken"
    browser.post(address(), {"start": "1"})
    answer = maker.answer(browser.get(address() + "/production.txt").content).decode("gb18030").split("\r\n")
    answer[0] = answer[0].replace("|2|2|0|", "|2|1|1|")
    answer[2] = "|".join([*answer[2].split("|")[:6], "", "", "", "", "", "", "制卡", "芯片写入失败"])
    assert upload(browser, "\r\n".join(answer).encode("gb18030")) == "taken"


@pytest.mark.clause("B1")
def test_files_bear_kind_bank_and_batch(browser: Client) -> None:
    number = Batch.objects.get().number
    sent = browser.get(address() + "/preopening.txt")
    assert sent.headers["Content-Disposition"] == f'attachment; filename="KH-{cast.JOINT}-{number}.txt"'
    assert sent.headers["Content-Type"] == "text/plain; charset=gb18030"
    assert browser.get(address() + "/production.txt").status_code == 409
    assert browser.get(address() + "/nonsense.txt").status_code == 404


@pytest.mark.clause("B1")
def test_every_cards_fate_is_on_the_page_and_adds_up(browser: Client) -> None:
    returned(browser)
    words = page(browser)
    assert "".join(words.split("<p>在办", 1)[1].split("件")[0].split()) == (
        '<bclass="num">0</b>＋制成<bclass="num">1</b>＋银行退回<bclass="num">1</b>＋制卡失败<bclass="num">1</b>'
        '＝<bclass="num">3</b>'
    )
    for fate in ("制成，待领取", "银行退回，待处理", "制卡失败，待处理"):
        assert words.count(fate) == 2, fate
    assert "银行：客户身份待核实" in words
    assert "制卡：芯片写入失败" in words
    first, second, third = Case.objects.order_by("number")
    chosen = page(browser, "?fate=refused")
    assert [one.number in chosen for one in (first, second, third)] == [False, True, False]
    assert "显示全部" in chosen
    assert "王芳" not in words


@pytest.mark.clause("B1")
def test_a_file_again_changes_nothing_and_another_is_refused(browser: Client) -> None:
    returned(browser)
    answer = maker.answer(b"H|ZK|1.0|P20200101000001|95901|0|0|0|20200101\r\n")
    before = AuditEntry.objects.count()
    assert "已经收到另一份回盘文件" in upload(browser, answer)
    assert AuditEntry.objects.count() == before
    assert "没有重复处理" in page(browser, "?done=again")


def test_a_strange_file_is_refused_in_words(browser: Client) -> None:
    text = upload(browser, "乱写".encode("gb18030"))
    assert (
        "这不是银行预开户回盘文件：首行应为 H|KHHP|1.0|批次|银行|件数|成功|失败|日期，现在是“乱写”，没有导入。"
        in text
    )
    assert "请重新选择文件" in text
    assert "所提交的是空文件。" in upload(browser, b"")


@pytest.mark.clause("B1", "cap:O2")
def test_the_table_to_take_away_names_cases_and_no_person(browser: Client) -> None:
    returned(browser)
    answer = browser.get(address() + "/fates.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    head, *rows = csv.reader(io.StringIO(text))
    assert head[:5] == ["批次号", "序号", "受理号", "领卡网点", "去向"]
    batch, hall = Batch.objects.get().number, "武侯区社保经办大厅"
    numbers = list(Case.objects.order_by("number").values_list("number", flat=True))
    assert rows == [
        [batch, "1", numbers[0], hall, "制成，待领取", "", "", f"{batch[-6:]}-01", "1", ""],
        [batch, "2", numbers[1], hall, "银行退回，待处理", "银行", "客户身份待核实", "", "", ""],
        [batch, "3", numbers[2], hall, "制卡失败，待处理", "制卡", "芯片写入失败", "", "", ""],
    ]
    assert AuditEntry.objects.filter(event="cards:batch:fates_exported").count() == 1


def test_a_clerk_sees_no_batch(browser: Client) -> None:
    clerk = cast.log_in(Client(), cast.li_qiang())
    assert clerk.get(address()).status_code == 403
    assert clerk.get(address() + "/fates.csv").status_code == 403
