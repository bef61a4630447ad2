"""A card whose holder carries credentials."""

import pytest

from tests import cast
from tests.using.codes.test_devices import KEY
from tests.using.people import of
from yikatong.core.clock import now
from yikatong.registry.cards.models import Card
from yikatong.using.codes import actions, publish


@pytest.fixture
def card(db: None) -> Card:
    """王芳's, with credentials in her phone."""
    cast.set_stage()
    wang = cast.wang_fang()
    card = cast.card_in_use(wang)
    actions.issue_ecard(wang.pk, by=of(wang), at=now())
    phone = actions.register_device(wang.pk, public_key=KEY.public, name="手机", by=of(wang), at=now())
    actions.issue_credentials(phone.id, by=of(wang), at=now())
    publish.publish_lists(at=now())
    return card
