"""`yikatong card`: read a physical card (or a virtual one), for a person at a terminal or counter."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yikatong.core.errors import DomainError

if TYPE_CHECKING:
    from yikatong.adapters.card_reader import Reader
    from yikatong.adapters.hsm.soft import SoftHsm
    from yikatong.adapters.national_card.virtual import VirtualCard

app = typer.Typer(help="实体卡：读卡、终端验收检查", no_args_is_help=True)

ReaderName = Annotated[str, typer.Option("--reader", help="读卡器名称（的一部分）；不写用放着卡的那一个")]
Virtual = Annotated[
    str, typer.Option("--virtual", help="不用读卡器：以该卡号的登记信息模拟一张卡（须用软加密机）")
]
StorePath = Annotated[
    Path | None,
    typer.Option("--store", help="已开通终端的数据文件：由闸机和加密机认证；不写则由本机平台认证"),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
_FIELDS = (
    ("division", "发卡地区"),
    ("social_security_number", "社会保障号码"),
    ("card_number", "卡号"),
    ("identification", "卡识别码"),
    ("name", "姓名"),
    ("reset_info", "卡复位信息"),
    ("spec_version", "规范版本"),
    ("issued_on", "发卡日期"),
    ("expires_on", "有效期至"),
)


def _refusing(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a terminal refuses is a refusal here as well: one line, exit code 1 (`main` prints it)."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        from yikatong.terminal.errors import TerminalError

        try:
            return command(*args, **options)
        except TerminalError as error:
            raise DomainError(f"{error.message}。{error.next_step}") from None

    return run


@app.command("read")
@_refusing
def read(
    reader: ReaderName = "", virtual: Virtual = "", store: StorePath = None, as_json: AsJson = False
) -> None:
    """读出卡内基本信息（iReadCardBas，加密机方式）；持卡人可以看到这次读卡。"""
    from yikatong.adapters.national_card import terminal
    from yikatong.registry.cards.chip.messages import AuthAnswer

    with reading(reader, virtual, store) as (chosen, authenticate, number), chosen.card() as channel:
        begun = terminal.begin(channel, number)
        answer = AuthAnswer.read(authenticate(begun.request.text()))
        basics = terminal.finish(channel, begun, answer, terminal=number)
    if as_json:
        print(json.dumps(asdict(basics) | {"text": basics.text()}, ensure_ascii=False))
        return
    for name, label in _FIELDS:
        print(f"{label}　{getattr(basics, name)}")


@app.command("check")
@_refusing
def check(
    reader: ReaderName = "", virtual: Virtual = "", store: StorePath = None, as_json: AsJson = False
) -> None:
    """终端验收检查：卡片真伪与黑名单、初始化机构、卡类别、规范版本、有效期五项。退出码 0 全部通过，1 有不通过。"""
    from yikatong.adapters.national_card import acceptance
    from yikatong.core import clock

    with reading(reader, virtual, store) as (chosen, authenticate, number), chosen.card() as channel:
        ask = _Remembering(authenticate)
        listed = _by_register if store is None else ask.refusal
        day = clock.day_of(clock.now())
        report = acceptance.check(channel, ask=ask, listed=listed, day=day, number=number)
        name = chosen.name
    if as_json:
        told = asdict(report) | {"day": report.day.isoformat(), "passed": report.passed, "reader": name}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(
            f"终端验收检查　{report.day}　{name}\n卡号 {report.card_number}　识别码 {report.identification}"
        )
        for point in report.points:
            print(
                f"{'✔' if point.passed else '✘'} {point.title}　{point.found}{point.message and f'　{point.message}'}"
            )
        print("全部通过。" if report.passed else "有项目不通过，终端不应受理此卡。")
    raise typer.Exit(0 if report.passed else 1)


@app.command("pin")
@_refusing
def pin(reader: ReaderName = "", virtual: Virtual = "", as_json: AsJson = False) -> None:
    """请持卡人输入密码并由卡片校验（iVerifyPIN）；连错三次卡内密码锁定。密码不显示、不保存。"""
    from yikatong.adapters.national_card import terminal_pin

    typed = typer.prompt("请持卡人输入 6 位密码", hide_input=True, err=True)
    with platform() if virtual else contextlib.nullcontext(), reader_of(reader, virtual).card() as channel:
        terminal_pin.verify_pin(channel, typed)
    print(json.dumps({"verified": True}) if as_json else "密码正确。")


@app.command("items")
@_refusing
def items(
    address: Annotated[str, typer.Argument(help="文件地址，如 '3F00EF06|08|09|4E|$'")],
    store: Annotated[Path, typer.Option("--store", help="已开通终端的数据文件")],
    reader: ReaderName = "",
    virtual: Virtual = "",
    as_json: AsJson = False,
) -> None:
    """作为已开通的终端读出卡内数据项（iReadCard，加密机方式）；持卡人可以看到这次读卡。"""
    from yikatong.adapters.national_card import terminal, terminal_files
    from yikatong.registry.cards.chip.requests import CardInfo
    from yikatong.terminal import card as at_terminal

    with contextlib.ExitStack() as stack:
        stack.enter_context(platform() if virtual else contextlib.nullcontext())
        opened, client = stack.enter_context(_terminal(store))
        channel = stack.enter_context(reader_of(reader, virtual).card())
        lying = terminal.card_file(channel)
        info = CardInfo(lying.chip.identification, lying.card_number).text()
        begun = terminal_files.begin_read(channel, info, address)
        answer = at_terminal.authenticate(opened, client, begun.request.text(), card=info)
        told = terminal_files.finish_read(channel, begun, answer)
    print(json.dumps({"items": told}, ensure_ascii=False) if as_json else told)


@app.command("functions")
def functions(
    reader: ReaderName = "",
    virtual: Virtual = "",
    number: Annotated[str, typer.Option(help="终端机编号，12 位数字")] = "000000000000",
) -> None:
    """按名称调用国家读卡接口的函数，供终端程序开发和验收：标准输入每行一个 JSON，标准输出每行一个结果。

    例：{"function": "iReadCardBas_HSM_Step1", "iType": 3}；密码键盘上要输入的写在 "typed" 里。
    """
    from yikatong.adapters.national_card.functions import Functions

    typed: list[str] = []
    with platform() if virtual else contextlib.nullcontext():
        chosen = reader_of(reader, virtual)
        terminal = Functions(
            lambda face: (chosen if virtual else reader_of(reader, "", face)).card(),
            lambda _: typed.pop(0) if typed else None,
            number=number,
        )
        with contextlib.closing(terminal):
            for line in typer.get_text_stream("stdin"):
                name, given, typed[:] = _call(line)
                returned, told = terminal.call(name, given)
                print(json.dumps({"return": returned, "pOutInfo": told}, ensure_ascii=False), flush=True)


def _call(line: str) -> tuple[str, dict[str, Any], list[str]]:
    """A call in a line; what is none has an empty name, which no function bears."""
    try:
        told = json.loads(line)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return "", {}, []
    typed = told.pop("typed", [])
    return (
        str(told.pop("function", "")),
        told,
        [str(one) for one in typed] if isinstance(typed, list) else [],
    )


@app.command("emulate")
def emulate(
    number: Annotated[str, typer.Argument(help="卡号：以其登记信息模拟一张卡")],
    port: Annotated[int, typer.Option(help="虚拟读卡器（vsmartcard-vpcd）的端口", min=1, max=65535)] = 35963,
    contactless: Annotated[
        bool, typer.Option("--contactless", help="当作放在感应区的卡（ISO/IEC 14443-4）")
    ] = False,
) -> None:
    """把模拟的卡放进本机的虚拟读卡器，按 PC/SC 使用；Ctrl-C 取出。须安装 pcscd 和 vsmartcard-vpcd，并用软加密机。"""
    from yikatong.adapters.card_reader.vpcd import VpcdCard

    with platform():
        card = virtual_card(number)
    card.present(contactless=contactless)
    try:
        slot = VpcdCard(card, port=port)
    except OSError:
        raise DomainError(
            f"没有虚拟读卡器在端口 {port} 等待；请确认 pcscd 已启动并装有 vsmartcard-vpcd。"
        ) from None
    with slot, contextlib.suppress(KeyboardInterrupt):
        print("卡片已放入虚拟读卡器，按 Ctrl-C 取出。", flush=True)
        slot.serve()


@app.command("readers")
def readers(as_json: AsJson = False) -> None:
    """列出本机的读卡器（PC/SC）。"""
    from yikatong.adapters.card_reader import pcsc

    found = pcsc.names()
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    elif not found:
        print("没有读卡器。请连接读卡器，并确认 pcscd 服务已启动。")
    else:
        print("\n".join(found))


class _Remembering:
    """Asks once, and tells afterwards why the platform refused: at a terminal that is the list of stopped cards."""

    def __init__(self, ask: Callable[[str], str]) -> None:
        self._ask, self._why = ask, ""

    def __call__(self, text: str) -> str:
        from yikatong.terminal.errors import GateRefused

        try:
            return self._ask(text)
        except GateRefused as refusal:
            self._why = refusal.message
            raise DomainError(refusal.message) from None

    def refusal(self, _identification: str, _number: str) -> str:
        return self._why


@app.command("keys")
def keys(as_json: AsJson = False) -> None:
    """软加密机各密钥的校验值：两台机器相同，才是同一套密钥。不显示密钥。"""
    found = {f"{key:04X}": (key.name, value) for key, value in _soft_device().check_values().items()}
    if as_json:
        print(json.dumps({address: value for address, (_, value) in found.items()}))
        return
    for address, (name, value) in found.items():
        print(f"{address}　{name:<7}　{value}")


@contextlib.contextmanager
def reading(
    wanted: str, virtual: str, store: Path | None
) -> Iterator[tuple["Reader", Callable[[str], str], str]]:
    """A reader, who answers for the key device, and the terminal's number ("" at the platform itself)."""
    with contextlib.ExitStack() as stack:
        if virtual or store is None:
            stack.enter_context(platform())
        chosen = reader_of(wanted, virtual)
        if store is None:
            yield chosen, _by_the_platform, ""
            return
        opened, client = stack.enter_context(_terminal(store))

        def by_the_gate(text: str) -> str:
            from yikatong.terminal import card

            return card.authenticate(opened, client, text)

        yield chosen, by_the_gate, f"{opened.get('terminal'):012d}"


def reader_of(wanted: str, virtual: str, interface: int = 3) -> "Reader":
    """The reader of that name, else whichever of the machine's has a card; or one with a virtual card of the register."""
    if not virtual:
        from yikatong.adapters.card_reader import pcsc, several

        if wanted:
            return pcsc.PcscReader(wanted)
        return several.Several(pcsc.all_readers, several.Interface.of(interface))
    from yikatong.adapters.card_reader.virtual import VirtualReader

    return VirtualReader(virtual_card(virtual))


def virtual_card(text: str) -> "VirtualCard":
    """The card of that 卡号 as a chip; the latest one, where a number was kept."""
    from yikatong.adapters.national_card import registered
    from yikatong.registry.cards import numbers
    from yikatong.registry.cards.models import Card

    device = _soft_device()
    number = numbers.check(text)
    card = Card.objects.select_related("holder").filter(number=number).order_by("-issued_on", "-pk").first()
    if card is None:
        raise DomainError(f"没有卡号为 {number} 的卡。")
    return registered.virtual(card, device)


def _soft_device() -> "SoftHsm":
    from yikatong.adapters.hsm.soft import SoftHsm
    from yikatong.registry.cards.chip.hsm import card_hsm

    device = card_hsm()
    if not isinstance(device, SoftHsm):
        raise DomainError("加密机不是软加密机，不能模拟卡片，也不能在这里核对密钥。")
    return device


@contextlib.contextmanager
def platform() -> Iterator[None]:
    """Django, and the embedded database where there is no other."""
    import django

    from yikatong.core import env

    with contextlib.ExitStack() as stack:
        if not env.load().database_url:
            from yikatong.runtime.postgres import Cluster

            stack.enter_context(Cluster(env.load().home).opened())
        django.setup()
        yield


@contextlib.contextmanager
def _terminal(path: Path) -> Iterator[tuple[Any, Any]]:
    from yikatong.terminal.errors import NotEnrolled
    from yikatong.terminal.gate_client import GateClient
    from yikatong.terminal.store import Store

    with Store.open(path) as opened:
        gate = opened.get("gate")
        if gate is None:
            raise NotEnrolled
        with contextlib.closing(GateClient(gate)) as client:
            yield opened, client


def _by_register(identification: str, number: str) -> str:
    from yikatong.registry.cards import queries

    return queries.why_stopped(identification, number)


def _by_the_platform(text: str) -> str:
    from yikatong.cli.keys import operator
    from yikatong.core import clock
    from yikatong.registry.cards.actions import reading as acts

    return acts.authenticate(text, by=operator(), at=clock.now()).answer
