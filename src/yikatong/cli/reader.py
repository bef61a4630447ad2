"""`yikatong reader`: the agent beside a counter's browser, so that a card on the reader fills the form."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from yikatong.cli.card import ReaderName, Virtual

app = typer.Typer(help="读卡程序：让柜面网页使用本机读卡器", no_args_is_help=True)
PORT = 8765
CodeFile = Annotated[Path | None, typer.Option("--code-file", help="配对码文件；默认在本用户的配置目录")]


@app.command("serve")
def serve(
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", help="允许的柜面网址，如 https://card.example.cn，可多次；默认为本机平台"),
    ] = None,
    port: Annotated[int, typer.Option(help="监听端口（仅 127.0.0.1）", min=1, max=65535)] = PORT,
    reader: ReaderName = "",
    interface: Annotated[
        int, typer.Option(help="卡接口：1 接触，2 非接触，3 接触优先，4 非接触优先", min=1, max=4)
    ] = 3,
    virtual: Virtual = "",
    code_file: CodeFile = None,
) -> None:
    """启动读卡程序，Ctrl-C 停止。只接受所列网址的网页，并须输入一次配对码。"""
    from yikatong.adapters.card_reader import pairing
    from yikatong.adapters.card_reader.agent import Agent
    from yikatong.adapters.card_reader.serving import HOST, Server
    from yikatong.cli.card import platform, reader_of

    origins = frozenset(_origin(each) for each in origin or [_own_site()])
    code = pairing.code(code_file or pairing.default_path())
    with contextlib.ExitStack() as stack:
        if virtual:
            stack.enter_context(platform())
        agent = Agent(reader_of(reader, virtual, interface))
        try:
            server = Server(agent, pairing.Pairing(code), origins=origins, port=port)
        except OSError:
            from yikatong.runtime.errors import CannotStart

            raise CannotStart(f"端口 {port} 已被占用；读卡程序可能已经启动，或用 --port 另选端口") from None
        stack.callback(server.server_close)
        stack.callback(agent.close)
        print(
            f"读卡程序已启动：http://{HOST}:{server.port}\n允许的网址：{'、'.join(sorted(origins))}",
            flush=True,
        )
        print(f"配对码：{pairing.shown(code)}（在柜面网页按 F8 后输入一次）", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


@app.command("pair")
def pair(
    new: Annotated[
        bool, typer.Option("--new", help="换一个配对码，已配对的浏览器全部失效（重启读卡程序后生效）")
    ] = False,
    code_file: CodeFile = None,
) -> None:
    """显示配对码。"""
    from yikatong.adapters.card_reader import pairing

    print(pairing.shown(pairing.code(code_file or pairing.default_path(), anew=new)))


def _own_site() -> str:
    from yikatong.core import env

    return env.load().site_url


def _origin(text: str) -> str:
    from urllib.parse import urlsplit

    from yikatong.core.env import BadSettings

    parts = urlsplit(text.rstrip("/"))
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.path
        or parts.query
        or parts.username
    ):
        raise BadSettings(f"--origin {text} 不是网址；应为 http:// 或 https:// 开头、不带路径")
    return f"{parts.scheme}://{parts.netloc.lower()}"
