"""The exact words of every refusal: what stands against it, by which article, and what to do next.

`sentences.toml` is written by `python -m tests.refusals.write`, and read by people before it is committed.
"""

import importlib
import json
import os
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import yikatong
from tests.refusals import of_cards, of_making, of_partners, of_people, of_staff, of_use  # noqa: F401 - they fill the table
from tests.refusals.stage import Stage
from tests.refusals.table import PROVOCATIONS, key
from yikatong.core.errors import DomainError

FILE: Final = Path(__file__).with_name("sentences.toml")
SENTENCES: Final = tomllib.loads(FILE.read_text(encoding="utf-8"))
#: Never raised themselves: what they gather is.
GATHERING: Final = {
    "core.errors.DomainError",
    "core.statuses.IllegalMove",
    "registry.regions.law.ByLaw",
    "registry.holders.names.BadName",
    "registry.banks.rules.NotDelegated",
    "registry.cards.rosters.cells.Faulty",  # a row's fault, listed and never raised to anyone
}
#: Texts of others: the national list of a reader's faults, the reasons a terminal shows.
OF_OTHERS: Final = {"registry.cards.chip.faults.CardFault", "using.usage.recognising.CodeNotAccepted"}
#: A serial number in a sentence is another one each time.
_SERIAL: Final = re.compile("[0-9]{16,}")
#: How a sentence says what to do, or that nothing needs to be done.
_NEXT: Final = re.compile("请|下一步|应为|应写|须|不需要|可用|可以|稍后自动|用 yikatong")


def refusals() -> Iterator[type[DomainError]]:
    """Every class there is, once all of the house is imported."""
    for module in pkgutil.walk_packages(yikatong.__path__, "yikatong."):
        if not re.search(r"migrations|__main__|\.admin$|\.wsgi$|\.virtual_pcsc", module.name):
            importlib.import_module(module.name)
    return _below(DomainError)


def _below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for one in kind.__subclasses__():
        if one.__module__.startswith("yikatong."):
            yield one
        yield from _below(one)


@pytest.mark.parametrize("refusal", PROVOCATIONS, ids=key)
def test_a_refusal_says_exactly(refusal: type[DomainError], stage: Stage) -> None:
    with pytest.raises(DomainError) as refused:
        PROVOCATIONS[refusal](stage)
    found = refused.value
    assert type(found) is refusal
    said = {
        "code": found.code,
        "status": found.status,
        "says": _SERIAL.sub("…", found.message),
        "article": found.article,
    }
    if written := os.environ.get("REFUSALS_SAID"):
        with Path(written).open("a", encoding="utf-8") as file:
            file.write(json.dumps([key(refusal), said], ensure_ascii=False) + "\n")
        return
    assert said == {"article": "", **SENTENCES[key(refusal)]}


def test_every_refusal_is_provoked_and_written_down() -> None:
    names = {key(one) for one in refusals()}
    read = {key(one) for one in PROVOCATIONS}
    missing = sorted(names - read - GATHERING)
    assert not missing, (
        "refusals whose words no test has read:\n  "
        + "\n  ".join(missing)
        + "\nAdd to tests/refusals/of_*.py a line `way(rules.TheClass, lambda s: …)` that provokes it through its act,"
        "\nthen run `python -m tests.refusals.write` and read the sentence it adds to sentences.toml."
    )
    gone = sorted(set(SENTENCES) - names)
    assert not gone, f"no such refusal any more, remove from sentences.toml: {gone}"


@pytest.mark.parametrize("name", sorted(set(SENTENCES) - OF_OTHERS))
def test_a_sentence_ends_and_says_what_to_do_next(name: str) -> None:
    says = SENTENCES[name]["says"]
    assert says.endswith("。")
    assert _NEXT.search(says), f"{says} does not say what to do next"
