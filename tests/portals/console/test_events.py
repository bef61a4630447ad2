"""Events of the audit log in words."""

import pytest

from yikatong.core.actor import Channel
from yikatong.portals.console import events


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("cards:card:temporarily_lost", "社会保障卡：临时挂失"),
        ("cards:card:chip_written", "社会保障卡：更新卡内信息"),
        ("cards:card:puk_proven", "社会保障卡：认证以重置密码"),
        ("cards:case:checked", "受理单：待银行预开户"),
        ("staff:login:in", "工作人员登录：登录"),
        ("holders:holder:revealed", "持卡人：显示号码"),
        ("admin:outlet:changed", "登记表：修改"),
        ("outlets:outlet:hours_set", "服务网点：修改服务时间"),
        ("stock:count:confirmed", "空白卡盘点：复核"),
        ("stock:blank:written_off", "空白卡：核销短少"),
        ("something:new:happened", "something:new:happened"),
        ("odd", "odd"),
    ],
)
def test_an_event_is_said_in_chinese_and_an_unknown_one_as_it_is(event: str, said: str) -> None:
    assert events.said(event) == said


@pytest.mark.parametrize("code", list(Channel))
def test_every_channel_has_a_word(code: Channel) -> None:
    assert events.channel(code) != code
