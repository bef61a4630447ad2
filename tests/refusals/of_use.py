"""Refusals about the card in use: e-cards and devices, proving who one is, codes and keys."""

from datetime import timedelta

from django.conf import settings
from django.test import Client

from tests.portals.citizen.conftest import session_of
from tests.refusals.stage import Stage
from tests.refusals.table import heard, refuses, way
from yikatong.core.actor import Actor
from yikatong.core.errors import Invalid
from yikatong.core.sm import sm2
from yikatong.registry.cards import actions as cards
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import actions, publish, rotation, rules
from yikatong.using.codes.models import Device
from yikatong.using.identity import actions as identity
from yikatong.using.identity import rules as identity_rules
from yikatong.using.usage import recognising

JSON = "application/json"


def issued(s: Stage, holder: Holder | None = None) -> Holder:
    """With an e-card."""
    holder = holder or s.carried().holder
    actions.issue_ecard(holder.pk, by=s.himself(holder), at=s.at)
    return holder


def bound(s: Stage, holder: Holder, public: bytes | None = None) -> Device:
    key = sm2.generate().public if public is None else public
    return actions.register_device(holder.pk, public_key=key, name="手机", by=s.himself(holder), at=s.at)


@refuses(Invalid)
def _(s: Stage) -> None:
    """Her browser's own code sends half a request."""
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session_of(issued(s))
    sent = browser.post("/m/code/device", "{", content_type=JSON, headers={"Accept": JSON})
    heard(sent.json(), Invalid)


way(rules.NoCard, lambda s: issued(s, s.enter()))
way(rules.CardNotActive, lambda s: issued(s, s.held().holder))
way(rules.CardIsLost, lambda s: issued(s, s.lost().holder))
way(rules.HolderDeceased, lambda s: issued(s, s.dead()))
way(rules.NoECard, lambda s: bound(s, s.carried().holder))
way(rules.BadDeviceKey, lambda s: bound(s, issued(s), b"no key"))
way(
    rules.UnknownScene,
    lambda s: actions.server_code((holder := issued(s)).pk, 99, by=s.himself(holder), at=s.at),
)


@refuses(rules.HolderNotActive)
def _(s: Stage) -> None:
    holder = s.enter()
    cards.record_leaving(holder.pk, reason="moved", **s.proven, **s.who)
    issued(s, Holder.objects.get())


@refuses(rules.DeviceRevoked)
def _(s: Stage) -> None:
    holder = issued(s)
    device = bound(s, holder)
    for _again in range(2):
        actions.revoke_device(device.id, by=s.himself(holder), at=s.at)


@refuses(rules.TooManyDevices)
def _(s: Stage) -> None:
    holder = issued(s)
    for _again in range(4):
        bound(s, holder)


@refuses(rules.TooManyBindings)
def _(s: Stage) -> None:
    holder = issued(s)
    for _again in range(rules.BINDINGS_A_DAY + 1):
        actions.revoke_device(bound(s, holder).id, by=s.himself(holder), at=s.at)


@refuses(rules.DeviceKeyTaken)
def _(s: Stage) -> None:
    key = sm2.generate().public
    for serial in (1, 2):
        bound(s, issued(s, s.carried(s.enter(serial)).holder), key)


@refuses(rotation.KeyIsWithdrawn)
def _(s: Stage) -> None:
    key = rotation.rotate_keys(by=s.admin, at=s.at)
    for _again in range(2):
        rotation.withdraw_key(key.key_id, reason="疑似泄露", by=s.admin, at=s.at)


@refuses(publish.ListGap)
def _(s: Stage) -> None:
    publish.publish_lists(at=s.at)
    publish.delta(1, 99, at=s.at)


way(recognising.CodeNotAccepted, lambda s: recognising.recognise("NOT A CODE", at=s.at))

# --- proving who one is ---

PHONE = "13900000001"


def with_password(s: Stage) -> tuple[Holder, Actor]:
    holder = s.enter()
    identity.set_password(holder.pk, "802746", by=s.himself(holder), at=s.at)
    return holder, s.himself(holder)


def chosen(s: Stage, password: str) -> None:
    holder = s.enter()
    identity.set_password(holder.pk, password, by=s.himself(holder), at=s.at)


def texted(s: Stage, *, most: int) -> None:
    """Codes asked for again and again, a pause apart where the pause is kept."""
    s.settings.SMS_SENDER = "yikatong.adapters.sms.demo.DemoSender"
    step = timedelta(seconds=settings.ENV.sms_pause_seconds if most > 2 else 1)
    for number in range(most):
        identity.send_code(PHONE, at=s.at + number * step)


way(identity_rules.PhoneInvalid, lambda s: identity.send_code("12345", at=s.at))
way(identity_rules.PasswordNotSixDigits, lambda s: chosen(s, "12ab"))
way(identity_rules.PasswordRepeated, lambda s: chosen(s, "111111"))
way(identity_rules.PasswordConsecutive, lambda s: chosen(s, "123456"))
way(identity_rules.PasswordFromCertificate, lambda s: chosen(s, "510107"))
way(identity_rules.PasswordFromBirth, lambda s: chosen(s, "900307"))
way(identity_rules.PasswordFromPhone, lambda s: chosen(s, "139000"))
way(identity_rules.SmsTooSoon, lambda s: texted(s, most=2))
way(identity_rules.SmsTooMany, lambda s: texted(s, most=settings.ENV.sms_phone_daily + 3))
way(identity_rules.CodeWrong, lambda s: identity.log_in(PHONE, "000000", at=s.at))
way(identity_rules.PasswordNotSet, lambda s: identity.check_password(s.enter().pk, "802746", at=s.at))


@refuses(identity_rules.SmsUnavailable)
def _(s: Stage) -> None:
    s.settings.SMS_SENDER = ""
    identity.send_code(PHONE, at=s.at)


@refuses(identity_rules.PasswordWrong)
def _(s: Stage) -> None:
    holder, _himself = with_password(s)
    identity.check_password(holder.pk, "802747", at=s.at)


@refuses(identity_rules.PasswordLocked)
def _(s: Stage) -> None:
    holder, _himself = with_password(s)
    for _again in range(identity_rules.PASSWORD_TRIES):
        try:
            identity.check_password(holder.pk, "802747", at=s.at)
        except identity_rules.PasswordWrong:
            continue
