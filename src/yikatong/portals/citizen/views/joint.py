"""联办: for a child just born or for oneself after the army; one page follows every department."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from yikatong.core.clock import day_of, now
from yikatong.portals.citizen import standing
from yikatong.portals.citizen.answers import SeeOther, answer
from yikatong.portals.citizen.joint_forms import CorrectPartForm, JointForm, NewbornForm, VeteranForm
from yikatong.portals.citizen.session import CitizenRequest, holder_required
from yikatong.portals.citizen.views.cases import outlets_near
from yikatong.registry.cards.actions.representatives import is_child
from yikatong.registry.cards.models import COMING, LIVE, Card
from yikatong.registry.joint import actions, plans, queries
from yikatong.registry.joint.actions import Making, Newborn, Veteran
from yikatong.registry.joint.models import JointKind, JointMatter

_CHILD = (
    "name", "sex", "birth_date", "birth_certificate", "hospital", "mother_name", "household_book",
    "division_code", "id_number",
)  # fmt: skip
_SERVED = ("discharge_certificate", "discharged_on", "unit", "household_book", "phone", "division_code")


@holder_required
def index(request: CitizenRequest) -> HttpResponse:
    own = [(one, standing.of_joint(one)) for one in queries.of_holder(request.holder.pk, at=now())[:20]]
    context = {
        "own": own,
        "is_child": is_child(request.holder, day_of(now())),
        "newborn": plans.NEWBORN,
        "veteran": plans.VETERAN,
    }
    return render(request, "citizen/joint/index.html", context)


@holder_required
def newborn(request: CitizenRequest) -> HttpResponse:
    place = request.holder.division_code
    form = NewbornForm(request.POST or None, place=place)

    def act(data: dict[str, Any]) -> str:
        child = Newborn(
            **{name: data[name] for name in _CHILD},
            address=data["address"] if data["delivery"] == "1" else "",
        )
        return _page_of(actions.open_newborn(child, _making(data), by=request.actor, at=now()))

    kind = {"kind": JointKind.NEWBORN, "plans": plans.NEWBORN}
    return _form(request, form, act, **kind)


@holder_required
def veteran(request: CitizenRequest) -> HttpResponse:
    holder = request.holder
    has_card = Card.objects.filter(holder=holder, status__in=[*LIVE, *COMING]).exists()
    form = VeteranForm(
        request.POST or None,
        place=holder.division_code,
        with_card=not has_card,
        initial={"phone": holder.phone},
    )

    def act(data: dict[str, Any]) -> str:
        served = Veteran(**{name: data[name] for name in _SERVED})
        making = None if has_card else _making(data)
        return _page_of(actions.open_veteran(holder.pk, served, making, by=request.actor, at=now()))

    known = queries.open_number(JointKind.VETERAN, holder.pk)
    kind = {"kind": JointKind.VETERAN, "plans": plans.VETERAN, "has_card": has_card, "known": known}
    return _form(request, form, act, **kind)


@holder_required
def matter(request: CitizenRequest, number: str) -> HttpResponse:
    found = queries.joint(number, by=request.actor, at=now())
    parts = [(one, standing.of_part(one.state, one.status)) for one in queries.progress(found, at=now())]
    done, total = queries.counts(found)
    context = {
        "joint": found,
        "standing": standing.of_joint(found),
        "parts": parts,
        "done": done,
        "total": total,
        "timeline": queries.timeline(found),
        "can_withdraw": any(one.may_withdraw for one, _ in parts),
        "new": "new" in request.GET,
        "changed": "changed" in request.GET,
    }
    return render(request, "citizen/joint/matter.html", context)


@holder_required
def correct(request: CitizenRequest, number: str, key: str) -> HttpResponse:
    found = queries.joint(number, by=request.actor, at=now())
    part = _part(found, key)
    if not part.may_correct:
        return SeeOther(f"/m/joint/{found.number}")
    form = CorrectPartForm(request.POST or None, names=part.corrects, said=queries.form_of(found))

    def act(_: dict[str, Any]) -> str:
        actions.correct(found.pk, key, answers=form.given(), by=request.actor, at=now())
        return f"/m/joint/{found.number}?changed"

    return answer(request, form, "citizen/joint/correct.html", act, joint=found, part=part)


@holder_required
def withdraw(request: CitizenRequest, number: str, key: str = "") -> HttpResponse:
    found = queries.joint(number, by=request.actor, at=now())
    parts = queries.progress(found, at=now())
    chosen = [_part(found, key)] if key else [one for one in parts if one.may_withdraw]
    if request.method == "POST":
        actions.withdraw(found.pk, key, by=request.actor, at=now())
        return SeeOther(f"/m/joint/{found.number}?changed")
    return render(request, "citizen/joint/withdraw.html", {"joint": found, "parts": chosen, "key": key})


def _form(request: CitizenRequest, form: JointForm, act: Any, **context: Any) -> HttpResponse:
    asked = request.GET.get("district") or request.POST.get("district") or request.holder.division_code[:6]
    context |= outlets_near(asked) | {"holder": request.holder, "shown": form.shown()}
    context["is_child"] = is_child(request.holder, day_of(now()))
    return answer(request, form, "citizen/joint/form.html", act, **context)


def _part(found: JointMatter, key: str) -> queries.Part:
    part = next((one for one in queries.progress(found, at=now()) if one.key == key), None)
    if part is None or part.key == queries.CARD:
        raise Http404
    return part


def _making(data: dict[str, Any]) -> Making:
    return Making(
        bank_code=data["bank"].code,
        outlet_id=data["outlet"].id,
        division_code=data["outlet"].division_code,
        delivery=data["delivery"],
        address=data["address"] if data["delivery"] == "1" else "",
    )


def _page_of(joint: JointMatter) -> str:
    return f"/m/joint/{joint.number}?new"
