"""What departments are told: written in the transaction of the act, sent by a job after it.

A department that is away delays a request and loses none; nobody at a counter waits for it.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from procrastinate.contrib.django import app as jobs

from yikatong.core import looks
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.registry.joint import plans
from yikatong.registry.joint.connector import Wanted
from yikatong.registry.joint.models import JointAct, JointItem, JointRequest
from yikatong.registry.joint.rules import retry_after

Sent = JointRequest.Status
OPEN: Final = (Sent.WAITING, Sent.UNKNOWN)
SEND: Final = "joint.send"
QUEUE: Final = "departments"
#: How long a call may take until another worker may think its caller dead.
LEASE: Final = timedelta(seconds=60)


@transaction.atomic
def tell(
    item: JointItem, act: JointAct, content: Mapping[str, Any], *, by: Actor, at: datetime
) -> JointRequest:
    """Write a request down, and have it sent once the caller's transaction has committed."""
    serial = _next_serial()
    request = JointRequest.objects.create(
        number=f"{item.department.upper()[:4]}{day_of(at):%Y%m%d}{serial:010d}",
        serial=serial,
        item=item,
        department=item.department,
        act=act,
        content=json.dumps(dict(content), ensure_ascii=False, sort_keys=True),
        next_try_at=at,
        created_at=at,
        created_by=by.name,
    )
    if act != JointAct.WITHDRAW:
        item.last_request, item.asked_times = request.number, 0
        item.save(update_fields=["last_request", "asked_times"])
        department = plans.DEPARTMENTS[item.department]
        told = [_CALLED.get(name, name) for name in content]
        purpose = f"提供给{department}办理{plans.plan_of(item.joint.kind, item.key).title}"
        looks.record(item.joint.holder_id, by=by, at=at, purpose=purpose, fields=told)
    send_soon(item.department)
    return request


_CALLED: Final = plans.LABELS | {
    "sex": "性别",
    "birth_date": "出生日期",
    "id_number": "公民身份号码",
    "guardian_name": "监护人姓名",
    "guardian_number": "监护人证件号码",
    "relation": "监护依据",
    "division_code": "所在区划",
}


def send_soon(department: str) -> None:
    """Have the department's requests sent, one after another, so that its acts keep their order."""
    jobs.configure_task(SEND, queue=QUEUE, lock=f"department:{department}").defer(department=department)


@transaction.atomic
def claim(department: str, *, at: datetime) -> JointRequest | None:
    """The department's next request that is due, ours for `LEASE`; a correction waits for what it corrects."""
    earlier = JointRequest.objects.filter(
        item=OuterRef("item"), serial__lt=OuterRef("serial"), status__in=OPEN
    )
    due = JointRequest.objects.filter(
        ~Exists(earlier), department=department, status__in=OPEN, next_try_at__lte=at
    )
    found = due.select_for_update(skip_locked=True, no_key=True, of=("self",)).select_related("item__joint")
    request = found.order_by("serial").first()
    if request is None:
        return None
    request.tries += 1
    request.next_try_at = at + LEASE
    request.save(update_fields=["tries", "next_try_at"])
    return request


def wanted(request: JointRequest) -> Wanted:
    """The request as the department sees it, the same in every sending."""
    item = request.item
    name = f"{item.joint.number}-{item.position}"
    content = json.loads(request.content)
    return Wanted(request.number, request.department, request.act, name, item.key, content)


@transaction.atomic
def put_off(request_id: UUID, *, maybe_done: bool, trouble: str, at: datetime) -> JointRequest:
    """No answer: try again later. `maybe_done`: the department may have it, so it is asked before it is told again."""
    request = JointRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.status in OPEN:
        request.status = Sent.UNKNOWN if maybe_done else request.status
        request.trouble = trouble[:100]
        request.next_try_at = at + retry_after(request.tries)
        request.save(update_fields=["status", "trouble", "next_try_at"])
    return request


def delivered(request: JointRequest, *, at: datetime) -> None:
    """The locked request has reached its department."""
    request.status, request.settled_at, request.trouble = Sent.DONE, at, ""
    request.save(update_fields=["status", "settled_at", "trouble"])


@transaction.atomic
def claim_question(department: str, *, at: datetime) -> JointItem | None:
    """The next part this department should be asked about; asked again after a growing pause."""
    due = JointItem.objects.filter(
        department=department, status=JointItem.Status.ACCEPTED, next_ask_at__lte=at
    )
    item = due.select_for_update(skip_locked=True, no_key=True).order_by("next_ask_at").first()
    if item is None:
        return None
    item.asked_times += 1
    item.next_ask_at = at + retry_after(item.asked_times)
    item.save(update_fields=["asked_times", "next_ask_at"])
    return item


def departments_due(*, at: datetime) -> list[str]:
    """Departments with something to send, or to be asked."""
    sending = JointRequest.objects.filter(status__in=OPEN, next_try_at__lte=at)
    asking = JointItem.objects.filter(status=JointItem.Status.ACCEPTED, next_ask_at__lte=at)
    return sorted(
        set(sending.values_list("department", flat=True)) | set(asking.values_list("department", flat=True))
    )


@transaction.atomic
def send_again(number: str, *, at: datetime) -> None:
    """The department does not know a request it had taken: it is sent anew, under its number."""
    lost = JointRequest.objects.filter(number=number, status=Sent.DONE)
    trouble = "部门没有这项请求的记录，重新送办"
    lost.update(status=Sent.WAITING, settled_at=None, next_try_at=at, trouble=trouble)


def trouble_of(item_ids: list[UUID]) -> dict[UUID, JointRequest]:
    """For each part that has not reached its department, the request that is on its way."""
    tried = Q(item__in=item_ids, status__in=OPEN) & ~Q(trouble="")
    return {one.item_id: one for one in JointRequest.objects.filter(tried).order_by("-serial")}


def _next_serial() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('joint_request_serial')")
        return int(cursor.fetchone()[0])
