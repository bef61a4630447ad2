"""Whoever takes part in a journey, by what he can do at his screen. No more than a name for each movement."""

import io
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import zxingcpp
from PIL import Image
from playwright.sync_api import Download, Locator, Page

from tests.house import House, wait_until

PHONE_SCREEN = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "service_workers": "allow",
}
_SMS_PAUSE_S = 75.0  # one message a minute to a phone


@dataclass
class Staff:
    """A member of staff at a desk."""

    page: Page
    house: House

    def log_in(self, role: str) -> "Staff":
        person = self.house.person(role)
        self.page.goto("/staff/login")
        self.page.fill("#id_username", person["login"])
        self.page.fill("#id_password", person["password"])
        self.page.keyboard.press("Enter")
        self.page.fill("#id_code", self.page.inner_text("[data-demo-code]"))
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"**{person['url']}")
        return self

    def at(self, address: str) -> Page:
        self.page.goto(address)
        return self.page

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def upload(self, name: str, content: bytes, button: str) -> None:
        kind = "application/octet-stream"
        self.page.set_input_files("#id_file", {"name": name, "mimeType": kind, "buffer": content})
        self.page.click(f"button:has-text('{button}')")

    def download(self, link: str) -> bytes:
        with self.page.expect_download() as coming:
            self.page.click(f"a:has-text('{link}')")
        return content_of(coming.value)

    def fact(self, name: str) -> str:
        """The value beside a name in a list of facts."""
        return self.page.locator(f"dt:text-is('{name}') + dd").first.inner_text().strip()


def content_of(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


@dataclass
class Phone:
    """A holder at his phone."""

    page: Page

    def log_in(self, number: str) -> "Phone":
        """With the code of the message, which a demonstration shows; it comes at most once a minute."""
        wait_until(lambda: self._entered(number), "the message comes", seconds=_SMS_PAUSE_S, every=3.0)
        return self

    def _entered(self, number: str) -> bool:
        self.page.goto("/m/login")
        self.page.fill("#id_phone", number)
        self.page.click("text=获取短信验证码")
        too_soon = self.page.get_by_text(re.compile(r"请在 \d+ 秒后再获取")).first
        self.page.locator("#id_code").or_(too_soon).wait_for()
        if too_soon.is_visible() or "sent" in self.page.url:
            return False
        code = re.search(r"\d{6}", self.page.inner_text(".demo"))
        assert code is not None
        self.page.fill("#id_code", code[0])
        self.page.click("button:has-text('登录')")
        self.page.wait_for_url("**/m/")
        return True

    def text(self, address: str) -> str:
        self.page.goto(address)
        return self.page.inner_text("main")

    def issue_ecard(self, password: str) -> None:
        self.page.goto("/m/card/ecard")
        self.page.click("text=同意并签发")
        self.page.fill("#id_password", password)
        self.page.fill("#id_again", password)
        self.page.click("text=设好密码，去亮码")
        self.page.wait_for_selector("[data-shown]")

    def ready_for_no_network(self) -> None:
        """What a phone does by itself after one visit: its service worker keeps the page."""
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        self.page.wait_for_function("caches.match('/m/offline').then(Boolean)")

    def lose_network(self) -> None:
        self.page.context.set_offline(True)

    def shows(self) -> tuple[bytes, str]:
        """A screenshot of a fresh code, and what another QR library reads on it."""
        before = self.page.locator("[data-code]").get_attribute("data-shown")
        self.page.click("[data-refresh]")
        self.page.wait_for_function(
            "before => document.querySelector('[data-code]').dataset.shown !== before", arg=before
        )
        picture = self.page.screenshot()
        found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
        assert len(found) == 1
        return picture, found[0].text

    def report_loss(self) -> None:
        self.page.goto("/m/card/loss")
        self.page.click("text=临时挂失")
        self.page.click("text=下一步")
        self.page.click("button:has-text('确认挂失')")
        self.page.wait_for_url("**/m/card/loss/done")


@dataclass
class TerminalInHand:
    """`yikatong terminal` with a store of its own."""

    house: House
    store: Path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.house.command("terminal", *arguments, "--store", str(self.store))

    def enrol(self, number: int, code: str) -> str:
        done = self.run("enrol", "--gate", self.house.gate, "--number", str(number), "--code", code)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def verify(self, picture: bytes, *more: str) -> tuple[int, list[str]]:
        """Exit code and lines for the person at the terminal."""
        file = self.store.with_suffix(".png")
        file.write_bytes(picture)
        done = self.run("verify", "--picture", str(file), *more)
        assert done.returncode in {0, 1}, done.stderr
        return done.returncode, done.stdout.splitlines()
