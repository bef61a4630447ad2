"""A terminal at work: codes come line by line from a scanner; between them it keeps itself up to date."""

import os
import select
import time
from collections.abc import Callable, Iterator

from yikatong.terminal import fetching, offline, online, session, upload
from yikatong.terminal.errors import TerminalError
from yikatong.terminal.gate_client import GateClient
from yikatong.terminal.store import Store
from yikatong.terminal.terms import terms_of
from yikatong.terminal.verdict import Verdict

_LINE_MOST = 4096


def serve(
    store: Store, client: GateClient | None, source: int, *, amount_fen: int, scene: int | None
) -> Iterator[Verdict | TerminalError]:
    """A verdict for every line of the descriptor `source` until it ends; a fault is told and work goes on."""
    every = terms_of(store).heartbeat_s
    chores = Chores(store, client, every)
    for line in lines(source, chores.wait_s):
        if line:
            try:
                yield online.verify(store, client, line, amount_fen=amount_fen, scene=scene)
            except TerminalError as error:
                yield error
        else:
            chores.run()


class Chores:
    """Heartbeat, lists and upload, when the time has come and nobody waits. A gate that is down is no fault."""

    def __init__(self, store: Store, client: GateClient | None, every_s: int) -> None:
        self._store, self._client, self._every_s = store, client, max(1, every_s)
        self._due = time.monotonic()

    def wait_s(self) -> float:
        return max(0.0, self._due - time.monotonic())

    def run(self) -> None:
        self._due = time.monotonic() + self._every_s
        if self._client is None:
            return
        try:
            if self._store.get("stopped"):
                session.sign_in(self._store, self._client)  # it may have been set working again
            pulse = session.heartbeat(self._store, self._client)
            if fetching.is_behind(self._store, pulse.lists.trust, pulse.lists.hot):
                fetching.update(self._store, self._client)
                session.heartbeat(
                    self._store, self._client
                )  # told at once: a loss is to be known to have arrived
            if offline.waiting(self._store):
                upload.upload(self._store, self._client)
        except TerminalError:
            return  # tried again at the next beat; `status` and the gate's own watch tell of it


def lines(source: int, wait_s: Callable[[], float]) -> Iterator[str]:
    """Lines as they come, "" whenever `wait_s()` seconds passed without one. A line too long is cut short."""
    rest = b""
    while True:
        ready, _, _ = select.select([source], [], [], wait_s())
        if not ready:
            yield ""
            continue
        piece = os.read(source, 65_536)
        *whole, rest = (rest + piece).split(b"\n")
        yield from filter(None, map(_text, whole))
        rest = rest[: _LINE_MOST + 1]
        if not piece:
            if last := _text(rest):
                yield last
            return


def _text(line: bytes) -> str:
    return line[:_LINE_MOST].decode("utf-8", "replace").strip("\r\n")
