"""Find and read holders. Every reading of a holder's record leaves a look row, in the same transaction."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from yikatong.core import audit, looks
from yikatong.core.actor import Actor, Role
from yikatong.core.errors import Invalid, NotFound
from yikatong.core.masking import mask_phone
from yikatong.core.permissions import Permission, require
from yikatong.registry.holders import certificates, names, rules
from yikatong.registry.holders.actions import certificate_index, phone_index, social_security_index
from yikatong.registry.holders.certificates import Kind
from yikatong.registry.holders.models import Category, Certificate, Holder, Proof
from yikatong.registry.holders.validity import in_use

FOUND_MAX: Final = 20
SHOWN: Final = ("姓名", "证件号码（脱敏）", "手机号码（脱敏）", "所在区划")

Match = Literal["certificate", "card", "phone", "name"]


@dataclass(frozen=True, slots=True)
class Found:
    """A holder as a list shows him. The name is whole only to who already had a document in hand."""

    holder_id: UUID
    name: str
    certificate_kind: str
    certificate: str
    phone: str
    division_code: str
    sex: str
    birth_year: int
    status: str
    matched: Match


class TooShort(Invalid):
    code = "search_too_short"
    message = "请输入完整的证件号码、卡号、手机号码，或至少两个字的姓名。"


class ReasonMissing(Invalid):
    code = "reason_missing"
    message = "请填写查看原因；持卡人可以看到。"


@transaction.atomic
def find(text: str, *, by: Actor, at: datetime, purpose: str) -> list[Found]:
    """At most 20 holders by certificate number, card number, phone or name, all exact.

    A certificate or card number finds a holder of the whole province (全省通办, Guangdong art. 5); a phone
    or a name only those of the actor's region, and never for a bank's clerk. Nobody found: an empty list.
    """
    require(by, Permission.HOLDER_FIND)
    plain = text.strip()
    if len(plain) < 2:
        raise TooShort
    for match, condition in _readings(plain, exact_only=bool(by.bank)):
        holders = _visible(match, by).filter(condition)
        if found := [_found(holder, match) for holder in _with_certificate(holders)[:FOUND_MAX]]:
            looks.record([one.holder_id for one in found], by=by, at=at, purpose=purpose, fields=SHOWN)
            return found
    return []


@transaction.atomic
def get(holder_id: UUID, *, by: Actor, at: datetime, purpose: str) -> Holder:
    """The holder's record, certificates and categories with it; NotFound to a stranger."""
    holder = _with_certificate(Holder.objects.filter(pk=holder_id)).prefetch_related("categories").first()
    if holder is None or not rules.acts_for(by, holder):
        raise NotFound("没有找到这位持卡人。请核对后重试。")
    if by.role is not Role.HOLDER:
        require(by, Permission.HOLDER_FIND)
    looks.record(holder.pk, by=by, at=at, purpose=purpose, fields=SHOWN)
    return holder


@transaction.atomic
def key_of_number(number: str, *, by: Actor, at: datetime) -> UUID | None:
    """The key of the holder with this certificate or social security number, for an auditor; he sees that too."""
    require(by, Permission.AUDIT_READ)
    plain = certificates.normalise(number)
    found = _visible("certificate", by).filter(pk__in=_keys_of_number(plain))
    key = found.order_by("pk").values_list("pk", flat=True).first()
    if key is not None:
        looks.record(key, by=by, at=at, purpose="安全审计：查谁看过此人", fields=["查询记录"])
    return key


def by_number(number: str) -> Holder | None:
    """The holder with this certificate or social security number, for one who will yet have to prove he is it.

    Nothing of the record is shown before that, so there is no look to write.
    """
    plain = certificates.normalise(number)
    if not re.fullmatch(r"[0-9A-Z]{5,18}", plain):
        return None
    found = Holder.objects.filter(pk__in=_keys_of_number(plain), status=Holder.Status.ACTIVE)
    return found.order_by("pk").first()


def surviving(holder_id: UUID) -> UUID:
    """The record this one stands under now: itself, or the one it was merged into, however often."""
    seen = {holder_id}
    while (
        into := Holder.objects.filter(pk=holder_id).values_list("merged_into", flat=True).first()
    ) is not None:
        if into in seen:
            break
        seen.add(into)
        holder_id = into
    return holder_id


def records_of(holder: Holder) -> list[UUID]:
    """The record and those that were merged into it, and into those: whose history is his."""
    found, waiting = [holder.pk], [holder.pk]
    while waiting:
        waiting = [
            key
            for key in Holder.objects.filter(merged_into__in=waiting).values_list("pk", flat=True)
            if key not in found
        ]
        found += waiting
    return found


@transaction.atomic
def reveal(holder_id: UUID, field: str, *, reason: str, by: Actor, at: datetime) -> str:
    """One field in clear: number, social_security_number, phone or address. The holder sees who, and why."""
    require(by, Permission.HOLDER_REVEAL)
    if field not in _REVEALED:
        raise NotFound
    if len(reason.strip()) < 2:
        raise ReasonMissing
    holder = _with_certificate(Holder.objects.filter(pk=holder_id)).first()
    if holder is None or not rules.acts_for(by, holder):
        raise NotFound("没有找到这位持卡人。请核对后重试。")
    label, value = _REVEALED[field]
    looks.record(holder.pk, by=by, at=at, purpose=reason.strip()[:100], fields=[label])
    audit.record(
        "holders:holder:revealed",
        subject=f"holder:{holder.pk}",
        holder_id=holder.pk,
        by=by,
        at=at,
        field=field,
    )
    return value(holder) or ""


def current_certificate(holder: Holder) -> Certificate:
    """The certificate in use, the newest of several."""
    return max(holder.certificates.all(), key=lambda one: (one.is_current, one.created_at))


def certificate_on(holder: Holder, day: date) -> Certificate:
    """The certificate a person proves himself with on a day: of several, one that has not run out."""
    return in_use(holder.certificates.all(), day) or current_certificate(holder)


def categories_on(holder_id: UUID, day: date) -> list[Category]:
    """The concessions that hold on a day; periods are half-open."""
    running = Q(valid_until__isnull=True) | Q(valid_until__gt=day)
    return list(Category.objects.filter(running, holder_id=holder_id, valid_from__lte=day).order_by("kind"))


def with_number() -> QuerySet[Holder]:
    """Holders whom other registers can know; a newborn who awaits his number is in none of them yet."""
    awaiting = Certificate.objects.filter(holder=OuterRef("pk"), kind=Kind.BIRTH, is_current=True)
    return Holder.objects.filter(~Exists(awaiting))


def work_permit(holder_id: UUID, day: date) -> Proof | None:
    """外国人工作许可 in force, as the card carries it (Opinions 7)."""
    permits = Proof.objects.filter(holder_id=holder_id, kind=Proof.Kind.WORK_PERMIT, valid_from__lte=day)
    return permits.filter(valid_until__gt=day).order_by("-valid_until").first()


_REVEALED: Final[dict[str, tuple[str, Callable[[Holder], str | None]]]] = {
    "number": ("证件号码", lambda holder: current_certificate(holder).number),
    "social_security_number": ("社会保障号码", lambda holder: holder.social_security_number),
    "phone": ("手机号码", lambda holder: holder.phone),
    "address": ("通讯地址", lambda holder: holder.address),
}


def _with_certificate(holders: QuerySet[Holder]) -> QuerySet[Holder]:
    newest = Certificate.objects.order_by("-is_current", "-created_at")
    return holders.order_by("division_code", "pk").prefetch_related(Prefetch("certificates", newest))


def _visible(match: Match, by: Actor) -> QuerySet[Holder]:
    """A record that was merged is shown only behind the one it was merged into."""
    scope = by.scope[:2] if match in {"certificate", "card"} else by.scope
    there = Holder.objects.exclude(status=Holder.Status.MERGED)
    return there.filter(division_code__startswith=scope) if scope else there


def _readings(text: str, *, exact_only: bool) -> Iterable[tuple[Match, Q]]:
    """What the text may be, the most exact first. Each is one look into one index."""
    number = certificates.normalise(text)
    if re.fullmatch(r"[0-9A-Z]{5,18}", number):
        yield "certificate", Q(pk__in=_holders_of_certificate(number))
        yield "certificate", Q(pk__in=_holders_of_social_number(number))
    if re.fullmatch(r"[A-Z][0-9A-Z]{8}", number):
        yield "card", Q(pk__in=_holders_of_card(number))
    if exact_only:
        return
    if re.fullmatch(r"1[3-9][0-9]{9}", number):
        yield "phone", Q(phone_index=phone_index(number))
    try:
        name = names.normalise(text).text
    except names.BadName:
        return
    yield "name", Q(name=name)


def _holders_of_certificate(number: str) -> QuerySet[Certificate, UUID]:
    """Kind and index together, as the unique index has them."""
    condition = Q()
    for kind in Kind:
        # The last two digits of an old permit count its re-issues, and are not kept.
        form = number[:9] if kind is Kind.HK_MO_PERMIT else number
        condition |= Q(kind=kind.value, number_index=certificate_index(kind, form))
    return Certificate.objects.filter(condition).values_list("holder_id", flat=True)


def _holders_of_social_number(number: str) -> QuerySet[Holder, UUID | None]:
    """The holder himself; for a record that was merged, the one it was merged into."""
    found = Holder.objects.filter(social_security_index=social_security_index(number))
    return found.annotate(now=Coalesce("merged_into_id", "pk")).values_list("now", flat=True)


def _keys_of_number(number: str) -> list[UUID]:
    """Whose number this is, as a certificate or a social security number.

    Two looks into two indexes: a condition of one or the other would be none for any index.
    """
    found = _holders_of_certificate(number).union(_holders_of_social_number(number))
    return [key for key in found if key is not None]


def _holders_of_card(number: str) -> QuerySet[Holder, UUID | None]:
    # Cards stand above holders: reached through the relation's name, without an import.
    found = Holder.objects.filter(cards__number=number)
    return found.annotate(now=Coalesce("merged_into_id", "pk")).values_list("now", flat=True)


def _found(holder: Holder, match: Match) -> Found:
    certificate = current_certificate(holder)
    in_hand = match in {"certificate", "card"}
    return Found(
        holder_id=holder.pk,
        name=holder.name if in_hand else names.mask(holder.name),
        certificate_kind=str(certificate),
        certificate=certificates.mask(certificate.number),
        phone=mask_phone(holder.phone or ""),
        division_code=holder.division_code,
        sex=holder.get_sex_display(),
        birth_year=holder.birth_date.year,
        status=holder.get_status_display(),
        matched=match,
    )
