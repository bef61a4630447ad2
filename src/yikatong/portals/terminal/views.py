"""The kiosk's page, its two workers and its service worker. All that decides runs in the browser, or at the gate."""

from hashlib import sha256
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static

from yikatong.registry.regions import profile
from yikatong.using.codes.reasons import Reason

_ASSETS = ("shared/tokens.css", "terminal/kiosk.css", "terminal/kiosk.js", "terminal/icon.svg")
_DESK = ("terminal/pass.js", "terminal/store.js", "terminal/gate.js", "terminal/desk.js")
_SM, _ZXING = "vendor/sm-crypto-v2/index.umd.js", "vendor/zxing-wasm/index.js"
_WASM = "vendor/zxing-wasm/zxing_reader.wasm"
_SCENES = {1: "general", 2: "medical", 3: "transit", 4: "venue"}
_PAGES = ("/terminal/", "/terminal/desk.js", "/terminal/eye.js", "/terminal/reasons.json")


def kiosk(request: HttpRequest) -> HttpResponse:
    """The page. Without the vendored libraries it says so; a scanner at the counter's terminal still works."""
    return render(request, "terminal/kiosk.html", _words())


def desk(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The worker that keeps keys and decides. Served here, for a worker obeys the policy of its own address."""
    return _worker([_SM, *_DESK])


def eye(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The worker that looks for codes in pictures."""
    return _worker([_ZXING, "terminal/eye.js"])


def reasons(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The closed list of refusals, for an offline kiosk."""
    rows = [
        {"number": int(reason), "name": reason.name, "sentence": reason.sentence}
        | {"holder": reason.holder, "operator": reason.operator}
        for reason in Reason
    ]
    return JsonResponse(rows, safe=False, headers={"Cache-Control": "no-cache"})


def service_worker(request: HttpRequest) -> HttpResponse:
    """Keeps the kiosk for a day without a network; its version is a hash of everything it keeps."""
    kept = [*_PAGES, *filter(None, map(_address, (*_ASSETS, *_DESK, "terminal/eye.js", _SM, _ZXING, _WASM)))]
    page = render_to_string("terminal/kiosk.html", _words(), request)
    version = sha256((repr(kept) + page).encode()).hexdigest()[:12]
    script = render_to_string("terminal/sw.js", {"version": version, "kept": kept})
    return _script(script)


def manifest(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """For a kiosk that starts like a program."""
    icon = {"src": static("terminal/icon.svg"), "sizes": "any", "type": "image/svg+xml"}
    words = {
        "name": f"{profile.load(settings.PROVINCE).short}一卡通终端",
        "short_name": "一卡通终端",
        "lang": "zh-CN",
        "start_url": "/terminal/",
        "scope": "/terminal/",
        "display": "fullscreen",
        "background_color": "#061226",
        "theme_color": "#061226",
        "icons": [icon],
    }
    return JsonResponse(words, content_type="application/manifest+json")


def _words() -> dict[str, Any]:
    codes = profile.load(settings.PROVINCE).codes
    scenes = [(number, getattr(codes, name)) for number, name in _SCENES.items()]
    return {"gate": settings.ENV.gate_url, "kiosk_scenes": scenes, "wasm": _address(_WASM)}


def _worker(files: list[str]) -> HttpResponse:
    addresses = [address for file in files if (address := _address(file))]
    return _script(render_to_string("terminal/worker.js", {"addresses": addresses}))


def _script(text: str) -> HttpResponse:
    headers = {"Cache-Control": "no-cache"}
    return HttpResponse(text, content_type="text/javascript; charset=utf-8", headers=headers)


def _address(file: str) -> str:
    """Where a file is served; "" when it was not installed."""
    try:
        return static(file)
    except ValueError:
        return ""
