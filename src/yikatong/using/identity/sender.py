"""The way out for text messages: a Protocol here, an adapter wired by the site's setting SMS_SENDER."""

from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class SendFailed(Exception):
    """The gateway did not take the message; it may be tried again."""


class SmsSender(Protocol):
    """Hands one message to a gateway. `reference` is the same at every try, so that none is sent twice."""

    def send(self, *, reference: str, phone: str, text: str, template: str) -> None:
        """Raises SendFailed."""
        ...


def sender() -> SmsSender | None:
    """The wired sender; None where the installation has none."""
    path: str = settings.SMS_SENDER
    made: SmsSender | None = import_string(path)() if path else None
    return made
