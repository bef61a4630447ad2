"""`yikatong department`: what shall go wrong with the sandbox departments of joint matters."""

from typing import Annotated

import typer

from yikatong.core import env

app = typer.Typer(help="联办部门沙箱", no_args_is_help=True)


@app.command("fault")
def fault(
    kind: Annotated[
        str,
        typer.Argument(
            help="timeout 超时、lost 已收但应答丢失、refuse 不予办理、correct 要求补正、slow 办得慢、away 停机、none 恢复"
        ),
    ],
    key: Annotated[str, typer.Option(help="事项，如 household；* 为全部")] = "*",
    department: Annotated[str, typer.Option(help="部门，如 police；* 为全部")] = "*",
    times: Annotated[int, typer.Option(min=1, help="次数")] = 1,
    hold_s: Annotated[float, typer.Option(min=0.0, help="拖延秒数")] = 0.0,
    reason: Annotated[str, typer.Option(help="部门说明")] = "",
) -> None:
    """让联办部门沙箱接下来的若干次办理出错，用于演示和演练。"""
    from yikatong.adapters.department_api.channels import sandbox

    line = sandbox(env.load())
    chosen = None if kind == "none" else {
        "kind": kind, "what": key, "who": department, "times": times, "hold_s": hold_s, "reason": reason,
    }  # fmt: skip
    line.post("/department/v1/faults", chosen)
    print("联办部门沙箱已恢复正常。" if chosen is None else f"已设置：{kind} × {times}")
