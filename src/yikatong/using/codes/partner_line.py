"""What the platform asks of a partner over the line. The adapter is wired by the setting HOT_PARTNERS."""

from collections.abc import Mapping
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class PartnerUnreached(Exception):
    """The partner was not told, as far as we know. The message (Chinese) says why; `kind` as Partner.Failure."""

    kind = "away"


class PartnerAway(PartnerUnreached):
    """No connection, or it says itself that it is not there."""


class PartnerSilent(PartnerUnreached):
    """It may have taken the list, and no answer came that can be trusted."""

    kind = "silent"


class PartnerUnfit(PartnerUnreached):
    """It answered something else than was agreed."""

    kind = "unfit"


class PartnerLine(Protocol):
    def partners(self) -> Mapping[str, str]:
        """Names by code, of those that are wired."""

    def take(self, partner: str, envelope: bytes) -> int:
        """Hand over a signed hot list, full or delta; returns the version of its scene the partner holds now.

        Harmless when repeated. Raises PartnerUnreached.
        """


def line() -> PartnerLine:
    wired: PartnerLine = import_string(settings.HOT_PARTNERS)()
    return wired
