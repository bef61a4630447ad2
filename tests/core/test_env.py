"""Every setting that cannot be used is named, with what is allowed, and no secret is shown."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from yikatong.core import env


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("YIKATONG_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    env.load.cache_clear()
    yield
    env.load.cache_clear()


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(env.BadSettings) as caught:
        env.load()
    return str(caught.value)


def test_defaults_serve_one_machine_and_show_nothing_to_others() -> None:
    settings = env.load()

    assert (settings.site_host, settings.site_port) == ("127.0.0.1", 8000)
    assert (settings.gate_host, settings.gate_port) == ("127.0.0.1", 8001)
    assert (settings.demo, settings.debug) == (False, False)
    assert settings.site_url == "http://127.0.0.1:8000"
    assert settings.dsn == env.embedded_dsn(settings.home)
    assert settings.master_key_path == settings.home / "keys" / "master.key"


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YIKATONG_HOME", str(tmp_path))
    monkeypatch.setenv("YIKATONG_ALLOWED_HOSTS", "card.example.cn, 127.0.0.1")
    monkeypatch.setenv("YIKATONG_SITE_HOST", "0.0.0.0")  # noqa: S104 - a value, nothing is bound
    monkeypatch.setenv("YIKATONG_PUBLIC_GATE_URL", "https://gate.example.cn/")
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:hidden@db/x")

    settings = env.load()

    assert settings.home == tmp_path
    assert settings.allowed_hosts == ("card.example.cn", "127.0.0.1")
    assert settings.site_url == "http://127.0.0.1:8000"
    assert settings.gate_url == "https://gate.example.cn"
    assert settings.dsn == "postgresql://a:hidden@db/x"
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("YIKATONG_SITE_PORT", "0", "1–65535 的整数"),
        ("YIKATONG_GATE_PORT", "abc", "1–65535 的整数"),
        ("YIKATONG_SITE_METRICS_PORT", "-1", "0–65535 的整数，0 表示不开启"),
        ("YIKATONG_GATE_METRICS_PORT", "70000", "0–65535 的整数，0 表示不开启"),
        ("YIKATONG_SITE_WORKERS", "0", "1–256 的整数"),
        ("YIKATONG_SITE_THREADS", "257", "1–256 的整数"),
        ("YIKATONG_GATE_WORKERS", "两个", "1–256 的整数"),
        ("YIKATONG_WALL_DAYS", "32", "0–31 的整数，0 表示不允许"),
        ("YIKATONG_EXPORT_ROWS", "1000001", "1–1000000 的整数"),
        ("YIKATONG_SMS_PAUSE_SECONDS", "9", "10–600 的整数"),
        ("YIKATONG_SMS_PHONE_DAILY", "0", "1–100 的整数"),
        ("YIKATONG_DEMO", "maybe", "true 或 false"),
        ("YIKATONG_DEBUG", "2", "true 或 false"),
        ("YIKATONG_LOG_LEVEL", "loud", "DEBUG、INFO、WARNING、ERROR 之一"),
        ("YIKATONG_PUBLIC_SITE_URL", "ftp://x", "http:// 或 https:// 开头、不带路径的网址"),
        ("YIKATONG_PUBLIC_GATE_URL", "https://x/y", "http:// 或 https:// 开头、不带路径的网址"),
        ("YIKATONG_PROVINCE", "Atlantis-1", ""),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    message = refusal(monkeypatch, **{name: value})

    assert message.startswith(f"设置 {name}={value!r} 不能用；允许的值：{allowed}")
    assert "\n" not in message


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = refusal(monkeypatch, YIKATONG_SITE_PORT="x", YIKATONG_GATE_PORT="y").splitlines()

    assert [line.split("=")[0] for line in lines] == ["设置 YIKATONG_SITE_PORT", "设置 YIKATONG_GATE_PORT"]


@pytest.mark.parametrize("url", ["mysql://root:geheim@db/x", "postgresql://root:geheim@db", "geheim"])
def test_a_database_that_is_not_postgresql_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    message = refusal(monkeypatch, DATABASE_URL=url)

    assert message.startswith("设置 DATABASE_URL=（不显示） 不能用；允许的值：postgresql://")
    assert "geheim" not in message


def test_a_misspelt_variable_is_refused_and_the_right_one_suggested(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, YIKATONG_SITE_PROT="8000")

    assert message == "没有名为 YIKATONG_SITE_PROT 的设置；是否要写 YIKATONG_SITE_PORT？"


def test_debug_pages_never_leave_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, YIKATONG_DEBUG="true", YIKATONG_GATE_HOST="0.0.0.0")  # noqa: S104

    assert message == "YIKATONG_DEBUG=true 时，YIKATONG_SITE_HOST 和 YIKATONG_GATE_HOST 只能是 127.0.0.1"


def test_a_secret_is_made_once_even_by_two_starters(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: env.secret_file(path, 32), range(16)))

    assert len(found) == 1
    assert len(found.pop()) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["master.key"]


def test_a_damaged_or_readable_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    env.secret_file(path, 32)

    with pytest.raises(env.BadSettings, match="应为 16 字节，实为 32 字节"):
        env.secret_file(path, 16)
    path.chmod(0o640)
    with pytest.raises(env.BadSettings, match="chmod 600"):
        env.secret_file(path, 32)


def test_a_long_home_gets_a_short_socket_path(tmp_path: Path) -> None:
    near, far = env.socket_dir(tmp_path / "x"), env.socket_dir(tmp_path / ("x" * 120))

    assert near == tmp_path / "x" / "pg" / "socket"
    assert far.parent == Path("/tmp")  # noqa: S108 - compared
    assert len(str(far)) + len("/.s.PGSQL.5432") <= 107
    assert far != env.socket_dir(tmp_path / ("y" * 120))
