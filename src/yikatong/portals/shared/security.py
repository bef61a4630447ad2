"""Security headers of every answer; the content policy allows our own files only."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from yikatong.portals.shared.refusals import page_not_found, too_large

BASE = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "media-src": "'self' blob:",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


def _by_face(path: str) -> dict[str, str]:
    """What a face needs beyond the base."""
    if path.startswith("/terminal/"):
        # zxing decodes in WebAssembly; the kiosk speaks with the gate, which may have its own address.
        return {"script-src": "'self' 'wasm-unsafe-eval'", "connect-src": f"'self' {settings.ENV.gate_url}"}
    if path.startswith("/counter/") and settings.ENV.reader_url:
        return {
            "connect-src": f"'self' {settings.ENV.reader_url}"
        }  # the card reader beside the clerk's browser
    if path.startswith("/admin/"):
        # The admin library (unfold) evaluates Alpine expressions and styles inline; staff only, behind TOTP.
        return {"script-src": "'self' 'unsafe-inline' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"}
    return {}


class SecurityHeaders:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = BASE | _by_face(request.path)
        response.headers.setdefault(
            "Content-Security-Policy", "; ".join(f"{k} {v}" for k, v in policy.items())
        )
        camera = "camera=(self)" if request.path.startswith("/terminal/") else "camera=()"
        response.headers.setdefault("Permissions-Policy", f"{camera}, geolocation=(self), microphone=()")
        return response


BODY_BYTES_MAX = 3 * 1024 * 1024
# Where files are sent in: a roster of 200,000 rows, a return file of a batch.
FILE_BYTES_MAX = {"/console/rosters": 200 * 1024 * 1024, "/console/batches/": 50 * 1024 * 1024}


class BodyLimit:
    """Refuses a body by its announced length, before a byte of it is read; and addresses that no text can be."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = next(
            (n for path, n in FILE_BYTES_MAX.items() if request.path.startswith(path)), BODY_BYTES_MAX
        )
        if not length.isdecimal() or int(length) > limit:
            return too_large(request)
        if "\x00" in request.path_info:  # the database takes no such text
            return page_not_found(request, Http404())
        return self.get_response(request)
