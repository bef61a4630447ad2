"""Words of the counter's shell: the menu, and how many cases the clerk has moved today."""

from typing import Any

from django import template
from django.template import Context
from django.urls import reverse

from yikatong.core.actor import Actor
from yikatong.core.clock import day_of, now
from yikatong.core.permissions import Permission, may
from yikatong.portals.counter import lists
from yikatong.portals.counter.forms import MatterForm
from yikatong.portals.counter.holding import before_and_after
from yikatong.portals.counter.matters import MATTERS
from yikatong.registry.banks.models import Bank
from yikatong.registry.cards.changes import Change, of_replacement
from yikatong.registry.cards.models import Card, Case, CaseStatus
from yikatong.registry.cards.rules import CHANNELS
from yikatong.registry.holders.countries import name_of
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Outlet
from yikatong.registry.stock.printer import printer

register = template.Library()

#: Pages about a holder that are no matter of one card.
OTHERS = {"collect": "领卡与启用", "veteran": "退役军人服务一件事"}

_TONES = {
    CaseStatus.SUBMITTED: "warn",
    CaseStatus.CORRECTING: "warn",
    CaseStatus.ABANDONED: "bad",
    CaseStatus.FAILED: "bad",
    CaseStatus.READY: "warn",
    CaseStatus.DONE: "good",
    CaseStatus.REJECTED: "bad",
}


register.filter("country", name_of)


@register.simple_tag
def done_today(actor: Actor) -> int:
    return lists.done_today(actor, now())


@register.simple_tag
def late_count(actor: Actor) -> str | None:
    """How many steps are late in a supervisor's region; None for who has none to oversee."""
    return (lists.overdue_count(actor) or "0") if may(actor, Permission.CASE_OVERSEE) else None


@register.simple_tag(takes_context=True)
def menu(context: Context, holder_id: Any = None) -> list[dict[str, str]]:
    """The clerk's matters with their addresses: of the holder at the desk, or by way of finding him first."""
    keys = [*(key for key, matter in MATTERS.items() if matter.is_listed), "collect"]
    titles = {key: matter.title for key, matter in MATTERS.items()} | {"collect": "领卡与启用"}
    return [
        {"key": key, "title": titles[key], "address": _address(key, holder_id), "digit": str(place)}
        for place, key in enumerate(keys, 1)
        if may(
            context["request"].actor, MATTERS[key].permission if key in MATTERS else Permission.CARD_HAND_OVER
        )
    ]


def _address(key: str, holder_id: Any) -> str:
    if holder_id:
        return reverse("counter-matter", args=[holder_id, key])
    return f"{reverse('counter-find')}?for={key}"


@register.filter
def case_tone(status: str) -> str:
    return _TONES.get(CaseStatus(status), "")


_PARTS = {
    "held": ("", "hourglass"),
    "sending": ("warn", "send"),
    "accepted": ("warn", "building-2"),
    "correcting": ("warn", "file-pen-line"),
    "ready": ("warn", "package-check"),
    "done": ("good", "circle-check"),
    "refused": ("bad", "circle-x"),
    "withdrawn": ("", "circle-minus"),
}
_JOINT = {"running": "warn", "done": "good", "ended": "bad"}


@register.filter
def joint_tone(status: str) -> str:
    return _JOINT.get(status, "")


@register.filter
def part_tone(state: str) -> str:
    """Of one department's part 联办事项."""
    return _PARTS[state][0]


@register.filter
def part_icon(state: str) -> str:
    return _PARTS[state][1]


@register.filter
def channel_word(channel: str) -> str:
    return CHANNELS.get(channel, "")


@register.filter
def title_of(key: str) -> str:
    return OTHERS.get(key) or MATTERS[key].title


@register.simple_tag
def changes(card: Card | None, form: MatterForm) -> list[Change]:
    """What the replacement on the check page would change; nothing while a bank is not known."""
    chosen = form.cleaned_data.get("bank_code") if form.is_bound and form.is_valid() else None
    code = chosen or (card.account.bank_id if card and card.account else "")
    bank = Bank.objects.filter(pk=code).first()
    return (
        of_replacement(card, bank, province(), day=day_of(now()))
        if card is not None and bank is not None
        else []
    )


register.simple_tag(before_and_after)


@register.filter
def allows(actor: Actor, permission: str) -> bool:
    """Whether the clerk may, e.g. `request.actor|allows:"card:check"`."""
    return may(actor, Permission(permission))


@register.simple_tag(takes_context=True)
def keeps_blanks(context: Context) -> bool:
    """Whether the clerk's outlet issues at once."""
    by = context["request"].actor
    return bool(by.outlet_id) and Outlet.objects.filter(pk=by.outlet_id, issues_at_once=True).exists()


@register.simple_tag(takes_context=True)
def prints_at_once(context: Context, case: Case) -> bool:
    """Whether this case can be made here while its holder waits."""
    if case.status != CaseStatus.PREOPENED or case.account_id is None or not keeps_blanks(context):
        return False
    if case.outlet_id not in {None, context["request"].actor.outlet_id}:
        return False
    return printer() is not None and not case.batch_rows.filter(result="pending").exists()
