"""A loss on its way to the terminals, by what they say of themselves, and to the partners, at their own process."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import cast
from tests.bank_sandbox import Sandbox
from tests.using.codes.losing import lost
from yikatong.core import env
from yikatong.core.actor import SYSTEM
from yikatong.core.clock import now
from yikatong.registry.access import actions as access
from yikatong.registry.access.models import Terminal, TerminalState
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.regions.models import Organisation
from yikatong.using.codes import outgoing, publish, rules, spreading, tasks
from yikatong.using.codes import partners as telling
from yikatong.using.codes.models import HotEntry, ListVersion, LossSpread, Partner, PartnerNotice
from yikatong.using.codes.partner_line import line

SCENES = [int(scene) for scene in rules.SCENES]


def newest() -> dict[str, int]:
    return {str(scene): found.version for scene in SCENES if (found := publish.latest("hot", scene))}


@pytest.fixture
def terminals(card: Card) -> list[Terminal]:
    """Twenty, all of which hold the newest lists."""
    owner = Organisation.objects.get()
    domain = Domain.objects.create(code="culture", name="文化体验")
    place = Place.objects.create(
        number="51010700001",
        name="图书馆",
        kind="图书馆",
        domain=domain,
        keeper=owner,
        division_code="510107",
    )
    made = [
        access.register_terminal(
            name=f"闸机 {one}",
            kind="gate",
            place_id=place.pk,
            owner_id=owner.pk,
            scenes=SCENES[:2],
            by=SYSTEM,
            at=now(),
        )
        for one in range(20)
    ]
    Terminal.objects.update(status="enrolled")
    for one in made:
        TerminalState.objects.create(terminal=one, seen_at=now(), hot_versions=newest())
    return made


def tell(*told: Terminal) -> None:
    TerminalState.objects.filter(terminal__in=told).update(hot_versions=newest(), seen_at=now())


def arrived() -> tuple[bool, bool]:
    spreading.note_terminals(at=now())
    spread = LossSpread.objects.get()
    return spread.most_at is not None, spread.all_at is not None


@pytest.mark.clause("B2", "E3", "N17")
def test_a_loss_has_reached_terminals_when_they_say_so(
    card: Card,
    terminals: list[Terminal],
    bank: Sandbox,
) -> None:
    spreading.note_terminals(at=now())
    lost(card)
    assert arrived() == (False, False)
    tell(*terminals[:18])
    assert arrived() == (False, False)
    tell(terminals[18])
    assert arrived() == (True, False)
    stamped = LossSpread.objects.get().most_at
    found, count = spreading.behind(SYSTEM, at=now() + timedelta(minutes=3), most=5)
    listed_in = LossSpread.objects.get().listed_in
    assert [(one.number, one.name, one.since, one.has_told) for one in found] == [
        (terminals[19].number, "闸机 19", listed_in, True)
    ]
    assert count == 1
    assert spreading.behind(SYSTEM, at=now(), most=5) == ([], 0), "two heartbeats are given"
    elsewhere = cast.staff("陈静", "elsewhere", scope="5107").actor()
    assert spreading.behind(elsewhere, at=now() + timedelta(minutes=3), most=5) == ([], 0)
    tell(terminals[19])
    assert arrived() == (True, True)
    assert LossSpread.objects.get().most_at == stamped
    legs = {leg.name: leg for leg in spreading.legs(SYSTEM, at=now())}
    assert (legs["most"].day.count, legs["all"].day.count, legs["all"].waiting) == (1, 1, 0)


@pytest.mark.clause("B2", "E3")
def test_a_terminal_that_is_stopped_is_waited_for_no_more(
    card: Card,
    terminals: list[Terminal],
    bank: Sandbox,
) -> None:
    lost(card)
    tell(*terminals[:19])
    TerminalState.objects.filter(terminal=terminals[19]).update(hot_versions={})
    assert arrived() == (True, False)
    found, _ = spreading.behind(SYSTEM, at=now() + timedelta(minutes=3), most=5)
    assert [one.has_told for one in found] == [False]
    access.stop(terminals[19].pk, reason="长期离线", by=SYSTEM, at=now())
    assert arrived() == (True, True)


@pytest.mark.clause("B2")
def test_a_list_of_another_loss_later_proves_the_earlier_too(
    card: Card,
    terminals: list[Terminal],
    bank: Sandbox,
) -> None:
    """Versions are not told one by one: who holds the fifth has the fourth in it."""
    lost(card)
    cards.release_loss(card.pk, by=cast.clerk(), at=now())
    tasks.card_changed(str(card.pk))
    tell(*terminals)
    assert arrived() == (True, True)


def test_terminals_are_counted_in_one_statement_however_many(
    card: Card,
    terminals: list[Terminal],
    bank: Sandbox,
) -> None:
    lost(card)
    for act in (
        lambda: spreading.note_terminals(at=now()),
        lambda: spreading.behind(SYSTEM, at=now() + timedelta(minutes=3), most=50),
        lambda: spreading.legs(SYSTEM, at=now()),
    ):
        with CaptureQueriesContext(connection) as asked:
            act()
        assert len(asked) == 1


# --- partners ---


@pytest.fixture
def partners_ready(card: Card, partners: Sandbox) -> Sandbox:
    """Two partners who have been told of all that stands."""
    telling.sync(line())
    tell_all()
    assert not PartnerNotice.objects.filter(told_at=None).exists()
    return partners


def references() -> list[tuple[int, str]]:
    rows = HotEntry.objects.filter(removed_version=None, is_ended=False).order_by("scene")
    return [(one.scene, bytes(one.reference).hex()) for one in rows]


def refuses(peer: Sandbox, partner: str, scene: int, reference: str) -> bool:
    asked = {"partner": partner, "scene": scene, "reference": reference}
    return bool(peer.post("partner", "refused", asked)["refused"])


def tell_all() -> dict[str, int]:
    return {code: telling.tell(code, line(), at=now()) for code in telling.due(at=now())}


@pytest.mark.clause("B2", "S18")
def test_partners_are_told_of_a_loss_and_of_its_end(card: Card, partners_ready: Sandbox) -> None:
    lost(card)
    spread = LossSpread.objects.get()
    assert (spread.needs_partners, spread.partners_at) == (True, None)
    named = references()
    assert len(named) == len(SCENES)
    tell_all()
    assert all(refuses(partners_ready, code, *one) for code in ("huan", "yun") for one in named)
    spread.refresh_from_db()
    assert spread.partners_at is not None
    assert spread.list_at is not None
    assert spread.partners_at > spread.list_at
    assert Partner.objects.get(pk="huan").held == newest()
    cards.release_loss(card.pk, by=cast.clerk(), at=now())
    tasks.card_changed(str(card.pk))
    tell_all()
    assert not any(refuses(partners_ready, "huan", *one) for one in named)


@pytest.mark.clause("B2", "S18")
def test_one_partner_away_is_told_later_and_holds_up_no_other(
    card: Card,
    partners_ready: Sandbox,
) -> None:
    partners_ready.post("partner", "faults", {"kind": "away", "who": "yun", "times": 2})
    lost(card)
    first = now()
    telling.tell("huan", line(), at=first)
    assert telling.tell("yun", line(), at=first) == 0
    assert LossSpread.objects.get().partners_at is None
    away = Partner.objects.get(pk="yun")
    assert (away.behind_since, away.trouble, away.trouble_kind) == (first, "对方系统暂停服务", "away")
    assert telling.due(at=first) == []
    assert telling.due(at=first + timedelta(seconds=2)) == ["yun"]
    assert telling.tell("yun", line(), at=first + timedelta(seconds=2)) == 0
    again = Partner.objects.get(pk="yun")
    assert (again.behind_since, again.next_try_at) == (first, first + timedelta(seconds=7))
    assert telling.tell("yun", line(), at=first + timedelta(seconds=7)) == len(SCENES)
    assert LossSpread.objects.get().partners_at == first + timedelta(seconds=7)
    assert Partner.objects.get(pk="yun").behind_since is None
    stands = {partner.pk: (waiting, oldest) for partner, waiting, oldest in telling.stands()}
    assert stands == {"huan": (0, None), "yun": (0, None)}


@pytest.mark.clause("B2", "S18")
@pytest.mark.parametrize("kind", ["malformed", "cut", "broken"])
def test_an_answer_that_is_none_leaves_the_list_to_be_told(
    card: Card,
    partners_ready: Sandbox,
    kind: str,
) -> None:
    lost(card)
    partners_ready.post("partner", "faults", {"kind": kind, "who": "yun"})
    assert telling.tell("yun", line(), at=now()) == 0
    assert Partner.objects.get(pk="yun").trouble_kind == ("silent" if kind == "broken" else "unfit")
    assert telling.tell("yun", line(), at=now()) == len(SCENES)


@pytest.mark.clause("S18")
def test_a_partner_that_lost_its_lists_gets_the_whole(card: Card, partners_ready: Sandbox) -> None:
    lost(card)
    tell_all()
    named = references()
    Partner.objects.filter(pk="yun").update(held={str(scene): 1 for scene in SCENES})
    for scene in SCENES:
        publish_again(scene)
    partners_ready.begins_anew()
    tell_all()
    assert all(refuses(partners_ready, "yun", *one) for one in named)
    assert Partner.objects.get(pk="yun").held == newest()


def publish_again(scene: int) -> None:
    """A next version in which nothing has changed."""
    last = publish.latest("hot", scene)
    assert last is not None
    full = json.loads(bytes(last.full)) | {"to": last.version + 1}
    made = ListVersion.objects.create(
        kind="hot", scene=scene, version=last.version + 1, made_at=now(), full=json.dumps(full).encode()
    )
    outgoing.note_published([made])


@pytest.mark.clause("S18")
def test_sent_again_after_a_kill_nothing_changes(card: Card, partners_ready: Sandbox) -> None:
    """Killed after the partner took the list and before that was written down."""
    lost(card)
    tell_all()
    named = references()
    PartnerNotice.objects.update(told_at=None)
    Partner.objects.update(held={})
    tell_all()
    assert not PartnerNotice.objects.filter(told_at=None).exists()
    assert all(refuses(partners_ready, "huan", *one) for one in named)


def test_a_partner_that_is_wired_no_more_is_waited_for_no_more(
    card: Card,
    partners_ready: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YIKATONG_PARTNERS_FILE", "")
    env.load.cache_clear()
    telling.sync(line())
    assert set(Partner.objects.values_list("is_wired", flat=True)) == {False}
    lost(card)
    assert not LossSpread.objects.get().needs_partners
    assert telling.due(at=now()) == []
