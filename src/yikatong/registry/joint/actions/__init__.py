"""The acts on joint matters. One verb, one transaction; a refusal changes nothing."""

from yikatong.registry.joint.actions.changes import close_uncorrected, correct, give_up, withdraw
from yikatong.registry.joint.actions.escalations import escalate_overdue, give_order
from yikatong.registry.joint.actions.limits import renew_limits
from yikatong.registry.joint.actions.newborns import Guardian, Newborn, check_newborn, open_newborn
from yikatong.registry.joint.actions.opening import Making
from yikatong.registry.joint.actions.veterans import Veteran, check_veteran, open_veteran

__all__ = [
    "Guardian",
    "Making",
    "Newborn",
    "Veteran",
    "check_newborn",
    "check_veteran",
    "close_uncorrected",
    "correct",
    "escalate_overdue",
    "give_order",
    "give_up",
    "open_newborn",
    "open_veteran",
    "renew_limits",
    "withdraw",
]
