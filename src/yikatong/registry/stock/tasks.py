"""The printers' job: one card after another, and never inside a transaction."""

from uuid import UUID

from procrastinate.contrib.django import app

from yikatong.core.actor import SYSTEM
from yikatong.core.clock import now
from yikatong.registry.stock import actions
from yikatong.registry.stock.printer import PrintFailed, printer


@app.task(name=actions.PRINT)
def print_next(outlet: str) -> int:
    """Print what waits at this outlet; returns how many cards were made."""
    line, made = printer(), 0
    while line is not None and (job := actions.start_next(UUID(outlet), at=now())) is not None:
        order = actions.order_of(job, at=now())
        try:
            answer = line.print_card(order, job.blank.serial)
        except PrintFailed as failure:
            actions.print_failed(job.pk, reason=str(failure), by=SYSTEM, at=now())
        else:
            made += actions.printed(job.pk, order, answer, at=now()).status == "done"
    return made
