"""`yikatong …`: one entry whose commands are imported only when used.

Conventions: one clear Chinese line on an error; exit code 1 for a refusal, 2 for settings or a machine that do
not let us start; results on standard output, everything else on standard error; `--json` where programs read,
and then a refusal is printed as RFC 9457 problem details.
"""

import contextlib
import importlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import psycopg
import typer

from yikatong.core import env
from yikatong.core.errors import DomainError
from yikatong.runtime.errors import CannotStart


class Entry(NamedTuple):
    """A command: its module with `app`, a Typer; `needs_database` opens the embedded one for its time."""

    module: str
    help: str
    needs_database: bool = False


# One line a command; a new one is added here and nowhere else.
COMMANDS = {
    "run": Entry("yikatong.cli.run", "启动全部：数据库、网站、闸机、后台任务"),
    "db": Entry("yikatong.cli.db", "内置数据库：启动、停止、地址、控制台；核对账目"),
    "vendor": Entry("yikatong.cli.vendor", "取得浏览器端程序库并核对摘要"),
    "demo": Entry("yikatong.cli.demo.command", "演示数据", needs_database=True),
    "insight": Entry("yikatong.cli.insight", "看板统计", needs_database=True),
    "bank": Entry("yikatong.cli.bank", "银行沙箱：启动、设置故障"),
    "sources": Entry("yikatong.cli.sources", "权威数据源沙箱：登记、设置故障"),
    "department": Entry("yikatong.cli.department", "联办部门沙箱：设置故障"),
    "batch": Entry("yikatong.cli.batch", "制卡批次：沙箱整轮", needs_database=True),
    "keys": Entry("yikatong.cli.keys", "签发密钥：查看、轮换、撤销", needs_database=True),
    "audit": Entry("yikatong.cli.audit", "审计日志：核验、导出", needs_database=True),
    "staff": Entry("yikatong.cli.staff", "工作人员登录：重置验证器、解除锁定", needs_database=True),
    "roster": Entry("yikatong.cli.roster", "批量申领名册：导入、错误清单、模板", needs_database=True),
    "regions": Entry("yikatong.cli.regions", "行政区划与省份配置", needs_database=True),
    "card": Entry("yikatong.cli.card", "实体卡：读卡、终端验收检查"),
    "reader": Entry("yikatong.cli.reader", "读卡程序：让柜面网页使用本机读卡器"),
    "terminal": Entry("yikatong.cli.terminal", "用卡终端：开通、签到、核验、上传、名单"),
}


def app() -> None:
    """The program. Ends with exit code 0, 1 (refused) or 2 (cannot start, wrong usage)."""
    arguments = sys.argv[1:]
    try:
        call(arguments)
    except (env.BadSettings, CannotStart) as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    except DomainError as refusal:
        print(_refused(refusal, as_json="--json" in arguments), file=sys.stderr)
        raise SystemExit(1) from None
    except Exception as error:
        if (sentence := _database_trouble(error)) is None:
            raise
        print(sentence, file=sys.stderr)
        raise SystemExit(2) from None


def call(arguments: Sequence[str]) -> None:
    """Run one command; raises its refusal."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yikatong.site.settings")
    chosen = arguments[0] if arguments and arguments[0] in COMMANDS else None
    with _database(chosen, arguments):
        _house(chosen)(args=list(arguments), prog_name="yikatong")


def _house(chosen: str | None) -> typer.Typer:
    """All names with their line of help; only the chosen command is real, so nothing else is imported."""
    house = typer.Typer(
        name="yikatong",
        help="一卡通平台",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    house.callback()(_nothing)
    for name, entry in COMMANDS.items():
        if name != chosen:
            house.command(name, help=entry.help)(_nothing)
            continue
        found: typer.Typer = importlib.import_module(entry.module).app
        if len(found.registered_commands) == 1 and found.registered_commands[0].name == name:
            house.add_typer(found)
        else:
            house.add_typer(found, name=name, help=entry.help)
    return house


def _nothing() -> None:
    """Stands for what is not called."""


@contextlib.contextmanager
def _database(chosen: str | None, arguments: Sequence[str]) -> Iterator[None]:
    is_call = len(arguments) > 1 and "--help" not in arguments
    if chosen is None or not COMMANDS[chosen].needs_database or not is_call or env.load().database_url:
        yield
        return
    from yikatong.runtime.postgres import Cluster

    with Cluster(env.load().home).opened():
        yield


def _database_trouble(error: Exception) -> str | None:
    """The two things a person can mend at once; None for anything else, which is a bug and shows its trace."""
    cause = error.__cause__ or error
    if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return "数据库结构不是最新的；请先执行 yikatong run，或 python -m django migrate"
    if isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None:
        return f"不能连接数据库：{str(cause).strip()}"
    return None


def _refused(refusal: DomainError, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(refusal.problem(), ensure_ascii=False)
    return f"{refusal.message}（{refusal.article}）" if refusal.article else refusal.message


if __name__ == "__main__":
    app()
