"""A kiosk before a real gate; a camera that sees what the test writes."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import segno
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.conftest import CHROMIUM, QUIET
from tests.terminal import gate_process
from tests.terminal.gate_process import GateProcess, Rider

WIDTH, HEIGHT = 640, 480


@pytest.fixture
def rider(database_dsn: str) -> Rider:
    return gate_process.rider()


@pytest.fixture
def gate(rider: Rider, database_dsn: str, live_server: Any, settings: Any) -> Iterator[GateProcess]:
    with gate_process.running(database_dsn, site_url=live_server.url) as found:
        settings.ENV = settings.ENV.model_copy(update={"public_gate_url": found.url})
        vars(settings.ENV).pop("gate_url", None)  # it had been worked out before
        yield found


@pytest.fixture
def enrol(gate: GateProcess) -> Callable[[Page], int]:
    """Fill in the enrolment form as an operator does; returns the terminal's number."""

    def _enrol(page: Page) -> int:
        row, code = gate_process.terminal()
        page.get_by_label("终端编号").fill(str(row.number))
        page.get_by_label("开通码").fill(code)
        page.get_by_role("button", name="开通", exact=True).click()
        page.get_by_role("button", name="输入码").wait_for()
        return row.number

    return _enrol


@pytest.fixture
def with_camera(chromium: Browser, tmp_path: Path) -> Iterator[Callable[[str], Browser]]:
    """A browser whose camera looks at a QR code of the text, on a desk of grey."""
    opened: list[Browser] = []

    def launch(text: str) -> Browser:
        film = tmp_path / "camera.y4m"
        film.write_bytes(y4m(text))
        seen = f"--use-file-for-fake-video-capture={film}"
        fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", seen]
        opened.append(chromium.browser_type.launch(executable_path=CHROMIUM, args=[*QUIET, *fake]))
        return opened[-1]

    yield launch
    for browser in opened:
        browser.close()


def y4m(text: str, *, frames: int = 10) -> bytes:
    """A short film: the code, a little turned."""
    drawn = io.BytesIO()
    segno.make(text, error="m", boost_error=False).save(drawn, kind="png", scale=6, border=4)
    code = Image.open(drawn).convert("L").rotate(4, expand=True, fillcolor=150).resize((440, 440))
    picture = Image.new("L", (WIDTH, HEIGHT), 150)
    picture.paste(code, ((WIDTH - 440) // 2, (HEIGHT - 440) // 2))
    grey = bytes([128]) * (WIDTH * HEIGHT // 2)
    frame = b"FRAME\n" + picture.tobytes() + grey
    return f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * frames
