"""The terminal acceptance check: a good card passes, and each kind of bad one fails at its own point only."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.cards import CHIP, WANG_FANG, card, hsm, image
from tests.adapters.national_card.test_terminal import Other
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import acceptance, terminal
from yikatong.adapters.national_card.acceptance import Report
from yikatong.adapters.national_card.image import CARD_FILE, SSSE, Record
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.core.errors import DomainError
from yikatong.registry.cards.chip import authentication
from yikatong.registry.cards.chip.faults import CardFault
from yikatong.registry.cards.chip.messages import AuthRequest

DAY = date(2026, 11, 21)
POINTS = ["genuine", "listed", "institution", "category", "version", "validity"]
pytestmark = pytest.mark.clause("E3", "O8")


@pytest.fixture
def device(tmp_path: Path) -> SoftHsm:
    return hsm(tmp_path)


def check(device: SoftHsm, chip: terminal.Channel, *, why: str = "", day: date = DAY) -> Report:
    def ask(text: str) -> str:
        return authentication.answer(AuthRequest.read(text), device).text()

    return acceptance.check(chip, ask=ask, listed=lambda *_: why, day=day)


def failing(report: Report) -> list[tuple[str, str]]:
    return [(point.key, point.message) for point in report.points if not point.passed]


def written(device: SoftHsm, tag: int, value: bytes) -> VirtualCard:
    """A card with one item of EF05 changed."""
    made = image(device)
    files = dict(made.files)
    records = files[SSSE, CARD_FILE]
    files[SSSE, CARD_FILE] = tuple(Record(tag, value) if one.tag == tag else one for one in records)
    return VirtualCard(replace(made, files=files))


def test_a_good_card_passes_every_point(device: SoftHsm) -> None:
    report = check(device, card(device))
    assert report.passed
    assert [(point.key, point.found) for point in report.points] == [
        ("genuine", "与加密机一致"),
        ("listed", f"{CHIP.identification} {WANG_FANG.card_number}"),
        ("institution", "915600000251010051010001"),
        ("category", "3 成年人"),
        ("version", "3.00"),
        ("validity", "20261120 至 20361120"),
    ]
    assert (report.card_number, report.identification) == (WANG_FANG.card_number, CHIP.identification)


def test_a_stopped_card_fails_at_the_list(device: SoftHsm) -> None:
    report = check(device, card(device), why="该卡状态为“正式挂失”")
    assert failing(report) == [("listed", "该卡状态为“正式挂失”")]


@pytest.mark.parametrize(
    ("tag", "value", "key", "message"),
    [
        (0x04, bytes.fromhex("915600000351010051010001"), "institution", "初始化机构编号格式不正确"),
        (0x04, bytes.fromhex("9156000002510100"), "institution", "初始化机构编号格式不正确"),
        (
            0x04, bytes.fromhex("915600000251070051070001"), "institution",
            "初始化机构的发卡地区 510700 与卡识别码的 510100 不一致",
        ),
        (0x02, b"5", "category", "没有这种卡类别"),
        (0x02, b"\0", "category", "没有这种卡类别"),
        (0x03, b"4.00", "version", "终端不支持该规范版本"),
        (0x06, bytes.fromhex("20261120"), "validity", "卡片已超过有效期"),
        (0x05, bytes.fromhex("20261122"), "validity", "尚未到发卡日期，请核对终端时间"),
        (0x05, bytes.fromhex("20261399"), "validity", "发卡日期或有效期不是有效日期"),
        (0x06, bytes.fromhex("20250101"), "validity", "发卡日期或有效期不是有效日期"),
    ],
)  # fmt: skip
def test_each_fault_fails_at_its_own_point(
    device: SoftHsm, tag: int, value: bytes, key: str, message: str
) -> None:
    report = check(device, written(device, tag, value))
    assert failing(report) == [(key, message)]
    assert [point.key for point in report.points] == POINTS, "the others are told as well"


@pytest.mark.parametrize(("day", "passes"), [(date(2026, 11, 19), False), (date(2026, 11, 20), True),
                                             (date(2036, 11, 20), True), (date(2036, 11, 21), False)])  # fmt: skip
def test_both_days_of_validity_count(device: SoftHsm, day: date, passes: Any) -> None:
    assert check(device, card(device), day=day).passed is passes


def test_a_copy_without_keys_fails_first(device: SoftHsm) -> None:
    made = image(device)
    copied = VirtualCard(replace(made, keys=dict.fromkeys(made.keys, bytes(16))))
    assert failing(check(device, copied)) == [
        ("genuine", "内部认证与加密机不一致，卡片不合法或加密机密钥不符")
    ]


def test_a_platform_that_refuses_is_quoted(device: SoftHsm) -> None:
    def refuse(_: str) -> str:
        raise DomainError("该卡已正式挂失")

    report = acceptance.check(card(device), ask=refuse, listed=lambda *_: "该卡已正式挂失", day=DAY)
    assert failing(report) == [("genuine", "平台未予认证：该卡已正式挂失"), ("listed", "该卡已正式挂失")]


def test_the_holder_s_file_stays_closed(device: SoftHsm) -> None:
    chip = card(device)
    check(device, chip)
    terminal.select_file(chip, 0xEF06)
    with pytest.raises(CardFault) as refusal:
        terminal.item(chip, 0x08)
    assert refusal.value.number == -27010


def test_another_card_is_no_report(device: SoftHsm) -> None:
    with pytest.raises(CardFault) as refusal:
        check(device, Other("3B00", "6A82"))
    assert refusal.value.number == -1
