"""`yikatong bank`: the sandbox bank as a process of its own, and what shall go wrong with it."""

import os
import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

from yikatong.core import env

app = typer.Typer(help="银行沙箱", no_args_is_help=True)
THREADS = 8


def command(settings: env.Settings) -> list[str]:
    """How the sandbox peers are started: one process for all of them, with threads, for one waits while another acts."""
    address = urlsplit(settings.bank_sandbox_url)
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "yikatong.peers.app:application",
        "--host", settings.bank_sandbox_host, "--port", str(address.port), "--workers", "1",
        "--blocking-threads", str(THREADS), "--backpressure", str(THREADS * 4), "--no-ws",
        "--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "5",
        "--log-level", "warning",
    ]  # fmt: skip


@app.command("serve")
def serve() -> None:
    """启动沙箱：银行，以及权威数据源和伙伴平台；Ctrl-C 停止。"""
    settings = env.load()
    print(f"银行沙箱  {settings.bank_sandbox_url}/", file=sys.stderr)
    arguments = command(settings)
    os.execv(arguments[0], arguments)  # noqa: S606 - granian takes our place and our signals


@app.command("fault")
def fault(
    kind: Annotated[
        str, typer.Argument(help="timeout 超时、lost 已办但应答丢失、refuse 拒绝、away 停机、none 恢复")
    ],
    act: Annotated[str, typer.Option(help="业务，如 report_loss；* 为全部")] = "*",
    bank: Annotated[str, typer.Option(help="银行编号；* 为全部")] = "*",
    times: Annotated[int, typer.Option(min=1, help="次数")] = 1,
    hold_s: Annotated[float, typer.Option(min=0.0, help="拖延秒数")] = 0.0,
    reason: Annotated[str, typer.Option(help="拒绝原因")] = "",
) -> None:
    """让银行沙箱接下来的若干次业务出错，用于演示和演练。"""
    from yikatong.adapters.bank_api.wire import Wire

    settings = env.load()
    wire = Wire(settings.bank_sandbox_url, env.secret_file(settings.bank_sandbox_key_path, 32))
    chosen = None if kind == "none" else {
        "kind": kind, "what": act, "who": bank, "times": times, "hold_s": hold_s, "reason": reason,
    }  # fmt: skip
    wire.post("/v1/faults", chosen)
    print("银行沙箱已恢复正常。" if chosen is None else f"已设置：{kind} × {times}")
