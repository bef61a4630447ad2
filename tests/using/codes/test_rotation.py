"""Keys change: in time without harm, and at once when they may be known."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from tests.using.codes.test_devices import KEY, device_of
from tests.using.people import AT, admin, clerk, of
from yikatong.core.errors import Forbidden, NotFound
from yikatong.core.models import AuditEntry
from yikatong.core.sm import sm2
from yikatong.core.sm.sm4 import SealBroken
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import actions, hotlist, issuing, keysets, pass_, publish, rotation
from yikatong.using.codes.models import HotEntry, IssuerKey, ListVersion

MINUTE = timedelta(minutes=1)
LIFE = timedelta(hours=72)


def shown(credential: actions.IssuedCredential, made_at: int) -> pass_.Presentation:
    private = sm2.shift_private(KEY.private, credential.tweak)
    raw = pass_.present(credential.credential, credential.secret, private, made_at, 1)
    return pass_.parse(raw)


def trust_list() -> pass_.TrustList:
    version = publish.latest("trust")
    assert version is not None
    signer = keysets.list_key(issuing.signing_keyset(AT)).public
    return pass_.read_trust(pass_.read_envelope(bytes(version.full), signer))


def own_keysets() -> dict[tuple[int, int], pass_.Keyset]:
    opened = [keysets.unwrap(row) for row in IssuerKey.objects.all()]
    return {(keyset.issuer, keyset.key_id): keyset for keyset in opened}


def offline(presentation: pass_.Presentation, now: int) -> pass_.Reason | None:
    try:
        pass_.verify_offline(presentation, trust_list(), [], now=now, seen=pass_.Journal())
    except pass_.Refused as refused:
        return refused.reason
    return None


def online(presentation: pass_.Presentation, now: int) -> pass_.Reason | None:
    try:
        pass_.verify_online(presentation, own_keysets(), now=now)
    except pass_.Refused as refused:
        return refused.reason
    return None


def test_the_first_key_is_made_once_and_sealed(db: None) -> None:
    first = issuing.ensure_key(at=AT)
    assert issuing.ensure_key(at=AT + MINUTE) == first
    keyset = keysets.unwrap(first)
    assert (keyset.issuer, keyset.key_id) == (510000, 1)
    assert keyset.sm2_private not in bytes(first.secrets_sealed)
    assert sm2.public_of(keyset.sm2_private) == bytes(first.public_key)


def test_the_gate_reads_the_same_keyset_by_sql(db: None) -> None:
    row = issuing.ensure_key(at=AT)
    with connection.cursor() as cursor:
        cursor.execute(keysets.KEYS_SQL, {"now": AT})
        columns = [column.name for column in cursor.description]
        found = [dict(zip(columns, each, strict=True)) for each in cursor.fetchall()]
    assert [keysets.unwrap(each) for each in found] == [keysets.unwrap(row)]


def test_a_keyset_is_bound_to_its_number(db: None) -> None:
    row = issuing.ensure_key(at=AT)
    row.key_id = 2
    with pytest.raises(SealBroken):
        keysets.unwrap(row)


def test_two_keys_cannot_sign_at_once(db: None) -> None:
    issuing.ensure_key(at=AT)
    with pytest.raises(IntegrityError):
        issuing.make_key(at=AT)


@pytest.mark.clause("C2")
def test_passes_of_before_a_rotation_are_good_to_their_end(wang: Holder) -> None:
    device = device_of(wang)
    old = actions.issue_credentials(device.id, by=of(wang), at=AT)[2]
    rotated = actions.rotate_keys(by=admin(), at=AT + MINUTE)
    new = actions.issue_credentials(device.id, by=of(wang), at=AT + MINUTE)[2]
    assert [pass_.parse_credential(each.credential).key_id for each in (old, new)] == [1, 2]
    assert rotated.key_id == 2
    last = int((AT + LIFE).timestamp()) - 1
    for credential in (old, new):
        for now in (int((AT + 2 * MINUTE).timestamp()), last):
            presentation = shown(credential, now)
            assert (online(presentation, now), offline(presentation, now)) == (None, None)
    assert offline(shown(old, last + 1), last + 1) is pass_.Reason.CREDENTIAL_EXPIRED
    before = IssuerKey.objects.get(key_id=1)
    assert (before.sign_until, before.verify_until) == (AT + MINUTE, AT + MINUTE + LIFE + rotation.MARGIN)


def test_a_credential_begun_before_the_rotation_is_good_offline(wang: Holder) -> None:
    """Its act read the old key, then waited while the new one came."""
    device = device_of(wang)
    late = actions.issue_credentials(device.id, by=of(wang), at=AT + 4 * MINUTE)[0]
    actions.rotate_keys(by=admin(), at=AT)
    now = int((AT + 5 * MINUTE).timestamp())
    assert offline(shown(late, now), now) is None


def test_an_old_key_leaves_the_trust_list_when_nothing_of_it_can_be_shown(db: None) -> None:
    publish.publish_lists(at=AT)
    actions.rotate_keys(by=admin(), at=AT)
    assert sorted(trust_list().keys) == [(510000, 1), (510000, 2)]
    end = AT + LIFE + rotation.MARGIN
    assert publish.publish_lists(at=end - MINUTE) == []
    publish.publish_lists(at=end)
    assert sorted(trust_list().keys) == [(510000, 2)]


@pytest.mark.clause("C2")
def test_a_withdrawn_key_is_refused_at_once(wang: Holder) -> None:
    device = device_of(wang)
    old = actions.issue_credentials(device.id, by=of(wang), at=AT)[2]
    actions.withdraw_key(1, reason="疑似泄露", by=admin(), at=AT + MINUTE)
    now = int((AT + 2 * MINUTE).timestamp())
    assert online(shown(old, now), now) is pass_.Reason.KEY_WITHDRAWN
    assert offline(shown(old, now), now) is pass_.Reason.KEY_WITHDRAWN
    new = actions.issue_credentials(device.id, by=of(wang), at=AT + 2 * MINUTE)[2]
    assert (online(shown(new, now), now), offline(shown(new, now), now)) == (None, None)
    events = AuditEntry.objects.filter(event__startswith="codes:key:").order_by("id")
    assert [(each.event, each.facts) for each in events] == [
        ("codes:key:made", {"key_id": 1}),
        ("codes:key:withdrawn", {"key_id": 1, "reason": "疑似泄露"}),
    ]
    with pytest.raises(rotation.KeyIsWithdrawn):
        actions.withdraw_key(1, reason="再次", by=admin(), at=AT + MINUTE)
    with pytest.raises(NotFound):
        actions.withdraw_key(9, reason="没有", by=admin(), at=AT)


def test_an_old_key_can_be_withdrawn_without_a_new_one(db: None) -> None:
    issuing.ensure_key(at=AT)
    actions.rotate_keys(by=admin(), at=AT)
    actions.withdraw_key(1, reason="疑似泄露", by=admin(), at=AT + MINUTE)
    assert [row.key_id for row in IssuerKey.objects.filter(sign_until=None)] == [2]
    assert IssuerKey.objects.count() == 2
    states = {key_id: key.state.value for (_, key_id), key in trust_list().keys.items()}
    assert states == {1: "withdrawn", 2: "active"}


def test_a_loss_after_a_rotation_names_both_references(wang: Holder) -> None:
    device = device_of(wang)
    old = actions.issue_credentials(device.id, by=of(wang), at=AT)
    actions.rotate_keys(by=admin(), at=AT)
    new = actions.issue_credentials(device.id, by=of(wang), at=AT)
    actions.revoke_device(device.id, by=of(wang), at=AT)
    hotlist.card_changed(device.ecard.card_id, at=AT)
    carried = {pass_.parse_credential(each.credential).reference for each in (*old, *new)}
    assert {bytes(each) for each in HotEntry.objects.values_list("reference", flat=True)} == carried
    assert len(carried) == 8


def test_keys_are_the_administrators(wang: Holder) -> None:
    issuing.ensure_key(at=AT)
    for by in (clerk(), of(wang)):
        with pytest.raises(Forbidden):
            actions.rotate_keys(by=by, at=AT)
        with pytest.raises(Forbidden):
            actions.withdraw_key(1, reason="x", by=by, at=AT)
    assert IssuerKey.objects.filter(withdrawn_at=None, sign_until=None).count() == 1
    assert not ListVersion.objects.exists()


def test_lists_and_checkpoints_have_keys_of_their_own(db: None) -> None:
    keyset = issuing.signing_keyset(AT)
    publics = {keyset.sm2_public, keysets.list_key(keyset).public, keysets.checkpoint_key(keyset).public}
    assert len(publics) == 3
    assert all(sm2.is_public(public) for public in publics)
    pair = keysets.list_key(keyset)
    assert sm2.verify(pair.public, b"x", sm2.sign(pair.private, b"x"))
