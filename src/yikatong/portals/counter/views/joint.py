"""联办: the list, the two forms, and the one page on which every department's part is followed."""

from functools import partial
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from yikatong.core.clock import day_of, now
from yikatong.core.permissions import Permission, may
from yikatong.portals.counter import joint, panel
from yikatong.portals.counter.case_forms import OrderForm
from yikatong.portals.counter.forms import MatterForm
from yikatong.portals.counter.joint_forms import CorrectItemForm, NewbornForm, VeteranForm, WithdrawJointForm
from yikatong.portals.counter.walk import Walk
from yikatong.portals.shared import qr
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.holders import queries as holders
from yikatong.registry.joint import actions, plans, queries
from yikatong.registry.joint.models import JointKind, JointMatter

SHOWN = 50


@staff_required(Permission.HOLDER_REGISTER)
@require_safe
def index(request: StaffRequest) -> HttpResponse:
    """What runs in the region; numbers and departments only, no persons."""
    running = queries.at_desk(request.actor)
    rows = [(one, *queries.counts(one), queries.waiting_for(one)) for one in running[:SHOWN]]
    context = {"rows": rows, "count": len(rows), "most": SHOWN, "day": day_of(now()), "nav": "joint"}
    return render(request, "counter/joint/index.html", context)


@staff_required(Permission.HOLDER_REGISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def newborn(request: StaffRequest) -> HttpResponse:
    by = request.actor
    walk = Walk(
        form=NewbornForm,
        verify=lambda form: joint.check_newborn(form.cleaned_data, by=by, at=now()),
        act=lambda form: joint.open_newborn(form.cleaned_data, by=by, at=now()),
        page={
            "template": "counter/joint/form.html",
            "matter": {"title": JointKind.NEWBORN.label},
            "plans": plans.NEWBORN,
            "kind": JointKind.NEWBORN.value,
            "nav": "joint",
        },
        link=joint.link,
    )
    return walk.answer(request)


@staff_required(Permission.HOLDER_REGISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def veteran(request: StaffRequest, holder_id: UUID) -> HttpResponse:
    by = request.actor
    holder = holders.get(holder_id, by=by, at=now(), purpose="窗口办理：退役军人服务一件事")
    walk = Walk(
        form=partial(VeteranForm, holder=holder),
        verify=lambda form: joint.check_veteran(holder, form.cleaned_data, by=by, at=now()),
        act=lambda form: joint.open_veteran(holder, form.cleaned_data, by=by, at=now()),
        page={
            "template": "counter/joint/form.html",
            "matter": {"title": JointKind.VETERAN.label},
            "plans": plans.VETERAN,
            "kind": JointKind.VETERAN.value,
            "panel": panel.of(holder, by=by),
            "nav": "joint",
        },
        initial={"phone": holder.phone or "", "division_code": holder.division_code[:6]},
        link=joint.link,
    )
    return walk.answer(request)


@staff_required(Permission.HOLDER_FIND)
@require_safe
def matter(request: StaffRequest, joint_number: str) -> HttpResponse:
    return render(request, "counter/joint/matter.html", _context(_read(request, joint_number), request))


@staff_required(Permission.HOLDER_FIND)
@require_safe
def receipt(request: StaffRequest, joint_number: str) -> HttpResponse:
    """联办受理回执, 80 mm wide; masked, for it may be left lying about."""
    found = _read(request, joint_number)
    more = {"qr": qr.svg(found.number), "printed_at": now()}
    return render(request, "counter/joint/receipt.html", _context(found, request) | more)


@staff_required(Permission.CARD_APPLY, Permission.HOLDER_REGISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: StaffRequest, joint_number: str, key: str) -> HttpResponse:
    found = _read(request, joint_number)
    plan = _plan(found, key)

    def act(form: MatterForm) -> str:
        assert isinstance(form, CorrectItemForm)  # noqa: S101 - for the type checker
        actions.correct(found.pk, key, answers=form.given(), by=request.actor, at=now())
        return _back(found)

    page = _one(request, found, f"补正：{plan.title}", "改好后重新送办", key=key)
    names = next((one.corrects for one in queries.progress(found, at=now()) if one.key == key), ())
    form = partial(CorrectItemForm, names=names, said=queries.form_of(found))
    return Walk(form=form, act=act, page=page, is_quick=True).answer(request)


@staff_required(Permission.CARD_APPLY, Permission.HOLDER_REGISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: StaffRequest, joint_number: str, key: str = "") -> HttpResponse:
    """One part, or the whole; after a page that says what it undoes."""
    found = _read(request, joint_number)
    title = _plan(found, key).title if key else "整件联办"

    def act(_: MatterForm) -> str:
        actions.withdraw(found.pk, key, by=request.actor, at=now())
        return _back(found)

    page = _one(request, found, f"撤回：{title}", "确认撤回", key=key)
    return Walk(form=WithdrawJointForm, act=act, page=page, is_quick=True).answer(request)


@staff_required(Permission.CASE_OVERSEE)
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: StaffRequest, joint_number: str, key: str) -> HttpResponse:
    found = _read(request, joint_number)

    def act(form: MatterForm) -> str:
        actions.give_order(found.pk, key, order=form.cleaned_data["order"], by=request.actor, at=now())
        return _back(found)

    page = _one(request, found, f"督办：{_plan(found, key).title}", "提交督办意见", key=key)
    return Walk(form=OrderForm, act=act, page=page, is_quick=True).answer(request)


def _read(request: StaffRequest, number: str) -> JointMatter:
    return queries.joint(number, by=request.actor, at=now())


def _plan(found: JointMatter, key: str) -> plans.Plan:
    try:
        return plans.plan_of(found.kind, key)
    except KeyError:
        raise Http404 from None


def _back(found: JointMatter) -> str:
    return reverse("counter-joint-matter", args=[found.number]) + "?done=1"


def _one(
    request: StaffRequest, found: JointMatter, title: str, submit: str, *, key: str
) -> dict[str, object]:
    """A page with one form about one part (or, without a key, all that is open)."""
    parts = queries.progress(found, at=now())
    return {
        "template": "counter/joint/work.html",
        "matter": {"title": title, "submit": submit},
        "joint": found,
        "parts": [one for one in parts if one.key == key or (not key and one.may_withdraw)],
        "panel": panel.of(found.holder, by=request.actor),
        "nav": "joint",
    }


def _context(found: JointMatter, request: StaffRequest) -> dict[str, object]:
    by = request.actor
    parts = queries.progress(found, at=now())
    done, total = queries.counts(found)
    return {
        "joint": found,
        "parts": parts,
        "done": done,
        "total": total,
        "timeline": queries.timeline(found),
        "panel": panel.of(found.holder, by=by),
        "may_work": may(by, Permission.CARD_APPLY) and may(by, Permission.HOLDER_REGISTER),
        "may_oversee": may(by, Permission.CASE_OVERSEE) and by.covers(found.division_code),
        "may_withdraw": any(one.may_withdraw for one in parts),
        "is_new": "new" in request.GET,
        "is_done": "done" in request.GET,
        "nav": "joint",
    }
