"""What every page may say: the province's names and the reader's display choices."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from yikatong.registry.regions import profile

SIZES = ("1", "2", "3", "4")


def province(request: HttpRequest) -> dict[str, Any]:
    """`profile` (names of the province and of its codes), text size step 1–4, elder mode, demo mode."""
    size = request.COOKIES.get("fs", "")
    elder = request.COOKIES.get("elder") == "1"
    return {
        "profile": profile.load(settings.PROVINCE),
        "elder": elder,
        "text_size": size if size in SIZES else ("2" if elder else "1"),
        "demo": settings.DEMO,
    }
