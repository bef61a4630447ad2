"""What must be so before the programs start: `python -m yikatong.cli.prepare`, a child of `yikatong run`.

One process for all steps, because Python and Django take a second to start each time. Nothing changes where all is
as it should be.
"""

import os
import sys
from hashlib import blake2s
from importlib.metadata import version
from pathlib import Path

import typer

from yikatong.cli import keys, regions
from yikatong.cli.demo import command as demo
from yikatong.core import env
from yikatong.core.env import Settings

_PACKAGE = Path(__file__).parents[1]


def main() -> None:
    """Bring database, static files, divisions, lists and the demonstration up to this version."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yikatong.site.settings")
    import django
    from django.core.management import call_command

    settings = env.load()
    django.setup()
    _say("正在更新数据库结构……")
    call_command("migrate", interactive=False, verbosity=0)
    _collect(settings)
    _say("正在更新行政区划，发布名单……")
    regions.load()
    # The first terminal that enrols is to find lists, without which it knows no issuer when its network goes.
    keys.publish()
    if settings.demo:
        _say("正在准备演示数据……")
        demo.load_command()


def _collect(settings: Settings) -> None:
    from django.core.management import call_command

    stamp, digest = settings.home / "static" / ".stamp", _static_digest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    _say("正在整理静态文件……")
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest)


def _static_digest() -> str:
    """Changes when any static file of ours, or a library that brings some, changes."""
    digest = blake2s(f"{version('django')} {version('django-unfold')}".encode())
    for path in sorted(_PACKAGE.glob("**/static/**/*")):
        found = path.stat()
        digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    try:
        main()
    except typer.Exit as refused:  # whose reason is printed
        sys.exit(refused.exit_code)
