"""Terminals: register, hand out an enrolment code once, stop, resume, retire."""

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from yikatong.core.actor import Channel
from yikatong.core.clock import now
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission
from yikatong.portals.console.forms import StopForm, TerminalFilter, TerminalForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.access import actions, queries
from yikatong.registry.access.models import Terminal, TerminalState
from yikatong.using.codes import queries as codes

NEEDS_REASON = frozenset({"stop", "retire"})
staff = staff_required(Permission.TERMINAL_MANAGE, channel=Channel.WEB)


@staff
def index(request: StaffRequest) -> HttpResponse:
    form = TerminalFilter(request.GET)
    found = form.apply(queries.visible_to(request.actor))
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    newest = {stand.scene: stand.newest for stand in codes.newest_lists() if stand.kind == "hot"}
    names, rows = codes.scene_names(), [(one, _behind(one, newest)) for one in page]
    said = [(one, "、".join(names.get(scene, str(scene)) for scene in old)) for one, old in rows]
    return render(request, "console/terminals.html", {"form": form, "page": page, "rows": said})


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def register(request: StaffRequest) -> HttpResponse:
    form = TerminalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.register_terminal(**form.register_entry(), by=request.actor, at=now())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return HttpResponseRedirect(reverse("console-terminal", args=[made.number]), status=303)
    return render(
        request, "console/terminal_new.html", {"form": form}, status=422 if form.is_refused else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def terminal(request: StaffRequest, number: int) -> HttpResponse:
    """A code is shown in the answer of the POST that made it, and never again."""
    found = queries.get(number, by=request.actor)
    form, code = StopForm(), ""
    if request.method == "POST":
        if request.POST.get("act") in NEEDS_REASON:
            form = StopForm(request.POST)
        try:
            code = _act(request, found, form)
        except DomainError as refusal:
            form = StopForm(request.POST)
            form.refuse(refusal)
        if not code and not form.is_refused:
            return HttpResponseRedirect(request.path, status=303)
    at = now()
    shown = {"terminal": found, "form": form, "code": code, "at": at, "lists": _lists(found)}
    return render(request, "console/terminal.html", shown, status=422 if form.is_refused else 200)


def _told(terminal: Terminal) -> TerminalState | None:
    """What it said of itself, once it has said which lists it holds."""
    state: TerminalState | None = getattr(terminal, "state", None)
    return state if state and state.hot_versions else None


def _behind(terminal: Terminal, newest: dict[int, int]) -> list[int]:
    """Scenes whose hot list is not the newest."""
    if (state := _told(terminal)) is None:
        return []
    held = state.hot_versions
    return [scene for scene in sorted(terminal.scenes) if held.get(str(scene), 0) < newest.get(scene, 0)]


def _lists(terminal: Terminal) -> list[codes.ListStand]:
    """Each list it should hold, as it stands beside the newest; none while it has told nothing."""
    if (state := _told(terminal)) is None:
        return []
    hot = {("hot", scene): state.hot_versions.get(str(scene), 0) for scene in sorted(terminal.scenes)}
    return codes.list_stands({("trust", 0): state.trust_version} | hot)


def _act(request: StaffRequest, found: Terminal, form: StopForm) -> str:
    """Carry out the button pressed; returns an enrolment code when one was made."""
    common: dict[str, Any] = {"by": request.actor, "at": now()}
    match request.POST.get("act"):
        case "code":
            return str(actions.new_enrol_code(found.pk, **common))
        case "resume":
            actions.resume(found.pk, **common)
        case "stop" | "retire" as verb if form.is_valid():
            act: Callable[..., Any] = actions.stop if verb == "stop" else actions.retire
            act(found.pk, reason=form.cleaned_data["reason"], **common)
    return ""
