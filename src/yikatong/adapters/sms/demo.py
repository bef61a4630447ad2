"""The demonstration's sender: no gateway, the message stays in the outbox and is shown on screen."""

import structlog

log = structlog.get_logger()


class DemoSender:
    """A `SmsSender` (using.identity.sender). Only wired in demo mode."""

    def send(self, *, reference: str, phone: str, text: str, template: str) -> None:  # noqa: ARG002
        log.info("sms_shown", reference=reference, template=template)
