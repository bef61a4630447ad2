"""Hand a batch's file to a person: it names thousands of holders in clear, so the log says who took it, and when."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import Actor
from yikatong.core.errors import NotFound
from yikatong.registry.cards.batches.bulk import check_right, locked_batch, note_batch
from yikatong.registry.cards.batches.opening import preopening_file
from yikatong.registry.cards.batches.production import production_file

_FILES: Final = {"preopening": preopening_file, "production": production_file}


@transaction.atomic
def take_file(batch_id: UUID, which: str, *, by: Actor, at: datetime) -> bytes:
    """`which`: preopening (to the bank) or production (to the card maker). Raises NotFound, WrongBatchStep.

    The look at each holder was written when the batch was opened and sent; this notes every copy taken.
    """
    check_right(by)
    batch = locked_batch(batch_id)
    if which not in _FILES:
        raise NotFound
    data = _FILES[which](batch_id)
    note_batch("file_taken", batch, by=by, at=at, file=which)
    return data
