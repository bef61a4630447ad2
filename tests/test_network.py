"""The tests prove nothing about other machines, because they cannot reach one."""

import socket

import psycopg
import pytest
from pytest_socket import SocketConnectBlockedError


def test_no_test_reaches_another_machine() -> None:
    refusal = pytest.raises(SocketConnectBlockedError)
    with socket.socket() as outward, pytest.warns(match=r"192\.0\.2\.1"), refusal:
        outward.connect(("192.0.2.1", 80))


def test_the_database_is_postgresql(database_dsn: str) -> None:
    with psycopg.connect(database_dsn) as opened:
        row = opened.execute("SELECT current_setting('server_version_num')::int >= 150000").fetchone()

    assert row == (True,)
