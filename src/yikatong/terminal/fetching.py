"""Bringing the lists up to date: a delta where it fits, else the full list; new list keys by a new sign-in."""

from yikatong.terminal import holding, session, ticking
from yikatong.terminal.errors import ListRefused
from yikatong.terminal.gate_client import GateClient
from yikatong.terminal.holding import Held
from yikatong.terminal.store import Store
from yikatong.using.codes.pass_ import Reason


def update(store: Store, client: GateClient, *, full: bool = False) -> list[Held]:
    """Raises ListRefused (the held list stays), GateDown, GateRefused, NotEnrolled."""
    terms = session.sign_in(store, client)  # the key that signs lists may be a new one
    if terms.lists.trust:
        _fetch(store, client, "trust", 0, full=full)
    for scene in terms.scenes:
        if terms.lists.hot.get(str(scene)):  # 0: nothing has been published for this scene yet
            _fetch(store, client, "hot", scene, full=full)
    return holding.held(store)


def is_behind(store: Store, trust: int, hot: dict[str, int]) -> bool:
    """Whether the gate named a version that is not held."""
    return holding.version_of(store, "trust", 0) < trust or any(
        holding.version_of(store, "hot", int(scene)) < version for scene, version in hot.items()
    )


def _fetch(store: Store, client: GateClient, kind: str, scene: int, *, full: bool) -> None:
    since = 0 if full else holding.version_of(store, kind, scene)
    try:
        _take(store, client, kind, scene, since)
    except ListRefused as refusal:
        if refusal.reason is not Reason.LIST_GAP or not since:
            raise
        _take(store, client, kind, scene, 0)  # the way from the held version is no longer known


def _take(store: Store, client: GateClient, kind: str, scene: int, since: int) -> None:
    query = f"?since={since}" if kind == "trust" else f"?scene={scene}&since={since}"
    reply = session.ask(store, client, "GET", f"/gate/v1/lists/{kind}{query}")
    with store.transaction():
        if reply.status == 200:
            holding.take(store, reply.body, kind=kind, scene=scene)
        store.put(**{f"confirmed_{kind}_{scene}": ticking.now(store, ticking.hands())})
