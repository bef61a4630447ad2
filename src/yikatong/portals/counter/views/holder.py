"""A holder at the desk: what can be done, doing it, and looking at a field in clear."""

from functools import partial
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yikatong.core.actor import Actor
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError, Invalid
from yikatong.core.permissions import Permission, may, require
from yikatong.portals.counter import collecting, history, panel
from yikatong.portals.counter.forms import CollectForm, MatterForm, RevealForm
from yikatong.portals.counter.holding import accounts_of, holds_of
from yikatong.portals.counter.matter import Matter
from yikatong.portals.counter.matters import MATTERS, begun, way_out
from yikatong.portals.counter.people import PEOPLE, other_record
from yikatong.portals.counter.walk import Walk
from yikatong.portals.shared.refusals import wants_json
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.banks.rules import OtherBank
from yikatong.registry.cards import actions, batches
from yikatong.registry.cards import queries as cards
from yikatong.registry.cards.actions.desks import SERVICE, desk_hindrance
from yikatong.registry.cards.actions.representatives import is_child
from yikatong.registry.cards.models import Case, CaseKind, CaseStatus
from yikatong.registry.cards.rules import FeeGround, is_case_served_by, is_served_by
from yikatong.registry.holders import queries as holders
from yikatong.registry.holders.actions.records import CHANGE
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.rules import Ground
from yikatong.registry.joint import queries as joint
from yikatong.registry.outlets.offering import check_offered
from yikatong.registry.regions.law import province

SHOWN_SECONDS = 30
#: Matters that act on the card itself; a replacement may take it from one bank to another.
_OF_THE_CARD = frozenset({"loss", "release", "cancel"})
#: Matters that an outlet offers as 信息变更.
_CHANGES = frozenset({"change", "certificate", "name", "number", "move"})
DONE_WORDS = {
    "guardian": "监护关系已登记，监护人可以代为办理。",
    "guardian-end": "监护关系已终止。",
    "agent": "代办授权已登记，到期自动失效。",
    "agent-end": "代办授权已终止，即时生效。",
    "merge": "两条登记已合并。",
    "unmerge": "合并已撤销，两条登记各自恢复。",
    "category": "优待类别已登记，按起止日期自动启用和停止。",
    "category-end": "优待类别已终止。",
    "proof": "申领依据证明已登记。",
    "validity": "证件有效期已登记。",
    "hold": "冻结已通知银行，银行确认后生效；持卡人可以看到依据。",
    "lift": "解冻已登记；没有其他冻结的，银行确认后恢复。",
}


@staff_required(Permission.HOLDER_FIND)
@require_safe
def overview(request: StaffRequest, holder_id: UUID) -> HttpResponse:
    holder = holders.get(holder_id, by=request.actor, at=now(), purpose="窗口办理：查看持卡人")
    done = DONE_WORDS.get(request.GET.get("done", ""), "")
    more = {"done_words": done, "may_correct": may(request.actor, Permission.HOLDER_CORRECT)}
    return render(request, "counter/holder.html", _context(holder, request.actor) | more)


def _context(holder: Holder, by: Actor) -> dict[str, object]:
    mine = {"account__bank": by.bank} if by.bank else {}
    return {
        "holder": holder,
        "certificates": holder.certificates.all(),
        "categories": holder.categories.order_by("valid_from", "pk"),
        "life_events": history.of(holder),
        "life_matters": [
            (one.key, one.title) for one in PEOPLE if one.permission != Permission.HOLDER_CORRECT
        ],
        "parted": [*holder.merges.exclude(undone_at=None), *holder.merged_by.exclude(undone_at=None)],
        "merges": holder.merges.filter(undone_at=None).order_by("-at"),
        "guardianships": holder.guardianships.order_by("-created_at"),
        "proofs": holder.proofs.order_by("-created_at"),
        "authorisations": holder.authorisations.order_by("-created_at"),
        "ground": Ground(holder.ground).label,
        "is_minor": is_child(holder, day_of(now())),
        "today": day_of(now()),
        "cases": [one for one in cards.cases_of(holder.pk)[:50] if is_case_served_by(one, by)][:10],
        "cards": cards.cards_of(holder.pk).filter(**mine)[:10],
        "joints": [] if by.bank else joint.of_holder(holder.pk, at=now())[:10],
        "panel": panel.of(holder, by=by),
    } | _accounts(holder, by)


def _accounts(holder: Holder, by: Actor) -> dict[str, object]:
    """Accounts and what holds them; a bank's clerk sees his bank's accounts, and no authority's order."""
    mine = accounts_of(holder).filter(**({"bank": by.bank} if by.bank else {}))
    return {
        "accounts": mine,
        "holds": [] if by.bank else holds_of(holder),
        "may_hold": may(by, Permission.BANK_MANAGE),
    }


@staff_required(Permission.HOLDER_FIND)
@require_http_methods(["GET", "HEAD", "POST"])
def matter(request: StaffRequest, holder_id: UUID, key: str) -> HttpResponse:
    if (found := MATTERS.get(key)) is None:
        raise Http404
    require(request.actor, found.permission)
    holder = holders.get(holder_id, by=request.actor, at=now(), purpose=f"窗口办理：{found.title}")
    side = panel.of(holder, by=request.actor)
    hindrance = found.hindrance(side.card)
    if side.card is not None and key in _OF_THE_CARD and not is_served_by(side.card, request.actor):
        hindrance = OtherBank()
    hindrance = hindrance or _not_here(key, request.actor)
    if hindrance is None and key == CaseKind.APPLY:
        hindrance = actions.application_hindrance(holder, by=request.actor, at=now())
    if hindrance is None and key == CaseKind.REPLACE:
        hindrance = actions.certificate_hindrance(holder, at=now())
    page: dict[str, object] = {
        "hindrance_link": way_out(holder, hindrance, by=request.actor) if hindrance else None,
        "template": f"counter/matters/{key}.html",
        "matter": found,
        "panel": side,
        "hindrance": hindrance,
        "cover": cards.loss_cover(side.card, day=day_of(now())) if side.card else None,
        "on_death": cards.account_after_death(side.card, day=day_of(now())) if side.card else "",
        "is_minor": is_child(holder, day_of(now())),
        "credential_hours": province().pass_.credential_hours,
    }
    purpose, at = f"窗口办理：{found.title}", now()
    page["draft"] = (
        cards.draft_to_finish(holder.pk, key, purpose=purpose, by=request.actor, at=at)
        if found.keep
        else None
    )
    return _walk(found, holder, request, page).answer(request)


def _not_here(key: str, by: Actor) -> DomainError | None:
    """Why this desk may not begin it today: a bank's agreement, or the list of what the outlet offers."""
    if key in SERVICE:
        return desk_hindrance(CaseKind(key), by=by, at=now())
    try:
        if key in _CHANGES:
            check_offered(CHANGE, by=by, at=now())
    except DomainError as refusal:
        return refusal
    return None


def _walk(found: Matter, holder: Holder, request: StaffRequest, page: dict[str, object]) -> Walk:
    def act(form: MatterForm) -> str:
        return found.act(holder, form.cleaned_data, by=request.actor, at=now())

    def keep(form: MatterForm) -> str:
        assert found.keep is not None  # noqa: S101 - for the type checker
        return found.keep(holder, form.cleaned_data, by=request.actor, at=now())

    def verify(form: MatterForm) -> None:
        if found.key == CaseKind.REPLACE:  # told before it is confirmed
            given = form.cleaned_data
            waiver = {"claimed": given["fee_ground"], "note": given["fee_note"]}
            fee = actions.fee_of(holder, given["reason"], **waiver, by=request.actor, at=now())
            page["fee"], page["fee_words"] = fee, FeeGround(fee.ground).label if fee.ground else ""
        if found.key == "merge":  # a number alone does not show that it is the wrong person's
            number = form.cleaned_data["number"]
            page["kept"] = holder
            page["other"] = other_record(holder, number, by=request.actor, at=now())

    return Walk(
        form=partial(found.form, holder=holder),
        act=act,
        verify=verify,
        keep=keep if found.keep else None,
        initial=begun(draft) if isinstance(draft := page["draft"], Case) else {},
        page=page,
        fields_at_fault=found.fields_at_fault,
        is_quick=found.is_quick,
        link=lambda refusal: way_out(holder, refusal, by=request.actor),
    )


@staff_required(Permission.CARD_HAND_OVER)
@require_http_methods(["GET", "HEAD", "POST"])
def collect(request: StaffRequest, holder_id: UUID) -> HttpResponse:
    """领卡, 社保启用, 金融激活: one button each, for each is an act of its own."""
    holder = holders.get(holder_id, by=request.actor, at=now(), purpose="窗口办理：领卡与启用")
    form = CollectForm(request.POST if request.method == "POST" else None, by=request.actor)
    if form.is_valid():
        try:
            done = collecting.do(request.POST.get("do", ""), holder.pk, by=request.actor, at=now())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return HttpResponseRedirect(f"{request.path}?done={done}", status=303)
    side = panel.of(holder, by=request.actor)
    steps = collecting.steps(side)
    context = {
        "form": form,
        "panel": side,
        "steps": steps,
        "unpaid": side.case if side.case and side.case.fee_fen and not side.case.fee_paid_at else None,
        "place": _place(side.case),
        "may_go_on": any(one.state == "next" for one in steps),
        "done": request.GET.get("done"),
        "nav": "collect",
    }
    return render(request, "counter/collect.html", context, status=_status(form))


def _place(case: Case | None) -> batches.Place | None:
    """In which box the clerk finds the card."""
    return batches.place_of(case.pk) if case is not None and case.status == CaseStatus.READY else None


def _status(form: MatterForm) -> int:
    if not form.is_refused:
        return 200
    return form.refusal.status if form.refusal else 422


@staff_required(Permission.HOLDER_REVEAL)
@require_POST
def reveal(request: StaffRequest, holder_id: UUID) -> HttpResponse:
    """One field in clear, for half a minute. The holder will see who looked, and why."""
    at, form = now(), RevealForm(request.POST)
    if not form.is_valid():
        raise Invalid("请选择要查看的内容和原因。")
    field, reason = form.cleaned_data["field"], form.cleaned_data["reason"]
    value = holders.reveal(holder_id, field, reason=reason, by=request.actor, at=at)
    if wants_json(request):
        return JsonResponse({"value": value, "seconds": SHOWN_SECONDS})
    holder = holders.get(holder_id, by=request.actor, at=at, purpose="窗口办理：查看持卡人")
    answer = render(
        request, "counter/holder.html", _context(holder, request.actor) | {"revealed": {field: value}}
    )
    answer.headers["Refresh"] = f"{SHOWN_SECONDS}; url=/counter/holders/{holder_id}/"  # masked again
    return answer
