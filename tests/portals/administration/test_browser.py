"""The administration's own pages in a real browser."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page

#: The library's frame has no landmarks, which is no more than good practice; all that WCAG 2.2 AA asks holds.
LEVELS = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LANDINGS = [
    "/admin/", "/admin/core/staffuser/", "/admin/core/auditentry/", "/admin/procrastinate/procrastinatejob/",
    "/admin/codes/listversion/", "/admin/catalogue/place/", "/admin/regions/calendaryear/add/",
]  # fmt: skip


@pytest.mark.parametrize(("elder", "size"), [(False, 1), (True, 2), (False, 4)])
def test_pages_are_accessible_and_nothing_overflows(
    elder: bool,  # noqa: FBT001
    size: int,
    administration: Client,
    open_page: Callable[..., Page],
    no_overflow: Callable[[Page], None],
) -> None:
    rules = Axe()
    page = open_page(elder=elder, size=size, cookies={"sessionid": administration.cookies["sessionid"].value})

    for path in LANDINGS:
        page.goto(path)
        found = rules.run(page, options=LEVELS).response["violations"]
        assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == [], path
        for width in (320, 390, 1366):
            page.set_viewport_size({"width": width, "height": 768})
            no_overflow(page)


def test_the_chosen_text_size_holds_here_too(administration: Client, open_page: Callable[..., Page]) -> None:
    page = open_page(size=4, cookies={"sessionid": administration.cookies["sessionid"].value})
    page.goto("/admin/")

    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "30px"
