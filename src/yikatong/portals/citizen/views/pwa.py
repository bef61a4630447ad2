"""The service worker, the manifest and the page for no network."""

from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static

from yikatong.portals.citizen.templatetags.citizen import vendor
from yikatong.portals.citizen.views import code
from yikatong.registry.regions import profile

ASSETS = (
    "shared/tokens.css",
    "citizen/citizen.css",
    "citizen/page.js",
    "citizen/code.js",
    "citizen/worker.js",
)
LIBRARIES = ("qr", "sm")
PAGES = ("/m/code/shell", "/m/offline")


def service_worker(request: HttpRequest) -> HttpResponse:
    """At the root, so that it covers `/m`; its version is a hash of everything it keeps."""
    kept = [*PAGES, *(static(name) for name in ASSETS), *filter(None, map(vendor, LIBRARIES))]
    shells = code.shell(request).content + offline(request).content
    version = sha256(repr(kept).encode() + _without_clock(shells)).hexdigest()[:12]
    script = render_to_string("citizen/sw.js", {"version": version, "kept": kept})
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"}
    return HttpResponse(script, content_type="text/javascript; charset=utf-8", headers=headers)


def manifest(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    rules = profile.load(settings.PROVINCE)
    icons = [
        {
            "src": static("shared/icon.svg"),
            "sizes": "any",
            "type": "image/svg+xml",
            "purpose": "any maskable",
        }
    ]
    words = {
        "name": rules.platform,
        "short_name": f"{rules.short}一卡通",
        "lang": "zh-CN",
        "start_url": "/m/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f3f6fa",
        "theme_color": "#083e73",
        "icons": icons,
        "shortcuts": [{"name": "亮码", "url": "/m/code"}, {"name": "我的卡", "url": "/m/card"}],
    }
    return JsonResponse(
        words, content_type="application/manifest+json", headers={"Cache-Control": "max-age=3600"}
    )


def offline(request: HttpRequest) -> HttpResponse:
    return render(request, "citizen/offline.html")


def _without_clock(page: bytes) -> bytes:
    """The shell tells the time; that is no new version."""
    return b"\n".join(line for line in page.splitlines() if b"data-now" not in line and b"csrf" not in line)
