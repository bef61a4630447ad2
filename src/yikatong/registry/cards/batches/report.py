"""What became of a batch, row by row."""

from dataclasses import dataclass

from yikatong.registry.cards.models import Batch, BatchRow


@dataclass(frozen=True, slots=True)
class ReturnReport:
    """Counts of a whole batch. `repeated`: this very file had been taken before, and nothing was done."""

    batch: str
    rows: int
    pending: int
    made: int
    failed: int
    failures: tuple[tuple[int, str, str], ...]  # row, step, reason
    repeated: bool = False


def report_of(batch: Batch, *, repeated: bool = False) -> ReturnReport:
    rows = list(batch.lines.order_by("number").values_list("number", "result", "failed_step", "failure"))
    results = [result for _, result, _, _ in rows]
    return ReturnReport(
        batch=batch.number,
        rows=len(rows),
        pending=results.count(BatchRow.Result.PENDING),
        made=results.count(BatchRow.Result.MADE),
        failed=results.count(BatchRow.Result.FAILED),
        failures=tuple((n, step, why) for n, result, step, why in rows if result == BatchRow.Result.FAILED),
        repeated=repeated,
    )
