"""POST /api/v1/outlets/<number>/queue: a queue machine reports how many wait.

Body: JSON {"waiting": 0…999, "windows": 0…99 or null}. Headers as of `core.http_mac`: Yikatong-Time (unix seconds)
and Yikatong-Mac (hex) under the outlet's key. Answers: 200 with what is kept; 401 for a machine not known, 409 for a
report older than the last, 422 for numbers out of bounds.
"""

import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from yikatong.core import http_mac
from yikatong.core.clock import now
from yikatong.registry.outlets import actions, rules
from yikatong.registry.outlets.models import QueueMachine

_BODY_MOST: Final = 1_000


@csrf_exempt
@require_POST
def queue(request: HttpRequest, number: str) -> HttpResponse:
    machine, measured_at = _known(request, number)
    given = _read(request.body)
    kept = actions.machine_report(
        machine.outlet, waiting=given["waiting"], windows=given.get("windows"), measured_at=measured_at
    )
    told = {"waiting": kept.waiting, "windows": kept.windows, "at": kept.at.isoformat()}
    return JsonResponse(told)


def _known(request: HttpRequest, number: str) -> tuple[QueueMachine, datetime]:
    """The machine that has signed this, and when; raises MachineUnknown."""
    time = request.headers.get(http_mac.TIME, "")
    found = QueueMachine.objects.select_related("outlet").filter(
        outlet__number=number, is_stopped=False, outlet__is_open=True
    )
    machine = found.first()
    if machine is None or not (time.isascii() and time.isdigit() and len(time) <= 12):
        raise rules.MachineUnknown
    if abs(now().timestamp() - int(time)) > http_mac.TOLERANCE_S or len(request.body) > _BODY_MOST:
        raise rules.MachineUnknown
    expected = http_mac.of_request(
        actions.machine_key(machine),
        time=int(time), method="POST", path=request.get_full_path(), body=request.body,
    )  # fmt: skip
    if not hmac.compare_digest(expected.hex(), request.headers.get(http_mac.MAC, "").lower()):
        raise rules.MachineUnknown
    return machine, datetime.fromtimestamp(int(time), UTC)


def _read(body: bytes) -> dict[str, Any]:
    """Raises BadQueue for anything but the two numbers."""
    try:
        given = json.loads(body)
    except ValueError:
        raise rules.BadQueue from None
    if not isinstance(given, dict) or not set(given) <= {"waiting", "windows"}:
        raise rules.BadQueue
    windows = given.get("windows")
    if type(given.get("waiting")) is not int or (windows is not None and type(windows) is not int):
        raise rules.BadQueue
    return given
