"""The account that runs the database server: PostgreSQL refuses to be root, so root steps down."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yikatong.runtime.errors import CannotStart

SYSTEM_NAME = "yikatong-pg"
_CREATORS = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
     "--shell", "/usr/sbin/nologin", SYSTEM_NAME),
    ("adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", SYSTEM_NAME),
)  # fmt: skip


@dataclass(frozen=True)
class Account:
    """Who runs the server; `is_other` when that is not the account of this process (which then is root)."""

    name: str
    uid: int
    gid: int
    is_other: bool

    def popen_options(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start a program as this account, with none of our groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}

    def reaches(self, path: Path) -> bool:
        """Whether this account can enter the directory, or run the program, at `path`."""
        test = ["test", "-x", str(path)]
        return subprocess.run(test, check=False, cwd="/", **self.popen_options()).returncode == 0

    def own(self, path: Path, mode: int) -> None:
        """Make `path` a directory of this account; a link or somebody else's directory is refused."""
        try:
            path.mkdir(mode=mode)
        except FileExistsError:
            self._check_owned(path)
        else:
            if self.is_other:
                os.chown(path, self.uid, self.gid)
        path.chmod(mode)

    def _check_owned(self, path: Path) -> None:
        found = path.lstat()
        if path.is_symlink() or not path.is_dir() or found.st_uid != self.uid:
            raise CannotStart(f"{path} 不是用户 {self.name} 自己的目录，为安全起见不使用；请检查后删除它")


def server_account(data: Path) -> Account:
    """The account for the server of `data`: who owns the data, else ourselves, else a system account."""
    me = os.geteuid()
    owner = data.stat().st_uid if data.exists() else None
    if owner is not None and me not in {0, owner}:
        raise CannotStart(f"数据目录 {data} 属于用户 {_name(owner)}；请以该用户运行")
    if me != 0:
        return _account(me)
    return _account(owner) if owner else _system_account()


def _system_account() -> Account:
    for command in (None, *_CREATORS):
        if command and shutil.which(command[0]):
            subprocess.run(command, check=False, capture_output=True)
        try:
            return _account(pwd.getpwnam(SYSTEM_NAME).pw_uid)
        except KeyError:
            continue
    raise CannotStart(
        f"PostgreSQL 不能以 root 运行，本机又不能创建系统用户 {SYSTEM_NAME}；"
        "请手工创建该用户，或以普通用户运行，或设置 DATABASE_URL"
    )


def _account(uid: int) -> Account:
    return Account(_name(uid), uid, _group(uid), is_other=uid != os.geteuid())


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise CannotStart(f"用户编号 {uid} 在本机没有名称，PostgreSQL 不能以它运行") from None


def _group(uid: int) -> int:
    return pwd.getpwuid(uid).pw_gid
