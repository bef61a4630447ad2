"""Words of the console's pages."""

from django import template

from yikatong.portals.console import events

register = template.Library()
register.filter("event_zh", events.said)
register.filter("channel_zh", events.channel)
