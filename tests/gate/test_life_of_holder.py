"""What happens to a holder counts at the gate with the very next request."""

from datetime import timedelta

import pytest

from tests.gate.world import World
from yikatong.core.actor import Actor, Channel, Role
from yikatong.registry.holders import actions as holders
from yikatong.using.codes import pass_
from yikatong.using.codes.credential import Scene

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
