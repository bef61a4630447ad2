"""The businesses of the counter, as data: what is filled in, which act is done, where it leads."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.urls import reverse

from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission, may
from yikatong.portals.counter import applicant_forms, forms, representing
from yikatong.portals.counter.holding import HOLDING
from yikatong.portals.counter.matter import Act, Matter, done, side
from yikatong.portals.counter.people import PEOPLE
from yikatong.portals.shared import validity
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards import queries, refusals, rules
from yikatong.registry.cards.models import LIVE, Card, CardStatus, Case, CaseKind
from yikatong.registry.cards.rules import CardAct
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders import refusals as holder_refusals
from yikatong.registry.holders.actions import life
from yikatong.registry.holders.certificates import BadCertificate
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.names import BadName
from yikatong.registry.holders.refusals import BadPhone, BirthDateDiffers
from yikatong.registry.matching import inquiries
from yikatong.registry.regions.models import Outlet


def _apply(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    case = cards.apply(holder.pk, **_delivery(holder, given, by), by=by, at=at)
    inquiries.ask_now(holder.pk, at=at)
    return case_address(case)


def _replace(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    wishes = _delivery(holder, given, by) | {
        "reason": given["reason"],
        "bank_code": given["bank_code"] or None,
        "fee_ground": given["fee_ground"],
        "fee_note": given["fee_note"],
    }
    return case_address(cards.replace(holder.pk, **wishes, by=by, at=at))


def _delivery(holder: Holder, given: dict[str, Any], by: Actor) -> dict[str, Any]:
    """A case is taken where the clerk sits; by post there is no outlet to fetch it from."""
    by_post = given["delivery"] == "1"
    return representing.who(given) | {
        "bank_code": given["bank_code"],
        "outlet_id": UUID(given["outlet_id"]) if given["outlet_id"] and not by_post else None,
        "delivery": given["delivery"],
        "address": given["address"] if by_post else "",
        "division_code": _here(holder, by),
    }


def _here(holder: Holder, by: Actor) -> str:
    outlets = Outlet.objects.filter(pk__in=[by.outlet_id] if by.outlet_id else [])
    return outlets.values_list("division_code", flat=True).first() or holder.division_code


def _keep(kind: CaseKind) -> Act:
    def keep(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
        wish = cards.Wish(
            division_code=_here(holder, by),
            reason=given.get("reason") or "",
            bank_code=given.get("bank_code") or "",
            outlet_id=UUID(given["outlet_id"]) if given.get("outlet_id") else None,
            delivery=given.get("delivery") or "0",
            address=given.get("address") or "",
        )
        case = cards.save_draft(holder.pk, kind=kind, wish=wish, by=by, at=at)
        return reverse("counter-case", args=[case.number]) + "?saved=1"

    return keep


def begun(draft: Case | None) -> dict[str, Any]:
    """What a draft says, for the form to begin with."""
    if draft is None:
        return {}
    said = {
        "bank_code": draft.bank_id,
        "delivery": draft.delivery,
        "reason": draft.reason,
        "address": draft.address,
    }
    return {name: value for name, value in said.items() if value} | (
        {"outlet_id": str(draft.outlet_id)} if draft.outlet_id else {}
    )


def _loss(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    report = cards.report_loss if given["loss"] == "formal" else cards.report_temporary_loss
    return _filed(report(_card(holder).pk, **representing.who(given), by=by, at=at), CaseKind.LOSS)


def _release(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    card = cards.release_loss(_card(holder).pk, **representing.who(given), by=by, at=at)
    return _filed(card, CaseKind.RELEASE)


def _cancel(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    wishes = representing.who(given) | {"reason": given["reason"]}
    return _filed(cards.cancel(_card(holder).pk, **wishes, by=by, at=at), CaseKind.CANCEL)


def _change(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    holders.change_phone(holder.pk, phone=given["phone"], by=by, at=at)
    return done(holder, "phone")


def _certificate(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    number = {"kind": given["kind"], "number": given["number"]}
    holders.link_certificate(holder.pk, **number, validity=validity.told(given), by=by, at=at)
    return done(holder, "certificate")


def _validity(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    which = UUID(given["which"])
    holders.record_validity(
        holder.pk, validity=validity.told(given), certificate_id=which, evidence=_SEEN, by=by, at=at
    )
    return done(holder, "validity")


def _guardian(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    wanted = ("name", "kind", "number", "ground", "evidence", "evidence_number")
    holders.register_guardian(holder.pk, **{name: given[name] for name in wanted}, by=by, at=at)
    return done(holder, "guardian")


def _guardian_end(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    holders.end_guardianship(UUID(given["which"]), reason=given["reason"], by=by, at=at)
    return done(holder, "guardian-end")


def _agent(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    wanted = ("name", "kind", "number", "matters", "evidence", "evidence_number", "valid_until")
    cards.authorise(holder.pk, **{name: given[name] for name in wanted}, by=by, at=at)
    return done(holder, "agent")


def _agent_end(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    cards.end_authorisation(UUID(given["which"]), by=by, at=at)
    return done(holder, "agent-end")


def _proof(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    wanted = ("kind", "number", "issuer", "valid_until")
    holders.prove(holder.pk, **{name: given[name] for name in wanted}, by=by, at=at)
    return done(holder, "proof")


def _category(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    wanted = ("kind", "source", "evidence", "valid_from", "valid_until")
    holders.add_category(holder.pk, **{name: given[name] for name in wanted}, by=by, at=at)
    return done(holder, "category")


def _category_end(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    holders.end_category(UUID(given["which"]), on=given["on"], reason=given["reason"], by=by, at=at)
    return done(holder, "category-end")


def way_out(holder: Holder, refusal: DomainError, *, by: Actor) -> tuple[str, str] | None:
    """The matter that removes what stands in the way, where this clerk may do it: its address, and its words."""
    for kind, (key, words) in _WAYS_OUT.items():
        if isinstance(refusal, kind) and may(by, MATTERS[key].permission):
            return reverse("counter-matter", args=[holder.pk, key]), words
    return None


_SEEN: Final = "证件原件"
_WAYS_OUT: Final[dict[type[DomainError], tuple[str, str]]] = {
    holder_refusals.GuardianNeeded: ("guardian", "登记监护关系"),
    holder_refusals.GroundUnproven: ("proof", "登记申领依据证明"),
    holder_refusals.CertificateExpired: ("validity", "登记证件有效期"),
    refusals.AgentNotAuthorised: ("agent", "登记代办授权"),
    refusals.DeathFirst: ("death", "登记死亡"),
}


class NoCard(DomainError):
    code = "no_card"
    message = "此人没有社会保障卡，请先办理申领。"


def _card(holder: Holder) -> Card:
    card = queries.card_of(holder.pk)
    if card is None:
        raise NoCard
    return card


def case_address(case: Case) -> str:
    return reverse("counter-case", args=[case.number]) + "?new=1"


def _filed(card: Card, kind: CaseKind) -> str:
    """The case of a matter that ended where it began, for its receipt."""
    return case_address(Case.objects.filter(card=card, kind=kind).latest("created_at", "pk"))


def _needs(*allowed: CardStatus, act: CardAct, to: CardStatus) -> Callable[[Card | None], DomainError | None]:
    def hindrance(card: Card | None) -> DomainError | None:
        if card is None:
            return NoCard()
        return None if card.status in allowed else rules.card_refusal(card.status, act, to)

    return hindrance


def _no_live_card(card: Card | None) -> DomainError | None:
    return refusals.HasCard() if card is not None and card.status in LIVE else None


def _live_card(card: Card | None) -> DomainError | None:
    return None if card is not None and card.status in LIVE else refusals.NoLiveCard()


_WAITS, _HELD, _OK = CardStatus.RELEASED, CardStatus.INACTIVE, CardStatus.NORMAL
_TEMPORARY, _LOST, _ENDED = CardStatus.TEMPORARILY_LOST, CardStatus.LOST, CardStatus.CANCELLED
_NO_OUTLET = {refusals.NoOutlet: "outlet_id", refusals.BadDelivery: "delivery"}

_PERSON: Final[dict[type[DomainError], str]] = {BadName: "name", BadCertificate: "number"}


MATTERS: Final = {
    matter.key: matter
    for matter in (
        Matter(
            "apply",
            "申领",
            Permission.CARD_APPLY,
            forms.ApplyForm,
            _apply,
            _no_live_card,
            _NO_OUTLET,
            keep=_keep(CaseKind.APPLY),
        ),
        Matter(
            "loss",
            "挂失",
            Permission.CARD_LOSS,
            forms.LossForm,
            _loss,
            _needs(_HELD, _OK, _TEMPORARY, act=CardAct.LOSS, to=_LOST),
            {},
            is_quick=True,
            submit="确认挂失",
        ),
        Matter(
            "replace",
            "补换",
            Permission.CARD_REPLACE,
            forms.ReplaceForm,
            _replace,
            _live_card,
            _NO_OUTLET
            | {
                refusals.WrongReason: "reason",
                refusals.WaiverUnproven: "fee_ground",
                refusals.WaiverNoteMissing: "fee_note",
            },
            keep=_keep(CaseKind.REPLACE),
        ),
        Matter(
            "release",
            "解挂",
            Permission.CARD_LOSS,
            forms.ReleaseForm,
            _release,
            _needs(_TEMPORARY, _LOST, act=CardAct.RELEASE, to=_OK),
            {},
            is_quick=True,
            submit="确认解挂",
        ),
        Matter(
            "cancel",
            "注销",
            Permission.CARD_CANCEL,
            forms.CancelForm,
            _cancel,
            _needs(_WAITS, _HELD, _OK, _TEMPORARY, _LOST, act=CardAct.CANCEL, to=_ENDED),
            {},
        ),
        Matter(
            "change",
            "信息变更",
            Permission.HOLDER_REGISTER,
            forms.ChangeForm,
            _change,
            lambda _: None,
            {BadPhone: "phone"},
        ),
        Matter(
            "certificate",
            "登记新证件",
            Permission.HOLDER_REGISTER,
            applicant_forms.CertificateForm,
            _certificate,
            lambda _: None,
            {BadCertificate: "number", BirthDateDiffers: "number"} | validity.FIELDS_AT_FAULT,
            is_listed=False,
        ),
        side(
            "validity",
            "登记证件有效期",
            applicant_forms.ValidityForm,
            _validity,
            validity.FIELDS_AT_FAULT | {life.NothingChanged: "certificate_until"},
        ),
        side(
            "guardian",
            "登记监护关系",
            applicant_forms.GuardianForm,
            _guardian,
            _PERSON
            | {
                holder_refusals.BadGuardianship: "evidence",
                holder_refusals.OwnGuardian: "number",
                holder_refusals.GuardianTooYoung: "number",
            },
        ),
        side(
            "guardian-end",
            "终止监护关系",
            applicant_forms.EndGuardianForm,
            _guardian_end,
            {holder_refusals.ReasonTooShort: "reason"},
        ),
        side(
            "agent",
            "登记代办授权",
            applicant_forms.AgentForm,
            _agent,
            _PERSON | {refusals.BadAuthorisation: "valid_until", refusals.OwnAgent: "number"},
        ),
        side("agent-end", "终止代办授权", applicant_forms.EndAgentForm, _agent_end, {}),
        side(
            "category",
            "登记优待类别",
            applicant_forms.CategoryForm,
            _category,
            {
                holder_refusals.NotYetElder: "valid_from",
                holder_refusals.BadCategory: "valid_until",
                holders.CategoryOverlaps: "valid_from",
            },
        ),
        side(
            "category-end",
            "终止优待类别",
            applicant_forms.EndCategoryForm,
            _category_end,
            {
                holder_refusals.EndsInThePast: "on",
                holder_refusals.CategoryEnded: "on",
                holder_refusals.ReasonTooShort: "reason",
            },
        ),
        side(
            "proof",
            "登记申领依据证明",
            applicant_forms.ProofForm,
            _proof,
            {
                holder_refusals.BadProof: "number",
                holder_refusals.ProofExpired: "valid_until",
                holder_refusals.PermitEndMissing: "valid_until",
                holder_refusals.NotAForeigner: "kind",
            },
        ),
        *PEOPLE,
        *HOLDING,
    )
}
