"""Only the pinned text of a browser library reaches the served directory."""

import json
import shutil
from pathlib import Path

import pytest

from yikatong.cli import vendor


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with invented libraries, whose pins are those of these files."""
    for library in vendor.LIBRARIES:
        for package in (library.package, *library.bundled):
            folder = tmp_path / "node_modules" / package
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text(
                json.dumps({"name": package, "version": "1", "license": "MIT"})
            )
            (folder / "LICENSE").write_text(f"May be used. {package}")
        path = tmp_path / "node_modules" / library.package / library.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"// {library.name}")
    (tmp_path / "node_modules" / vendor.DATA).mkdir()
    monkeypatch.setattr(vendor, "CHECKOUT", tmp_path)
    monkeypatch.setattr(vendor, "TARGET", tmp_path / "static")
    monkeypatch.setattr(vendor, "PINS", tmp_path / "pins.json")
    vendor.vendor(pin=True)
    shutil.rmtree(tmp_path / "static")
    return tmp_path


def test_pinned_libraries_are_placed_with_their_licences(checkout: Path) -> None:
    vendor.vendor()

    assert vendor.is_ready()
    assert (checkout / "static" / "lean-qr" / "index.mjs").read_text() == "// lean-qr/index.mjs"
    notices = (checkout / "static" / vendor.NOTICES).read_text()
    assert "zrender 1 — MIT\n===============" in notices
    assert "May be used. @noble/curves" in notices


def test_another_text_is_refused_and_nothing_placed(checkout: Path) -> None:
    (checkout / "node_modules" / "lean-qr" / "index.mjs").write_text("// another")

    with pytest.raises(vendor.NotAsPinned, match=r"程序库与基准不符：lean-qr/index\.mjs。"):
        vendor.vendor()

    assert not (checkout / "static").exists()


def test_a_served_file_that_changed_is_put_back(checkout: Path) -> None:
    vendor.vendor()
    served = checkout / "static" / "lean-qr" / "index.mjs"
    served.write_text("// changed")
    assert not vendor.is_ready()

    vendor.vendor()

    assert served.read_text() == "// lean-qr/index.mjs"


def test_the_committed_pins_name_every_library() -> None:
    assert sorted(vendor.pinned()) == sorted(library.name for library in vendor.LIBRARIES)
