"""Holders, and browsers they are logged in on."""

from collections.abc import Callable

import pytest
from django.conf import settings as site
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from tests.portals.citizen import people
from yikatong.portals.citizen import session
from yikatong.registry.holders.models import Holder


@pytest.fixture(autouse=True)
def demo(settings: object) -> None:
    """Messages go to the demonstration's screen."""
    site.DEMO = True
    site.SMS_SENDER = "yikatong.adapters.sms.demo.DemoSender"


@pytest.fixture
def world(db: None) -> None:
    people.world()


@pytest.fixture
def wang(world: None) -> Holder:
    return people.ready(people.holder(people.WANG, "王芳", people.PHONE))


@pytest.fixture
def chen(world: None) -> Holder:
    """A stranger, without a card."""
    return people.holder(people.CHEN, "陈静", people.OTHER_PHONE)


LogIn = Callable[..., Client]


@pytest.fixture
def logged_in() -> LogIn:
    """`logged_in(holder)`: a client past the log-in; `code_open` past the password too."""

    def log_in(holder: Holder, *, code_open: bool = False) -> Client:
        client = Client()
        client.cookies[site.SESSION_COOKIE_NAME] = session_of(holder, code_open=code_open)
        return client

    return log_in


def session_of(holder: Holder, *, code_open: bool = True) -> str:
    store = SessionStore()
    store[session.HOLDER] = str(holder.id)
    store[session.PHONE] = bytes(holder.phone_index or b"").hex()
    if code_open:
        store[session.OPENED] = True
    store.create()
    return str(store.session_key)


@pytest.fixture
def hers(wang: Holder, logged_in: LogIn) -> Client:
    """王芳's browser, code opened."""
    return logged_in(wang, code_open=True)
