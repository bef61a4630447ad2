"""Tables: what they keep of a person, and where their keys point."""

import re
from collections import defaultdict

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.db.models import ForeignKey, Model

from yikatong.registry.cards.models import Roster

OURS = sorted(
    (model for model in apps.get_models() if model.__module__.startswith("yikatong.")),
    key=lambda m: m._meta.label,
)
#: Upper floors first, as the import contracts have them; inside `registry` and `using` too.
FLOORS = [
    "portals", "insight.dashboards", "using.scenes", "using.identity using.usage using.codes",
    "registry.access", "registry.catalogue", "registry.matching", "registry.stock",
    "registry.joint", "registry.cards", "registry.banks",
    "registry.holders", "registry.outlets", "registry.regions", "core",
]  # fmt: skip
#: Of these an administrator sees rows, for he runs the system; holders and cards are the counter's.
SEEN_BY_ADMINISTRATORS = {"core.StaffUser", "cards.Roster"}


def pii(model: type[Model]) -> str:
    """The declaration after `pii:` in the docstring, on one line."""
    found = re.search(r"\bpii:\s*(.+)", " ".join((model.__doc__ or "").split()))
    return found[1] if found else ""


@pytest.mark.clause("cap:O1")
@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_model_declares_what_it_keeps_of_a_person(model: type[Model]) -> None:
    said = pii(model)
    assert said, f"{model._meta.label}: the docstring says nothing of personal data (`pii: …`)"
    if not said.startswith("none"):
        assert re.fullmatch(r"[^;]+; ground: [^;]+; retention: [^;]+\.", said), (
            f"{model._meta.label}: `pii:` must read «kind; ground: …; retention: ….», it reads «{said}»"
        )


def test_there_are_models_to_ask() -> None:
    assert len(OURS) >= 35
    assert {"holders.Holder", "usage.Use", "core.Look"} <= {model._meta.label for model in OURS}


@pytest.mark.clause("cap:O1")
def test_administrators_see_no_one_s_record() -> None:
    """三员分立: who runs the system handles no one's card."""
    shown = {m._meta.label for m in admin.site._registry if m in OURS and not pii(m).startswith("none")}
    assert shown == SEEN_BY_ADMINISTRATORS
    assert "content" in (admin.site.get_model_admin(Roster).exclude or ()), (
        "how many rows, and never the rows"
    )


def floor(model: type[Model]) -> int:
    room = ".".join(model.__module__.split(".")[1:3])
    for number, rooms in enumerate(FLOORS):
        if any(room == one or room.startswith(f"{one}.") for one in rooms.split()):
            return number
    raise AssertionError(f"{room}: on no floor; add it to FLOORS")


def test_foreign_keys_point_down() -> None:
    wrong = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for model in OURS
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey)
        and field.related_model in OURS
        and floor(field.related_model) < floor(model)
    ]
    assert wrong == []


def test_migrations_stand_in_one_line() -> None:
    """One first and one last migration an app, numbered in the order they run in."""
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    names = defaultdict(list)
    for app, name in graph.nodes:
        if (found := apps.get_app_config(app)).name.startswith("yikatong."):
            names[found.name].append(name)
    assert len(names) >= 12
    for app_name, found_names in names.items():
        label = app_name.rsplit(".", 1)[1]
        assert len(graph.leaf_nodes(label)) == 1, app_name
        numbers = [int(name[:4]) for name in sorted(found_names)]
        assert numbers == list(range(1, len(numbers) + 1)), app_name


@pytest.mark.django_db
def test_migrations_make_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
