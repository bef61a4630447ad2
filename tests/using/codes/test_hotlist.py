"""From a loss to the list a terminal carries, and back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from tests.using.codes.test_devices import device_of
from tests.using.people import AT, LI, WANG, MakeCard, MakeHolder, admin, card_of, of, set_status
from yikatong.core.sm import sm2
from yikatong.registry.cards.models import CardStatus, ECard
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import actions, hotlist, issuing, keysets, pass_, publish, rules, tasks
from yikatong.using.codes.models import Device, HotEntry, ListVersion

SCENES = (1, 2, 3, 4)
LATER = AT + timedelta(minutes=10)
LOST = CardStatus.TEMPORARILY_LOST


def credentials(device: Device, holder: Holder) -> dict[int, bytes]:
    """Issue for all scenes; the references in them."""
    issued = actions.issue_credentials(device.id, by=of(holder), at=AT)
    return {each.scene: pass_.parse_credential(each.credential).reference for each in issued}


def list_key() -> bytes:
    """The public list key as a terminal has it from its sign-in."""
    return keysets.list_key(issuing.signing_keyset(AT)).public


def full(scene: int) -> pass_.Hotlist:
    version = publish.latest("hot", scene)
    assert version is not None
    return pass_.read_hotlist(pass_.read_envelope(bytes(version.full), list_key()))


def delta(scene: int, since: int) -> pass_.Envelope:
    made = publish.delta(scene, since, at=LATER)
    return pass_.read_envelope(made.to_json(), list_key())


def lose(holder: Holder, status: CardStatus = LOST) -> int:
    set_status(card_of(holder), status)
    return hotlist.card_changed(card_of(holder).id, at=LATER)


def find(holder: Holder) -> int:
    set_status(card_of(holder), CardStatus.NORMAL)
    return hotlist.card_changed(card_of(holder).id, at=LATER)


def test_the_first_lists_are_there_and_empty(db: None) -> None:
    made = publish.publish_lists(at=AT)
    assert [(each.kind, each.scene, each.version, each.entries) for each in made] == [
        ("trust", 0, 1, 1),
        *(("hot", scene, 1, 0) for scene in SCENES),
    ]
    assert publish.publish_lists(at=LATER) == []
    assert [len(full(scene)) for scene in SCENES] == [0, 0, 0, 0]


@pytest.mark.clause("C2", "B2", "S14")
def test_a_loss_names_exactly_the_devices_references(wang: Holder) -> None:
    references = credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    assert lose(wang) == 4
    made = publish.publish_lists(at=LATER)
    assert [(each.kind, each.scene, each.version, each.entries) for each in made] == [
        ("hot", scene, 2, 1) for scene in SCENES
    ]
    for scene in SCENES:
        assert list(full(scene)) == [references[scene]]
        change = delta(scene, 1)
        assert change.payload == pass_.delta_payload([references[scene]], [])
        held = pass_.Hotlist(b"", scene=scene, version=1, made_at=0)
        assert list(pass_.apply_delta(held, change)) == [references[scene]]


@pytest.mark.clause("B2")
def test_a_release_takes_it_off_again(wang: Holder) -> None:
    references = credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    lose(wang)
    publish.publish_lists(at=LATER)
    assert find(wang) == 4
    assert [each.version for each in publish.publish_lists(at=LATER)] == [3, 3, 3, 3]
    assert len(full(3)) == 0
    assert delta(3, 2).payload == pass_.delta_payload([], [references[3]])
    assert delta(3, 1).payload == pass_.delta_payload([], [])


def test_lost_again_after_a_release(wang: Holder) -> None:
    reference = credentials(device_of(wang), wang)[3]
    publish.publish_lists(at=AT)
    for _ in range(2):
        lose(wang)
        publish.publish_lists(at=LATER)
        find(wang)
        publish.publish_lists(at=LATER)
    lose(wang)
    publish.publish_lists(at=LATER)
    assert list(full(3)) == [reference]
    newest = publish.latest("hot", 3)
    assert newest is not None
    assert newest.version == 6
    expected = {1: [reference], 2: [], 3: [reference], 4: [], 5: [reference]}
    assert {since: delta(3, since).payload for since in expected} == {
        since: pass_.delta_payload(adds, []) for since, adds in expected.items()
    }


def test_found_and_lost_between_two_lists_changes_nothing(wang: Holder) -> None:
    credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    lose(wang)
    publish.publish_lists(at=LATER)
    find(wang)
    lose(wang)
    assert publish.publish_lists(at=LATER) == []
    assert HotEntry.objects.filter(is_ended=False).count() == 4


def test_found_before_any_list_leaves_no_trace(wang: Holder) -> None:
    credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    assert lose(wang) == 4
    assert find(wang) == 4
    assert not HotEntry.objects.exists()
    assert publish.publish_lists(at=LATER) == []


def test_the_job_may_run_twice(wang: Holder) -> None:
    credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    assert lose(wang) == 4
    assert lose(wang) == 0
    publish.publish_lists(at=LATER)
    assert lose(wang) == 0
    assert find(wang) == 4
    assert find(wang) == 0
    assert HotEntry.objects.count() == 4


def test_the_job_itself_publishes(wang: Holder) -> None:
    issued = actions.issue_credentials(device_of(wang).id, by=of(wang), at=AT)
    Device.objects.update(expires_at=issued[0].expires_at + timedelta(days=36500))
    set_status(card_of(wang), LOST)
    tasks.card_changed(str(card_of(wang).id))
    assert [len(full(scene)) for scene in SCENES] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "cause", ["lost", "cancelled", "deceased", "device revoked", "ecard removed", "other device revoked"]
)
def test_what_puts_a_device_on_the_list(wang: Holder, cause: str) -> None:
    device = device_of(wang)
    other = device_of(wang, key=sm2.generate())
    credentials(device, wang)
    credentials(other, wang)
    publish.publish_lists(at=AT)
    both, card = {device.number, other.number}, card_of(wang)
    if cause == "lost":
        set_status(card, CardStatus.LOST)
    elif cause == "cancelled":
        set_status(card, CardStatus.CANCELLED)
    elif cause == "deceased":
        Holder.objects.update(status=Holder.Status.DECEASED)
    elif cause == "ecard removed":
        actions.remove_ecard(wang.id, by=of(wang), at=LATER)
    else:
        gone = device if cause == "device revoked" else other
        actions.revoke_device(gone.id, by=of(wang), at=LATER)
        both = {gone.number}
    hotlist.card_changed(card.id, at=LATER)
    assert set(HotEntry.objects.values_list("device_number", flat=True)) == both
    assert HotEntry.objects.count() == 4 * len(both)


def test_a_device_that_holds_no_credential_needs_no_entry(wang: Holder) -> None:
    device_of(wang)
    assert lose(wang) == 0
    assert not HotEntry.objects.exists()


@pytest.mark.clause("C2")
def test_expired_entries_leave_the_list(wang: Holder) -> None:
    references = credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    lose(wang)
    publish.publish_lists(at=LATER)
    end = AT + timedelta(hours=72)
    assert publish.publish_lists(at=end - timedelta(seconds=1)) == []
    assert [each.entries for each in publish.publish_lists(at=end)] == [0, 0, 0, 0]
    assert delta(3, 2).payload == pass_.delta_payload([], [references[3]])
    assert hotlist.card_changed(card_of(wang).id, at=end) == 0


def test_a_renewed_credential_is_named_until_its_own_end(wang: Holder) -> None:
    device = device_of(wang)
    credentials(device, wang)
    publish.publish_lists(at=AT)
    lose(wang)
    publish.publish_lists(at=LATER)
    find(wang)
    again = actions.issue_credentials(device.id, by=of(wang), at=LATER)
    lose(wang)
    assert set(HotEntry.objects.values_list("expires_at", flat=True)) == {again[0].expires_at}


def test_a_version_too_old_or_not_yet_made_has_no_delta(wang: Holder) -> None:
    credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    lose(wang)
    publish.publish_lists(at=LATER)
    for since in (0, 2, 7):
        with pytest.raises(publish.ListGap) as refused:
            publish.delta(3, since, at=LATER)
        assert refused.value.facts == {"since": since, "latest": 2}
    assert publish.forget_old(at=AT + publish.DELTAS_KEPT + timedelta(seconds=1)) == 4
    with pytest.raises(publish.ListGap):
        publish.delta(3, 1, at=LATER)
    assert len(full(3)) == 1


def test_forgetting_keeps_what_deltas_still_need(wang: Holder) -> None:
    references = credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    lose(wang)
    publish.publish_lists(at=LATER)
    find(wang)
    publish.publish_lists(at=LATER)
    assert publish.forget_old(at=LATER) == 0
    assert delta(3, 2).payload == pass_.delta_payload([], [references[3]])
    assert publish.forget_old(at=LATER + publish.DELTAS_KEPT + timedelta(seconds=1)) == 4 * 2 + 4
    assert not HotEntry.objects.exists()


def test_only_the_newest_full_lists_are_kept_whole(wang: Holder) -> None:
    credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    for _ in range(3):
        lose(wang)
        publish.publish_lists(at=LATER)
        find(wang)
        publish.publish_lists(at=LATER)
    sizes = ListVersion.objects.filter(kind="hot", scene=3).order_by("version").values_list("full", flat=True)
    assert [bool(bytes(each)) for each in sizes] == [False] * 4 + [True] * 3


@pytest.mark.clause("C2")
def test_rotation_renews_every_list_under_a_new_list_key(wang: Holder) -> None:
    references = credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    lose(wang)
    publish.publish_lists(at=LATER)
    actions.rotate_keys(by=admin(), at=LATER)
    newest = [publish.latest("trust"), *(publish.latest("hot", scene) for scene in SCENES)]
    assert [each.version for each in newest if each] == [2, 3, 3, 3, 3]
    new = keysets.list_key(issuing.signing_keyset(LATER)).public
    for scene in SCENES:
        version = publish.latest("hot", scene)
        assert version is not None
        assert list(pass_.read_hotlist(pass_.read_envelope(bytes(version.full), new))) == [references[scene]]
        change = pass_.read_envelope(publish.delta(scene, 2, at=LATER).to_json(), new)
        assert change.payload == pass_.delta_payload([], [])


def test_an_ecard_moved_to_the_next_card_takes_its_devices_off(wang: Holder, make_card: MakeCard) -> None:
    credentials(device_of(wang), wang)
    publish.publish_lists(at=AT)
    lost = card_of(wang)
    lose(wang, CardStatus.LOST)
    publish.publish_lists(at=LATER)
    set_status(lost, CardStatus.LOST_CANCELLED)
    new = make_card(wang)
    ECard.objects.update(card=new)
    assert hotlist.card_changed(lost.id, at=LATER) == 0
    assert hotlist.card_changed(new.id, at=LATER) == 4
    assert [each.entries for each in publish.publish_lists(at=LATER)] == [0, 0, 0, 0]


def test_what_a_lost_job_left_behind_is_found(wang: Holder) -> None:
    credentials(device_of(wang), wang)
    card = card_of(wang)
    assert hotlist.out_of_step(at=LATER) == []
    set_status(card, LOST)
    assert hotlist.out_of_step(at=LATER) == [card.id]
    hotlist.card_changed(card.id, at=LATER)
    assert hotlist.out_of_step(at=LATER) == []
    publish.publish_lists(at=LATER)
    set_status(card, CardStatus.NORMAL)
    assert hotlist.out_of_step(at=LATER) == [card.id]
    hotlist.card_changed(card.id, at=LATER)
    assert hotlist.out_of_step(at=LATER) == []
    Holder.objects.update(status=Holder.Status.DECEASED)
    assert hotlist.out_of_step(at=LATER) == [card.id]
    assert hotlist.out_of_step(at=AT + timedelta(hours=72)) == []


def test_the_sixty_parts_of_an_hour_see_every_device(make_holder: MakeHolder, make_card: MakeCard) -> None:
    cards = []
    for number in (WANG, LI):
        holder = make_holder(number)
        cards.append(make_card(holder))
        credentials(device_of(holder, key=sm2.generate()), holder)
    for card in cards:
        set_status(card, LOST)

    found = [hotlist.out_of_step(at=LATER, part=minute, parts=60) for minute in range(60)]

    assert sorted(card for part in found for card in part) == sorted(card.id for card in cards)


@pytest.mark.clause("B2", "C2")
@pytest.mark.django_db(transaction=True)
def test_no_credential_slips_past_a_loss_under_way(
    make_holder: MakeHolder, make_card: MakeCard, database_dsn: str
) -> None:
    holder = make_holder()
    card = make_card(holder)
    device = device_of(holder)

    def renew() -> str:
        try:
            actions.issue_credentials(device.id, by=of(holder), at=AT)
        except rules.CardIsLost as refused:
            return refused.code
        finally:
            connection.close()
        return "issued"

    with psycopg.connect(database_dsn) as loss, ThreadPoolExecutor(1) as pool:
        loss.execute("UPDATE cards_card SET status = '2' WHERE id = %s", [card.id])
        asked = pool.submit(renew)
        with psycopg.connect(database_dsn, autocommit=True) as watch:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            while not watch.execute(waiting).fetchone()[0] and not asked.done():  # type: ignore[index]
                pass
        loss.commit()
        assert asked.result() == "card_lost"
    assert Device.objects.get().expires_at is None
