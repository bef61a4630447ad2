"""Where a request comes from."""

from django.http import HttpRequest

_LOOPBACK = frozenset({"127.0.0.1", "::1", ""})


def client_address(request: HttpRequest) -> str:
    """The peer's address; behind a proxy on this machine, the one the proxy saw (the last entry it added)."""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    if peer not in _LOOPBACK:
        return peer
    return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()[:45] or peer
