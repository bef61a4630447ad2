"""Liveness, readiness and metrics of the site."""

import time
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

REQUESTS = Counter("yikatong_site_requests_total", "Requests answered", ["method", "status"])
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


def metrics(_: HttpRequest) -> HttpResponse:
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


class Measure:
    """Middleware that counts answers by face, never by full path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        face = request.path.split("/", 2)[1] or "home"
        known = face in {"m", "counter", "console", "board", "terminal", "staff", "admin", "static", "home"}
        SECONDS.labels(face if known else "other").observe(time.perf_counter() - started)
        REQUESTS.labels(request.method, response.status_code).inc()
        return response
