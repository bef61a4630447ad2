"""Issuer keys and published lists, to read; keys move by command (docs/operations.md)."""

from django.http import HttpResponse
from django.shortcuts import render

from yikatong.core.actor import Channel
from yikatong.core.permissions import Permission
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.using.codes.models import IssuerKey, ListVersion


@staff_required(Permission.TERMINAL_MANAGE, channel=Channel.WEB)
def page(request: StaffRequest) -> HttpResponse:
    newest = ListVersion.objects.order_by("kind", "scene", "-version").distinct("kind", "scene").defer("full")
    keys = IssuerKey.objects.defer("secrets_sealed").order_by("-key_id")
    return render(request, "console/keys.html", {"keys": keys, "lists": newest})
