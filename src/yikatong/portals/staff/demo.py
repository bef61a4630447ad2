"""The demonstration's people on the log-in page, when the installation is a demonstration and says so."""

import json
from typing import Any

from django.conf import settings

from yikatong.core.models import StaffUser


def people() -> list[dict[str, Any]]:
    """Staff of the demo file: role, name, login, hint (holds the password), url. Empty outside a demonstration."""
    if not settings.DEMO:
        return []
    try:
        everyone: list[dict[str, Any]] = json.loads(settings.ENV.demo_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    staff = set(StaffUser.objects.values_list("username", flat=True).filter(is_active=True))
    return [one for one in everyone if one.get("login") in staff]


def is_one(user: StaffUser) -> bool:
    return any(one["login"] == user.username for one in people())
