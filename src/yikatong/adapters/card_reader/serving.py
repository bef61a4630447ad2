"""The reader agent's web server, for pages of one's own platform on this very machine, and for nobody else.

It listens on the loopback only; asks for the page's origin (allow-list), for our own name in Host (a foreign name
that was pointed here is refused), and for the pairing code. Nothing of a card is logged or kept.

    POST /v1/state   → {"card": true}
    POST /v1/begin   → {"reading", "request"}       iReadCardBas_HSM_Step1
    POST /v1/finish  {"reading", "answer"} → {"social_security_number", "name", "card_number"}
    POST /v1/write-begin   {"wanted"} → {"reading", "card", "request"}            iWriteCard_HSM_Step1
    POST /v1/write-finish  {"reading", "answer", "data"} → {}
    POST /v1/pin-begin     → {"reading", "card", "request"}                       iReloadPIN, iUnblockPIN Step1
    POST /v1/pin-next      {"reading", "answer", "pin", "again"} → {"request"}    without a PIN it is unblocked
    POST /v1/pin-finish    {"reading", "answer"} → {}
"""

import json
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

from yikatong.adapters.card_reader.agent import Agent
from yikatong.adapters.card_reader.pairing import Pairing
from yikatong.core.errors import DomainError, Forbidden, Invalid, NotFound

HOST: Final = "127.0.0.1"
BODY_MOST: Final = 1024
TOGETHER_MOST: Final = 8
_PATIENCE_S: Final = 10.0
_BEARER: Final = "Bearer "


class NotPaired(DomainError):
    code: ClassVar[str] = "reader_not_paired"
    status: ClassVar[int] = 401
    message = "本浏览器尚未与读卡程序配对，请输入配对码。"


class TooManyTries(DomainError):
    code: ClassVar[str] = "reader_too_many_tries"
    status: ClassVar[int] = 429


class Server(ThreadingHTTPServer):
    """Bounded: more than eight requests at once are hung up on."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, agent: Agent, pairing: Pairing, *, origins: frozenset[str], port: int) -> None:
        self.agent, self.pairing, self.origins = agent, pairing, origins
        self._places = threading.BoundedSemaphore(TOGETHER_MOST)
        super().__init__((HOST, port), _Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A page that went away in the middle is no event; what else it was is told by its kind."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            sys.stderr.write(f"读卡程序出错：{type(error).__name__}\n")


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "yikatong-reader", ""
    timeout = _PATIENCE_S
    error_content_type = "application/json"  # what the library itself refuses, e.g. other methods
    error_message_format = '{"title": "%(message)s", "status": %(code)d}'

    def do_OPTIONS(self) -> None:
        """The browser asks first. Pages of a public address also ask whether they may speak with this machine."""
        if not self._is_welcome():
            self._answer(Forbidden.status, Forbidden("本机读卡程序不接受此网站的请求。").problem())
            return
        self._answer(HTTPStatus.NO_CONTENT, None)

    def do_POST(self) -> None:
        body = self._body()
        try:
            status, told = HTTPStatus.OK, self._done(body)
        except DomainError as refusal:
            status, told = HTTPStatus(refusal.status), refusal.problem()
        self._answer(status, told)

    def _done(self, body: bytes | None) -> dict[str, Any]:
        if not self._is_welcome():
            raise Forbidden("本机读卡程序不接受此网站的请求。")
        if body is None:
            raise Invalid("请求过长或不完整。")
        found = _ENDPOINTS.get(self.path)
        if found is None:
            raise NotFound
        self._check_pairing()
        return found(self.server.agent, _read(body))

    def _is_welcome(self) -> bool:
        ours = {f"{HOST}:{self.server.port}", f"localhost:{self.server.port}"}
        return self.headers.get("Host") in ours and self.headers.get("Origin") in self.server.origins

    def _check_pairing(self) -> None:
        said = self.headers.get("Authorization", "")
        if wait := self.server.pairing.wait_s():
            raise TooManyTries(f"配对码错误次数过多，请 {wait} 秒后再试。", retry_after_s=wait)
        if not said.startswith(_BEARER):
            raise NotPaired
        if not self.server.pairing.is_known(said.removeprefix(_BEARER)):
            raise NotPaired("配对码不正确，请核对读卡程序窗口显示的配对码。")

    def _body(self) -> bytes | None:
        """None when it is too long, or of unknown length."""
        announced = self.headers.get("Content-Length", "0")
        if not announced.isdecimal() or int(announced) > BODY_MOST or "Transfer-Encoding" in self.headers:
            return None
        return self.rfile.read(int(announced))

    def _answer(self, status: int, told: dict[str, Any] | None) -> None:
        content = b"" if told is None else json.dumps(told, ensure_ascii=False).encode()
        self.send_response(status)
        for name, value in (
            *self._cors(),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        if told is not None:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")  # an idle page shall hold no place
        self.end_headers()
        self.wfile.write(content)

    def _cors(self) -> list[tuple[str, str]]:
        if not self._is_welcome():
            return [("Vary", "Origin")]
        headers = [
            ("Access-Control-Allow-Origin", self.headers["Origin"]),
            ("Access-Control-Allow-Methods", "POST"),
            ("Access-Control-Allow-Headers", "authorization, content-type"),
            ("Access-Control-Max-Age", "600"),
            ("Vary", "Origin"),
        ]
        if self.headers.get("Access-Control-Request-Private-Network") == "true":
            headers.append(("Access-Control-Allow-Private-Network", "true"))
        return headers

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing: addresses and times of readings would say who was served when."""


def _read(body: bytes) -> dict[str, str]:
    try:
        told = json.loads(body or b"{}")
    except ValueError:
        raise Invalid("请求不是 JSON。") from None
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise Invalid("请求格式不正确。")
    return told


def _state(agent: Agent, _: dict[str, str]) -> dict[str, Any]:
    return {"card": agent.has_card()}


def _begin(agent: Agent, _: dict[str, str]) -> dict[str, Any]:
    key, request = agent.begin()
    return {"reading": key, "request": request}


def _finish(agent: Agent, told: dict[str, str]) -> dict[str, Any]:
    basics = agent.finish(told.get("reading", ""), told.get("answer", ""))
    return {  # what the page needs, and no more
        "social_security_number": basics.social_security_number,
        "name": basics.name,
        "card_number": basics.card_number,
    }


def _begin_write(agent: Agent, told: dict[str, str]) -> dict[str, Any]:
    return dict(zip(_ASKED, agent.begin_write(told.get("wanted", "")), strict=True))


def _finish_write(agent: Agent, told: dict[str, str]) -> dict[str, Any]:
    agent.finish_write(told.get("reading", ""), told.get("answer", ""), told.get("data", ""))
    return {}


def _begin_pin(agent: Agent, _: dict[str, str]) -> dict[str, Any]:
    return dict(zip(_ASKED, agent.begin_pin(), strict=True))


def _next_pin(agent: Agent, told: dict[str, str]) -> dict[str, Any]:
    key, answer, new, again = (told.get(name, "") for name in ("reading", "answer", "pin", "again"))
    return {"request": agent.next_pin(key, answer, new, again, keeps="pin" not in told)}


def _finish_pin(agent: Agent, told: dict[str, str]) -> dict[str, Any]:
    agent.finish_pin(told.get("reading", ""), told.get("answer", ""))
    return {}


_ASKED: Final = ("reading", "card", "request")
_ENDPOINTS: Final[dict[str, Callable[[Agent, dict[str, str]], dict[str, Any]]]] = {
    "/v1/state": _state,
    "/v1/begin": _begin,
    "/v1/finish": _finish,
    "/v1/write-begin": _begin_write,
    "/v1/write-finish": _finish_write,
    "/v1/pin-begin": _begin_pin,
    "/v1/pin-next": _next_pin,
    "/v1/pin-finish": _finish_pin,
}
