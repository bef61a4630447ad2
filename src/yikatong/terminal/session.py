"""Becoming and staying a known terminal: enrol once, sign in every day, tell how it is every minute."""

from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import msgspec

from yikatong.core.sm.sm4 import SealBroken
from yikatong.registry.access import terminal_keys
from yikatong.terminal import answers, holding, offline, sequence, ticking
from yikatong.terminal.answers import Enrolment, Pulse, Terms
from yikatong.terminal.errors import GateFault, GateRefused, NotEnrolled, TerminalError, WrongCode
from yikatong.terminal.gate_client import GateClient, Reply, checked
from yikatong.terminal.store import Store
from yikatong.using.codes.pass_ import Reason

GONE: Final = frozenset({Reason.TERMINAL_STOPPED, Reason.TERMINAL_UNKNOWN, Reason.APPLICATION_STOPPED})


class OtherTerminal(TerminalError):
    message = "该数据文件属于另一台终端"
    next_step = "请为每台终端使用单独的数据文件"


def enrol(store: Store, client: GateClient, *, number: int, code: str) -> None:
    """Get the main key for the code an operator gave. Raises OtherTerminal, WrongCode, GateRefused, GateDown.

    Enrolling again renews the key and keeps the records.
    """
    known = store.get("terminal")
    if known is not None and known != number:
        raise OtherTerminal(f"该数据文件属于终端 {known:012d}")
    body = msgspec.json.encode({"terminal": number, "code": terminal_keys.spelt(code)})
    try:
        reply = checked(client.send("POST", "/gate/v1/enrol", body, {}))
    except GateRefused as refusal:
        if refusal.reason is Reason.TERMINAL_UNKNOWN:  # the gate tells no stranger what exactly is wrong
            raise WrongCode from None
        raise
    answer = answers.read(Enrolment, reply.body)
    try:
        main_key = terminal_keys.open_main_key(
            code, answers.unpacked(answer.sealed_key), number=number, generation=answer.generation
        )
    except SealBroken:
        raise WrongCode from None
    with store.transaction():
        store.put(terminal=number, main_key=main_key, gate=client.url, stopped=None, work_key=None)
        ticking.set_by_gate(store, answer.server_time, ticking.hands())


def sign_in(store: Store, client: GateClient) -> Terms:
    """The terms and the key of the day; sets the clock. Raises GateRefused, GateDown, NotEnrolled."""
    main_key = _main_key(store)
    body = msgspec.json.encode({"software": software()})
    try:
        reply = signed(
            store, client, "POST", "/gate/v1/signin", body, key=terminal_keys.sign_in_key(main_key)
        )
    except GateRefused as refusal:
        if refusal.reason in GONE:
            note_stopped(store, refusal.reason)
        raise
    terms = answers.read(Terms, reply.body)
    with store.transaction():
        ticking.set_by_gate(store, terms.server_time, ticking.hands())
        store.put(
            terms=reply.body, stopped=None, work_key=_work_key(main_key, terms), work_until=terms.key_until
        )
        sequence.raise_to(store, terms.sequence_next)
        holding.confirm(store, terms.lists, terms.server_time)
    return terms


def ask(store: Store, client: GateClient, method: str, path: str, body: bytes = b"") -> Reply:
    """A request under the day's work key, signing in first where the day has changed.

    Raises GateDown, GateFault, GateRefused, NotEnrolled.
    """
    if store.get("work_key") is None or ticking.now(store, ticking.hands()) >= store.get("work_until"):
        sign_in(store, client)
    try:
        return signed(store, client, method, path, body, key=store.get("work_key"))
    except GateRefused as refusal:
        if refusal.reason is not Reason.WORK_KEY_EXPIRED:
            raise
    sign_in(store, client)
    return signed(store, client, method, path, body, key=store.get("work_key"))


def signed(store: Store, client: GateClient, method: str, path: str, body: bytes, *, key: bytes) -> Reply:
    """A signed request; a gate that finds our time off is believed, once, and asked again."""
    try:
        return _signed(store, client, method, path, body, key)
    except GateRefused as refusal:
        if refusal.reason is not Reason.REQUEST_TIME_OFF or refusal.server_time is None:
            raise
        with store.transaction():
            ticking.set_by_gate(store, refusal.server_time, ticking.hands())
    return _signed(store, client, method, path, body, key)


def _signed(store: Store, client: GateClient, method: str, path: str, body: bytes, key: bytes) -> Reply:
    at = ticking.now(store, ticking.hands())
    mac = terminal_keys.request_mac(key, time=at, method=method, path=path, body=body)
    who = {
        "Yikatong-Terminal": str(store.get("terminal")),
        "Yikatong-Time": str(at),
        "Yikatong-Mac": mac.hex(),
    }
    return checked(client.send(method, path, body, who))


def _main_key(store: Store) -> bytes:
    key = store.get("main_key")
    if key is None:
        raise NotEnrolled
    return bytes(key)


def _work_key(main_key: bytes, terms: Terms) -> bytes:
    try:
        return terminal_keys.open_work_key(
            main_key,
            answers.unpacked(terms.sealed_key),
            number=terms.terminal,
            day=date.fromisoformat(terms.day),
        )
    except (SealBroken, ValueError):
        raise GateFault from None


def heartbeat(store: Store, client: GateClient) -> Pulse:
    """Tell clock, queue and lists; learn the time and the newest versions."""
    machine = ticking.hands()
    lists = holding.held(store)
    body = {
        "clock": machine.wall,
        "offline_uses": offline.waiting(store),
        "trust_version": max((each.version for each in lists if each.kind == "trust"), default=0),
        "hot_versions": {str(each.scene): each.version for each in lists if each.kind == "hot"},
        "software": software(),
    }
    reply = ask(store, client, "POST", "/gate/v1/heartbeat", msgspec.json.encode(body))
    pulse = answers.read(Pulse, reply.body)
    with store.transaction():
        ticking.set_by_gate(store, pulse.server_time, machine)
        holding.confirm(store, pulse.lists, pulse.server_time)
    return pulse


def note_stopped(store: Store, reason: Reason) -> None:
    """A stopped terminal lets nobody pass offline either, until a sign-in succeeds."""
    store.put(stopped=reason.name.lower())


def software() -> str:
    try:
        return f"yikatong {version('yikatong')}"
    except PackageNotFoundError:
        return "yikatong"
