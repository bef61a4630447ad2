"""Structured logs of the gate: one JSON object a line on standard error. No codes, no names, no numbers of people.

A terminal's number and a use's sequence are no personal data, and are what an operator needs.
"""

import logging
import sys
from typing import Any

import structlog

_logger = structlog.get_logger("yikatong.gate")


def configure(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def event(name: str, **facts: Any) -> None:
    """What happened, with small public facts."""
    _logger.info(name, **facts)


def failure(name: str, error: BaseException, **facts: Any) -> None:
    """An error nobody foresaw. The kind and place of it, not its words: those may quote a row."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
        trace = trace.tb_next
    _logger.error(name, kind=type(error).__name__, place=place, **facts)
