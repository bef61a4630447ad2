"""A death that civil affairs has told follows its person to the gate, the hot lists and the devices; so does its undoing."""

from datetime import timedelta

import pytest

from tests.bank_sandbox import Sandbox
from tests.gate.test_life_of_holder import CHIEF
from tests.gate.world import World
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import ECard
from yikatong.registry.holders.actions import social_security_index
from yikatong.registry.holders.holding import held_since
from yikatong.registry.holders.models import Holder
from yikatong.registry.matching.comparing import follow
from yikatong.registry.matching.source import sources as wired
from yikatong.using.codes import hotlist, publish
from yikatong.using.codes.models import Device, HotEntry


@pytest.mark.clause("A6", "B2", "S2", "O12")
def test_what_civil_affairs_told_stops_card_code_and_devices_on_line_and_off(
    world: World, sources: Sandbox
) -> None:
    gate, rider = world.terminal(), world.rider()
    Device.objects.update(is_server=False, expires_at=world.at() + timedelta(hours=12))
    publish.publish_lists(at=world.at())
    assert gate.verify(rider.code(at=world.now)).body["accepted"] is True
    holder = Holder.objects.get(pk=rider.holder.pk)
    index = social_security_index(holder.social_security_number)
    Holder.objects.update(social_security_index=index)  # the stage's own is none
    told = (world.today - timedelta(days=2)).isoformat()
    sources.enters("civil", holder.social_security_number, holder.name, death=told)
    assert follow("civil", wired()["civil"], at=world.at()).deaths == 1
    asked = gate.verify(rider.code(at=world.now + 1)).body
    assert (asked["accepted"], asked["name"]) == (False, "holder_deceased")
    # what the job of the cancelled card does
    assert hotlist.card_changed(rider.card.pk, at=world.at()) > 0
    publish.publish_lists(at=world.at())
    named = HotEntry.objects.filter(device_number=rider.device.number, removed_version=None)
    assert named.exists()
    assert not named.filter(added_version=None).exists(), "all stand in a published list"
    rider.card.refresh_from_db()
    assert (rider.card.status, ECard.objects.get().status) == ("4", "removed")
    assert held_since(holder.pk) == world.at()

    cards.restore(holder.pk, reason="本人健在", by=CHIEF, at=world.at())
    rider.card.refresh_from_db()
    assert (rider.card.status, held_since(holder.pk)) == ("1", None)
    # The phone may be anyone's by now: the code comes back when he binds it again, and is refused until then.
    asked = gate.verify(rider.code(at=world.now + 2)).body
    assert (asked["accepted"], asked["name"]) == (False, "device_revoked")
    hotlist.card_changed(rider.card.pk, at=world.at())
    assert named.exists()
