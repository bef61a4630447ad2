"""Words of the board in its templates."""

from django import template

from yikatong.portals.board import words

register = template.Library()
register.filter("percent", words.percent)


@register.filter
def count(number: int) -> str:
    """Tables write numbers out, so that they can be added up."""
    return f"{number:,}"
