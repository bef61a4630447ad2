"""E-card, devices and credentials: who gets them, what is in them, who is refused and why."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.using.people import AT, LI, MakeCard, MakeHolder, card_of, clerk, of, set_status
from yikatong.core.clock import BEIJING
from yikatong.core.errors import DomainError, Forbidden, NotFound
from yikatong.core.models import AuditEntry
from yikatong.core.sm import sm2
from yikatong.registry.cards.models import Card, CardStatus, ECard
from yikatong.registry.holders.models import Category, Holder
from yikatong.using.codes import actions, issuing, keysets, pass_, queries, rules
from yikatong.using.codes.models import Device, IssuerKey

KEY = sm2.generate()


def device_of(holder: Holder, *, key: sm2.KeyPair = KEY) -> Device:
    actions.issue_ecard(holder.id, by=of(holder), at=AT)
    return actions.register_device(holder.id, public_key=key.public, name="手机", by=of(holder), at=AT)


def jobs() -> list[tuple[str, dict[str, object]]]:
    return list(ProcrastinateJob.objects.order_by("id").values_list("task_name", "args"))


@pytest.mark.clause("S2", "C4")
def test_an_ecard_belongs_to_the_card_in_force(wang: Holder) -> None:
    ecard = actions.issue_ecard(wang.id, by=of(wang), at=AT)
    assert (ecard.card, ecard.status, ecard.issued_at) == (card_of(wang), "issued", AT)
    assert len(ecard.number) == 24
    assert ecard.number.startswith("51010520260302")
    assert jobs() == [("codes.card_changed", {"card_id": str(ecard.card_id)})]
    assert AuditEntry.objects.get().event == "codes:ecard:issued"


def test_issuing_again_changes_nothing(wang: Holder) -> None:
    first = actions.issue_ecard(wang.id, by=of(wang), at=AT)
    again = actions.issue_ecard(wang.id, by=of(wang), at=AT + timedelta(hours=1))
    assert (again.id, again.number, again.issued_at) == (first.id, first.number, AT)
    assert AuditEntry.objects.count() == 1


@pytest.mark.clause("S2")
@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (None, rules.NoCard),
        (CardStatus.CANCELLED, rules.NoCard),
        (CardStatus.LOST_CANCELLED, rules.NoCard),
        (CardStatus.RELEASED, rules.CardNotActive),
        (CardStatus.INACTIVE, rules.CardNotActive),
        (CardStatus.TEMPORARILY_LOST, rules.CardIsLost),
        (CardStatus.LOST, rules.CardIsLost),
    ],
)
def test_no_ecard_without_a_usable_card(
    make_holder: MakeHolder, make_card: MakeCard, status: CardStatus | None, refusal: type[DomainError]
) -> None:
    holder = make_holder()
    if status is not None:
        make_card(holder, status)
    with pytest.raises(refusal):
        actions.issue_ecard(holder.id, by=of(holder), at=AT)
    assert not ECard.objects.exists()
    assert not AuditEntry.objects.exists()
    assert jobs() == []


def test_no_ecard_for_the_dead_or_a_merged_file(wang: Holder) -> None:
    for status, refusal in (("deceased", rules.HolderDeceased), ("merged", rules.HolderNotActive)):
        Holder.objects.filter(id=wang.id).update(status=status)
        with pytest.raises(refusal):
            actions.issue_ecard(wang.id, by=of(wang), at=AT)
    assert not ECard.objects.exists()


def test_only_the_holder_himself(wang: Holder, make_holder: MakeHolder) -> None:
    stranger = make_holder(LI, name="李强")
    with pytest.raises(NotFound):
        actions.issue_ecard(wang.id, by=of(stranger), at=AT)
    with pytest.raises(Forbidden):
        actions.issue_ecard(wang.id, by=clerk(), at=AT)
    device = device_of(wang)
    for act in (actions.issue_credentials, actions.revoke_device):
        with pytest.raises(NotFound):
            act(device.id, by=of(stranger), at=AT)
    assert Device.objects.get().status == "active"


def test_binding_and_releasing_in_a_loop_ends(wang: Holder) -> None:
    """Each released device stands in the hotlist of every terminal: one holder must not fill it."""
    actions.issue_ecard(wang.id, by=of(wang), at=AT)
    for _ in range(rules.BINDINGS_A_DAY):
        key = sm2.generate().public
        device = actions.register_device(wang.id, public_key=key, name="手机", by=of(wang), at=AT)
        actions.revoke_device(device.id, by=of(wang), at=AT)
    entries = AuditEntry.objects.count()

    with pytest.raises(rules.TooManyBindings):
        actions.register_device(wang.id, public_key=KEY.public, name="手机", by=of(wang), at=AT)

    assert (Device.objects.count(), AuditEntry.objects.count()) == (rules.BINDINGS_A_DAY, entries)
    tomorrow = AT + timedelta(days=1)
    assert actions.register_device(wang.id, public_key=KEY.public, name="手机", by=of(wang), at=tomorrow)


def test_an_ecard_removed_and_issued_again(wang: Holder) -> None:
    device = device_of(wang)
    removed = actions.remove_ecard(wang.id, by=of(wang), at=AT)
    device.refresh_from_db()
    assert (removed.status, removed.removed_at, device.status) == ("removed", AT, "revoked")
    with pytest.raises(rules.NoECard):
        actions.remove_ecard(wang.id, by=of(wang), at=AT)
    with pytest.raises(rules.NoECard):
        actions.register_device(wang.id, public_key=KEY.public, name="手机", by=of(wang), at=AT)
    later = AT + timedelta(days=1)
    again = actions.issue_ecard(wang.id, by=of(wang), at=later)
    assert (again.id, again.status, again.issued_at, again.removed_at) == (removed.id, "issued", later, None)
    assert again.number != removed.number
    with pytest.raises(rules.DeviceRevoked):
        actions.issue_credentials(device.id, by=of(wang), at=later)


def test_devices_of_a_cancelled_card_are_not_bound_again(wang: Holder, make_card: MakeCard) -> None:
    device = device_of(wang)
    set_status(card_of(wang), CardStatus.CANCELLED)
    ECard.objects.update(status=ECard.Status.REMOVED, removed_at=AT)
    new = make_card(wang)
    ecard = actions.issue_ecard(wang.id, by=of(wang), at=AT)
    device.refresh_from_db()
    assert (ecard.card, ecard.status, device.status) == (new, "issued", "revoked")


@pytest.mark.parametrize(
    "key",
    [b"", b"\x02" * 33, KEY.public[:32], KEY.public + b"\0", b"\x04" + KEY.public[1:], b"\xff" * 33],
    ids=["none", "off the curve", "cut", "longer", "wrong form", "all ones"],
)
def test_a_device_key_must_lie_on_the_curve(wang: Holder, key: bytes) -> None:
    actions.issue_ecard(wang.id, by=of(wang), at=AT)
    with pytest.raises(rules.BadDeviceKey):
        actions.register_device(wang.id, public_key=key, name="手机", by=of(wang), at=AT)
    assert not Device.objects.exists()


def test_the_same_key_is_the_same_device(wang: Holder) -> None:
    first = device_of(wang)
    assert device_of(wang).number == first.number
    assert Device.objects.count() == 1


def test_a_key_belongs_to_one_holder(wang: Holder, make_holder: MakeHolder, make_card: MakeCard) -> None:
    device_of(wang)
    other = make_holder(LI, name="李强")
    make_card(other)
    with pytest.raises(rules.DeviceKeyTaken):
        device_of(other)
    assert Device.objects.count() == 1


def test_devices_are_bounded_and_a_place_becomes_free(wang: Holder) -> None:
    held = [device_of(wang, key=sm2.generate()) for _ in range(3)]
    with pytest.raises(rules.TooManyDevices) as refused:
        device_of(wang, key=sm2.generate())
    assert refused.value.facts == {"most": 3}
    assert Device.objects.count() == 3
    actions.revoke_device(held[0].id, by=of(wang), at=AT)
    device_of(wang, key=sm2.generate())
    assert queries.devices_of(wang.id).count() == 3


@pytest.mark.clause("S10", "O5", "C5")
def test_a_credential_for_each_scene(wang: Holder) -> None:
    for kind in (Category.Kind.ELDER, Category.Kind.VETERAN):
        Category.objects.create(holder=wang, kind=kind, valid_from=date(2026, 3, 2), source="民政")
    device = device_of(wang)
    issued = actions.issue_credentials(device.id, by=of(wang), at=AT)
    assert [(each.scene, each.label) for each in issued] == [
        (1, "通用码"),
        (2, "就医码"),
        (3, "乘车码"),
        (4, "入园码"),
    ]
    parsed = [pass_.parse_credential(each.credential) for each in issued]
    assert [each.claims for each in parsed] == [
        pass_.Claims(),
        pass_.Claims(),
        pass_.Claims(fare_class=4),
        pass_.Claims(concessions=0b10001),
    ]
    start = int(AT.timestamp())
    row = IssuerKey.objects.get()
    for each, found in zip(parsed, issued, strict=True):
        assert (each.issuer, each.key_id) == (510000, row.key_id)
        assert (each.not_before, each.expires_at) == (start, start + 72 * 3600)
        assert each.limits == pass_.Limits(5000, 20000, 30)
        assert each.device_public == sm2.shift_public(KEY.public, found.tweak)
        assert sm2.verify(bytes(row.public_key), each.body, each.signature)
        assert found.expires_at == AT + timedelta(hours=72)
    device.refresh_from_db()
    assert (device.renewed_at, device.expires_at) == (AT, AT + timedelta(hours=72))


@pytest.mark.clause("C4", "C5")
def test_references_differ_by_scene_and_lead_to_one_device(wang: Holder) -> None:
    device = device_of(wang)
    issued = actions.issue_credentials(device.id, by=of(wang), at=AT)
    references = [pass_.parse_credential(each.credential).reference for each in issued]
    assert len(set(references)) == 4
    keyset = issuing.signing_keyset(AT)
    opened = pass_.open_references(keyset.reference_key, references)
    assert opened == [pass_.Reference(device.number, scene, 1) for scene in (1, 2, 3, 4)]


@pytest.mark.clause("C1", "C2")
def test_what_the_device_shows_passes_online_and_offline(wang: Holder) -> None:
    device = device_of(wang)
    transit = actions.issue_credentials(device.id, by=of(wang), at=AT)[2]
    now = int(AT.timestamp()) + 30
    private = sm2.shift_private(KEY.private, transit.tweak)
    shown = pass_.parse(pass_.present(transit.credential, transit.secret, private, now, 1))
    keyset = keysets.unwrap(IssuerKey.objects.get())
    reference = pass_.verify_online(shown, {(keyset.issuer, keyset.key_id): keyset}, now=now)
    assert reference.device == device.number
    trust = pass_.TrustList(issuing.trusted(IssuerKey.objects.all()))
    pass_.verify_offline(shown, trust, [], now=now, seen=pass_.Journal(), fen=200)


def test_a_category_counts_on_its_days_only(wang: Holder) -> None:
    period = {"valid_from": date(2026, 3, 3), "valid_until": date(2026, 3, 5)}
    Category.objects.create(holder=wang, kind="student", source="教育", **period)
    days = [date(2026, 3, day) for day in (2, 3, 4, 5)]
    assert [queries.categories_on(wang.id, day) for day in days] == [
        frozenset(),
        {"student"},
        {"student"},
        frozenset(),
    ]


@pytest.mark.clause("G7", "N9", "A5")
def test_a_credential_outlives_no_concession_it_tells_of(wang: Holder) -> None:
    """Even a terminal without a network refuses the concession from the first day without it."""
    device = device_of(wang)
    Category.objects.create(
        holder=wang, kind="student", source="教育", valid_from=date(2026, 3, 1), valid_until=date(2026, 3, 4)
    )
    midnight = datetime(2026, 3, 4, tzinfo=BEIJING)
    issued = actions.issue_credentials(device.id, by=of(wang), at=AT)
    assert {one.expires_at for one in issued} == {midnight}
    later = actions.issue_credentials(device.id, by=of(wang), at=midnight)
    assert {one.expires_at for one in later} == {midnight + timedelta(hours=72)}
    assert pass_.parse_credential(later[2].credential).claims == pass_.Claims(fare_class=0)


@pytest.mark.parametrize("kinds", [["elder", "disabled"], ["disabled", "student"]])
def test_the_most_favourable_fare_class_is_told_alone(kinds: list[str]) -> None:
    assert rules.claims(pass_.Scene.TRANSIT, kinds) == pass_.Claims(fare_class=3)


@pytest.mark.clause("S2", "O9")
def test_codes_end_with_the_card_s_last_day(wang: Holder) -> None:
    """The gate refuses an expired card; a terminal without a network must not be shown a code that outlives it."""
    device, last = device_of(wang), date(2026, 3, 3)
    Card.objects.update(expires_on=last)
    midnight = datetime(2026, 3, 4, tzinfo=BEIJING)
    issued = actions.issue_credentials(device.id, by=of(wang), at=AT)
    assert {one.expires_at for one in issued} == {midnight}
    assert actions.server_code(wang.id, 1, by=of(wang), at=midnight - timedelta(minutes=2))
    entries = AuditEntry.objects.count()
    for act in (
        lambda: actions.issue_credentials(device.id, by=of(wang), at=midnight),
        lambda: actions.server_code(wang.id, 1, by=of(wang), at=midnight),
        lambda: actions.issue_ecard(wang.id, by=of(wang), at=midnight),
        lambda: actions.register_device(wang.id, public_key=KEY.public, name="", by=of(wang), at=midnight),
    ):
        with pytest.raises(rules.CardExpired) as refusal:
            act()
        assert "请办理换卡" in refusal.value.message
    assert AuditEntry.objects.count() == entries


@pytest.mark.clause("S2")
@pytest.mark.parametrize("status", [CardStatus.TEMPORARILY_LOST, CardStatus.LOST])
def test_no_renewal_while_the_card_is_lost(wang: Holder, status: CardStatus) -> None:
    device = device_of(wang)
    set_status(card_of(wang), status)
    before = AuditEntry.objects.count()
    with pytest.raises(rules.CardIsLost):
        actions.issue_credentials(device.id, by=of(wang), at=AT)
    with pytest.raises(rules.CardIsLost):
        actions.server_code(wang.id, 3, by=of(wang), at=AT)
    device.refresh_from_db()
    assert (device.renewed_at, device.expires_at) == (None, None)
    assert AuditEntry.objects.count() == before


def test_no_renewal_on_a_revoked_or_unknown_device(wang: Holder) -> None:
    device = device_of(wang)
    actions.revoke_device(device.id, by=of(wang), at=AT)
    with pytest.raises(rules.DeviceRevoked):
        actions.issue_credentials(device.id, by=of(wang), at=AT)
    with pytest.raises(rules.DeviceRevoked):
        actions.revoke_device(device.id, by=of(wang), at=AT)
    with pytest.raises(NotFound):
        actions.issue_credentials(UUID(int=1), by=of(wang), at=AT)


@pytest.mark.clause("C1", "O5")
def test_a_short_code_made_by_the_server(wang: Holder) -> None:
    actions.issue_ecard(wang.id, by=of(wang), at=AT)
    texts = [actions.server_code(wang.id, 3, by=of(wang), at=AT) for _ in range(2)]
    keyset = issuing.signing_keyset(AT)
    now = int(AT.timestamp())
    opened = [pass_.open_short_code(text, {keyset.key_id: keyset}, now=now) for text in texts]
    device = Device.objects.get()
    assert device.is_server
    assert [(code.device, code.scene, code.expires_at) for code in opened] == [
        (device.number, 3, now + 60),
        (device.number, 3, now + 60),
    ]
    assert opened[0].replay_key != opened[1].replay_key
    assert list(queries.devices_of(wang.id)) == []


def test_no_code_for_an_unknown_scene(wang: Holder) -> None:
    actions.issue_ecard(wang.id, by=of(wang), at=AT)
    with pytest.raises(rules.UnknownScene):
        actions.server_code(wang.id, 9, by=of(wang), at=AT)
    assert not Device.objects.exists()
