"""亮码: the page, its password, and what the browser's own code asks for."""

import json
from base64 import b64decode, b64encode
from typing import Any
from uuid import UUID

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from yikatong.core.clock import now
from yikatong.core.errors import Forbidden, Invalid
from yikatong.core.masking import mask_number, mask_phone
from yikatong.portals.citizen import demo, standing
from yikatong.portals.citizen.agents import device_name
from yikatong.portals.citizen.answers import answer
from yikatong.portals.citizen.forms import NewPasswordForm, PasswordForm, ResetForm
from yikatong.portals.citizen.session import (
    DEVICE,
    CitizenRequest,
    close_code,
    holder_required,
    is_code_open,
    open_code,
)
from yikatong.portals.citizen.views.home import card_context
from yikatong.portals.shared.address import client_address
from yikatong.registry.cards import queries as cards
from yikatong.registry.cards.models import OPEN_CASES
from yikatong.registry.holders import names
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions import profile
from yikatong.using.codes import actions as codes
from yikatong.using.codes import queries as held
from yikatong.using.codes.reasons import Reason
from yikatong.using.codes.rules import SCENES
from yikatong.using.identity import actions as identity
from yikatong.using.identity import queries as known

DEFAULT_SCENE = 1
RENEW_AFTER_S = 6 * 3600
#: The page's own code asks, nobody has typed anything.
_INCOMPLETE = "页面发出的请求不完整，没有办理。请刷新页面后重试。"


@holder_required
def show(request: CitizenRequest) -> HttpResponse:
    """The code, or why there is none and what to do; the password comes first, once a session."""
    context = card_context(request.holder)
    if reason := context["refusal"] or _released(request):
        context["refusal"] = reason
        following = _following(request.holder, reason)
        return render(request, "citizen/no_code.html", context | {"following": following})
    if not is_code_open(request):
        return HttpResponseRedirect(f"/m/code/password?scene={_scene(request)}")
    return render(request, "citizen/code.html", context | _words(request) | _own(request))


def shell(request: HttpRequest) -> HttpResponse:
    """The same page without anyone in it, for the service worker to keep: it holds no personal data at all."""
    return render(request, "citizen/code.html", _words(request) | {"shell": True})


@holder_required
def short_svg(request: CitizenRequest) -> HttpResponse:
    """A short code as a picture: works without JavaScript and on weak cameras."""
    if not is_code_open(request):
        raise Forbidden("请先输入电子社保卡密码。")
    text = codes.server_code(request.holder.id, _scene(request), by=request.actor, at=now())
    picture = segno.make(text, error="m", micro=False).svg_inline(
        border=4, omitsize=True, light="#fff", dark="#000"
    )
    picture = picture.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return HttpResponse(picture, content_type="image/svg+xml", headers={"Cache-Control": "no-store"})


@holder_required
def password(request: CitizenRequest) -> HttpResponse:
    """Ask for the password; who has none sets one."""
    is_set = known.has_password(request.holder.id)
    form = (PasswordForm if is_set else NewPasswordForm)(request.POST or None)

    def enter(data: dict[str, Any]) -> str:
        if is_set:
            identity.check_password(request.holder.id, data["password"], by=request.actor, at=now())
        else:
            identity.set_password(request.holder.id, data["password"], by=request.actor, at=now())
        open_code(request)
        return f"/m/code?scene={_scene(request)}"

    return answer(request, form, "citizen/password.html", enter, is_set=is_set)


@holder_required
def reset_password(request: CitizenRequest) -> HttpResponse:
    """Forgotten: a code to the holder's own phone proves him, then a new password."""
    phone = request.holder.phone
    if not phone:
        raise Forbidden("没有登记手机号码，请到服务网点重置密码。")
    if request.method == "GET":
        return render(request, "citizen/password_forgotten.html", {"phone": mask_phone(phone)})
    if "send" in request.POST:
        identity.send_code(
            phone, at=now(), ip=client_address(request), purpose=identity.PASSWORD, is_familiar=True
        )

    def reset(data: dict[str, Any]) -> str:
        code, chosen = data["code"], data["password"]
        identity.reset_password(request.holder.id, code, chosen, by=request.actor, at=now())
        open_code(request)
        return "/m/code"

    form = ResetForm(None if "send" in request.POST else request.POST)
    shown = demo.last_text(phone) if settings.DEMO else ""
    if "send" in request.POST:
        context = {"form": form, "phone": mask_phone(phone), "demo_text": shown}
        return render(request, "citizen/password_reset.html", context)
    return answer(
        request, form, "citizen/password_reset.html", reset, phone=mask_phone(phone), demo_text=shown
    )


@require_POST
@holder_required
def device(request: CitizenRequest) -> HttpResponse:
    """Bind this browser by the public half of a key it made itself (33 bytes, base64)."""
    _check_open(request)
    key, name = _bytes(_body(request).get("public_key")), device_name(request.headers.get("User-Agent", ""))
    bound = codes.register_device(request.holder.id, public_key=key, name=name, by=request.actor, at=now())
    request.session[DEVICE] = str(bound.id)
    return JsonResponse({"device": str(bound.id)}, status=201)


@require_POST
@holder_required
def credentials(request: CitizenRequest) -> HttpResponse:
    """Fresh credentials for every scene, and the platform's clock."""
    _check_open(request)
    at, number = now(), _key(_body(request).get("device"))
    issued = codes.issue_credentials(number, by=request.actor, at=at, scene_keys=True)
    request.session[DEVICE] = str(number)
    made = [
        {"scene": one.scene, "label": one.label}
        | {name: _text(getattr(one, name)) for name in ("credential", "secret", "tweak")}
        for one in issued
    ]
    return JsonResponse({"now": at.timestamp(), "holder": _masked(request.holder), "credentials": made})


def _words(request: HttpRequest) -> dict[str, Any]:
    rules = profile.load(settings.PROVINCE)
    return {
        "scenes": [(int(scene), rules.codes.label(name)) for scene, name in SCENES.items()],
        "scene": _scene(request),
        "period": rules.pass_.presentation_seconds // 2,
        "renew_after": RENEW_AFTER_S,
        "now": now().timestamp(),
    }


def _following(holder: Holder, reason: Reason) -> tuple[str, str]:
    """Where to go on from a refusal: to the new card already on its way, else to what the reason asks for."""
    making = next((case for case in cards.cases_of(holder.id) if case.status in OPEN_CASES), None)
    if making and reason in standing.MENDED_BY_A_CARD:
        return "看新卡的进度", f"/m/cases/{making.number}"
    return standing.NEXT[reason]


def _own(request: CitizenRequest) -> dict[str, Any]:
    device = request.session.get(DEVICE, "")
    return {"tag": _tag(request.holder), "device": device, "plain": "plain" in request.GET}


def _released(request: CitizenRequest) -> Reason | None:
    """A device released from elsewhere: whoever holds this browser must know the password again."""
    device = request.session.get(DEVICE)
    if not device or held.devices_of(request.holder.id).filter(id=device).exists():
        return None
    close_code(request)
    return Reason.DEVICE_REVOKED


def _scene(request: HttpRequest) -> int:
    asked = request.GET.get("scene", "")
    return int(asked) if asked in {str(int(scene)) for scene in SCENES} else DEFAULT_SCENE


def _check_open(request: HttpRequest) -> None:
    if not is_code_open(request):
        raise Forbidden("请先输入电子社保卡密码。")


def _masked(holder: Holder) -> dict[str, str]:
    number = mask_number(str(holder.social_security_number))
    return {"name": names.mask(holder.name), "number": number, "tag": _tag(holder)}


def _tag(holder: Holder) -> str:
    """Tells this browser's holders apart without telling who they are."""
    return str(holder.id)[-12:]


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Invalid(_INCOMPLETE) from None
    if not isinstance(body, dict):
        raise Invalid(_INCOMPLETE)
    return body


def _bytes(value: object) -> bytes:
    try:
        return b64decode(str(value), validate=True)
    except ValueError:
        raise Invalid("设备公钥不正确。请刷新页面后重试。") from None


def _key(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise Invalid(_INCOMPLETE) from None


def _text(value: bytes) -> str:
    return b64encode(value).decode()
