"""The line to an outlet's printer, wired by settings."""

from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from yikatong.registry.cards.batches.files import MakeAnswer, MakeRequest


class PrintFailed(Exception):
    """The blank is spoiled; the message (Chinese) says why."""


class Printer(Protocol):
    def print_card(self, order: MakeRequest, blank: str) -> MakeAnswer:
        """Print and write one card; takes some ten seconds. Raises PrintFailed."""


def printer() -> Printer | None:
    """None where no printer is set up."""
    if not settings.CARD_PRINTER:
        return None
    wired: Printer = import_string(settings.CARD_PRINTER)()
    return wired
