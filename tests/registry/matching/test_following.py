"""Against the registers' own process: changes as they come, a source that is away or talks nonsense, and kill -9."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.bank_sandbox import Sandbox
from tests.registry.conftest import AT, days, id_number
from yikatong.core import env
from yikatong.core.models import Look
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.models import Holder
from yikatong.registry.matching import comparing, tasks
from yikatong.registry.matching.comparing import Slice, compare, follow
from yikatong.registry.matching.models import Issue, SourceRun
from yikatong.registry.matching.source import sources as wired

Register = Callable[..., Holder]
_SOURCE = Path(__file__).parents[3] / "src"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yikatong.adapters.signed_http._PAUSES_S", (0.0, 0.0))


def run_of(key: str) -> SourceRun:
    return SourceRun.objects.get(pk=key)


@pytest.mark.clause("A6", "B2")
def test_a_death_entered_today_ends_the_card_without_waiting_for_the_round(
    sources: Sandbox, wang_fang: Holder, register: Register, carry: Callable[..., Card]
) -> None:
    register(2)
    card = carry(wang_fang)
    sources.enters("civil", id_number(1), "王芳", death="2026-11-15")
    sources.enters("civil", id_number(300), "路人", death="2026-11-15")
    civil = wired()["civil"]
    assert follow("civil", civil, at=AT) == Slice(compared=1, opened=1, agreed=0, deaths=1)
    wang_fang.refresh_from_db()
    card.refresh_from_db()
    assert (wang_fang.status, wang_fang.deceased_on, card.status) == ("deceased", date(2026, 11, 15), "4")
    run = run_of("civil")
    assert (run.changed, run.compared, run.answered_at, run.behind_since) == (1, 0, AT, None)
    assert follow("civil", civil, at=AT) == Slice(0, 0, 0, 0)
    # The looks are of those compared, not of all the register has told.
    assert Look.objects.filter(purpose="与民政殡葬信息（沙箱）核对").count() == 1


@pytest.mark.clause("A6")
def test_pages_of_changes_take_the_same_statements_however_long(sources: Sandbox, register: Register) -> None:
    counts = []
    for born, many in ((1, 2), (11, 40)):
        for serial in range(born, born + many):
            register(serial)
            sources.enters("population", id_number(serial), "王小芳")
        with CaptureQueriesContext(connection) as captured:
            assert follow("population", wired()["population"], at=AT).opened == many
        counts.append(len(captured))
    assert counts[1] <= counts[0]


@pytest.mark.clause("A6")
def test_a_source_away_for_hours_loses_nothing_and_says_since_when(
    sources: Sandbox, wang_fang: Holder
) -> None:
    population = wired()["population"]
    assert compare("population", population, at=AT).compared == 1
    sources.enters("population", id_number(1), "王芳华")
    sources.post("sources", "faults", {"kind": "away", "who": "population", "times": 6})
    for hours in (1, 2):
        stopped = follow("population", population, at=AT + days(hours))
        assert (stopped.compared, stopped.failure) == (0, "对方系统暂停服务")
    run = run_of("population")
    assert (run.behind_since, run.failed_at, run.answered_at) == (AT + days(1), AT + days(2), AT)
    assert (run.failure_kind, run.cursor) == ("away", "")
    assert not Issue.objects.exists()
    assert follow("population", population, at=AT + days(3)).opened == 1
    run = run_of("population")
    assert (run.behind_since, run.failure, run.failure_kind, run.answered_at) == (
        None, "", "", AT + days(3),
    )  # fmt: skip


@pytest.mark.clause("A6")
@pytest.mark.parametrize("kind", ["malformed", "incomplete", "cut"])
def test_nothing_of_a_malformed_answer_is_taken(sources: Sandbox, register: Register, kind: str) -> None:
    for serial in (1, 2, 3):
        register(serial)
        sources.enters("population", id_number(serial), "王小芳")
    sources.post("sources", "faults", {"kind": kind, "who": "population", "times": 1})
    stopped = compare("population", wired()["population"], at=AT)
    assert (stopped.compared, stopped.opened) == (0, 0)
    run = run_of("population")
    assert (run.position, run.compared, run.failure_kind, run.behind_since) == (None, 0, "unfit", AT)
    assert (Issue.objects.count(), Look.objects.filter(looker_name="平台").count()) == (0, 0)


@pytest.mark.clause("A6")
def test_one_source_away_holds_up_no_other(sources: Sandbox, wang_fang: Holder) -> None:
    sources.post("sources", "faults", {"kind": "away", "who": "civil", "times": 9})
    for key in ("health", "insurance"):
        sources.enters(key, id_number(1), "王小芳")
    tasks.follow(0)
    tasks.compare(0)
    assert sorted(Issue.objects.values_list("source", flat=True)) == ["health", "insurance"]
    assert {run.source: run.failure_kind for run in SourceRun.objects.all()} == {
        "population": "", "civil": "away", "health": "", "credit": "", "insurance": "",
    }  # fmt: skip


@pytest.mark.clause("A6")
@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on_where_it_stood(
    sources: Sandbox, database_dsn: str, register: Register
) -> None:
    for serial in range(1, 9):
        register(serial)
    sources.post("sources", "faults", {"kind": "slow", "who": "population", "hold_s": 0.3, "times": 99})
    program = (
        "import django; django.setup()\n"
        "from yikatong.registry.matching import comparing, source\n"
        "from tests.registry.conftest import AT\n"
        "comparing.CHUNK = 2\n"
        "comparing.compare('population', source.sources()['population'], at=AT)\n"
    )
    ours = {
        "DATABASE_URL": _dsn(),
        "PYTHONPATH": f"{_SOURCE}:{_SOURCE.parent}",
    }
    child = subprocess.Popen([sys.executable, "-c", program], env=os.environ | ours)
    deadline = time.monotonic() + 60
    while not SourceRun.objects.filter(compared__gte=2).exists():
        assert child.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline
    child.send_signal(signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    stood = run_of("population")
    assert stood.rounds == 0
    assert 2 <= stood.compared < 8
    sources.post("sources", "faults", None)
    done = compare("population", wired()["population"], at=AT)
    assert done.compared == 8 - stood.compared
    run = run_of("population")
    assert (run.rounds, run.compared, run.position) == (1, 8, None)
    looked = Look.objects.filter(purpose="与公安人口库（沙箱）核对").values_list("holder_id", flat=True)
    assert sorted(looked) == sorted(Holder.objects.values_list("pk", flat=True)), "each of them once"


@pytest.mark.clause("A6")
@pytest.mark.django_db(transaction=True)
def test_a_source_that_is_killed_is_away_and_goes_on_when_it_stands_again(
    database_dsn: str, register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for serial in range(1, 6):
        register(serial)
    monkeypatch.setattr(comparing, "CHUNK", 2)
    for life, more in ((1, 2), (2, 9)):
        with Sandbox(tmp_path / str(life), _dsn()) as peer:
            monkeypatch.setenv("YIKATONG_SOURCES_FILE", str(peer.sources_file))
            env.load.cache_clear()
            done = compare("population", wired()["population"], limit=more, at=AT)
            assert (done.compared, done.failure) == ((2, "") if life == 1 else (3, ""))
            peer.dies()
            gone = compare("population", wired()["population"], limit=more, at=AT + days(life))
            assert (gone.compared, gone.failure) == (0, "无法连接对方接口")
        run = run_of("population")
        assert (run.failure_kind, run.behind_since) == ("away", AT + days(life))
    assert (run_of("population").compared, run_of("population").rounds) == (5, 1)
    monkeypatch.delenv("YIKATONG_SOURCES_FILE")
    env.load.cache_clear()


def _dsn() -> str:
    parts = connection.settings_dict
    return f"postgresql://{parts['USER']}@/{parts['NAME']}?host={parts['HOST']}&port={parts['PORT']}"
