"""合作协议: a bank's page with what it promises and how it keeps it; written down by one, confirmed by another."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yikatong.core.actor import Channel
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.permissions import Permission
from yikatong.portals.console.bank_forms import AgreementForm, EndForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.banks import agreeing, queries, requests, terms
from yikatong.registry.banks.models import Agreement, Bank
from yikatong.registry.cards import delegation

SHOWN_DAYS = 14
MEASURED = timedelta(days=30)
staff = staff_required(Permission.BANK_MANAGE, channel=Channel.WEB)
_MEASURES = ("on_time_percent", "sent_back_percent", "median_days")
_ACTS = {"confirm": agreeing.confirm, "drop": agreeing.drop, "end": agreeing.confirm_end}
_SAID = {
    "drafted": "协议已录入，等待另一名业务主管复核。",
    "ending": "提前终止已录入，等待另一名业务主管复核。",
}


@require_safe
@staff
def bank(request: StaffRequest, code: str) -> HttpResponse:
    return _page(request, _bank(request, code))


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def new(request: StaffRequest, code: str) -> HttpResponse:
    """Begins with what the last agreement says."""
    found = _bank(request, code)
    form = AgreementForm(request.POST or None, bank=found.pk, initial=_begun(found))
    if request.method == "POST" and form.is_valid():
        try:
            agreeing.draft(found.pk, **form.entry(), by=request.actor, at=now())
        except DomainError as refusal:
            form.refuse(refusal, _at_fault(refusal))
        else:
            return _to(found.pk, "drafted")
    context = {"form": form, "bank": found}
    return render(request, "console/agreement_new.html", context, status=422 if form.is_refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def end(request: StaffRequest, agreement_id: UUID) -> HttpResponse:
    requests.check_right(request.actor)
    agreement = _agreement(agreement_id)
    form = EndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            agreeing.ask_end(agreement.pk, **form.cleaned_data, by=request.actor, at=now())
        except DomainError as refusal:
            form.refuse(refusal, "reason" if isinstance(refusal, agreeing.NoReason) else "on")
        else:
            return _to(agreement.bank_id, "ending")
    context = {"form": form, "agreement": agreement}
    return render(request, "console/agreement_end.html", context, status=422 if form.is_refused else 200)


@require_POST
@staff
def decide(request: StaffRequest, agreement_id: UUID, act: str) -> HttpResponse:
    """Confirm or send back what another has written down."""
    requests.check_right(request.actor)
    if act not in _ACTS:
        raise NotFound
    agreement = _agreement(agreement_id)
    try:
        _ACTS[act](agreement.pk, by=request.actor, at=now())
    except DomainError as refusal:
        return _page(request, agreement.bank, refusal)
    return _to(agreement.bank_id, act)


def _page(request: StaffRequest, found: Bank, refusal: DomainError | None = None) -> HttpResponse:
    at = now()
    today = day_of(at)
    days = [today - timedelta(days=n) for n in range(1, SHOWN_DAYS + 1)]
    agreed = terms.in_force(found.pk, today)
    standing = terms.standing(found.pk, today)
    rows = delegation.measures(since=at - MEASURED, day=today, bank=found.pk)
    done = request.GET.get("done", "")
    shown: dict[str, Any] = {
        "bank": found,
        "agreed": agreed,
        "standing": standing if standing.confirmed_at else None,
        "history": found.agreements.prefetch_related("outlets").order_by("-valid_from", "-drafted_at"),
        "has_measures": any(getattr(standing, name) is not None for name in _MEASURES),
        "outlets": [(one, one.shortfalls(standing)) for one in rows],
        "answered": queries.answered(found.pk, since=at - MEASURED),
        "days": days,
        "delivered": queries.delivered(days, at=at, bank=found.pk),
        "done": _SAID.get(done, "已办理，记入审计。" if done else ""),
        "actor_id": request.actor.id,
        "refusal": refusal,
        "at": at,
        "today": today,
    }
    return render(request, "console/bank.html", shown, status=refusal.status if refusal else 200)


def _bank(request: StaffRequest, code: str) -> Bank:
    requests.check_right(request.actor)
    found = Bank.objects.filter(pk=code).first()
    if found is None:
        raise NotFound("没有这家合作银行。")
    return found


def _agreement(agreement_id: UUID) -> Agreement:
    found = Agreement.objects.select_related("bank").filter(pk=agreement_id).first()
    if found is None:
        raise NotFound("没有找到这份协议。")
    return found


def _begun(bank: Bank) -> dict[str, Any]:
    """The last agreement's promises; number and dates are the new one's own."""
    last = bank.agreements.filter(status=Agreement.Status.CONFIRMED).order_by("-valid_from").first()
    if last is None:
        return {"promises": ["opens_accounts"], "on_death": Agreement.OnDeath.APART}
    flags = ("opens_accounts", "keeps_account", "joint_loss", "is_online")
    plain = ("on_death", "delivers_by", "matters", "on_time_percent", "sent_back_percent", "median_days")
    return {name: getattr(last, name) for name in plain} | {
        "promises": [name for name in flags if getattr(last, name)],
        "outlets": [str(key) for key in last.outlets.values_list("pk", flat=True)],
    }


def _at_fault(refusal: DomainError) -> str | None:
    if isinstance(refusal, agreeing.NumberTaken):
        return "number"
    return "valid_until" if isinstance(refusal, agreeing.BadAgreement) else None


def _to(code: str, done: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("console-bank", args=[code]) + f"?done={done}", status=303)
