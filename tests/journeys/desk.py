"""A desk worked by keyboard alone: what a person at it does, no more than a name for each movement."""

from dataclasses import dataclass
from datetime import date

from playwright.sync_api import Page, expect

from tests.portals.conftest import arrived, tab_to


@dataclass
class Desk:
    page: Page

    def at(self, address: str) -> "Desk":
        self.page.goto(address)
        arrived(self.page.locator("h1"))
        return self

    def write(self, field: str, text: str) -> "Desk":
        """Tab to the field and type; what stood there is replaced."""
        tab_to(self.page, f"id_{field}")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)
        return self

    def day(self, field: str, day: date) -> "Desk":
        """The browser's own control of dates orders its parts by the machine, so that it is filled as a whole."""
        tab_to(self.page, f"id_{field}")
        self.page.fill(f"#id_{field}", day.isoformat())
        return self

    def tick(self, element: str) -> "Desk":
        """A box, or the chosen one of a group of buttons."""
        tab_to(self.page, element)
        self.page.keyboard.press("Space")
        expect(self.page.locator(f"#{element}")).to_be_checked()
        return self

    def flip(self, element: str) -> "Desk":
        """A box that is ticked is not, and the other way round."""
        was = self.page.locator(f"#{element}").is_checked()
        tab_to(self.page, element)
        self.page.keyboard.press("Space")
        expect(self.page.locator(f"#{element}")).to_be_checked(checked=not was)
        return self

    def choose(self, group: str, value: str) -> "Desk":
        """One of a group of buttons: Tab leads into the group, arrows through it."""
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement.name") == group:
                break
        for _ in range(10):
            if self.page.evaluate("document.activeElement.value") == value:
                self.page.keyboard.press("Space")
                return self
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"arrows do not reach {value}")

    def pick(self, field: str, words: str) -> "Desk":
        """One of a list, by typing what it is called."""
        tab_to(self.page, f"id_{field}")
        self.page.keyboard.type(words)
        return self

    def press(self, key: str, until: str) -> "Desk":
        """A key, and what it brings."""
        self.page.keyboard.press(key)
        arrived(self.page.get_by_text(until).first)
        return self

    def push(self, button: str, until: str) -> "Desk":
        """Tab to the button or link with these words, and press Enter."""
        for _ in range(120):
            self.page.keyboard.press("Tab")
            if button in words_at_focus(self.page):
                break
        else:
            raise AssertionError(f"Tab does not reach {button}")
        return self.press("Enter", until)

    def says(self, text: str) -> "Desk":
        expect(self.page.get_by_text(text).first).to_be_visible()
        return self


def words_at_focus(page: Page) -> str:
    """What the link or button says that has the focus; "" for anything else, such as a table that scrolls."""
    return str(
        page.evaluate(
            "['A', 'BUTTON'].includes(document.activeElement.tagName) ? document.activeElement.textContent : ''"
        )
    )
