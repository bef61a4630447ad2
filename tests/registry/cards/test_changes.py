"""Before and after of a new card, thing by thing."""

from collections.abc import Callable

import pytest

from tests.registry.conftest import APART, AT, JOINT
from yikatong.core.clock import day_of
from yikatong.registry.banks.models import Bank
from yikatong.registry.cards.changes import Change, of_replacement
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.law import province

Carry = Callable[..., Card]


def changes(card: Card, bank_code: str) -> dict[str, Change]:
    found = Card.objects.select_related("account__bank").get(pk=card.pk)
    rows = of_replacement(found, Bank.objects.get(pk=bank_code), province(), day=day_of(AT))
    return {row.what: row for row in rows}


@pytest.mark.clause("G5", "G12", "B6")
def test_at_the_same_bank_the_account_stays(wang_fang: Holder, carry: Carry) -> None:
    rows = changes(carry(wang_fang), JOINT)
    moved = [what for what, row in rows.items() if not row.stays]
    assert moved == ["卡片和卡识别码"] if province().card.keeps_number else ["社会保障卡号", "卡片和卡识别码"]
    assert [row.advice for row in rows.values() if row.advice] == []


@pytest.mark.clause("G5", "G8", "G12", "B6")
def test_at_another_bank_everything_of_the_account_moves(wang_fang: Holder, carry: Carry) -> None:
    rows = changes(carry(wang_fang), APART)
    assert (rows["服务银行"].before, rows["服务银行"].after) == ("蜀安银行", "天府惠民银行")
    assert rows["金融账号"].after == "天府惠民银行另开新账号"
    assert rows["金融账号"].advice == "原账户及余额仍在蜀安银行，不会自动转移，由本人办理转账或销户。"
    assert rows["财政补贴等发放账户"].after == "新卡启用之日起改发到新账户"
    assert (rows["联动挂失"].before, rows["联动挂失"].after) == ("挂失时账户同时停用", "账户须另向银行挂失")
    assert rows["社会保障号码、参保和待遇"].stays
    assert "62295190" not in rows["金融账号"].before, "masked"
