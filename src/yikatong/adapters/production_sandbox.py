"""One whole round of production with the sandbox bank and the sandbox card maker."""

from datetime import datetime

from yikatong.adapters.bank_files import sandbox as bank_sandbox
from yikatong.adapters.card_maker import sandbox as maker_sandbox
from yikatong.core.actor import Actor
from yikatong.registry.cards import batches
from yikatong.registry.cards.batches import ReturnReport
from yikatong.registry.cards.models import Batch


def whole_round(
    bank_code: str,
    *,
    limit: int = 20_000,
    bank_failing: float = 0.0,
    maker_failing: float = 0.0,
    by: Actor,
    at: datetime,
) -> ReturnReport:
    """Open a batch of the bank's waiting cases, and carry it through both sandboxes to the return."""
    batch = batches.open_batch(bank_code, limit=limit, by=by, at=at)
    return rest_of_round(batch, bank_failing=bank_failing, maker_failing=maker_failing, by=by, at=at)


def rest_of_round(
    batch: Batch, *, bank_failing: float = 0.0, maker_failing: float = 0.0, by: Actor, at: datetime
) -> ReturnReport:
    """Carry a batch that is open, wherever it stands, through what is left of the round; one at its end stays."""
    if batch.status == Batch.Status.OPEN:
        request = batches.preopening_file(batch.pk)
        answer = bank_sandbox.answer(request, prefix=batch.bank.bin, failing=bank_failing)
        batches.take_preopening_return(batch.pk, answer, by=by, at=at)
        batch.refresh_from_db()
    if batch.status == Batch.Status.PREOPENED:
        batch = batches.start_production(batch.pk, by=by, at=at)
    if batch.status == Batch.Status.RETURNED:  # the bank has refused every row
        return batches.report_of(batch)
    answer = maker_sandbox.answer(batches.production_file(batch.pk), failing=maker_failing)
    return batches.take_return(batch.pk, answer, by=by, at=at)
