"""A batch 制卡批次: bank pre-opening out and back, production out, return 回盘 in. Each row has exactly one fate."""

from yikatong.registry.cards.batches.boxes import Box, Place, boxes_at, cards_in, held, place_of, place_words
from yikatong.registry.cards.batches.bulk import check_right
from yikatong.registry.cards.batches.fates import (
    EXPORT_HEADERS,
    Fate,
    Part,
    Reconciliation,
    boxes_of,
    export_rows,
    reconcile,
    rows_with_fate,
)
from yikatong.registry.cards.batches.incoming import take_incoming
from yikatong.registry.cards.batches.opening import (
    open_batch,
    preopening_file,
    take_preopening_return,
    waiting_by_bank,
)
from yikatong.registry.cards.batches.outgoing import take_file
from yikatong.registry.cards.batches.production import (
    numbers_after_loading,
    production_file,
    start_production,
)
from yikatong.registry.cards.batches.report import ReturnReport, report_of
from yikatong.registry.cards.batches.returning import take_return

__all__ = [
    "EXPORT_HEADERS",
    "Box",
    "Fate",
    "Part",
    "Place",
    "Reconciliation",
    "ReturnReport",
    "boxes_at",
    "boxes_of",
    "cards_in",
    "check_right",
    "export_rows",
    "held",
    "numbers_after_loading",
    "open_batch",
    "place_of",
    "place_words",
    "preopening_file",
    "production_file",
    "reconcile",
    "report_of",
    "rows_with_fate",
    "start_production",
    "take_file",
    "take_incoming",
    "take_preopening_return",
    "take_return",
    "waiting_by_bank",
]
