"""`yikatong terminal`: the software of a device, on the command line. 0 let pass, 1 refused, 2 not able to answer."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from yikatong.terminal.errors import TerminalError

app = typer.Typer(help="用卡终端：开通、签到、核验、上传、名单", no_args_is_help=True)

Store = Annotated[Path, typer.Option("--store", help="终端数据文件（SQLite，仅本用户可读）")]
AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]
_STORE = Path("terminal.db")
_SCENES = {"general": 1, "medical": 2, "transit": 3, "venue": 4, "通用": 1, "就医": 2, "乘车": 3, "入园": 4}
_SCENE_NAMES = {1: "通用", 2: "就医", 3: "乘车", 4: "入园"}


def _answered(command: Callable[..., Any]) -> Callable[..., Any]:
    """A terminal's errors as one line on standard error and exit code 2."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except TerminalError as error:
            _say_error(error, as_json=bool(options.get("as_json")))
            raise typer.Exit(2) from None

    return run


@app.command("enrol")
@_answered
def enrol(
    gate: Annotated[str, typer.Option(help="闸机服务地址，如 https://gate.example.cn")],
    number: Annotated[int, typer.Option(help="终端编号（12 位）", min=1, max=999_999_999_999)],
    code: Annotated[str, typer.Option(help="运维给出的一次性开通码")],
    store: Store = _STORE,
    as_json: AsJson = False,
) -> None:
    """用开通码领取主密钥，存入数据文件，并签到。"""
    from yikatong.terminal import fetching, session
    from yikatong.terminal.gate_client import GateClient
    from yikatong.terminal.store import Store as Opened

    client = GateClient(gate)
    with Opened.create(store) as opened:
        session.enrol(opened, client, number=number, code=code)
        lists = fetching.update(opened, client)
    told = {"terminal": number, "store": str(store), "lists": [each._asdict() for each in lists]}
    _say(f"终端 {number:012d} 已开通并签到，名单 {len(lists)} 份。数据文件：{store}", told, as_json=as_json)


@app.command("signin")
@_answered
def signin(store: Store = _STORE, as_json: AsJson = False) -> None:
    """签到：领取当日工作密钥与参数，校准时钟。"""
    from yikatong.terminal import session, ticking

    with _opened(store) as (opened, client):
        terms = session.sign_in(opened, client)
        ahead = ticking.offset_of_machine(opened, ticking.hands())
    scenes = "、".join(_scene_name(scene) for scene in terms.scenes)
    told = {
        "day": terms.day,
        "scenes": terms.scenes,
        "clock_ahead_s": ahead,
        "sequence_next": terms.sequence_next,
    }
    _say(f"已签到 {terms.day}，可验场景：{scenes}。本机时钟{_drift(ahead)}。", told, as_json=as_json)


@app.command("verify")
@_answered
def verify(  # noqa: PLR0917 - typer passes by name
    picture: Annotated[Path | None, typer.Option(help="含二维码的图片")] = None,
    text: Annotated[str | None, typer.Option(help="码的文本")] = None,
    from_stdin: Annotated[bool, typer.Option("--stdin", help="从标准输入读一行码")] = False,
    scene: Annotated[
        str | None, typer.Option(help="只验该场景：general、medical、transit、venue 或其编号")
    ] = None,
    amount: Annotated[str, typer.Option(help="金额（元），如 2.00")] = "0",
    offline: Annotated[bool, typer.Option(help="不联网，离线核验")] = False,
    store: Store = _STORE,
    as_json: AsJson = False,
) -> None:
    """核验一个码：能联网就问平台，不能就离线核验并记录。退出码 0 通过，1 不通过，2 无法核验。"""
    from yikatong.terminal import online
    from yikatong.terminal.amount import fen_of

    fen, wanted = fen_of(amount), _scene(scene)
    shown = _code(picture, text, from_stdin=from_stdin)
    with _opened(store) as (opened, client):
        found = online.verify(opened, None if offline else client, shown, amount_fen=fen, scene=wanted)
    _say_verdict(found, as_json=as_json)
    raise typer.Exit(0 if found.accepted else 1)


@app.command("watch")
@_answered
def watch(
    scene: Annotated[str | None, typer.Option(help="只验该场景")] = None,
    amount: Annotated[str, typer.Option(help="每次的金额（元）")] = "0",
    offline: Annotated[bool, typer.Option(help="不联网")] = False,
    store: Store = _STORE,
    as_json: AsJson = False,
) -> None:
    """逐行读取扫码枪送来的码并核验；空闲时上报心跳、更新名单、上传离线记录。Ctrl-C 结束。"""
    from yikatong.terminal import watching
    from yikatong.terminal.amount import fen_of

    fen, wanted = fen_of(amount), _scene(scene)
    with _opened(store) as (opened, client):
        reached = None if offline else client
        try:
            for found in watching.serve(opened, reached, sys.stdin.fileno(), amount_fen=fen, scene=wanted):
                if isinstance(found, TerminalError):
                    _say_error(found, as_json=as_json)
                else:
                    _say_verdict(found, as_json=as_json)
        except KeyboardInterrupt:
            print("已结束。", file=sys.stderr)


@app.command("upload")
@_answered
def upload(store: Store = _STORE, as_json: AsJson = False) -> None:
    """上传离线记录及其凭据；平台答复之后才出队，重复上传无害。"""
    from yikatong.cli.progress import progress
    from yikatong.terminal import upload as handing

    with _opened(store) as (opened, client):
        total = handing.waiting(opened)
        with progress("上传离线记录", total) as tick:
            report = handing.upload(opened, client, tick=lambda rows: tick(count=rows))
    noticed = [
        {"sequence": fate.sequence, "name": fate.name, "message": fate.message} for fate in report.noticed
    ]
    told = {"handed_in": report.handed_in, "left": report.left, "noticed": noticed}
    _say(f"已上传 {report.handed_in} 笔，剩余 {report.left} 笔。", told, as_json=as_json)
    for fate in [] if as_json else report.noticed:
        print(f"  流水 {fate.sequence}：{fate.message}。{fate.next_step}")
    raise typer.Exit(1 if report.left else 0)


@app.command("lists")
@_answered
def lists(
    update: Annotated[
        bool, typer.Option("--update", help="先更新（增量；版本不连续时自动下载完整名单）")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="与 --update 同用：下载完整名单")] = False,
    store: Store = _STORE,
    as_json: AsJson = False,
) -> None:
    """显示本机名单的版本、时间与条数。"""
    from yikatong.terminal import fetching, holding, ticking

    with _opened(store) as (opened, client):
        found = fetching.update(opened, client, full=full) if update else holding.held(opened)
        at = ticking.now(opened, ticking.hands())
    if as_json:
        print(json.dumps([each._asdict() for each in found], ensure_ascii=False))
        return
    if not found:
        print("本机没有名单，不能离线核验。请执行 yikatong terminal lists --update")
    for each in found:
        name = "信任列表" if each.kind == "trust" else f"停用名单（{_scene_name(each.scene)}）"
        print(
            f"{name}  版本 {each.version}  {each.entries} 条  {_age(at - max(each.made_at, each.confirmed_at))}前确认"
        )


@app.command("status")
@_answered
def status(store: Store = _STORE, as_json: AsJson = False) -> None:
    """显示终端编号、签到、时钟、待上传与未被接受的记录。"""
    from yikatong.terminal import health

    with _opened(store) as (opened, _):
        found = health.of(opened)
    lines = [
        f"终端 {found.terminal:012d}  闸机 {found.gate}  {'已停用' if found.stopped else '正常'}",
        f"签到 {found.day or '未签到'}  本机时钟{_drift(found.clock_ahead_s)}",
        f"待上传 {found.waiting} 笔（离线放行 {found.passed_offline} 笔，上限 {found.offline_uses_max} 笔）",
        f"平台未按放行认可 {found.disputed} 笔",
        f"下一流水号 {found.sequence_next}",
    ]
    _say("\n".join(lines), found._asdict(), as_json=as_json)


@app.command("heartbeat")
@_answered
def heartbeat(store: Store = _STORE, as_json: AsJson = False) -> None:
    """上报时钟、待上传笔数与名单版本，得知最新版本。"""
    from yikatong.terminal import fetching, session

    with _opened(store) as (opened, client):
        pulse = session.heartbeat(opened, client)
        behind = fetching.is_behind(opened, pulse.lists.trust, pulse.lists.hot)
    told = {"server_time": pulse.server_time, "clock_offset_s": pulse.clock_offset_s, "lists_behind": behind}
    advice = "名单有新版本，请执行 yikatong terminal lists --update。" if behind else "名单为最新。"
    _say(f"平台已收到。本机时钟{_drift(pulse.clock_offset_s)}。{advice}", told, as_json=as_json)


# --- what goes in ---


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    from yikatong.terminal.errors import NotEnrolled
    from yikatong.terminal.gate_client import GateClient
    from yikatong.terminal.store import Store as Opened

    with Opened.open(path) as opened:
        gate = opened.get("gate")
        if gate is None:
            raise NotEnrolled
        client = GateClient(gate)
        try:
            yield opened, client
        finally:
            client.close()


def _code(picture: Path | None, text: str | None, *, from_stdin: bool) -> str:
    if sum((picture is not None, text is not None, from_stdin)) != 1:
        raise TerminalError("请给出一个码", "用 --picture、--text 或 --stdin 之一")
    if picture is not None:
        from yikatong.terminal.picture import read_code

        return read_code(picture)
    return text if text is not None else sys.stdin.readline(4096).strip("\r\n")


def _scene(word: str | None) -> int | None:
    if word is None:
        return None
    if word in _SCENES:
        return _SCENES[word]
    if word.isascii() and word.isdigit() and 1 <= int(word) <= 255:
        return int(word)
    raise TerminalError(f"没有这种场景：{word}", "可用：general 通用、medical 就医、transit 乘车、venue 入园")


# --- what comes out ---


def _say(line: str, told: Any, *, as_json: bool) -> None:
    print(json.dumps(told, ensure_ascii=False) if as_json else line, flush=True)


def _say_error(error: TerminalError, *, as_json: bool) -> None:
    if as_json:
        told = {"error": type(error).__name__, "message": error.message, "next_step": error.next_step}
        print(json.dumps(told, ensure_ascii=False), flush=True)
    print(f"{error.message}。{error.next_step}", file=sys.stderr, flush=True)


def _say_verdict(found: Any, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False), flush=True)
        return
    way = "离线核验" if found.is_offline else "联网核验"
    if found.accepted:
        fee = f"  ¥{found.amount_fen // 100}.{found.amount_fen % 100:02d}" if found.amount_fen else ""
        _coloured("green", f"✔ 请通行  {_scene_name(found.scene)}{fee}  {way}  流水 {found.sequence}")
        return
    number = f"（{found.reason}）" if found.reason else ""
    _coloured("red", f"✘ 不能通行  {found.message}{number}  {way}")
    print(f"  持卡人：{found.tell_holder}\n  值守人：{found.next_step}", flush=True)


def _coloured(colour: str, line: str) -> None:
    typer.secho(line, fg=colour, bold=True)
    sys.stdout.flush()


def _scene_name(scene: int) -> str:
    return _SCENE_NAMES.get(scene, f"场景 {scene}")


def _drift(ahead_s: int) -> str:
    if abs(ahead_s) <= 2:
        return "准确"
    return f"{'快' if ahead_s > 0 else '慢'} {_age(abs(ahead_s))}（核验以平台时间为准）"


def _age(seconds: int) -> str:
    for unit, size in (("天", 86_400), ("小时", 3_600), ("分钟", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(0, seconds)} 秒"
