"""Jobs of banks: the only place where a bank is called, and never inside a transaction."""

import structlog
from procrastinate.contrib.django import app

from yikatong.core.clock import now
from yikatong.registry.banks import deliveries, replies, requests
from yikatong.registry.banks.connector import BankAway, BankSilent, Connector, connector
from yikatong.registry.banks.models import BankRequest

log = structlog.get_logger()


@app.task(name=requests.SEND, queue="banks")
def send(bank: str) -> int:
    """Send what is due to this bank, until nothing is or the bank does not answer; returns how many it answered."""
    line, answered = connector(), 0
    while (request := requests.claim(bank, at=now())) is not None:
        if not _call(line, request):
            break
        answered += 1
    return answered


@app.periodic(cron="* * * * * */10")
@app.task(name="banks.chase", queueing_lock="banks.chase")
def chase(timestamp: int) -> None:  # noqa: ARG001 - when the scheduler thought of it
    """Whatever became of a job, its request is found here and sent again."""
    for bank in requests.banks_due(at=now()):
        requests.send_soon(bank)


@app.periodic(cron="*/10 * * * *")
@app.task(name="banks.collect", queue="banks", queueing_lock="banks.collect")
def collect(timestamp: int) -> int:  # noqa: ARG001
    """Expect and fetch the lists the banks have agreed to deliver; returns how many came."""
    deliveries.expect(at=now())
    line, came, silent = connector(), 0, set[str]()
    for one in deliveries.owed(at=now()):
        if one.bank_id in silent or not line.reaches(one.bank_id):
            continue
        try:
            rows = line.deliver(one.bank_id, one.day)
        except (BankAway, BankSilent) as trouble:
            silent.add(one.bank_id)
            deliveries.put_off(one.pk, trouble=str(trouble))
        else:
            deliveries.take(one.pk, rows, at=now())
            came += 1
    return came


@app.periodic(cron="*/10 * * * *")
@app.task(name="banks.compare", queue="banks", queueing_lock="banks.compare")
def compare(timestamp: int) -> int:  # noqa: ARG001
    """Ask banks that are back about what was settled by paper; returns how many were heard."""
    line, heard, silent = connector(), 0, set[str]()
    for one in replies.unverified(at=now()):
        bank, number = one.request.bank_id, one.request.number
        if bank in silent or not line.reaches(bank):
            continue
        try:
            answer = line.ask(number, bank)
        except (BankAway, BankSilent):
            silent.add(bank)
            continue
        if answer is not None:  # None: it never arrived, and the paper is the only answer there will be
            replies.compare(one.request_id, answer, at=now())
            heard += 1
    return heard


def _call(line: Connector, request: BankRequest) -> bool:
    """One call; False when the bank did not answer."""
    try:
        known = request.status == BankRequest.Status.UNKNOWN
        answer = line.ask(request.number, request.bank_id) if known else None
        answer = answer or line.send(requests.wanted(request))
    except BankAway as away:
        requests.put_off(request.pk, maybe_done=False, trouble=str(away), at=now())
    except BankSilent as silence:
        requests.put_off(request.pk, maybe_done=True, trouble=str(silence), at=now())
    else:
        if requests.settle(request.pk, answer, at=now()).by_hand:
            replies.compare(request.pk, answer, at=now())  # a paper came first
        return True
    log.warning("bank_silent", bank=request.bank_id, number=request.number, tries=request.tries)
    return False
