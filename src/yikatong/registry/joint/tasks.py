"""Jobs of joint matters: the only place where a department is called, and never inside a transaction."""

import structlog
from procrastinate.contrib.django import app

from yikatong.core.actor import SYSTEM
from yikatong.core.clock import now
from yikatong.registry.joint import actions, following, requests
from yikatong.registry.joint.connector import Connector, DepartmentAway, DepartmentSilent, connector
from yikatong.registry.joint.models import JointItem, JointRequest

log = structlog.get_logger()


@app.task(name=requests.SEND, queue=requests.QUEUE)
def send(department: str) -> int:
    """Send what is due, then ask what is due, until the department does not answer; returns how often it did."""
    line, answered = connector(), 0
    while (request := requests.claim(department, at=now())) is not None:
        if not _tell(line, request):
            return answered
        answered += 1
    while (item := requests.claim_question(department, at=now())) is not None:
        if not _ask(line, item):
            return answered
        answered += 1
    return answered


@app.periodic(cron="* * * * * */10")
@app.task(name="joint.chase", queueing_lock="joint.chase")
def chase(timestamp: int) -> None:  # noqa: ARG001 - when the scheduler thought of it
    """Whatever became of a job, its request is found here and sent again; departments are asked how they stand."""
    for department in requests.departments_due(at=now()):
        requests.send_soon(department)


@app.periodic(cron="17 * * * *")
@app.task(name="joint.watch_limits", queueing_lock="joint.watch_limits")
def watch_limits(timestamp: int) -> dict[str, int]:  # noqa: ARG001
    """Each hour: late departments rise to supervisors, corrections whose time is over are closed."""
    at = now()
    return {"closed": actions.close_uncorrected(at=at), "escalated": actions.escalate_overdue(at=at)}


@app.task(name="joint.renew_limits", queueing_lock="joint.renew_limits", retry=3)
def renew_limits() -> int:
    """The public holidays have been entered or changed: departments' limits that run are counted anew."""
    return actions.renew_limits(by=SYSTEM, at=now())


def _tell(line: Connector, request: JointRequest) -> bool:
    """One call; False when the department did not answer."""
    try:
        known = request.status == JointRequest.Status.UNKNOWN
        answer = line.ask(request.number, request.department) if known else None
        answer = answer or line.send(requests.wanted(request))
    except DepartmentAway as away:
        requests.put_off(request.pk, maybe_done=False, trouble=str(away), at=now())
    except DepartmentSilent as silence:
        requests.put_off(request.pk, maybe_done=True, trouble=str(silence), at=now())
    else:
        following.settle(request.pk, answer, at=now())
        return True
    log.warning(
        "department_silent", department=request.department, number=request.number, tries=request.tries
    )
    return False


def _ask(line: Connector, item: JointItem) -> bool:
    try:
        answer = line.ask(item.last_request, item.department)
    except (DepartmentAway, DepartmentSilent) as trouble:
        log.warning(
            "department_silent", department=item.department, asked=item.last_request, why=str(trouble)
        )
        return False
    if answer is None:
        requests.send_again(item.last_request, at=now())
    else:
        following.hear(item.pk, answer, at=now())
    return True
