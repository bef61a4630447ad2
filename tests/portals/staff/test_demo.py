import json
from pathlib import Path

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings

from tests import cast
from yikatong.core import env
from yikatong.portals.shared.address import client_address

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo_file(tmp_path: Path, settings: Settings) -> None:
    """李强 is one of the demonstration's people, 陈静 is not."""
    settings.ENV = env.Settings(home=tmp_path)
    people = [
        {
            "role": "窗口经办",
            "name": "李强",
            "login": "liqiang",
            "hint": "密码 demo-only",
            "url": "/counter/",
        },
        {"role": "持卡人", "name": "王芳", "login": "13900000001", "hint": "", "url": "/m/"},
    ]
    (tmp_path / "demo.json").write_text(json.dumps(people), encoding="utf-8")
    cast.li_qiang()
    cast.chen_jing()


def second_page(client: Client, name: str) -> str:
    client.post("/staff/login", {"username": name, "password": cast.PASSWORD})
    return client.get("/staff/code").content.decode()


def test_a_demonstration_shows_its_staff_and_a_code_that_works(
    client: Client, demo_file: None, settings: Settings
) -> None:
    settings.DEMO = True
    page = client.get("/staff/login").content.decode()
    assert "密码 demo-only" in page
    assert "13900000001" not in page
    assert "data-demo-code" not in second_page(client, "chenjing")
    code = second_page(client, "liqiang").split("data-demo-code>")[1][:6]
    assert client.post("/staff/code", {"code": code}).status_code == 303
    other = Client()  # at once again: another code, for the first is used
    again = second_page(other, "liqiang").split("data-demo-code>")[1][:6]
    assert again != code
    assert other.post("/staff/code", {"code": again}).status_code == 303


def test_a_real_installation_shows_nothing(client: Client, demo_file: None, settings: Settings) -> None:
    settings.DEMO = False
    assert "demo-only" not in client.get("/staff/login").content.decode()
    assert "data-demo-code" not in second_page(client, "liqiang")


def test_a_blocked_name_is_told_so_on_the_page(client: Client) -> None:
    for _ in range(5):
        assert client.post("/staff/login", {"username": "nobody", "password": "x"}).status_code == 422
    answer = client.post("/staff/login", {"username": "nobody", "password": "x"})
    assert answer.status_code == 429
    assert "连续输错次数过多，已暂停登录。" in answer.content.decode()
    assert "依据：GB/T 22239—2019 8.1.4.1" in answer.content.decode()


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # whoever comes from outside may claim what he likes
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "10.0.0.1, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        # One subscriber has a whole network of IPv6 addresses: he is one asker.
        ("2001:db8:1:2::7", "", "2001:db8:1:2::/64"),
        ("127.0.0.1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", "192.0.2.1"),
    ],
)
def test_the_address_is_the_one_our_own_proxy_saw(peer: str, forwarded: str, seen: str) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)
    assert client_address(request) == seen
