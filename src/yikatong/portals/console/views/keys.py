"""Issuer keys and published lists, to read; keys move by command (docs/operations.md)."""

from datetime import datetime

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from yikatong.core.actor import Channel
from yikatong.core.clock import now
from yikatong.core.permissions import Permission
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.regions import profile
from yikatong.using.codes import queries, rotation
from yikatong.using.codes.models import IssuerKey


@staff_required(Permission.TERMINAL_MANAGE, channel=Channel.WEB)
def page(request: StaffRequest) -> HttpResponse:
    at = now()
    keys = list(queries.issuer_keys().defer("secrets_sealed"))
    shown = {
        "keys": [(key, _state(key, at)) for key in keys],
        "lists": queries.newest_lists(),
        "ends": rotation.last_pass_ends(at),
        "hours": profile.load(settings.PROVINCE).pass_.credential_hours,
    }
    return render(request, "console/keys.html", shown)


def _state(key: IssuerKey, at: datetime) -> str:
    """Signs · verifies (passes it signed before) · ended (they have all expired) · withdrawn."""
    if key.withdrawn_at is not None:
        return "withdrawn"
    if key.sign_until is None:
        return "signs"
    return "verifies" if key.verify_until is not None and key.verify_until > at else "ended"
