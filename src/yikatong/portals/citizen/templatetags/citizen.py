"""Template words of the citizens' face."""

from django import template
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from yikatong.registry.holders import names
from yikatong.using.codes.reasons import Reason

register = template.Library()
register.filter("mask_name", names.mask)

TABS = (
    ("/m/code", "code"),
    ("/m/card", "card"),
    ("/m/cases", "cases"),
    ("/m/apply", "cases"),
    ("/m/joint", "cases"),
    ("/m/me", "me"),
)
VENDOR = {"qr": "vendor/lean-qr/index.mjs", "sm": "vendor/sm-crypto-v2/index.umd.js"}


@register.simple_tag
def vendor(name: str) -> str:
    """The address of a browser library; "" where it is not installed: pages then make codes on the server."""
    try:
        return static(VENDOR[name])
    except ValueError:
        return ""


@register.simple_tag
def tab_of(path: str) -> str:
    """Which tab of the bar this page stands under."""
    if path == "/m/":
        return "home"
    return next((tab for start, tab in TABS if path.startswith(start)), "")


@register.filter
def spoken(masked: str) -> SafeString:
    """A masked number: eyes see the stars, a screen reader hears the last four."""
    return mark_safe(f'<span aria-hidden="true">{masked}</span><span class="vh">尾号 {masked[-4:]}</span>')  # noqa: S308 - digits and stars


@register.filter
def why(outcome: int) -> str:
    """Why a use was refused, in words; a number of a later list has none yet."""
    return next((reason.sentence for reason in Reason if reason == outcome), "")


@register.filter
def tone(index: int) -> str:
    """The colour of an icon tile by its place in a row."""
    return f"i{index % 5 + 1}"
