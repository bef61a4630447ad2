"""Liveness, readiness and metrics of the site."""

import os
import time
from collections.abc import Callable, Iterator

from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

REQUESTS = Counter("yikatong_site_requests_total", "Requests answered", ["method", "status"])
LOOPBACK = frozenset({"127.0.0.1", "::1"})
PROXIED = frozenset({"X-Forwarded-For", "Forwarded", "X-Real-Ip"})
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
FACES = frozenset({"m", "counter", "console", "board", "terminal", "staff", "admin", "static", "home"})
SECONDS = Histogram("yikatong_site_request_seconds", "Time to answer", ["face"])


def healthz(_: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(_: HttpRequest) -> HttpResponse:
    """The database answers too."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:  # noqa: BLE001 - any failure of the database means: not ready
        return JsonResponse({"status": "unavailable", "database": False}, status=503)
    return JsonResponse({"status": "ok", "database": True})


def metrics(request: HttpRequest) -> HttpResponse:
    """Figures of site and worker for Prometheus, to programs on this machine only: not to what a proxy passes on."""
    if request.META.get("REMOTE_ADDR") not in LOOPBACK or PROXIED & set(request.headers):
        raise Http404
    registry = CollectorRegistry()
    registry.register(Jobs())
    figures = generate_latest(registry) + generate_latest(_of_all_processes())
    return HttpResponse(figures, content_type=CONTENT_TYPE_LATEST)


def _of_all_processes() -> CollectorRegistry:
    """Several processes serve the site; each leaves its counts in the directory that `yikatong run` names."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


class Jobs(Collector):
    """The worker, seen through its tables: what waits, what failed, and when it last gave a sign."""

    def collect(self) -> Iterator[Metric]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT status::text, count(*), coalesce(extract(epoch FROM now() - min(scheduled_at)), 0) "
                "FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') GROUP BY status"
            )
            found = {status: (count, max(float(late), 0.0)) for status, count, late in cursor.fetchall()}
            cursor.execute(
                "SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers"
            )
            silent = cursor.fetchone()[0]
        jobs = GaugeMetricFamily("yikatong_worker_jobs", "Jobs by status", labels=["status"])
        for status in ("todo", "doing", "failed"):
            jobs.add_metric([status], found.get(status, (0, 0.0))[0])
        yield jobs
        yield GaugeMetricFamily(
            "yikatong_worker_late_seconds",
            "How long the oldest due job waits",
            found.get("todo", (0, 0.0))[1],
        )
        if silent is not None:
            yield GaugeMetricFamily(
                "yikatong_worker_silent_seconds", "Since the last heartbeat", float(silent)
            )


class Measure:
    """Middleware that counts answers by face, never by full path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        face = request.path.split("/", 2)[1] or "home"
        SECONDS.labels(face if face in FACES else "other").observe(time.perf_counter() - started)
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, response.status_code).inc()
        return response
