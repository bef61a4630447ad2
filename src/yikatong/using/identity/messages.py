"""Outgoing text messages: written with the act that causes them, delivered by a job after its commit."""

from datetime import datetime
from uuid import UUID

from procrastinate.contrib.django import app

from yikatong.core.fields import blind_index
from yikatong.using.identity.models import SentMessage
from yikatong.using.identity.rules import SmsUnavailable
from yikatong.using.identity.sender import sender


def check_sender() -> None:
    """Raises SmsUnavailable where the installation has no gateway for text messages."""
    if sender() is None:
        raise SmsUnavailable


def post(*, phone: str, text: str, template: str, at: datetime) -> SentMessage:
    """Write a message for delivery, inside the caller's transaction. Raises SmsUnavailable (no sender)."""
    check_sender()
    message = SentMessage.objects.create(
        at=at, phone=phone, phone_index=blind_index("phone", phone), text=text, template=template
    )
    app.configure_task("identity.deliver").defer(message_id=str(message.id))
    return message


def deliver(message_id: UUID) -> None:
    """Hand a waiting message to the gateway, once. Raises SendFailed, for the job to try again."""
    message = SentMessage.objects.filter(id=message_id, status="waiting").first()
    gateway = sender()
    if message is None or gateway is None:
        return
    gateway.send(reference=str(message.id), phone=message.phone, text=message.text, template=message.template)
    SentMessage.objects.filter(id=message_id).update(status="sent")
