"""`yikatong db`: the embedded database without the rest; whether the books of any database are in order."""

import contextlib
import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from yikatong.cli.progress import progress
from yikatong.core import env
from yikatong.runtime import binaries
from yikatong.runtime.account import server_account
from yikatong.runtime.errors import CannotStart
from yikatong.runtime.postgres import SHELTER, Cluster

if TYPE_CHECKING:
    from yikatong.insight.soundness.invariant import Breach

app = typer.Typer(help="内置数据库：启动、停止、地址、控制台；核对账目", no_args_is_help=True)


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


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    skip: Annotated[
        list[str] | None, typer.Option(help="不核对的项目，可重复，例如 audit_chain_verifies")
    ] = None,
) -> None:
    """核对全库账目：一人一卡、库存平衡、状态流转、审计完整等；有不符时逐项指出，退出码 1。"""
    with contextlib.nullcontext() if env.load().database_url else _cluster().opened():
        asked, found = _breaches(frozenset(skip or ()))
    if as_json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False))
    else:
        for one in found:
            print(f"不符：{one.says}（{one.name}）{one.count} 处，例如 {'、'.join(one.examples)}")
        print(f"共核对 {asked} 项，不符 {len(found)} 项。")
    if found:
        raise typer.Exit(1)


def _breaches(skipped: frozenset[str]) -> "tuple[int, list[Breach]]":
    """How many invariants were asked, and which do not hold."""
    import django

    django.setup()
    from yikatong.core import clock
    from yikatong.insight.soundness import checking

    known = {one.name for one in checking.INVARIANTS}
    if unknown := skipped - known:
        raise typer.BadParameter(f"没有这些项目：{'、'.join(sorted(unknown))}")
    chosen = [one for one in checking.INVARIANTS if one.name not in skipped]
    with progress("核对", len(chosen)) as tick:
        found = checking.breaches(at=clock.now(), chosen=chosen, progress=lambda one, _: tick(one.says))
    return len(chosen), found


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
