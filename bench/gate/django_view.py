"""The plain Django view doing the gate's work: same MAC, same check of the code, same SQL, one row at a time.

Run under granian's WSGI with threads and persistent connections, which is as quick as Django gets.
"""

import os
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yikatong.site.settings")

import django

django.setup()

from datetime import UTC, datetime  # noqa: E402

import msgspec  # noqa: E402
import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

from yikatong.gate import answer, arrays, authenticate, sequence  # noqa: E402
from yikatong.gate.arrays import EPOCH_UNIX  # noqa: E402
from yikatong.gate.examine import digest, examine, shown_day  # noqa: E402
from yikatong.gate.messages import Reader, VerifyIn  # noqa: E402
from yikatong.gate.record import online_parameters  # noqa: E402
from yikatong.gate.row import Decision, Row  # noqa: E402
from yikatong.gate.statement import ONLINE  # noqa: E402
from yikatong.using.codes import keysets  # noqa: E402
from yikatong.using.codes.keyset import Keyset  # noqa: E402
from yikatong.using.codes.models import IssuerKey  # noqa: E402

_read = Reader(VerifyIn)
_SCENES = frozenset({3})
_keys: dict[tuple[int, int], Keyset] = {}


def verify(request: HttpRequest) -> JsonResponse:
    now = int(time.time())
    headers = {name: request.headers[name] for name in ("yikatong-terminal", "yikatong-time", "yikatong-mac")}
    asked = authenticate.Request("POST", request.path, headers, request.body)
    claim = authenticate.signed(asked, now=now)
    if not authenticate.is_mac_of(claim.terminal, 1, claim, asked):
        return JsonResponse({}, status=401)
    message = _read(request.body, as_msgpack=False)
    row = _row(claim.terminal, message, now)
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:  # Django's own binds in the client, which is slower
        arrays.register(cursor)
        cursor.execute(
            ONLINE.encode(), online_parameters([row], datetime.now(UTC)), prepare=True, binary=True
        )
        [found] = cursor.fetchall()
    return JsonResponse(msgspec.to_builtins(answer.answer(row, Decision(*found))))


def _row(terminal: int, message: VerifyIn, now: int) -> Row:
    if not _keys:
        _keys.update({(key.issuer, key.key_id): keysets.unwrap(key) for key in IssuerKey.objects.all()})
    found, content = examine(message.code, _keys, scenes=_SCENES, now=now)
    return Row(
        terminal, 1, message.sequence, sequence.day_index(message.sequence // sequence.FACTOR),
        int((time.time() - EPOCH_UNIX) * 1_000_000), found.method, found.scene, found.outcome, found.device,
        found.generation, message.amount_fen, found.concession, digest(content, message.amount_fen),
        found.reference, found.made_at, found.counter, shown_day(found.made_at),
    )  # fmt: skip


urlpatterns = [path("gate/v1/verify", verify)]
settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware"
]  # none of the house's own: it would be unfair
app: Any = WSGIHandler()
