"""What a business of the counter is, and how one of a person's record is told."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission
from yikatong.portals.counter.forms import MatterForm
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.models import Holder

Act = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Matter:
    """`act(holder, given, by=, at=)` returns the address to go on to; `hindrance(card)` says what stands against it."""

    key: str
    title: str
    permission: Permission
    form: type[MatterForm]
    act: Act
    hindrance: Callable[[Card | None], DomainError | None]
    fields_at_fault: dict[type[DomainError], str]
    is_quick: bool = False  # nothing to check twice: one page, one key
    submit: str = "提交核对"
    is_listed: bool = True  # in the menu, with a key of its own
    keep: Act | None = None  # saves a draft that any channel can finish


def side(
    key: str,
    title: str,
    form: type[MatterForm],
    act: Act,
    fields_at_fault: dict[type[DomainError], str],
    permission: Permission = Permission.HOLDER_REGISTER,
) -> Matter:
    """A matter of the holder's record, reached from his page; no card hinders it."""
    return Matter(key, title, permission, form, act, lambda _: None, fields_at_fault, is_listed=False)


def done(holder: Holder, what: str) -> str:
    """The holder's page, which says what was done."""
    return reverse("counter-holder", args=[holder.pk]) + f"?done={what}"
