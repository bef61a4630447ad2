"""The bank's process is killed between doing and answering, and started again: nothing is lost, nothing done twice."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.agreements import agree
from tests.bank_sandbox import Sandbox
from tests.registry.banks.test_freezing import freeze, stands
from tests.registry.conftest import JOINT
from yikatong.core import env
from yikatong.core.clock import now
from yikatong.registry.banks import tasks
from yikatong.registry.banks.models import BankAccount, BankRequest
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.models import Holder

Carry = Callable[..., Card]


@pytest.fixture
def mortal(bank_process: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A bank of this test's own, which may be killed."""
    bank_process.begins_anew()
    with Sandbox(tmp_path, bank_process._dsn, JOINT) as sandbox:
        monkeypatch.setenv("YIKATONG_BANKS_FILE", str(sandbox.channels))
        env.load.cache_clear()
        yield sandbox
    env.load.cache_clear()


@pytest.mark.clause("B6", "G12")
def test_a_bank_killed_before_its_answer_has_frozen_once(
    wang_fang: Holder, carry: Carry, mortal: Sandbox
) -> None:
    account = BankAccount.objects.get(cards=carry(wang_fang))
    agree(JOINT, is_online=True)
    hold = freeze(account)
    mortal.goes_wrong("lost", "freeze", hold_s=20)
    assert tasks.send(JOINT) == 0
    assert (BankRequest.objects.get().status, stands(hold)) == ("unknown", ("asked", "active"))

    mortal.dies()
    BankRequest.objects.update(next_try_at=now())
    assert tasks.send(JOINT) == 0
    assert BankRequest.objects.get().trouble == "无法连接银行接口"

    mortal.start()
    BankRequest.objects.update(next_try_at=now())
    assert tasks.send(JOINT) == 1
    assert stands(hold) == ("held", "frozen")
    with connection.cursor() as cursor:
        cursor.execute("SELECT times FROM peer_bank.request")
        assert cursor.fetchall() == [(1,)], "asked for, not told again"
