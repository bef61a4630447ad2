"""Pages of logging in and of one's own account."""

from datetime import datetime
from uuid import UUID

import pyotp
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from yikatong.core.actor import Channel, Role
from yikatong.core.clock import now
from yikatong.core.errors import DomainError, Forbidden
from yikatong.core.models import StaffUser
from yikatong.core.permissions import Permission
from yikatong.portals.shared import qr
from yikatong.portals.shared.address import client_address
from yikatong.portals.shared.forms import DeskForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.portals.staff import actions, browsers, demo, session, wall
from yikatong.portals.staff.forms import CodeForm, DisplayForm, LogInForm, PasswordForm

HOMES = {
    Role.CLERK: "/counter/",
    Role.BANK_CLERK: "/counter/",
    Role.SUPERVISOR: "/counter/",
    Role.LEADER: "/board/",
    Role.OPERATOR: "/console/",
    Role.AUDITOR: "/console/",
    Role.ADMIN: "/admin/",
}
ISSUER = "一卡通"
_YEAR = 365 * 24 * 3600


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """First factor."""
    form = LogInForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _page(request, "login", form)
    at = now()
    try:
        given = _name_and_password(form)
        browser = browsers.known(request, actions.spelled(given["name"]))
        user = actions.check_password(**given, address=client_address(request), at=at, browser=browser)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(request, "login", form)
    session.begin_pending(request, user, at)
    return HttpResponseRedirect(f"/staff/code?{request.GET.urlencode()}", status=303)


def _name_and_password(form: LogInForm) -> dict[str, str]:
    return {"name": form.cleaned_data["username"], "password": form.cleaned_data["password"]}


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Second factor; at the first log-in with a QR picture for the authenticator."""
    at = now()
    if (user_id := session.pending(request, at)) is None:
        return redirect(f"/staff/login?{request.GET.urlencode()}")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            user = _verified(request, user_id, form.cleaned_data["code"], at)
        except DomainError as refusal:
            form.refuse(refusal, "code" if isinstance(refusal, actions.WrongCode) else None)
        else:
            session.begin(request, user, at)
            answer = HttpResponseRedirect(_next(request, user), status=303)
            browsers.remember(request, answer, actions.spelled(user.username))
            return answer
    return _page(request, "code", form, **_enrolment(user_id))


def _verified(request: HttpRequest, user_id: UUID, code: str, at: datetime) -> StaffUser:
    name = StaffUser.objects.values_list("username", flat=True).get(id=user_id)
    browser = browsers.known(request, actions.spelled(name))
    return actions.verify_code(user_id, code, address=client_address(request), at=at, browser=browser)


def _enrolment(user_id: UUID) -> dict[str, object]:
    """What the second page needs: the QR for who has no authenticator yet; in a demonstration, a code."""
    at = now()
    user = actions.enrol(user_id, at=at)
    shown: dict[str, object] = {"person": user}
    if user.totp_confirmed_at is None:
        secret = str(user.totp_secret)
        address = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)
        shown |= {"qr": qr.svg(address), "secret": " ".join(secret[i : i + 4] for i in range(0, 32, 4))}
    if demo.is_one(user):
        shown["demo_code"] = actions.usable_code(user, at) or ""
    return shown


def _next(request: HttpRequest, user: StaffUser) -> str:
    wanted = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return HOMES[Role(user.role)]


@staff_required(channel=Channel.WEB)
def home(request: StaffRequest) -> HttpResponse:
    """To the face of one's role."""
    return redirect(HOMES[request.actor.role])


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Permission.BOARD_SEE, channel=Channel.WEB)
def wall_screen(request: StaffRequest) -> HttpResponse:
    """Make this browser a board on a wall; only for who does nothing but watch."""
    days = settings.ENV.wall_days
    if request.actor.role is not Role.LEADER or not days:
        raise Forbidden
    if request.method == "POST":
        wall.begin(request, days=days, by=request.actor, at=now())
        return HttpResponseRedirect("/board/", status=303)
    return render(request, "staff/wall.html", {"days": days})


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    session.end(request, now())
    return HttpResponseRedirect("/staff/login?out=1", status=303)


@sensitive_post_parameters("old", "new", "again")
@staff_required(channel=Channel.WEB)
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: StaffRequest) -> HttpResponse:
    """Own data, password, text size and shortcuts."""
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _page(request, "account", form, **_display(request))
    old, new, address = form.cleaned_data["old"], form.cleaned_data["new"], client_address(request)
    try:
        browser = browsers.known(request, actions.spelled(request.user.username))
        user = actions.change_password(
            request.user.id, old=old, new=new, address=address, at=now(), browser=browser
        )
    except DomainError as refusal:
        form.refuse(refusal, {actions.WrongLogIn: "old", actions.WeakPassword: "new"}.get(type(refusal)))
        return _page(request, "account", form, **_display(request))
    update_session_auth_hash(request, user)
    return HttpResponseRedirect("/staff/account?changed=1", status=303)


def _display(request: HttpRequest) -> dict[str, object]:
    chosen = {"fs": request.COOKIES.get("fs", "1"), "keys": request.COOKIES.get("keys", "on")}
    return {"display": DisplayForm(initial=chosen, label_suffix="")}


@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """Keep text size and shortcuts in this browser."""
    form = DisplayForm(request.POST)
    answer = HttpResponseRedirect("/staff/account?display=1#display", status=303)
    for name, value in (form.cleaned_data if form.is_valid() else {}).items():
        answer.set_cookie(name, value, max_age=_YEAR, samesite="Lax", httponly=True)
    return answer


@never_cache
@require_http_methods(["GET", "POST"])
def alive(request: HttpRequest) -> HttpResponse:
    """Whether the session lives, and the form token to use on. POST says that he is at the desk."""
    if not request.user.is_authenticated:
        return JsonResponse({"alive": False}, status=401)
    return JsonResponse({"alive": True, "left": session.left(request, now()), "csrf": get_token(request)})


def back(request: HttpRequest) -> HttpResponse:
    """After a log-in in a second tab: go back to the first."""
    return render(request, "staff/back.html")


def _page(request: HttpRequest, name: str, form: DeskForm, **more: object) -> HttpResponse:
    status = 200
    if form.is_bound:
        status = form.refusal.status if form.refusal else 422
    context = {"form": form, "demo_people": demo.people(), **more}
    return render(request, f"staff/{name}.html", context, status=status)
