"""A batch 制卡批次: bank pre-opening out and back, production out, return 回盘 in. Each row has exactly one fate."""

from yikatong.registry.cards.batches.bulk import check_right
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
    take_return,
)
from yikatong.registry.cards.batches.report import ReturnReport, report_of

__all__ = [
    "ReturnReport",
    "check_right",
    "numbers_after_loading",
    "open_batch",
    "preopening_file",
    "production_file",
    "report_of",
    "start_production",
    "take_file",
    "take_preopening_return",
    "take_return",
    "waiting_by_bank",
]
