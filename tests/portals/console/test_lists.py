"""Keys and lists as the console shows them, and which of them a terminal has missed."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import cast
from yikatong.core.actor import SYSTEM, Role
from yikatong.core.clock import BEIJING, now
from yikatong.registry.access import actions as access_acts
from yikatong.registry.access.models import Terminal, TerminalState
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.regions.models import Organisation
from yikatong.using.codes import rotation
from yikatong.using.codes.models import IssuerKey, ListVersion
from yikatong.using.codes.publish import publish_lists

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stage(db: None) -> None:
    cast.set_stage()


@pytest.fixture
def operator() -> Client:
    return cast.log_in(Client(), cast.staff("周芸", "operator", role=Role.OPERATOR, scope="51"))


@pytest.fixture
def terminal() -> Terminal:
    """A gate for buses and venues."""
    keeper = Organisation.objects.get()
    domain = Domain.objects.create(code="culture", name="文化体验")
    place = Place.objects.create(
        number="51010700001",
        name="图书馆",
        kind="图书馆",
        domain=domain,
        keeper=keeper,
        division_code="510107",
    )
    made = access_acts.register_terminal(
        name="闸机", kind="gate", place_id=place.pk, owner_id=keeper.pk, scenes=[3, 4], by=SYSTEM, at=now()
    )
    return Terminal.objects.get(pk=made.pk)


def publish(kind: str, version: int, hours: float, scene: int = 0) -> None:
    ListVersion.objects.create(
        kind=kind,
        scene=scene,
        version=version,
        made_at=now() - timedelta(hours=hours),
        full=b"",
        entries=version,
    )


def rows(page: bytes) -> list[str]:
    """Each row of each table as a reader sees it."""
    found = re.findall(r"<tr>(.*?)</tr>", page.decode(), re.DOTALL)
    plain = (re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in found)
    return [unescape(row).replace("\xa0", " ") for row in plain]


def clock(hours: float) -> str:
    return f"{(now() - timedelta(hours=hours)).astimezone(BEIJING):%Y-%m-%d %H:%M}"


@pytest.mark.clause("E3")
def test_the_page_of_keys_says_what_is_not_there_yet(operator: Client) -> None:
    page = operator.get("/console/keys").content

    assert "还没有密钥。第一次为持卡人签发凭证时自动生成" in page.decode()
    assert "现在轮换的话" not in page.decode()
    names = ["信任列表", "黑名单（通用码）", "黑名单（就医码）", "黑名单（乘车码）", "黑名单（入园码）"]
    assert [row for row in rows(page) if "还没有发布" in row] == [
        f"{name} 还没有发布；后台任务运行后自动发布" for name in names
    ]


@pytest.mark.clause("E3", "O9")
def test_a_key_is_shown_until_the_last_of_its_passes_has_ended(operator: Client) -> None:
    at = now()
    publish_lists(at=at - timedelta(days=30))
    rotation.rotate_keys(by=SYSTEM, at=at - timedelta(days=20))  # its passes have all ended
    rotation.rotate_keys(by=SYSTEM, at=at)
    rotation.rotate_keys(by=SYSTEM, at=at)
    rotation.withdraw_key(3, reason="演练", by=SYSTEM, at=at)

    page = operator.get("/console/keys").content
    assert [row.split()[-1] for row in rows(page)[1:5]] == ["签发中", "已撤销", "仅核验旧凭证", "已到期"]
    ends = IssuerKey.objects.get(key_id=2).verify_until
    assert ends is not None
    assert f"{ends.astimezone(BEIJING):%Y-%m-%d %H:%M}" in rows(page)[3]
    assert ends == rotation.last_pass_ends(at)
    assert "现在轮换的话，旧密钥核验至" in page.decode()


@pytest.mark.clause("E3")
def test_a_terminals_page_says_which_list_is_behind_and_since_when(
    operator: Client, terminal: Terminal
) -> None:
    publish("trust", 1, 100)
    for version, hours in ((4, 50), (5, 3), (6, 1)):
        publish("hot", version, hours, scene=3)
    publish("hot", 2, 80, scene=4)
    publish("hot", 9, 1, scene=1)  # no scene of this terminal
    TerminalState.objects.create(
        terminal=terminal, seen_at=now(), trust_version=1, hot_versions={"3": 4}, offline_uses=0
    )

    page = operator.get(f"/console/terminals/{terminal.number}").content
    assert rows(page)[1:4] == [
        "信任列表 1 1 最新",
        f"黑名单（乘车码） 4 6 落后 自 {clock(3)} 起，已 3 小时",
        f"黑名单（入园码） — 2 没有 自 {clock(80)} 起，已 3 日，8 小时",
    ]
    assert "落后 乘车码、入园码" in rows(operator.get("/console/terminals").content)[1]

    TerminalState.objects.update(hot_versions={"3": 6, "4": 2})
    assert [
        row.split()[-1] for row in rows(operator.get(f"/console/terminals/{terminal.number}").content)[1:4]
    ] == ["最新"] * 3
    assert " 最新 " in rows(operator.get("/console/terminals").content)[1]


def test_a_terminal_that_has_told_nothing_is_not_said_to_be_behind(
    operator: Client, terminal: Terminal
) -> None:
    publish("hot", 2, 80, scene=4)
    TerminalState.objects.create(terminal=terminal, seen_at=now())

    assert "终端还没有上报名单版本" in operator.get(f"/console/terminals/{terminal.number}").content.decode()
    assert "落后" not in operator.get("/console/terminals").content.decode()


def test_the_lists_of_many_terminals_are_looked_up_at_once(operator: Client, terminal: Terminal) -> None:
    publish("hot", 2, 80, scene=4)
    TerminalState.objects.create(terminal=terminal, seen_at=now(), hot_versions={"4": 1})
    first = count(operator)
    for number in range(5):
        made = access_acts.register_terminal(
            name=f"闸机{number}", kind="gate", place_id=terminal.place_id, owner_id=terminal.owner_id, scenes=[4],
            by=SYSTEM, at=now(),
        )  # fmt: skip
        TerminalState.objects.create(terminal_id=made.pk, seen_at=now(), hot_versions={"4": 1})
    assert count(operator) == first


def count(browser: Client) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert browser.get("/console/terminals").status_code == 200
    return len(asked)
