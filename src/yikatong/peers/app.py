"""All sandbox peers behind one address (WSGI): one process more, not one a peer."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from yikatong.peers.bank.app import application as bank
from yikatong.peers.department.app import application as department
from yikatong.peers.partner.app import application as partner
from yikatong.peers.signed import Environ
from yikatong.peers.sources.app import application as sources

_BY_PREFIX: Final = {"sources": sources, "partner": partner, "department": department}


def application(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
    """The first part of the path names the peer; the bank's paths have none."""
    path: str = environ["PATH_INFO"]
    if path == "/healthz":
        for peer in (bank, sources, partner, department):
            peer.stand()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", "14")])
        return [b'{"alive":true}']
    return _BY_PREFIX.get(path.split("/", 2)[1], bank)(environ, start)
