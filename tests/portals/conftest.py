"""Faces in a real browser: `open_page(viewport, elder, size)`, `axe(page)`, `no_overflow(page)`."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

AXE_RULES = {
    "reporter": "no-passes",  # the same violations, without a list of all that is well: a tenth of the time
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}

OpenPage = Callable[..., Page]


def arrived(place: Locator) -> None:
    """The page that has this place is here and its scripts listen: from now on a key is heard.

    The place must be one that the page before did not have. To see it is not enough: a page is drawn before its
    scripts have come, and a key pressed in between goes into the void.
    """
    expect(place).to_be_visible()
    place.page.wait_for_load_state()


def tab_to(page: Page, element: str) -> None:
    """Press Tab until the element of this id has the focus, however many fields lie between."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == element:
            return
    raise AssertionError(f"Tab does not reach {element}")


@pytest.fixture
def open_page(chromium: Browser, live_server: Any) -> Iterator[OpenPage]:
    """A page of the running site; any script error or breach of the content policy fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            complaints.append(message.text)

    def opened(
        width: int = 1366,
        height: int = 768,
        *,
        elder: bool = False,
        size: int = 1,
        cookies: dict[str, str] | None = None,
        **more: Any,
    ) -> Page:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            **({"service_workers": "block"} | more),
        )
        contexts.append(context)
        chosen = (cookies or {}) | ({"elder": "1"} if elder else {}) | ({"fs": str(size)} if size > 1 else {})
        context.add_cookies(
            [{"name": name, "value": value, "url": live_server.url} for name, value in chosen.items()]
        )
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], None]:
    """Assert that axe finds nothing to complain about on the page as it stands."""
    rules = Axe()

    def check(page: Page) -> None:
        found = rules.run(page, options=AXE_RULES)
        words = [
            f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}"
            for one in found.response["violations"]
        ]
        assert words == [], page.url

    return check


@pytest.fixture(scope="session")
def no_overflow() -> Callable[[Page], None]:
    """Assert that nothing must be scrolled sideways."""

    def check(page: Page) -> None:
        # Two frames: a chart follows the new width of its place only after the page has been laid out.
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        wide, seen = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= seen, f"{page.url}: {wide} > {seen}"

    return check
