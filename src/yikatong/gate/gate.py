"""The gate without its web server: `handle` takes a request and gives an answer, whatever carries them."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
import psycopg

from yikatong.core.errors import DomainError
from yikatong.gate import answer, card_auth, desk, enrol, logs, sequence, uses
from yikatong.gate.arrays import EPOCH_UNIX
from yikatong.gate.authenticate import TERMINAL, Request, terminal_of
from yikatong.gate.batcher import LANES, Batcher, Unavailable
from yikatong.gate.examine import digest, examine, shown_day
from yikatong.gate.keys import Keys
from yikatong.gate.lane import Lane
from yikatong.gate.limits import BODY_MOST, USES_BODY_MOST, Buckets
from yikatong.gate.lists import Lists
from yikatong.gate.messages import (
    JSON,
    MSGPACK,
    CardAuthIn,
    EnrolIn,
    HeartbeatIn,
    Reader,
    SignInIn,
    UseOut,
    UsesIn,
    UsesOut,
    VerifyIn,
    encode,
)
from yikatong.gate.metrics import Metrics
from yikatong.gate.record import record
from yikatong.gate.refusal import Refusal, other_problem
from yikatong.gate.row import Failed, Fate, Row
from yikatong.gate.terminals import Terminal, Terminals
from yikatong.using.codes.reasons import Reason

PROBLEM = "application/problem+json"
ROOT = "/gate/v1/"

_read_verify, _read_uses, _read_enrol = Reader(VerifyIn), Reader(UsesIn), Reader(EnrolIn)
_read_card_auth = Reader(CardAuthIn)
_read_sign_in, _read_heartbeat = Reader(SignInIn), Reader(HeartbeatIn)


class Response(NamedTuple):
    """`headers`: besides the content type."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


Endpoint = Callable[[Request, int], Awaitable[Any]]


class Gate:
    """All state of one gate process. `open` before the first request, `close` after the last."""

    def __init__(self, dsn: str, *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._desk = Lane(dsn)
        self._bulk_lanes = [Lane(dsn) for _ in range(LANES)]
        self._bulk = itertools.cycle(self._bulk_lanes)
        self._lanes = [Lane(dsn) for _ in range(LANES)]
        self.terminals = Terminals(self._desk)
        self.keys = Keys(self._desk)
        self.lists = Lists(self._desk, self.keys)
        self.batcher = Batcher(self._lanes)
        self.metrics = Metrics(lambda: self.batcher.waiting)
        self._by_terminal = Buckets(rate=50, burst=200)
        self._by_peer = Buckets(rate=1, burst=30)
        self._failures = Buckets(rate=1, burst=60)
        self._refreshers: list[asyncio.Task[None]] = []
        self._endpoints: dict[tuple[str, str], Endpoint] = {
            ("POST", "verify"): self._verify,
            ("POST", "uses"): self._uses,
            ("POST", "signin"): self._sign_in,
            ("POST", "heartbeat"): self._heartbeat,
            ("POST", "enrol"): self._enrol,
            ("POST", "card-auth"): self._card_auth,
        }

    async def open(self) -> None:
        """Read keys, start the lanes. A database that is away is no reason not to start: /readyz tells."""
        with suppress(psycopg.Error):
            await self.keys.refresh()
            await asyncio.gather(
                *(record(lane, []) for lane in self._lanes)
            )  # the first use finds it planned
        self.batcher.start()
        self._refreshers = [
            asyncio.create_task(renewing)
            for renewing in (self.keys.keep_fresh(), self.terminals.keep_fresh())
        ]

    async def close(self) -> None:
        """Finish the uses that wait, then let go of the database."""
        await self.batcher.close()
        for refresher in self._refreshers:
            refresher.cancel()
        for lane in (*self._lanes, *self._bulk_lanes, self._desk):
            await lane.close()

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, peer: str = ""
    ) -> Response:
        """Answer one request. `path` with its query; header names in lower case; never raises."""
        started = time.perf_counter()
        request = Request(method, path, headers, body, peer)
        endpoint = _endpoint_name(path)
        try:
            response = await self._route(request, endpoint)
        except Refusal as refusal:
            response = self.refused(refusal, endpoint, request)
        except DomainError as refusal:  # of a card, by its national number; or the key device is away
            logs.event("refused", endpoint=endpoint, reason=refusal.code)
            response = _problem(refusal.problem())
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            response = self.refused(Refusal(Reason.REQUEST_MALFORMED, detail=str(error)), endpoint, request)
        except (Unavailable, psycopg.Error, OSError) as error:
            logs.failure("unavailable", error, endpoint=endpoint)
            response = _problem(other_problem(503, "unavailable", "平台暂时不可用，请稍后用同一流水号重发"))
        except Exception as error:  # noqa: BLE001 - a fault of ours is said as such, and logged
            logs.failure("fault", error, endpoint=endpoint)
            response = _problem(other_problem(500, "fault", "平台内部错误，请稍后用同一流水号重发"))
        self.metrics.answered(endpoint, response.status, time.perf_counter() - started)
        return response

    async def _route(self, request: Request, endpoint: str) -> Response:
        found = self._endpoints.get((request.method, endpoint))
        if found is not None:
            if len(request.body) > body_most(request.path):
                raise Refusal(Reason.TOO_LARGE, bytes_most=body_most(request.path))
            content_type, body = encode(
                await found(request, int(self.clock())), as_msgpack=_is_msgpack(request)
            )
            return Response(200, content_type, body)
        if endpoint == "lists" and request.method == "GET":
            return await self._serve_list(request)
        if endpoint in {"healthz", "readyz", "metrics"} and request.method == "GET":
            return await self._state(endpoint)
        known = endpoint != "unknown"
        return _problem(
            other_problem(405, "method_not_allowed", "不支持这种请求方法")
            if known
            else other_problem(404, "not_found", "没有这个地址")
        )

    # --- uses ---

    async def _verify(self, request: Request, now: int) -> UseOut:
        terminal = await self._terminal(request, now)
        message = _read_verify(request.body, as_msgpack=_is_msgpack(request))
        row = self._row(terminal, message, now)
        fate = await self.batcher.submit(row)
        _check(fate, row)
        found = answer.answer(row, fate)
        self.metrics.uses["online", found.name] += not found.repeated
        return found

    def _row(self, terminal: Terminal, message: VerifyIn, now: int) -> Row:
        day = sequence.day_of(message.sequence)
        if day is None or not sequence.bounds(day)[0] - 120 <= now < sequence.bounds(day)[1]:
            raise Refusal(Reason.REQUEST_MALFORMED, detail="sequence", server_time=now)
        if message.scene is not None and message.scene not in terminal.scenes:
            raise Refusal(Reason.TERMINAL_WRONG_SCENE, scenes=sorted(terminal.scenes))
        scenes = terminal.scenes if message.scene is None else frozenset({message.scene})
        finding, content = examine(message.code, self.keys.keysets, scenes=scenes, now=now)
        return Row(
            terminal.number,
            terminal.key_generation,
            message.sequence,
            sequence.day_index(message.sequence // sequence.FACTOR),
            int(self.clock() * 1_000_000) - EPOCH_UNIX * 1_000_000,
            finding.method,
            finding.scene or message.scene or 0,
            finding.outcome,
            finding.device,
            finding.generation,
            message.amount_fen,
            finding.concession,
            digest(content, message.amount_fen),
            finding.reference,
            finding.made_at,
            finding.counter,
            shown_day(finding.made_at),
        )

    async def _uses(self, request: Request, now: int) -> UsesOut:
        terminal = await self._terminal(request, now)
        message = _read_uses(request.body, as_msgpack=_is_msgpack(request))
        found = await uses.hand_in(
            terminal,
            message.uses,
            keysets=self.keys.keysets,
            lists=self.lists,
            lane=next(self._bulk),
            now=now,
        )
        for use in found:
            self.metrics.uses["offline", use.name] += not use.repeated
        return UsesOut(found)

    # --- everything else ---

    async def _sign_in(self, request: Request, now: int) -> Any:
        self._by_peer.take(request.peer)
        terminal = await self._terminal(request, now, signs_in=True)
        message = _read_sign_in(request.body or b"{}", as_msgpack=_is_msgpack(request))
        out = await desk.sign_in(
            terminal, message, lane=self._desk, keys=self.keys, lists=self.lists, at=_instant(now)
        )
        logs.event("signed_in", terminal=terminal.number)
        return out

    async def _heartbeat(self, request: Request, now: int) -> Any:
        terminal = await self._terminal(request, now)
        message = _read_heartbeat(request.body, as_msgpack=_is_msgpack(request))
        return await desk.heartbeat(terminal, message, lane=self._desk, keys=self.keys, at=_instant(now))

    async def _enrol(self, request: Request, now: int) -> Any:
        self._by_peer.take(request.peer)
        message = _read_enrol(request.body, as_msgpack=_is_msgpack(request))
        out = await enrol.enrol(message, lane=self._desk, at=_instant(now))
        logs.event("enrolled", terminal=message.terminal)
        return out

    async def _card_auth(self, request: Request, now: int) -> Any:
        terminal = await self._terminal(request, now)
        message = _read_card_auth(request.body, as_msgpack=_is_msgpack(request))
        return await card_auth.answer(terminal, message, lane=self._desk, at=_instant(now))

    async def _serve_list(self, request: Request) -> Response:
        terminal = await self._terminal(request, int(self.clock()))
        kind, scene, since = _list_asked(request.path)
        if kind == "hot" and scene not in terminal.scenes:
            raise Refusal(Reason.TERMINAL_WRONG_SCENE, scenes=sorted(terminal.scenes))
        version = self.lists.newest(kind, scene)
        if not version:
            return _problem(other_problem(404, "no_list", "名单尚未发布"))
        etag = f'"{kind}-{scene}-{version}"'
        headers = (("etag", etag), ("cache-control", "private, no-cache"))
        if since == version or request.headers.get("if-none-match") == etag:
            return Response(304, JSON, b"", headers)
        return Response(200, JSON, await self.lists.serve(kind, scene, since), headers)

    async def _state(self, endpoint: str) -> Response:
        if endpoint == "metrics":
            return Response(200, "text/plain; version=0.0.4; charset=utf-8", self.metrics.exposition())
        if endpoint == "healthz":
            return Response(200, JSON, b'{"status":"ok"}')
        try:
            await asyncio.wait_for(self._desk.fetch("SELECT 1"), timeout=2)
        except (psycopg.Error, OSError, TimeoutError):
            return Response(503, JSON, b'{"status":"unavailable","database":false}')
        ready = bool(self.keys.keysets)
        body = msgspec.json.encode(
            {"status": "ok" if ready else "unavailable", "database": True, "keys": ready}
        )
        return Response(200 if ready else 503, JSON, body)

    async def _terminal(self, request: Request, now: int, *, signs_in: bool = False) -> Terminal:
        """The terminal asking. Addresses that fail often have to wait, terminals that ask too often as well."""
        self._failures.check(request.peer)
        try:
            terminal = await terminal_of(request, self.terminals, now=now, signs_in=signs_in)
        except Refusal as refusal:
            if refusal.reason in {Reason.REQUEST_BAD_MAC, Reason.TERMINAL_UNKNOWN}:
                self._failures.spend(request.peer)
            raise
        self._by_terminal.take(terminal.number)
        return terminal

    def refused(self, refusal: Refusal, endpoint: str, request: Request | None = None) -> Response:
        """Count and log a refusal, and put it into words."""
        name = refusal.reason.name.lower()
        self.metrics.refusals[name] += 1
        terminal = request.headers.get(TERMINAL, "")[:12] if request else ""
        logs.event("refused", endpoint=endpoint, reason=name, terminal=terminal)
        wait = refusal.facts.get("retry_after_s")
        return _problem(refusal.problem(), (("retry-after", str(wait)),) if wait else ())


def body_most(path: str) -> int:
    """The largest body an address takes, bytes."""
    return USES_BODY_MOST if path.startswith(f"{ROOT}uses") else BODY_MOST


def too_large(gate: Gate, path: str, most: int) -> Response:
    """The refusal of a body that is not read to its end."""
    refusal = Refusal(Reason.TOO_LARGE, bytes_most=most)
    return gate.refused(refusal, _endpoint_name(path))


def _check(fate: Fate, row: Row) -> None:
    """Turn a use that was not recorded into the request's refusal."""
    if isinstance(fate, Failed):
        if fate.reused:
            raise Refusal(Reason.SEQUENCE_REUSED, sequence=row.sequence)
        raise Unavailable
    if fate.refusal:
        raise Refusal(answer.REASONS[fate.refusal])


def _endpoint_name(path: str) -> str:
    plain = path.split("?", 1)[0]
    if plain in {"/healthz", "/readyz", "/metrics"}:
        return plain[1:]
    if not plain.startswith(ROOT):
        return "unknown"
    name = plain[len(ROOT) :]
    if name in {"lists/trust", "lists/hot"}:
        return "lists"
    return name if name in {"verify", "uses", "signin", "heartbeat", "enrol", "card-auth"} else "unknown"


def _list_asked(path: str) -> tuple[str, int, int]:
    plain, _, query = path.partition("?")
    asked = dict(parse_qsl(query))
    kind = plain.rsplit("/", 1)[1]
    try:
        scene, since = int(asked.get("scene", "0")), int(asked.get("since", "0"))
    except ValueError:
        raise Refusal(Reason.REQUEST_MALFORMED, detail="scene, since") from None
    if since < 0 or (kind == "hot") != (scene > 0):
        raise Refusal(Reason.REQUEST_MALFORMED, detail="scene, since")
    return kind, scene, since


def _is_msgpack(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith(MSGPACK)


def _problem(problem: dict[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(problem["status"], PROBLEM, msgspec.json.encode(problem), headers)


def _instant(now: int) -> datetime:
    return datetime.fromtimestamp(now, UTC)
