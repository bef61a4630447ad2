"""社会保障卡: cards, e-cards, cases and production. Five identifiers stay separate (see README)."""

from yikatong.registry.cards.models.authorisation import Authorisation
from yikatong.registry.cards.models.card import (
    COMING,
    LIVE,
    REVIVALS,
    TRANSITIONS,
    Card,
    CardEvent,
    CardStatus,
    ECard,
)
from yikatong.registry.cards.models.case import (
    CASE_REVIVALS,
    CASE_TRANSITIONS,
    CLOCKED,
    OPEN_CASES,
    Case,
    CaseStatus,
    CaseStep,
)
from yikatong.registry.cards.models.casework import Correction, Escalation
from yikatong.registry.cards.models.kinds import ApplicantKind, CaseKind
from yikatong.registry.cards.models.production import Batch, BatchRow
from yikatong.registry.cards.models.roster import Roster, RosterFault

__all__ = [
    "CASE_REVIVALS",
    "CASE_TRANSITIONS",
    "CLOCKED",
    "COMING",
    "LIVE",
    "OPEN_CASES",
    "REVIVALS",
    "TRANSITIONS",
    "ApplicantKind",
    "Authorisation",
    "Batch",
    "BatchRow",
    "Card",
    "CardEvent",
    "CardStatus",
    "Case",
    "CaseKind",
    "CaseStatus",
    "CaseStep",
    "Correction",
    "ECard",
    "Escalation",
    "Roster",
    "RosterFault",
]
