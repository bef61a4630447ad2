"""The gate behind its real web server: bodies, origins, and whole requests over a socket."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
import pytest

from tests.gate.conftest import dsn_of_tests
from tests.gate.world import World
from yikatong.core import env
from yikatong.using.usage.models import Use

ORIGIN = "https://card.example.cn"


@pytest.fixture(scope="module")
def port(world: World) -> Iterator[int]:
    """A gate of its own process, on the same database as the world's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", "rsgi", "yikatong.gate.app:app", "--host", "127.0.0.1",
        "--port", str(number), "--no-ws", "--log-level", "error", "--loop", "uvloop",
    ]  # fmt: skip
    environment = {
        **os.environ, "DATABASE_URL": dsn_of_tests(), "YIKATONG_PUBLIC_SITE_URL": ORIGIN,
        "YIKATONG_MASTER_KEY_FILE": str(env.load().master_key_path), "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait(number)
        yield number
    finally:
        process.terminate()
        assert process.wait(20) == 0


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if call(port, "GET", "/readyz")[0] == 200:
                return
        except OSError:
            assert time.monotonic() < deadline, "the gate did not start"
        threading.Event().wait(0.05)


def call(port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        connection.request(method, path, body or None, headers or {})
        response = connection.getresponse()
        return response.status, response.read(), {key.lower(): value for key, value in response.getheaders()}
    finally:
        connection.close()


def raw(port: int, request: bytes) -> bytes:
    """What comes back for bytes as they are, until the head of an answer is there."""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        connection.sendall(request)
        found = b""
        while b"\r\n\r\n" not in found and (part := connection.recv(65_536)):
            found += part
        return found


@pytest.fixture
def at_now(world: World) -> Iterator[World]:
    """The gate's process looks at the real clock."""
    before, world.now = world.now, int(time.time())
    yield world
    world.now = before


@pytest.mark.clause("B8")
def test_a_code_passes_over_http(at_now: World, port: int) -> None:
    desk, rider = at_now.terminal(), at_now.rider()
    body = msgspec.json.encode(
        {"sequence": desk.sequence(), "code": rider.code(at=at_now.now), "amount_fen": 200}
    )
    headers = desk.headers("POST", "/gate/v1/verify", body)
    status, content, found = call(port, "POST", "/gate/v1/verify", body, headers)
    assert (status, found["content-type"], json.loads(content)["accepted"]) == (200, "application/json", True)
    again = json.loads(call(port, "POST", "/gate/v1/verify", body, headers)[1])
    assert (again["accepted"], again["repeated"]) == (True, True)
    assert Use.objects.filter(terminal=desk.row.number).count() == 1


def test_a_batch_over_http_in_messagepack(at_now: World, port: int) -> None:
    desk, rider = at_now.terminal(), at_now.rider()
    at = at_now.now - 5
    use = desk.offline(rider.present(at=at), at=at)
    body = msgspec.msgpack.encode({"uses": [use]})
    headers = desk.headers("POST", "/gate/v1/uses", body) | {"content-type": "application/msgpack"}
    status, content, found = call(port, "POST", "/gate/v1/uses", body, headers)
    assert (status, found["content-type"]) == (200, "application/msgpack")
    assert msgspec.msgpack.decode(content)["uses"][0]["accepted"]


def test_the_query_is_part_of_what_is_signed(at_now: World, port: int) -> None:
    desk = at_now.terminal()
    headers = desk.headers("GET", "/gate/v1/lists/hot?scene=3", b"")
    assert call(port, "GET", "/gate/v1/lists/hot?scene=3", headers=headers)[0] == 404  # none published here
    assert call(port, "GET", "/gate/v1/lists/hot?scene=4", headers=headers)[0] == 401


@pytest.mark.clause("Q2")
@pytest.mark.parametrize("path", ["verify", "uses", "enrol", "signin", "heartbeat"])
def test_two_gigabytes_are_refused_before_they_are_read(port: int, path: str) -> None:
    head = f"POST /gate/v1/{path} HTTP/1.1\r\nHost: gate\r\nContent-Length: 2147483648\r\n\r\n"
    found = raw(port, head.encode())
    assert found.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"too_large"' in found


def test_a_body_without_a_length_is_cut_when_it_is_too_long(port: int) -> None:
    head = b"POST /gate/v1/verify HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    assert raw(port, head + chunk + chunk).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("length", ["-1", "x", "1e9", "99999999999999999999999"])
def test_a_length_that_is_none(port: int, length: str) -> None:
    found = raw(
        port, f"POST /gate/v1/verify HTTP/1.1\r\nHost: gate\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    assert found[9:12] in {b"400", b"413"}


def test_the_page_of_our_own_site_may_ask(port: int) -> None:
    asks = {"origin": ORIGIN, "access-control-request-method": "POST"}
    status, _, headers = call(port, "OPTIONS", "/gate/v1/verify", headers=asks)
    assert (status, headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert "yikatong-mac" in headers["access-control-allow-headers"]
    status, _, headers = call(port, "POST", "/gate/v1/verify", b"{}", {"origin": ORIGIN})
    assert (status, headers["access-control-allow-origin"]) == (422, ORIGIN)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://card.example.cn.evil.example"])
def test_no_other_page_may(port: int, origin: str) -> None:
    headers = call(port, "OPTIONS", "/gate/v1/verify", headers={"origin": origin})[2]
    assert not [name for name in headers if name.startswith("access-control")]


def test_counts_are_for_those_inside(port: int) -> None:
    assert b"yikatong_gate_requests_total" in call(port, "GET", "/metrics")[1]
    assert call(port, "GET", "/metrics", headers={"x-forwarded-for": "192.0.2.1"})[0] == 404


def test_the_proxys_word_on_the_asker_is_taken(port: int) -> None:
    """Addresses that fail often wait each for itself, though all come through one proxy."""
    bad = {"yikatong-terminal": "1", "yikatong-time": str(int(time.time())), "yikatong-mac": "00" * 32}
    statuses = [
        call(port, "POST", "/gate/v1/heartbeat", b"{}", bad | {"x-real-ip": "192.0.2.7"})[0]
        for _ in range(80)
    ]
    assert (statuses[0], statuses[-1]) == (401, 429)
    assert call(port, "POST", "/gate/v1/heartbeat", b"{}", bad | {"x-real-ip": "192.0.2.8"})[0] == 401


def test_it_stays_up_for_whatever_comes(port: int) -> None:
    for request in (
        b"\x00\xff\x00\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /gate/v1/verify HTTP/1.1\r\nHost: a\r\n\r\n",
    ):
        raw(port, request)
    assert call(port, "GET", "/healthz")[0] == 200
    with psycopg.connect(dsn_of_tests()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
