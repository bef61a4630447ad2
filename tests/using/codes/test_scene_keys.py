"""With keys shifted for each scene nothing in two credentials of one device is alike."""

from datetime import timedelta

import pytest

from tests.using.codes.test_devices import KEY, device_of
from tests.using.people import AT, of
from yikatong.core.sm import sm2
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import actions, issuing, pass_
from yikatong.using.codes.models import IssuerKey


@pytest.mark.clause("C4", "C5")
def test_scenes_cannot_compare_keys(wang: Holder) -> None:
    device = device_of(wang)
    plain = actions.issue_credentials(device.id, by=of(wang), at=AT, scene_keys=False)
    assert {pass_.parse_credential(each.credential).device_public for each in plain} == {KEY.public}
    assert {each.tweak for each in plain} == {b""}
    made = actions.issue_credentials(device.id, by=of(wang), at=AT)
    keys = [pass_.parse_credential(each.credential).device_public for each in made]
    assert len({*keys, KEY.public}) == 5
    assert [sm2.shift_public(KEY.public, each.tweak) for each in made] == keys


@pytest.mark.clause("C2")
def test_a_shifted_key_passes_offline(wang: Holder) -> None:
    device = device_of(wang)
    venue = actions.issue_credentials(device.id, by=of(wang), at=AT)[3]
    now = int((AT + timedelta(hours=1)).timestamp())
    private = sm2.shift_private(KEY.private, venue.tweak)
    shown = pass_.parse(pass_.present(venue.credential, venue.secret, private, now, 1))
    trust = pass_.TrustList(issuing.trusted(IssuerKey.objects.all()))
    pass_.verify_offline(shown, trust, [], now=now, seen=pass_.Journal())
