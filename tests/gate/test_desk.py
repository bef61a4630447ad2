"""Enrolment, the sign-in of the day, heartbeats, lists and the state of the gate."""

import base64
import json
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.gate.world import SCENE, Desk, World
from yikatong.core.models import AuditEntry
from yikatong.gate import limits, sequence
from yikatong.registry.access import platform_keys, terminal_keys
from yikatong.registry.access.models import Terminal, TerminalState
from yikatong.using.codes import keysets, pass_
from yikatong.using.codes.lists import read_envelope
from yikatong.using.codes.models import HotEntry, IssuerKey, ListVersion

CODE = "ABCD-EFGH-JKMN-PQRS"


def unsealed(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def registered(world: World, *, status: str = "registered", hours: int = 24) -> Desk:
    desk = world.terminal(status=status)
    desk.row.enrol_code_hash = platform_keys.code_hash(desk.row.number, CODE)
    desk.row.enrol_code_until = world.at(hours * 3600)
    desk.row.save()
    return desk


def enrol(desk: Desk, code: str = CODE) -> Any:
    return desk.ask("enrol", {"terminal": desk.row.number, "code": code})


# --- enrolment ---


@pytest.mark.clause("E3")
def test_a_terminal_gets_its_key_once(world: World) -> None:
    desk = registered(world)
    asked = enrol(desk, "abcd efgh jkmn pqrs")
    assert asked.status == 200
    generation = asked.body["generation"]
    assert asked.body == {
        "terminal": desk.row.number, "generation": 2, "sealed_key": asked.body["sealed_key"],
        "server_time": world.now,
    }  # fmt: skip
    main = terminal_keys.open_main_key(
        CODE, unsealed(asked.body["sealed_key"]), number=desk.row.number, generation=generation
    )
    assert main == platform_keys.main_key(desk.row.number, 2)
    desk.row.refresh_from_db()
    assert (desk.row.status, desk.row.key_generation, desk.row.enrol_code_hash) == ("enrolled", 2, None)
    assert desk.row.enrolled_at == world.at()
    assert AuditEntry.objects.get(subject=f"terminal:{desk.row.id}").event == "access:terminal:enrolled"
    assert enrol(desk).status == 401, "a code is good once"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (registered, "ABCD-EFGH-JKMN-PQRT"),
        (lambda w: registered(w, hours=0), CODE),
        (lambda w: registered(w, status="stopped"), CODE),
        (lambda w: registered(w, status="retired"), CODE),
        (lambda w: w.terminal(status="registered"), CODE),
    ],
)
def test_all_refused_enrolments_look_alike(world: World, make: Any, code: str) -> None:
    desk = make(world)
    desk.row.refresh_from_db()
    before = Terminal.objects.filter(pk=desk.row.pk).values().get()
    asked = enrol(desk, code)
    assert (asked.status, asked.body["code"]) == (401, "terminal_unknown")
    assert Terminal.objects.filter(pk=desk.row.pk).values().get() == before
    assert not AuditEntry.objects.filter(subject=f"terminal:{desk.row.id}").exists()


# --- sign-in ---


@pytest.mark.clause("E3")
def test_sign_in_opens_the_day(world: World) -> None:
    desk = world.terminal(scenes=(SCENE, 4))
    asked = desk.ask("signin", {"software": "1.2.3"}, signs_in=True)
    assert asked.status == 200
    body = asked.body
    main = platform_keys.main_key(desk.row.number, 1)
    work = terminal_keys.open_work_key(
        main, unsealed(body.pop("sealed_key")), number=desk.row.number, day=world.today
    )
    assert work == platform_keys.work_key(desk.row.number, 1, world.today)
    keys = body.pop("list_keys")
    assert keys == [
        {"issuer": 510000, "key_id": 1, "public": desk.text(keysets.list_key(world.keyset).public)}
    ]
    assert body == {
        "terminal": desk.row.number,
        "day": world.today.isoformat(),
        "server_time": world.now,
        "key_until": sequence.bounds(world.today)[0] + 86_400 + 600,
        "scenes": [3, 4],
        "sequence_next": sequence.base(world.today) + 1,
        "lists": {"trust": 0, "hot": {"3": 0, "4": 0}},
        "validity_s": 60,
        "tolerance_s": 30,
        "hot_age_s": 86_400,
        "offline_uses_max": 2000,
        "upload_within_s": 7 * 86_400,
        "batch_most": 1000,
        "heartbeat_s": 60,
    }
    state = TerminalState.objects.get(terminal=desk.row)
    assert (state.signed_in_on, state.seen_at, state.software) == (world.today, world.at(), "1.2.3")


def test_a_terminal_that_forgot_goes_on_after_its_last_sequence(world: World) -> None:
    desk = world.terminal()
    desk.verify(world.rider().code(at=world.now), sequence=sequence.base(world.today) + 4711)
    body = desk.ask("signin", {}, signs_in=True).body
    assert body["sequence_next"] == sequence.base(world.today) + 4712


def test_the_work_key_signs_nobody_in(world: World) -> None:
    desk = world.terminal()
    asked = desk.ask("signin", {})
    assert (asked.status, asked.body["code"]) == (401, "request_bad_mac")
    assert not TerminalState.objects.filter(terminal=desk.row).exists()


def test_the_sign_in_key_opens_nothing_else(world: World) -> None:
    desk = world.terminal()
    asked = desk.ask("heartbeat", {"clock": world.now}, signs_in=True)
    assert (asked.status, asked.body["code"]) == (401, "request_bad_mac")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("registered", (401, "terminal_unknown")),
        ("stopped", (403, "terminal_stopped")),
        ("retired", (403, "terminal_stopped")),
    ],
)
def test_only_an_enrolled_terminal_signs_in(world: World, status: str, answer: tuple[int, str]) -> None:
    desk = world.terminal(status=status)
    asked = desk.ask("signin", {}, signs_in=True)
    assert (asked.status, asked.body["code"]) == answer
    assert not TerminalState.objects.filter(terminal=desk.row).exists()


# --- heartbeat ---


def test_a_heartbeat_is_noted(world: World) -> None:
    desk = world.terminal()
    message = {
        "clock": world.now - 45, "offline_uses": 12, "trust_version": 3, "hot_versions": {"3": 8, "4": 2},
        "software": "2.0",
    }  # fmt: skip
    asked = desk.ask("heartbeat", message)
    assert (asked.status, asked.body) == (
        200,
        {"server_time": world.now, "clock_offset_s": -45, "lists": {"trust": 0, "hot": {"3": 0}}},
    )
    state = TerminalState.objects.get(terminal=desk.row)
    assert (state.clock_offset_s, state.offline_uses, state.trust_version, state.hot_versions, state.software) == (
        -45, 12, 3, {"3": 8}, "2.0",
    )  # fmt: skip


@pytest.mark.parametrize(
    "told", [{"hot_version": 8}, {"hot_versions": {"0": 1}}, {"hot_versions": {"3": -1}}]
)
def test_a_heartbeat_that_tells_its_lists_wrongly_is_refused(world: World, told: dict[str, Any]) -> None:
    desk = world.terminal()
    desk.ask("heartbeat", {"clock": world.now, "hot_versions": {"3": 5}})

    assert desk.ask("heartbeat", {"clock": world.now} | told).status == 422
    assert TerminalState.objects.get(terminal=desk.row).hot_versions == {"3": 5}


# --- lists ---


@pytest.fixture
def lists(world: World) -> Any:
    """A trust list, and three versions of the hotlist: a is stopped in 1, b in 2, and a is lifted in 3."""
    a, b = (bytes([n]) * 16 for n in (1, 2))
    made = world.now - 100

    def hot(version: int, *references: bytes) -> None:
        plain = pass_.Envelope("hot", SCENE, 0, version, made, 510000, 1, pass_.hot_payload(references))
        full = plain.signed(keysets.list_key(world.keyset).private).to_json().encode()
        ListVersion.objects.create(
            kind="hot", scene=SCENE, version=version, made_at=world.at(-100), full=full
        )

    def entry(reference: bytes, added: int, removed: int | None) -> None:
        HotEntry.objects.create(
            scene=SCENE, reference=reference, device_number=1, added_version=added, removed_version=removed,
            is_ended=removed is not None, created_at=world.at(), expires_at=world.at(9),
        )  # fmt: skip

    always = [bytes([9, n]) * 8 for n in range(50)]
    hot(1, a, *always)
    hot(2, a, b, *always)
    hot(3, b, *always)
    entry(a, 1, 3)
    entry(b, 2, None)
    for reference in always:
        entry(reference, 1, None)
    trust = pass_.Envelope("trust", 0, 0, 4, made, 510000, 1, pass_.trust_payload([]))
    full = trust.signed(keysets.list_key(world.keyset).private).to_json().encode()
    ListVersion.objects.create(kind="trust", scene=0, version=4, made_at=world.at(-100), full=full)
    world.run(world.gate.keys.refresh())
    yield
    ListVersion.objects.all().delete()
    HotEntry.objects.all().delete()
    world.gate.lists.forget()
    world.run(world.gate.keys.refresh())


def fetch(world: World, desk: Desk, path: str, **headers: str) -> Any:
    path = f"/gate/v1/{path}"
    signed = desk.headers("GET", path, b"")
    return world.run(world.gate.handle("GET", path, signed | headers, b"", "test"))


@pytest.mark.clause("B8", "C2")
def test_full_list_and_delta_end_in_the_same_list(world: World, lists: None) -> None:
    desk, public = world.terminal(), keysets.list_key(world.keyset).public
    full = fetch(world, desk, f"lists/hot?scene={SCENE}")
    assert (full.status, dict(full.headers)["etag"]) == (200, '"hot-3-3"')
    newest = pass_.read_hotlist(read_envelope(full.body, public))
    assert len(newest) == 51
    for since in (1, 2):
        held = ListVersion.objects.get(kind="hot", version=since)
        old = pass_.read_hotlist(read_envelope(bytes(held.full), public))
        delta = fetch(world, desk, f"lists/hot?scene={SCENE}&since={since}")
        envelope = read_envelope(delta.body, public)
        assert (envelope.from_version, envelope.to_version) == (since, 3)
        assert len(delta.body) < len(full.body) / 2
        assert list(pass_.apply_delta(old, envelope)) == list(newest)


def test_a_version_nobody_knows_gets_the_full_list(world: World, lists: None) -> None:
    desk = world.terminal()
    ListVersion.objects.filter(kind="hot", version=1).delete()
    assert json.loads(fetch(world, desk, f"lists/hot?scene={SCENE}&since=1").body)["from"] == 0


def test_nothing_new_is_said_without_a_body(world: World, lists: None) -> None:
    desk = world.terminal()
    by_version = fetch(world, desk, f"lists/hot?scene={SCENE}&since=3")
    by_tag = fetch(world, desk, f"lists/hot?scene={SCENE}", **{"if-none-match": '"hot-3-3"'})
    trust = fetch(world, desk, "lists/trust", **{"if-none-match": '"trust-0-4"'})
    assert [(r.status, r.body) for r in (by_version, by_tag, trust)] == [(304, b"")] * 3


def test_the_trust_list_is_served(world: World, lists: None) -> None:
    found = fetch(world, world.terminal(), "lists/trust")
    assert read_envelope(found.body, keysets.list_key(world.keyset).public).to_version == 4


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("lists/hot?scene=4", 403, "terminal_wrong_scene"),
        ("lists/hot", 422, "request_malformed"),
        ("lists/hot?scene=x", 422, "request_malformed"),
        ("lists/hot?scene=3&since=-1", 422, "request_malformed"),
        ("lists/trust?scene=3", 422, "request_malformed"),
        ("lists/other", 404, "not_found"),
    ],
)
def test_a_list_that_cannot_be_asked_for(
    world: World, lists: None, path: str, status: int, code: str
) -> None:
    found = fetch(world, world.terminal(), path)
    assert (found.status, json.loads(found.body)["code"]) == (status, code)


def test_no_list_yet(world: World) -> None:
    found = fetch(world, world.terminal(), "lists/trust")
    assert (found.status, json.loads(found.body)["code"]) == (404, "no_list")


def test_a_list_is_for_terminals(world: World, lists: None) -> None:
    response = world.run(world.gate.handle("GET", "/gate/v1/lists/trust", {}, b"", "test"))
    assert response.status == 422


# --- limits and addresses ---


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bucket fills again while the test asks, however slow the machine."""
    stopped_at = time.monotonic()
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: stopped_at))


@pytest.mark.usefixtures("stopped_clock")
def test_a_terminal_that_asks_too_often_waits(world: World) -> None:
    desk = world.terminal()
    statuses = [desk.ask("heartbeat", {"clock": world.now}).status for _ in range(201)]
    assert statuses == [200] * 200 + [429]
    asked = desk.ask("heartbeat", {"clock": world.now})
    assert (asked.body["code"], asked.body["retry_after_s"], asked.headers["retry-after"]) == (
        "too_many_requests", 1, "1",
    )  # fmt: skip
    assert world.terminal().ask("heartbeat", {"clock": world.now}).status == 200, "others do not wait"


@pytest.mark.usefixtures("stopped_clock")
def test_an_address_that_guesses_keys_waits(world: World) -> None:
    desk = world.terminal()
    for _ in range(61):
        last = desk.ask("heartbeat", {"clock": world.now}, key=bytes(32), peer="192.0.2.1")
    assert last.status == 429
    assert desk.ask("heartbeat", {"clock": world.now}, peer="192.0.2.1").status == 429
    assert desk.ask("heartbeat", {"clock": world.now}).status == 200, "from elsewhere it may"


@pytest.mark.usefixtures("stopped_clock")
def test_enrolment_is_tried_thirty_times(world: World) -> None:
    desk = world.terminal()
    message = {"terminal": desk.row.number, "code": "X"}
    statuses = [desk.ask("enrol", message, peer="192.0.2.2").status for _ in range(31)]
    assert statuses == [401] * 30 + [429]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/gate/v1/verify", 405), ("POST", "/gate/v1/lists/hot", 405), ("POST", "/healthz", 405),
        ("GET", "/", 404), ("POST", "/gate/v1/", 404), ("POST", "/gate/v2/verify", 404), ("PUT", "/gate/v1/uses", 405),
    ],
)  # fmt: skip
def test_addresses(world: World, method: str, path: str, status: int) -> None:
    assert world.run(world.gate.handle(method, path, {}, b"", "test")).status == status


def test_a_body_too_large_for_its_address(world: World) -> None:
    desk = world.terminal()
    asked = desk.ask("verify", b" " * (64 * 1024 + 1))
    assert (asked.status, asked.body["code"], asked.body["bytes_most"]) == (413, "too_large", 65_536)
    asked = desk.ask("uses", b" " * (2 * 1024 * 1024 + 1))
    assert (asked.status, asked.body["bytes_most"]) == (413, 2_097_152)


def test_health_and_metrics(world: World) -> None:
    desk = world.terminal()
    desk.verify(world.rider().code(at=world.now))
    desk.ask("heartbeat", {"clock": 1}, key=bytes(32))
    found = {
        path: world.run(world.gate.handle("GET", path, {}, b"", "test"))
        for path in ("/healthz", "/readyz", "/metrics")
    }
    assert found["/healthz"].body == b'{"status":"ok"}'
    assert json.loads(found["/readyz"].body) == {"status": "ok", "database": True, "keys": True}
    text = found["/metrics"].body.decode()
    assert 'yikatong_gate_uses_total{mode="online",outcome="accepted"}' in text
    assert 'yikatong_gate_refusals_total{reason="request_bad_mac"}' in text
    assert 'yikatong_gate_requests_total{endpoint="verify",status="200"}' in text
    assert "yikatong_gate_request_seconds_bucket" in text


def test_a_withdrawn_key_is_refused_within_a_refresh(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    IssuerKey.objects.update(withdrawn_at=world.at())
    world.run(world.gate.keys.refresh())
    assert desk.verify(rider.code(at=world.now)).body["name"] == "key_withdrawn"
    IssuerKey.objects.update(withdrawn_at=None)
    world.run(world.gate.keys.refresh())
    assert desk.verify(rider.code(at=world.now)).body["accepted"]


def test_yesterdays_key_for_ten_minutes_after_midnight(world: World) -> None:
    desk, now = world.terminal(), world.now
    try:
        world.now = sequence.bounds(world.today)[0] + 60
        yesterday = desk.work_key(world.today - timedelta(days=1))
        assert desk.ask("heartbeat", {"clock": world.now}, key=yesterday).status == 200
        world.now += 600
        asked = desk.ask("heartbeat", {"clock": world.now}, key=yesterday)
        assert asked.body["code"] == "work_key_expired"
    finally:
        world.now = now
