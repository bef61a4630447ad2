"""Who asks, and how: terminals, keys, clocks, scenes and nonsense."""

from datetime import timedelta

import pytest

from tests.gate.answers import problem, set_to
from tests.gate.world import SCENE, World
from yikatong.using.codes.pass_ import Reason
from yikatong.using.usage.models import Use


@pytest.mark.clause("E3", "Q2")
def test_a_stopped_terminal_is_refused_with_the_next_request(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    desk.verify(rider.code(at=world.now))
    set_to(desk.row, status="stopped")
    before = world.counts()
    problem(desk.verify(rider.code(at=world.now)), Reason.TERMINAL_STOPPED, 403)
    assert world.counts() == before
    set_to(desk.row, status="enrolled")
    assert desk.verify(rider.code(at=world.now)).body["accepted"]


def test_an_unknown_terminal(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    desk.row.number += 500_000
    before = world.counts()
    problem(desk.verify(rider.code(at=world.now)), Reason.TERMINAL_UNKNOWN, 401)
    assert world.counts() == before


def test_a_key_of_an_older_generation_is_dead(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    assert desk.verify(rider.code(at=world.now)).body["accepted"]
    set_to(desk.row, key_generation=2)
    before = world.counts()
    asked = desk.verify(rider.code(at=world.now))
    problem(asked, Reason.REQUEST_BAD_MAC, 401)
    assert world.counts() == before


def test_a_wrong_key(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    before = world.counts()
    message = {"sequence": desk.sequence(), "code": rider.code(at=world.now)}
    problem(desk.ask("verify", message, key=bytes(32)), Reason.REQUEST_BAD_MAC, 401, server_time=world.now)
    assert world.counts() == before


def test_a_changed_body(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    body = b'{"sequence":%d,"code":"%s","amount_fen":%s}'
    number, code = desk.sequence(), rider.code(at=world.now).encode()
    headers = desk.headers("POST", "/gate/v1/verify", body % (number, code, b"100"))
    changed = body % (number, code, b"900")
    response = world.run(world.gate.handle("POST", "/gate/v1/verify", headers, changed, "test"))
    assert response.status == 401
    assert not Use.objects.filter(terminal=desk.row.number).exists()


def test_yesterdays_key_is_told_to_sign_in(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    key = desk.work_key(world.today - timedelta(days=1))
    message = {"sequence": desk.sequence(), "code": rider.code(at=world.now)}
    problem(desk.ask("verify", message, key=key), Reason.WORK_KEY_EXPIRED, 401, server_time=world.now)


@pytest.mark.parametrize("seconds", [-3600, -121, 121, 3600])
def test_a_clock_that_is_off_is_told_the_time(world: World, seconds: int) -> None:
    desk, rider = world.terminal(), world.rider()
    message = {"sequence": desk.sequence(), "code": rider.code(at=world.now)}
    before = world.counts()
    asked = desk.ask("verify", message, time=world.now + seconds)
    problem(asked, Reason.REQUEST_TIME_OFF, 401, server_time=world.now, difference_s=seconds)
    assert world.counts() == before


def test_two_minutes_are_forgiven(world: World) -> None:
    desk, rider = world.terminal(), world.rider()
    message = {"sequence": desk.sequence(), "code": rider.code(at=world.now)}
    assert desk.ask("verify", message, time=world.now - 120).body["accepted"]


def test_a_scene_the_terminal_may_not_serve(world: World) -> None:
    desk, rider = world.terminal(scenes=(SCENE, 4)), world.rider()
    before = world.counts()
    asked = desk.verify(rider.code(at=world.now), scene=2)
    problem(asked, Reason.TERMINAL_WRONG_SCENE, 403, scenes=[3, 4])
    assert world.counts() == before


def test_a_scene_taken_away_counts_at_once(world: World) -> None:
    desk, rider = world.terminal(scenes=(SCENE, 4)), world.rider()
    desk.verify(rider.code(at=world.now))
    set_to(desk.row, scenes=[4])
    before = world.counts()
    problem(desk.verify(rider.code(at=world.now)), Reason.TERMINAL_WRONG_SCENE, 403)
    assert world.counts() == before


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"\xff\xfe", b"{}", b'{"sequence": "x", "code": ""}',
        b'{"sequence": 2026112100000001, "code": "YKT1:", "ammount_fen": 1}',
        b'{"sequence": 2026112100000001, "code": "YKT1:", "amount_fen": -1}',
        b'{"sequence": 2026112100000001, "code": "YKT1:", "amount_fen": 100000000000}',
        b'{"sequence": 1, "code": "YKT1:"}', b'{"sequence": 2026113100000001, "code": "YKT1:"}',
        b'{"sequence": 2026112100000000, "code": "YKT1:"}', b'{"sequence": 2025010100000001, "code": "YKT1:"}',
    ],
)  # fmt: skip
def test_nonsense_is_named(world: World, body: bytes) -> None:
    desk = world.terminal()
    before = world.counts()
    asked = desk.ask("verify", body)
    assert (asked.status, asked.body["code"]) == (422, "request_malformed")
    assert asked.body["detail"]
    assert world.counts() == before


def test_headers_that_say_nothing(world: World) -> None:
    before = world.counts()
    for headers in ({}, {"yikatong-terminal": "x", "yikatong-time": "1", "yikatong-mac": "zz"}):
        response = world.run(world.gate.handle("POST", "/gate/v1/verify", headers, b"{}", "test"))
        assert response.status == 422
    assert world.counts() == before
