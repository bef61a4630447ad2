"""Take a file that came back, whichever it is: the bank's or the maker's, for the first time or again."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import Actor
from yikatong.core.sm.sm3 import sm3
from yikatong.registry.cards.batches.bulk import AlreadyReturned, WrongBatchStep, check_right, locked_batch
from yikatong.registry.cards.batches.opening import take_preopening_return
from yikatong.registry.cards.batches.report import ReturnReport, report_of
from yikatong.registry.cards.batches.returning import take_return
from yikatong.registry.cards.models import Batch


@transaction.atomic
def take_incoming(batch_id: UUID, data: bytes, *, by: Actor, at: datetime) -> ReturnReport:
    """Take the return that this batch awaits; a file taken before, at whatever step, is known and harmless.

    Raises what `take_preopening_return` and `take_return` raise, AlreadyReturned, WrongBatchStep.
    """
    check_right(by)
    batch = locked_batch(batch_id)
    if _digest(data) in {_bytes(batch.opening_digest), _bytes(batch.return_digest)}:
        return report_of(batch, repeated=True)
    match batch.status:
        case Batch.Status.OPEN:
            return take_preopening_return(batch_id, data, by=by, at=at)
        case Batch.Status.PREOPENED:
            raise WrongBatchStep(
                "本批次还没有送制卡，不能导入制卡回盘。下一步：先送制卡，把制卡文件交给制卡机构。",
                status=str(batch.status),
            )
        case Batch.Status.RETURNED:
            raise AlreadyReturned
    return take_return(batch_id, data, by=by, at=at)


def _digest(data: bytes) -> bytes:
    return sm3(data)


def _bytes(kept: bytes | memoryview | None) -> bytes | None:
    return bytes(kept) if kept is not None else None
