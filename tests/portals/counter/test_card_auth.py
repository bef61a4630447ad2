"""The counter's door to the key device, and what the page may connect to."""

import json
from typing import Any

import pytest
from django.test import Client

from tests import cast
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import registered, terminal
from yikatong.core import env
from yikatong.registry.cards.chip.messages import AuthAnswer
from yikatong.registry.cards.models import Card

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
