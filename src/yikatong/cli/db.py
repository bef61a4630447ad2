"""`yikatong db`: the embedded database without the rest."""

import os
from typing import Annotated

import typer

from yikatong.core import env
from yikatong.runtime import binaries
from yikatong.runtime.account import server_account
from yikatong.runtime.errors import CannotStart
from yikatong.runtime.postgres import SHELTER, Cluster

app = typer.Typer(help="内置数据库：启动、停止、地址、控制台", no_args_is_help=True)


@app.command()
def start() -> None:
    """启动内置数据库并在后台保持运行，直到 yikatong db stop。"""
    cluster = _cluster()
    cluster.start(leashed=False)
    print(cluster.dsn)
    cluster.detach()


@app.command()
def stop() -> None:
    """停止后台运行的内置数据库。"""
    print("已停止" if _cluster().stop_running() else "没有在运行")


@app.command()
def url() -> None:
    """显示数据库地址（内置数据库不需要口令）。"""
    print(env.load().dsn)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(arguments: Annotated[list[str] | None, typer.Argument(help="交给 psql 的参数")] = None) -> None:
    """打开 psql 控制台。"""
    cluster = _cluster()
    if cluster.pid is None:
        raise CannotStart("数据库没有在运行；请先执行 yikatong run 或 yikatong db start")
    program = binaries.program("psql", server_account(cluster.home / "pg" / "data"), SHELTER)
    os.execv(program, ["psql", cluster.dsn, *(arguments or [])])  # noqa: S606 - becomes psql, no shell  # noqa: S606 - becomes psql, no shell


def _cluster() -> Cluster:
    settings = env.load()
    if settings.database_url:
        raise CannotStart("已设置 DATABASE_URL，没有使用内置数据库")
    return Cluster(settings.home)
