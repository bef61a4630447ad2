from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.house import House
from tests.portals.conftest import axe, no_overflow, open_page  # noqa: F401 - fixtures, here as well

OpenBrowser = Callable[..., Page]
#: A journey waits for jobs and pictures on a machine that also runs other tests.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A running installation with a small province in it."""
    with House() as running:
        yield running


@pytest.fixture
def open_browser(chromium: Browser, house: House) -> Iterator[OpenBrowser]:
    """A fresh browser of its own; script errors and breaches of the content policy fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            complaints.append(message.text)

    def opened(**more: Any) -> Page:
        wish = {"viewport": {"width": 1366, "height": 768}, "accept_downloads": True} | more
        context = chromium.new_context(
            base_url=house.site, locale="zh-CN", timezone_id="Asia/Shanghai", **wish
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
