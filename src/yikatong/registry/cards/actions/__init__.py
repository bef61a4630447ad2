"""The acts of cards and cases. One verb, one transaction; a refusal changes nothing."""

from yikatong.registry.cards.actions.applications import (
    application_hindrance,
    apply,
    certificate_hindrance,
    check,
    reject,
    replace,
    retry,
    time_check,
    withdraw,
)
from yikatong.registry.cards.actions.corrections import Answers, ask_correction, close_uncorrected, correct
from yikatong.registry.cards.actions.drafts import Wish, save_draft
from yikatong.registry.cards.actions.ending import cancel
from yikatong.registry.cards.actions.escalations import escalate_overdue, give_order
from yikatong.registry.cards.actions.fees import fee_of, fees_of, take_fee, waive_fee
from yikatong.registry.cards.actions.handover import activate, activate_account, hand_over
from yikatong.registry.cards.actions.life import (
    change_name,
    change_number,
    move,
    record_death,
    record_leaving,
    restore,
)
from yikatong.registry.cards.actions.limits import renew_limits
from yikatong.registry.cards.actions.losses import (
    release_ended_losses,
    release_loss,
    report_loss,
    report_temporary_loss,
)
from yikatong.registry.cards.actions.openings import account_answered
from yikatong.registry.cards.actions.representatives import authorise, end_authorisation
from yikatong.registry.cards.actions.uniting import merge, unmerge

__all__ = [
    "Answers",
    "Wish",
    "account_answered",
    "activate",
    "activate_account",
    "application_hindrance",
    "apply",
    "ask_correction",
    "authorise",
    "cancel",
    "certificate_hindrance",
    "change_name",
    "change_number",
    "check",
    "close_uncorrected",
    "correct",
    "end_authorisation",
    "escalate_overdue",
    "fee_of",
    "fees_of",
    "give_order",
    "hand_over",
    "merge",
    "move",
    "record_death",
    "record_leaving",
    "reject",
    "release_ended_losses",
    "release_loss",
    "renew_limits",
    "replace",
    "report_loss",
    "report_temporary_loss",
    "restore",
    "retry",
    "save_draft",
    "take_fee",
    "time_check",
    "unmerge",
    "waive_fee",
    "withdraw",
]
