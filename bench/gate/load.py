"""Load from a process of its own: wrk where it is installed, else a small client on asyncio."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("wrk.lua")
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class Measured:
    """Answers with status 200 (others are counted apart), and milliseconds within which half and 99 % came."""

    answers: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return self.answers / self.seconds


def drive(port: int, file: Path, *, connections: int, seconds: int) -> Measured:
    if wrk := shutil.which("wrk"):
        return _wrk(wrk, port, file, connections, seconds)
    return drive_once(port, file, connections=connections, seconds=seconds)


def drive_once(port: int, file: Path, *, connections: int, seconds: int = 600) -> Measured:
    """Send what the file holds, at most for so long, and wait for the last answer."""
    command = [sys.executable, "-m", "bench.gate.load", str(port), str(file), str(connections), str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Measured(**json.loads(done.stdout))


def _wrk(wrk: str, port: int, file: Path, connections: int, seconds: int) -> Measured:
    command = [
        wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(_SCRIPT),
        f"http://127.0.0.1:{port}/", "--", str(file),
    ]  # fmt: skip
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    answers, took = re.search(r"(\d+) requests in ([\d.]+)s", out).groups()  # type: ignore[union-attr]
    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", out)))
    lost = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
    failed += sum(map(int, lost.groups())) if lost else 0
    p50, p99 = (_latency(out, share) for share in ("50%", "99%"))
    return Measured(int(answers) - failed, failed, float(took), p50, p99)


def _latency(out: str, share: str) -> float:
    number, unit = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", out).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


class _Connection(asyncio.Protocol):
    """One connection that sends the next request as soon as the answer to the last is complete."""

    def __init__(self, source: "_Source") -> None:
        self._source, self._read = source, b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = self._source.next()
        if request is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if found and len(body) >= int(length[1] if length else 0):
            self._source.answered(time.perf_counter() - self._sent_at, head[9:12] == b"200")
            self._read = b""
            self._next()


class _Source:
    def __init__(self, path: Path, seconds: float) -> None:
        data, self._requests, at = path.read_bytes(), [], 0
        while at < len(data):
            size = int(data[at : at + 8])
            self._requests.append(data[at + 8 : at + 8 + size])
            at += 8 + size
        self._requests.reverse()
        self._until = time.perf_counter() + seconds
        self.times: list[float] = []
        self.failed = 0

    def next(self) -> bytes | None:
        return self._requests.pop() if self._requests and time.perf_counter() < self._until else None

    def answered(self, took: float, is_good: bool) -> None:  # noqa: FBT001
        if is_good:
            self.times.append(took)
        else:
            self.failed += 1


async def _drive(port: int, path: Path, connections: int, seconds: float) -> Measured:
    source, started = _Source(path, seconds), time.perf_counter()
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Connection(source), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    took, times = time.perf_counter() - started, sorted(source.times)
    p50, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.99))
    return Measured(len(times), source.failed, took, p50, p99)


if __name__ == "__main__":
    port, path, connections, seconds = sys.argv[1:]
    found = asyncio.run(_drive(int(port), Path(path), int(connections), float(seconds)))
    print(json.dumps(found.__dict__))
