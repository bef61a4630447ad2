"""The repository as a reader sees it: its tracked files."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "yikatong"
PICTURES = {".png", ".jpg"}


@cache
def tracked() -> list[Path]:
    """Every file under version control, as it lies in the working tree."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


@cache
def texts() -> dict[str, str]:
    """Tracked text files: path from the root → content. Pictures and other binary files are left out."""
    found = {}
    for path in tracked():
        content = path.read_bytes()
        if path.suffix not in PICTURES and b"\0" not in content[:8000]:
            found[str(path.relative_to(ROOT))] = content.decode("utf-8")
    return found
