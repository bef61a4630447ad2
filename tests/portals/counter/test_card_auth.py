"""The counter's door to the key device, and what the page may connect to."""

import json
from typing import Any

import pytest
from django.test import Client

from tests import cast
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import registered, terminal, terminal_files, terminal_pin
from yikatong.core import env
from yikatong.core.actor import Role
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.cards.actions import chips
from yikatong.registry.cards.chip.hsm import HsmUnavailable
from yikatong.registry.cards.chip.messages import AuthAnswer
from yikatong.registry.cards.models import Card, CardEvent

AGENT = "http://127.0.0.1:8765"
pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> Card:
    cast.set_stage()
    return cast.card_in_use(cast.wang_fang())


def asked(client: Client, told: Any) -> Any:
    body = told if isinstance(told, str) else json.dumps(told)
    return client.post(
        "/counter/card-auth", body, content_type="application/json", headers={"Accept": "application/json"}
    )


@pytest.mark.clause("S14", "G17")
def test_a_clerk_s_page_gets_the_answer(card: Card) -> None:
    chip = registered.virtual(card, SoftHsm())
    begun = terminal.begin(chip)
    answer = asked(cast.log_in(Client(), cast.li_qiang()), {"request": begun.request.text()})
    assert (answer.status_code, list(answer.json())) == (200, ["answer"])
    assert answer.headers["Cache-Control"].startswith("max-age=0")
    assert terminal.finish(chip, begun, AuthAnswer.read(answer.json()["answer"])).name == "王芳"


@pytest.mark.parametrize("told", ["", "{", "[]", {"request": 1}, {}, {"request": "x"}])
def test_what_is_no_request_has_its_number(card: Card, told: Any) -> None:
    answer = asked(cast.log_in(Client(), cast.li_qiang()), told)
    assert (answer.status_code, answer.json()["number"]) == (422, -14)


@pytest.mark.clause("S15")
def test_a_clerk_of_another_province_gets_none(card: Card) -> None:
    text = terminal.begin(registered.virtual(card, SoftHsm())).request.text()
    answer = asked(cast.log_in(Client(), cast.zhao_min()), {"request": text})
    assert (answer.status_code, answer.json()["code"]) == (404, "card_not_registered")


@pytest.mark.clause("S15", "G12")
def test_a_bank_s_clerk_gets_none_for_the_card_of_another_bank(card: Card) -> None:
    """Nothing of the holder is opened, and nothing is written down as if it were."""
    text = terminal.begin(registered.virtual(card, SoftHsm())).request.text()
    where: dict[str, Any] = {"role": Role.BANK_CLERK, "scope": "5101", "outlet_id": cast.HALL}
    its_own, another = (
        cast.staff(f"林芳{code}", f"linfang{code}", **where, bank_code=code)
        for code in (cast.JOINT, cast.APART)
    )
    assert card.account is not None
    assert card.account.bank_id == cast.JOINT
    before = Look.objects.count()
    answer = asked(cast.log_in(Client(), another), {"request": text})
    assert (answer.status_code, answer.json()["code"]) == (403, "bank_of_another")
    assert answer.json()["title"].startswith("银行网点只办理本行社会保障卡；")
    assert Look.objects.count() == before
    assert list(asked(cast.log_in(Client(), its_own), {"request": text}).json()) == ["answer"]
    assert Look.objects.count() == before + 1


# --- writing and PINs ---


def chip_of(card: Card, step: str = "") -> str:
    return f"/counter/holders/{card.holder_id}/chip" + (f"/{step}" if step else "")


def told(client: Client, card: Card, step: str, body: Any) -> Any:
    return client.post(
        chip_of(card, step), json.dumps(body), content_type="application/json",
        headers={"Accept": "application/json"},
    )  # fmt: skip


@pytest.mark.clause("B2", "G17")
def test_a_clerk_s_page_has_a_card_written_and_its_pin_set(card: Card) -> None:
    client, chip = cast.log_in(Client(), cast.li_qiang()), registered.virtual(card, SoftHsm())
    this = f"{card.identification}|{card.number}|"
    begun = terminal_files.begin_write(chip, this, "3F00EF06|08|09|4E|0A|0B|0D|$")
    answer = told(client, card, "write", {"card": this, "request": begun.request.text(), "file": "person"})
    assert (answer.status_code, sorted(answer.json())) == (200, ["answer", "data"])
    terminal_files.finish_write(chip, begun, answer.json()["answer"], answer.json()["data"])
    first = terminal_pin.begin_reload(chip, this)
    answer = told(client, card, "puk", {"card": this, "request": first.text()})
    second = terminal_pin.reload(chip, first, answer.json()["answer"], "135790", "135790")
    answer = told(client, card, "pin", {"card": this, "request": second.text()})
    terminal_pin.finish_reload(chip, second, answer.json()["answer"])
    terminal_pin.verify_pin(chip, "135790")


@pytest.mark.parametrize("step", ["write", "puk", "pin"])
@pytest.mark.parametrize(
    "body", [{}, [], {"card": 1, "request": "x", "file": "person"}, {"card": "x", "request": "x"}]
)
def test_what_is_no_message_has_its_number(card: Card, step: str, body: Any) -> None:
    answer = told(cast.log_in(Client(), cast.li_qiang()), card, step, body)
    assert (answer.status_code, answer.json()["number"]) == (422, -14)
    assert cast.log_in(Client(), cast.chen_xiao()).get(chip_of(card, step)).status_code == 405


@pytest.mark.clause("S15", "G17")
def test_a_key_device_that_is_away_leaves_no_trace(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> SoftHsm:
        raise HsmUnavailable("here")

    monkeypatch.setattr(chips, "card_hsm", away)
    client, this = cast.log_in(Client(), cast.li_qiang()), f"{card.identification}|{card.number}|"
    zeros = "0" * 16 + "|" + "0" * 16 + "|"
    before = (Look.objects.count(), AuditEntry.objects.count(), CardEvent.objects.count())
    for step, text in (
        ("write", f"03|0174|{zeros}"), ("puk", f"03|0090|{zeros}"),
        ("pin", f"03|0173|{'0' * 16}|8424000114|135790|"),
    ):  # fmt: skip
        answer = told(client, card, step, {"card": this, "request": text, "file": "person"})
        assert (answer.status_code, answer.json()["code"]) == (503, "hsm_unavailable")
        assert answer.json()["title"] == "加密机暂时不可用，请稍后重新读卡；急需办理的请核验本人证件。"
    assert (Look.objects.count(), AuditEntry.objects.count(), CardEvent.objects.count()) == before


@pytest.mark.clause("G17", "G12", "M3")
def test_the_page_of_a_card_s_chip(card: Card, settings: Any) -> None:
    client = cast.log_in(Client(), cast.li_qiang())
    page = client.get(chip_of(card)).content.decode()
    assert "本柜面没有配置读卡程序" in page
    assert "data-chip" not in page
    settings.ENV = settings.ENV.model_copy(update={"reader_url": AGENT})
    page = client.get(chip_of(card)).content.decode()
    assert page.count("data-file=") == 3
    assert cast.WANG_FANG_NUMBER not in page
    look = Look.objects.filter(holder_id=card.holder_id, purpose="窗口办理：卡内信息与密码")
    assert look.count() == 2
    stranger = cast.register(cast.id_number(9), name="刘洋", phone="13900000009")
    page = client.get(f"/counter/holders/{stranger.pk}/chip").content.decode()
    assert "此人没有社会保障卡，请先办理申领。" in page
    answer = cast.log_in(Client(), cast.leader()).get(chip_of(card))
    assert answer.status_code == 403
    assert client.post(chip_of(card)).status_code == 405


@pytest.mark.clause("S15")
def test_the_page_may_reach_the_agent_only_where_one_is_configured(card: Card, settings: Any) -> None:
    client = cast.log_in(Client(), cast.li_qiang())
    page = client.get("/counter/find")
    assert "connect-src 'self';" in page.headers["Content-Security-Policy"]
    assert "data-card-reader" not in page.content.decode()
    settings.ENV = settings.ENV.model_copy(update={"reader_url": AGENT})
    page = client.get("/counter/find")
    assert f"connect-src 'self' {AGENT};" in page.headers["Content-Security-Policy"]
    assert f'data-card-reader="{AGENT}"' in page.content.decode()
    assert "connect-src 'self';" in client.get("/staff/account").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "https://127.0.0.1:1",
        "http://10.0.0.1:8765",
        "http://localhost:1",
        "http://127.0.0.1:1/ 'unsafe-eval'",
    ],
)
def test_only_this_machine_can_be_configured(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIKATONG_READER_URL", url)
    env.load.cache_clear()
    try:
        with pytest.raises(env.BadSettings, match="YIKATONG_READER_URL"):
            env.load()
    finally:
        monkeypatch.undo()
        env.load.cache_clear()
