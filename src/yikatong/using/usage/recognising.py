"""Whose e-card a self-service kiosk has been shown: a code is good once, here as at every terminal."""

from datetime import UTC, datetime
from typing import Final

from django.db import connection, transaction

from yikatong.core import audit
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of
from yikatong.core.errors import DomainError
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import issuing, keysets, pass_, rules
from yikatong.using.codes.models import Device
from yikatong.using.codes.pass_ import Policy, Reason, Refused

_SCENES: Final = frozenset(int(scene) for scene in rules.SCENES)
_SPEND: Final = """
INSERT INTO usage_shown (day, reference, made_at, counter, terminal, sequence) VALUES (%s, %s, %s, %s, 0, 0)
ON CONFLICT DO NOTHING
"""


class CodeNotAccepted(DomainError):
    """facts: reason."""

    code, status = "code_not_accepted", 422
    message = "没有认出这个码。请刷新手机上的码再扫，或改用证件号码。"


@transaction.atomic
def recognise(text: str, *, at: datetime) -> Holder:
    """The holder whose code this is, spent with this look. Raises CodeNotAccepted, with the code's own sentence."""
    try:
        number, generation, shown = _read(text.strip(), at)
        device = (
            Device.objects.select_related("ecard__card", "ecard__holder", "holder")
            .filter(number=number)
            .first()
        )
        if device is None or generation not in {None, device.generation} or not rules.is_usable(device):
            raise CodeNotAccepted
    except Refused as refused:
        raise _because(refused.reason) from None
    if rules.is_expired(device.ecard.card, day_of(at)):
        raise _because(Reason.CARD_EXPIRED)
    _spend(*shown)
    by = Actor(device.holder_id, "持卡人", Role.HOLDER, Channel.KIOSK)
    audit.record(
        "usage:code:recognised",
        subject=f"holder:{device.holder_id}",
        holder_id=device.holder_id,
        by=by,
        at=at,
    )
    return device.holder


def _because(reason: Reason) -> CodeNotAccepted:
    return CodeNotAccepted(reason.sentence, reason=reason.name)


def _read(text: str, at: datetime) -> tuple[int, int | None, tuple[bytes, int, int]]:
    """Device, generation (None of a short code), and what makes this showing the same when it comes again."""
    now, held = int(at.timestamp()), [keysets.unwrap(row) for row in issuing.live(at)]
    if pass_.is_short(text):
        short = pass_.open_short_code(text, {one.key_id: one for one in held}, now=now, scenes=_SCENES)
        return short.device, None, (short.replay_key, short.expires_at, 0)
    found = pass_.parse(pass_.decode_text(text))
    by_number = {(one.issuer, one.key_id): one for one in held}
    reference = pass_.verify_online(found, by_number, now=now, policy=Policy(scenes=_SCENES))
    return reference.device, reference.generation, (found.credential.reference, found.made_at, found.counter)


def _spend(reference: bytes, made_at: int, counter: int) -> None:
    day = day_of(datetime.fromtimestamp(made_at, UTC))
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, [day, reference, made_at, counter])
        if not cursor.rowcount:
            raise _because(Reason.REPLAYED)
