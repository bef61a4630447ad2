"""The terms of the day, as the last sign-in gave them."""

from yikatong.terminal import answers
from yikatong.terminal.answers import Terms
from yikatong.terminal.errors import NotSignedIn
from yikatong.terminal.store import Store
from yikatong.using.codes.pass_ import Policy


def terms_of(store: Store) -> Terms:
    """Raises NotSignedIn before the first sign-in."""
    kept = store.get("terms")
    if kept is None:
        raise NotSignedIn
    return answers.read(Terms, kept)


def policy_of(terms: Terms, scene: int | None) -> Policy:
    """How this terminal verifies: all its scenes, or the one asked for."""
    return Policy(
        scenes=frozenset(terms.scenes) if scene is None else frozenset({scene}),
        validity_s=terms.validity_s,
        tolerance_s=terms.tolerance_s,
        hot_age_s=terms.hot_age_s,
    )
