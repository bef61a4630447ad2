"""Jobs: deliver messages, forget what has served its purpose."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from yikatong.core import clock
from yikatong.registry.holders.models import Holder
from yikatong.using.identity import messages
from yikatong.using.identity.models import SentMessage, SmsCode
from yikatong.using.identity.rules import SmsUnavailable
from yikatong.using.identity.sender import SendFailed


@app.task(
    name="identity.deliver",
    queue="messages",
    retry=RetryStrategy(max_attempts=5, exponential_wait=2, retry_exceptions=[SendFailed]),
)
def deliver(message_id: str) -> None:
    messages.deliver(UUID(message_id))


@app.task(name="identity.tell_holder", queue="messages")
def tell_holder(holder_id: str, text: str, template: str) -> None:
    """A notice to a holder by his registered phone; without one, or without a gateway, the pages say it alone."""
    holder = Holder.objects.only("phone").filter(id=UUID(holder_id)).first()
    if holder is not None and holder.phone:
        with suppress(SmsUnavailable):
            messages.post(phone=holder.phone, text=text, template=template, at=clock.now())


@app.periodic(cron="40 3 * * *")
@app.task(name="identity.forget", queue="messages", queueing_lock="identity.forget")
def forget(timestamp: int) -> None:  # noqa: ARG001 - the job's own parameter
    """Codes live a day, messages 90 days, as their models promise."""
    at = clock.now()
    SmsCode.objects.filter(sent_at__lt=at - timedelta(days=1)).delete()
    SentMessage.objects.filter(at__lt=at - timedelta(days=90)).delete()
