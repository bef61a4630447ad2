"""Where a request comes from."""

from ipaddress import IPv6Address, ip_address

from django.http import HttpRequest

_LOOPBACK = frozenset({"127.0.0.1", "::1", ""})
_NETWORK = 2**64  # of IPv6, one subscriber has at least a /64: its addresses are one asker


def client_address(request: HttpRequest) -> str:
    """The peer's address; behind a proxy on this machine, the one the proxy saw (the last entry it added).

    Of IPv6 the /64, or a limit by address would hold nobody who changes his at will.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    if peer not in _LOOPBACK:
        return _asker(peer)
    return _asker(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()[:45]) or peer


def _asker(text: str) -> str:
    try:
        found = ip_address(text.strip("[]"))
    except ValueError:
        return text
    if not isinstance(found, IPv6Address):
        return text
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) // _NETWORK * _NETWORK)}/64"
