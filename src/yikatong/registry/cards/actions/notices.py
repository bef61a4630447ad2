"""A word to the holder, by text message. Identity stands above cards: its job is named and not imported."""

from typing import Final
from uuid import UUID

from procrastinate.contrib.django import app as jobs

TELL_HOLDER: Final = "identity.tell_holder"


def tell_holder(holder_id: UUID, text: str, template: str) -> None:
    """Defer a message; it commits with the act. The text names no person: it goes through the job's row."""
    task = jobs.configure_task(TELL_HOLDER, allow_unknown=True)
    task.defer(holder_id=str(holder_id), text=text, template=template)
