"""`yikatong sources`: enter something into the sandbox registers, and choose what shall go wrong with them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from yikatong.core import env

app = typer.Typer(help="权威数据源沙箱", no_args_is_help=True)


@app.command("enter")
def enter(
    register: Annotated[
        str, typer.Argument(help="population 公安、civil 民政、health 卫健、credit 信用、insurance 社保")
    ],
    number: Annotated[str, typer.Argument(help="社会保障号码")],
    name: Annotated[str, typer.Argument(help="姓名")],
    facts: Annotated[
        list[str] | None, typer.Argument(help="项目=值，如 death=2026-11-20 phone=13800000000")
    ] = None,
    unknown: Annotated[bool, typer.Option(help="查无此人")] = False,
) -> None:
    """在沙箱数据源登记某人的信息，用于演示和演练；一分钟内与本库比对。"""
    said = dict(one.split("=", 1) for one in facts or [])
    _post(
        "entries",
        {"register": register, "number": number, "name": name, "known": not unknown, "facts": said},
    )
    print("沙箱数据源已登记。")


@app.command("fault")
def fault(
    kind: Annotated[
        str,
        typer.Argument(
            help="away 停机、broken 出错、slow 迟答、malformed 乱答、incomplete 漏答、cut 断答、none 恢复"
        ),
    ],
    who: Annotated[str, typer.Option(help="数据源；* 为全部")] = "*",
    times: Annotated[int, typer.Option(min=1, help="次数")] = 1,
    minutes: Annotated[float, typer.Option(min=0.0, help="持续分钟数；0 为按次数")] = 0.0,
    hold_s: Annotated[float, typer.Option(min=0.0, max=60.0, help="拖延秒数")] = 0.0,
) -> None:
    """让沙箱数据源接下来的若干次（或若干分钟）出错，用于演示和演练。"""
    if kind == "none":
        _post("faults", None)
        print("沙箱数据源已恢复正常。")
        return
    until = datetime.now(UTC) + timedelta(minutes=minutes) if minutes else None
    _post("faults", {"kind": kind, "who": who, "times": times, "hold_s": hold_s, "until": until})
    print(f"已设置：{kind}")


def _post(what: str, content: dict[str, Any] | None) -> None:
    from yikatong.adapters.signed_http import Wire
    from yikatong.runtime.errors import CannotStart

    settings = env.load()
    key = env.secret_file(settings.sandbox_key_path("sources"), 32)
    failures: dict[str, Any] = {"away": CannotStart, "silent": CannotStart}
    Wire(settings.bank_sandbox_url, key, whom="沙箱", **failures).post(f"/sources/v1/{what}", content)
