"""`yikatong run`: the whole of `make run`, from nothing to «ready», and up until Ctrl-C."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import typer

from yikatong.cli import bank
from yikatong.core import env
from yikatong.core.env import Settings
from yikatong.core.keyring import keyring
from yikatong.runtime.errors import CannotStart, OwnedByAnother
from yikatong.runtime.postgres import Cluster
from yikatong.runtime.program import Program
from yikatong.runtime.supervisor import Supervisor

app = typer.Typer()
#: Queues of the jobs; a test compares them with the tasks there are.
QUEUES = ("default", "builtin", "codes", "dashboards", "messages")
#: Who waits for others has a worker of its own, that nobody else waits with it.
LINE_QUEUES = ("banks", "departments", "sources")


@app.command("run")
def run() -> None:
    """启动全部：数据库、网站、闸机、后台任务；Ctrl-C 停止，数据保留。"""
    settings = env.load()
    with Supervisor(run_dir=settings.run_dir, log_dir=settings.log_dir) as supervisor:
        for name, host, port in _addresses(settings):
            _check_free(name, host, port)
        keyring()
        _open_database(settings, supervisor)
        _prepare(supervisor)
        for program in _programs(settings):
            supervisor.add(program)
        supervisor.say("正在启动网站、闸机和后台任务……")
        supervisor.run(lambda: _announce(settings, supervisor))
        supervisor.say("正在停止……")


def _addresses(settings: Settings) -> Iterator[tuple[str, str, int]]:
    yield "SITE_PORT", settings.site_host, settings.site_port
    yield "GATE_PORT", settings.gate_host, settings.gate_port
    if settings.demo:
        port = urlsplit(settings.bank_sandbox_url).port
        yield "BANK_SANDBOX_PORT", settings.bank_sandbox_host, port or 0
    for name in ("site_metrics_port", "gate_metrics_port"):
        if port := getattr(settings, name):
            yield name.upper(), settings.metrics_host, port


def _check_free(name: str, host: str, port: int) -> None:
    """A stranger on the port would answer the health check in our place."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"不能使用 {host}:{port}（{error.strerror}）；请停止占用它的程序，或设置 {env.PREFIX}{name}"
            ) from None


def _open_database(settings: Settings, supervisor: Supervisor) -> None:
    if settings.database_url:
        supervisor.say("使用 DATABASE_URL 指定的数据库")
        return
    cluster = Cluster(settings.home)
    supervisor.say("正在启动内置 PostgreSQL……")
    try:
        supervisor.take_database(cluster)
    except OwnedByAnother:
        if cluster.pid is None:
            raise
        supervisor.leave_database()
        supervisor.say(f"使用已在运行的内置 PostgreSQL（进程 {cluster.pid}）")


def _prepare(supervisor: Supervisor) -> None:
    """Each line of the child is a step; errors it writes itself."""
    command = [sys.executable, "-m", "yikatong.cli.prepare"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment()) as child:
        try:
            for line in child.stdout or ():
                supervisor.say(line.rstrip())
        except BaseException:  # Ctrl-C above all: nothing of ours is to write on when the database stops
            child.kill()
            raise
    if child.returncode != 0:
        raise CannotStart(f"准备没有成功（退出码 {child.returncode}），原因见上")


def _programs(settings: Settings) -> list[Program]:
    site = [
        *_granian("wsgi", "yikatong.site.wsgi:application", settings.site_host, settings.site_port),
        "--workers", str(settings.site_workers), "--blocking-threads", str(settings.site_threads),
        *_metrics(settings, settings.site_metrics_port),
    ]  # fmt: skip
    gate = [
        *_granian("rsgi", "yikatong.gate.app:app", settings.gate_host, settings.gate_port),
        "--workers", str(settings.gate_workers), "--loop", "uvloop",
        *_metrics(settings, settings.gate_metrics_port),
    ]  # fmt: skip
    # Jobs every few seconds: kept, they would fill the disk; a failed one stays to be seen.
    worker = [sys.executable, "-m", "django", "procrastinate", "worker", "--delete-jobs", "successful"]
    # A roster may take minutes; a loss reported meanwhile is to be listed within seconds.
    ours = [*worker, "--queues", ",".join(QUEUES), "--concurrency", "4"]
    lines = [*worker, "--queues", ",".join(LINE_QUEUES), "--concurrency", "8"]
    host = settings.allowed_hosts[0].lstrip(".") if settings.allowed_hosts else ""
    site_health = f"{env.local_url(settings.site_host, settings.site_port)}/healthz"
    gate_health = f"{env.local_url(settings.gate_host, settings.gate_port)}/healthz"
    environment = _environment()
    demo = [sys.executable, "-m", "yikatong.cli.main", "demo", "live"]
    counts = settings.run_dir / "site-metrics"
    shutil.rmtree(counts, ignore_errors=True)  # counts of processes long gone
    counts.mkdir(parents=True)
    counting = {**environment, "PROMETHEUS_MULTIPROC_DIR": str(counts)}
    return [
        Program("site", site, site_health, "localhost" if host == "*" else host, counting),
        Program("gate", gate, gate_health, environment=environment),
        Program("worker", ours, environment=environment),
        Program("lines", lines, environment=environment),
        *([_sandbox_peers(settings, environment)] if settings.demo else []),
        *([Program("demo", demo, environment=environment)] if settings.demo and settings.demo_life else []),
    ]


def _sandbox_peers(settings: Settings, environment: dict[str, str]) -> Program:
    """Beside us, not of us: the banks and departments of the demonstration."""
    health = f"{settings.bank_sandbox_url}/healthz"
    return Program("bank", bank.command(settings), health, environment=environment)


def _granian(interface: str, target: str, host: str, port: int) -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", interface, target, "--host", host, "--port", str(port),
        "--no-ws", "--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "8",
        "--log-level", "warning",
    ]  # fmt: skip


def _metrics(settings: Settings, port: int) -> list[str]:
    address = ["--metrics-address", settings.metrics_host, "--metrics-port", str(port)]
    return ["--metrics", *address] if port else []


def _environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "yikatong.site.settings"}


def _announce(settings: Settings, supervisor: Supervisor) -> None:
    supervisor.say(f"网站  {settings.site_url}/")
    supervisor.say(f"闸机  {settings.gate_url}/")
    for line in _people(settings):
        supervisor.say(line)
    supervisor.say("ready")


def _people(settings: Settings) -> Iterator[str]:
    """Who can be tried in the demonstration, and how he logs in."""
    if not (settings.demo and settings.demo_file.exists()):
        return
    yield "演示人物（全部虚构）："
    for person in json.loads(settings.demo_file.read_text(encoding="utf-8")):
        yield f"  {person['role']}  {person['name']}  登录名 {person['login']}  {settings.site_url}{person['url']}"
        yield f"      {person['hint']}"
