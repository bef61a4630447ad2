"""`yikatong db check`: whether the books are in order."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from typer.testing import CliRunner, Result

from tests import cast
from yikatong.cli import db
from yikatong.core import env
from yikatong.insight.soundness import checking
from yikatong.registry.cards.models import Card

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _settings_read_anew() -> Iterator[None]:
    """The session has set the address of its database after the settings were first read."""
    env.load.cache_clear()
    yield
    env.load.cache_clear()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(db.app, ["check", *arguments])


def lose_a_card() -> None:
    cast.set_stage()
    card = cast.make_card(cast.apply(cast.wang_fang())).card
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cards_card SET number = 'A00000000'")
    assert card is not None


def test_an_empty_house_is_in_order() -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (0, f"共核对 {len(checking.INVARIANTS)} 项，不符 0 项。\n")
    assert json.loads(run("--json").stdout) == []


def test_what_is_wrong_is_named_with_examples() -> None:
    lose_a_card()
    result = run("--skip", "case_moved_along_its_table", "--skip", "case_fits_its_card")
    key = Card.objects.get().pk
    assert result.exit_code == 1
    assert (
        f"不符：卡号校验位正确，卡识别码和复位信息合格式（card_numbers_valid）1 处，例如 card:{key}\n"
        in result.stdout
    )
    found: list[dict[str, Any]] = json.loads(run("--json").stdout)
    wrong = next(one for one in found if one["name"] == "card_numbers_valid")
    assert (wrong["count"], wrong["examples"]) == (1, [f"card:{key}"])


def test_a_check_there_is_not_cannot_be_left_out() -> None:
    result = run("--skip", "luck")
    assert result.exit_code == 2
    assert "没有这些项目：luck" in result.stderr
