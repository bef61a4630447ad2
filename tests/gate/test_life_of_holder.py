"""What happens to a holder counts at the gate with the very next request."""

from datetime import timedelta
from typing import Any

import pytest

from tests.gate.world import World
from yikatong.core.actor import Actor, Channel, Role
from yikatong.registry.cards import actions as cards
from yikatong.registry.holders import actions as holders
from yikatong.using.codes import pass_
from yikatong.using.codes.credential import Scene
from yikatong.using.codes.models import Device
from yikatong.using.codes.reasons import Reason

CHIEF = Actor(None, "周主任", Role.SUPERVISOR, Channel.COUNTER, scope="51", organisation="省社保卡中心")
CLERK = Actor(None, "李强", Role.CLERK, Channel.COUNTER, scope="51", organisation="成都市人社局")


@pytest.mark.clause("G7", "N9", "A5")
def test_a_concession_counts_from_its_first_day_until_it_is_ended(world: World) -> None:
    gate, rider = world.terminal(scenes=(Scene.TRANSIT,)), world.rider(scene=Scene.TRANSIT)
    fares = []

    def ride() -> None:
        code = pass_.make_short_code(
            world.keyset, device=rider.device.number, scene=Scene.TRANSIT, expires_at=world.now + 60
        )
        fares.append(gate.verify(code).body["fare_class"])

    ride()
    proof = {"kind": "student", "source": "教育部门名单", "valid_from": world.today}
    category = holders.add_category(rider.holder.pk, **proof, by=CLERK, at=world.at())
    ride()
    later = {"on": world.today + timedelta(days=1), "reason": "毕业离校", "by": CLERK, "at": world.at()}
    holders.end_category(category.pk, **later)
    ride()
    holders.end_category(category.pk, **(later | {"on": world.today}))
    ride()
    assert fares == [0, 2, 2, 0]


@pytest.mark.clause("A6", "B2", "S2", "O12")
def test_a_death_is_refused_with_the_next_request_and_its_undoing_binds_no_device(world: World) -> None:
    gate, rider = world.terminal(), world.rider()
    answers = [gate.verify(rider.code(at=world.now)).body["accepted"]]
    by: dict[str, Any] = {"by": CLERK, "at": world.at()}
    cards.record_death(rider.holder.pk, on=world.today, evidence="死亡证明 1", **by)
    asked = gate.verify(rider.code(at=world.now + 1)).body
    answers.append((asked["accepted"], asked["name"]))
    device = Device.objects.get(pk=rider.device.pk)
    assert (device.status, device.revoked_at) == ("revoked", world.at())
    cards.restore(rider.holder.pk, reason="本人健在", by=CHIEF, at=world.at())
    asked = gate.verify(rider.code(at=world.now + 2)).body
    answers.append((asked["accepted"], asked["name"]))
    dead, unbound = Reason.HOLDER_DECEASED.name.lower(), Reason.DEVICE_REVOKED.name.lower()
    assert answers == [True, (False, dead), (False, unbound)]
    rider.card.refresh_from_db()
    assert rider.card.status == "1"


@pytest.mark.clause("A1", "S2")
def test_the_devices_of_a_merged_record_are_refused(world: World) -> None:
    gate, kept, gone = world.terminal(), world.rider(), world.rider()
    why: dict[str, Any] = {"reason": "同一人两次登记", "evidence": "户口簿 1"}
    cards.merge(kept.holder.pk, gone.holder.pk, **why, by=CHIEF, at=world.at())
    asked = gate.verify(gone.code(at=world.now)).body
    assert (asked["accepted"], asked["name"]) == (False, "device_revoked")
    assert gate.verify(kept.code(at=world.now)).body["accepted"] is True
