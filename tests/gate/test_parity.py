"""The gate's SQL knows the tables by name; here it is held against the models, so that neither moves alone."""

import subprocess
import sys

import pytest
from django.apps import apps
from django.db import connection, models

from tests.gate.world import World
from yikatong.gate import desk, keys, statement, terminals
from yikatong.gate.answer import REASONS
from yikatong.gate.concessions import FARE_CLASSES, NAMES
from yikatong.gate.row import FLAG_GOOD_FAITH, METHOD_CODE, METHOD_SHORT
from yikatong.registry.access.models import Terminal, TerminalState
from yikatong.registry.cards.models import CardStatus, ECard
from yikatong.registry.holders.models import Category, Holder
from yikatong.using.codes import rules
from yikatong.using.codes.models import Device, IssuerKey
from yikatong.using.codes.pass_ import Concession
from yikatong.using.usage.models import Use

MODELS: dict[str, type[models.Model]] = {model._meta.db_table: model for model in apps.get_models()}


def columns(table: str) -> set[str]:
    return {str(field.column) for field in MODELS[table]._meta.concrete_fields if field.column}


@pytest.mark.parametrize("table", statement.TABLES)
def test_every_column_named_is_a_column_of_the_model(table: str) -> None:
    assert set(statement.TABLES[table]) <= columns(table)


@pytest.mark.parametrize("table", ["usage_use", "usage_shown"])
def test_every_column_of_a_written_table_is_written(table: str) -> None:
    assert set(statement.TABLES[table]) == columns(table)


def test_every_table_named_in_the_text_is_declared() -> None:
    for text in (statement.ONLINE, statement.OFFLINE, statement.OFFLINE_NEW):
        named = {table for table in MODELS if f" {table} " in text or f"{table} " in text}
        assert named <= set(statement.TABLES)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", [statement.ONLINE, statement.OFFLINE, statement.OFFLINE_NEW, statement.STORED]
)
def test_the_statement_can_be_prepared(text: str) -> None:
    """Types of parameters and columns fit: PostgreSQL plans the statement itself."""
    for number in range(text.count("%b")):
        text = text.replace("%b", f"${number + 1}", 1)
    with connection.cursor() as cursor:
        cursor.execute("PREPARE gate_parity AS " + text.replace("%", "%%"))
        cursor.execute("DEALLOCATE gate_parity")


def test_states_named_in_the_text_are_states_of_the_models() -> None:
    assert (Terminal.Status.ENROLLED, Terminal.Status.REGISTERED) == ("enrolled", "registered")
    assert (Device.Status.ACTIVE, ECard.Status.ISSUED) == ("active", "issued")
    assert (Holder.Status.ACTIVE, Holder.Status.DECEASED) == ("active", "deceased")
    assert {status.value for status in CardStatus} == set("01234AB"), "each has its reason in the statement"
    assert {kind.value for kind in Category.Kind} == {"elder", "student", "disabled", "veteran", "low_income"}


def test_numbers_are_those_of_the_models() -> None:
    assert (METHOD_CODE, METHOD_SHORT) == (Use.Method.CODE, Use.Method.SHORT)
    assert FLAG_GOOD_FAITH == Use.Flag.GOOD_FAITH
    assert set(NAMES) == set(Concession)
    of_rules = {number: rules.CONCESSIONS[kind] for kind, number in rules.FARE_CLASSES.items()}
    assert of_rules == FARE_CLASSES
    assert all(0 < number <= 32_767 for number in REASONS), "outcomes are stored in a smallint"


def test_other_statements_name_columns_of_the_models(world: World) -> None:
    assert {"id", "number", "status", "key_generation", "scenes", "offline_uses_max"} <= columns(
        "access_terminal"
    )
    assert set(keys._COLUMNS) <= columns(IssuerKey._meta.db_table)
    state = columns(TerminalState._meta.db_table)
    assert all(column in desk._SEEN for column in state - {"signed_in_on"})
    assert terminals._SQL.startswith("SELECT id, number, status, key_generation, scenes, offline_uses_max")


def test_the_gate_loads_without_django() -> None:
    code = (
        "import sys, yikatong.gate.app; sys.exit(any(name.split('.')[0] == 'django' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
