"""Typed settings of every process, read from the environment; a bad value stops the start and is named."""

import difflib
import os
import re
import secrets
import stat
from collections.abc import Mapping
from functools import cached_property, lru_cache
from hashlib import blake2s
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "YIKATONG_"
DATABASE_ROLE = "yikatong"

_PACKAGE = Path(__file__).resolve().parents[1]
_PROFILES = _PACKAGE / "registry" / "regions" / "profiles"
_SOCKET_NAME = "/.s.PGSQL.5432"
_SOCKET_PATH_MAX = 107  # sun_path of Linux is 108 bytes, the last one NUL
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_HIDDEN = "（不显示）"

Port = Annotated[int, Field(ge=1, le=65535, description="1–65535 的整数")]
MetricsPort = Annotated[int, Field(ge=0, le=65535, description="0–65535 的整数，0 表示不开启")]
Count = Annotated[int, Field(ge=1, le=256, description="1–256 的整数")]


class BadSettings(Exception):
    """Settings that cannot be used; the message (Chinese, a line each) says which, and what is allowed."""


def _default_home() -> Path:
    checkout = _PACKAGE.parents[1]
    return (checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()) / "var"


def _provinces() -> list[str]:
    return sorted(path.stem for path in _PROFILES.glob("*.toml"))


class Settings(BaseSettings):
    """All settings: variables `YIKATONG_<NAME>`, and plain `DATABASE_URL`; no `.env` file is read."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        validate_default=False,
    )

    database_url: str | None = Field(
        default=None,
        repr=False,
        validation_alias=AliasChoices("DATABASE_URL"),
        description="postgresql://用户@主机:端口/库名（PostgreSQL 15 及以上）；不设则用内置的",
    )
    home: Path = Field(default_factory=_default_home, description="数据目录（数据库、密钥、日志）的路径")
    site_host: str = Field(default="127.0.0.1", min_length=1, description="监听地址，如 127.0.0.1 或 0.0.0.0")
    site_port: Port = 8000
    site_workers: Count = 2
    site_threads: Count = 4
    gate_host: str = Field(default="127.0.0.1", min_length=1, description="监听地址，如 127.0.0.1 或 0.0.0.0")
    gate_port: Port = 8001
    # Below 128 terminals at once one process is faster than two: its batches are larger.
    gate_workers: Count = 1
    bank_sandbox_host: str = Field(default="127.0.0.1", min_length=1, description="监听地址，如 127.0.0.1")
    bank_sandbox_port: int = Field(default=0, ge=0, le=65535, description="0–65535 的整数，0 为闸机端口加一")
    bank_sandbox_delay_ms: int = Field(default=200, ge=0, le=60_000, description="0–60000 的整数")
    # Departments take hours; those of a demonstration decide after about this long.
    department_sandbox_delay_ms: int = Field(
        default=20_000, ge=0, le=3_600_000, description="0–3600000 的整数"
    )
    departments_file: Path = Field(
        default=Path(), description="TOML 文件路径：各联办部门接口的地址与密钥文件"
    )
    banks_file: Path = Field(default=Path(), description="TOML 文件路径：各合作银行接口的地址与密钥文件")
    sources_file: Path = Field(default=Path(), description="TOML 文件路径：各权威数据源接口的地址与密钥文件")
    partners_file: Path = Field(
        default=Path(), description="TOML 文件路径：各伙伴平台接口的名称、地址与密钥文件"
    )
    metrics_host: str = Field(default="127.0.0.1", min_length=1, description="监听地址，如 127.0.0.1")
    site_metrics_port: MetricsPort = 0
    gate_metrics_port: MetricsPort = 0
    province: str = Field(default="sichuan", description="省份配置的名称")
    demo: bool = Field(default=False, description="true 或 false")
    demo_holders: int = Field(default=20_000, ge=200, le=1_000_000, description="200–1000000 的整数")
    demo_life: bool = Field(default=True, description="true 或 false")
    debug: bool = Field(default=False, description="true 或 false")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1", "localhost", "[::1]"),
        description="逗号分隔的主机名，如 card.example.cn,127.0.0.1",
    )
    public_site_url: str = Field(default="", description="http:// 或 https:// 开头、不带路径的网址")
    public_gate_url: str = Field(default="", description="http:// 或 https:// 开头、不带路径的网址")
    secret_key_file: Path = Field(default=Path(), description="文件路径")
    master_key_file: Path = Field(default=Path(), description="文件路径")
    wall_days: int = Field(default=7, ge=0, le=31, description="0–31 的整数，0 表示不允许")
    card_hsm: str = Field(
        default="yikatong.adapters.hsm.soft:SoftHsm",
        pattern=r"^[a-z_][a-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$",
        description="加密机适配器，写作 模块:类，如 yikatong.adapters.hsm.soft:SoftHsm",
    )
    card_key_file: Path = Field(default=Path(), description="文件路径")
    reader_url: str = Field(
        default="", description="柜面电脑上读卡程序的网址：http://127.0.0.1:端口，如 http://127.0.0.1:8765"
    )
    export_rows: int = Field(default=1_000_000, ge=1, le=1_000_000, description="1–1000000 的整数")
    sms_pause_seconds: int = Field(default=60, ge=10, le=600, description="10–600 的整数")
    sms_phone_daily: int = Field(default=10, ge=1, le=100, description="1–100 的整数")
    # A hall, a campus or a carrier's gateway is one address for many phones.
    sms_address_hourly: int = Field(default=60, ge=1, le=100_000, description="1–100000 的整数")
    sms_address_daily: int = Field(default=600, ge=1, le=1_000_000, description="1–1000000 的整数")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG、INFO、WARNING、ERROR 之一"
    )

    @field_validator(
        "home",
        "secret_key_file",
        "master_key_file",
        "banks_file",
        "departments_file",
        "sources_file",
        "partners_file",
        "card_key_file",
    )
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return Path(os.path.abspath(path.expanduser())) if path != Path() else path  # noqa: PTH100 - keep links

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if url and (parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/")):
            raise PydanticCustomError("database_url", "不是 PostgreSQL 地址")
        return url

    @field_validator("public_site_url", "public_gate_url")
    @classmethod
    def _origin(cls, url: str) -> str:
        parts = urlsplit(url)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.path.strip("/")
            or parts.query
        ):
            raise PydanticCustomError("origin", "不是网址")
        return url.rstrip("/")

    @field_validator("reader_url")
    @classmethod
    def _on_this_machine(cls, url: str) -> str:
        if url and not re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]{0,4}", url):
            raise PydanticCustomError("reader_url", "不是本机网址")
        return url

    @field_validator("province")
    @classmethod
    def _known_province(cls, name: str) -> str:
        known = _provinces()
        if not name.isidentifier() or (known and name not in known):
            raise PydanticCustomError("province", "没有这个省份配置")
        return name

    @model_validator(mode="after")
    def _safe_together(self) -> "Settings":
        if self.debug and not {self.site_host, self.gate_host} <= _LOOPBACK:
            # A debug page shows settings and personal data to whoever can reach the port.
            raise PydanticCustomError(
                "debug_exposed",
                f"{PREFIX}DEBUG=true 时，{PREFIX}SITE_HOST 和 {PREFIX}GATE_HOST 只能是 127.0.0.1",
            )
        return self

    @cached_property
    def site_url(self) -> str:
        """Address of the site as a person reaches it, without a final slash."""
        return self.public_site_url or local_url(self.site_host, self.site_port)

    @cached_property
    def gate_url(self) -> str:
        """Address of the gate as a terminal reaches it, without a final slash."""
        return self.public_gate_url or local_url(self.gate_host, self.gate_port)

    @cached_property
    def bank_sandbox_url(self) -> str:
        """Address of the sandbox bank, without a final slash."""
        return local_url(self.bank_sandbox_host, self.bank_sandbox_port or self.gate_port + 1)

    @cached_property
    def bank_sandbox_key_path(self) -> Path:
        """Key that the sandbox bank and we sign with; made by whichever starts first."""
        return self.sandbox_key_path("bank")

    def sandbox_key_path(self, peer: str) -> Path:
        """Key that a sandbox peer and we sign with; made by whichever starts first."""
        return self.home / "keys" / f"{peer}-sandbox.key"

    @cached_property
    def dsn(self) -> str:
        """The database: `DATABASE_URL`, else the embedded server of this home (running or not)."""
        return self.database_url or embedded_dsn(self.home)

    @cached_property
    def secret_key_path(self) -> Path:
        """Key of sessions and signed links; made on the first start."""
        return self.secret_key_file if self.secret_key_file != Path() else self.home / "keys" / "secret.key"

    @cached_property
    def master_key_path(self) -> Path:
        """Key that wraps every other key; made on the first start."""
        return self.master_key_file if self.master_key_file != Path() else self.home / "keys" / "master.key"

    @cached_property
    def card_key_path(self) -> Path:
        """Root keys of cards of the soft key device, sealed under the master key; made when first needed."""
        return self.card_key_file if self.card_key_file != Path() else self.home / "keys" / "cards.json"

    @cached_property
    def log_dir(self) -> Path:
        return self.home / "logs"

    @cached_property
    def run_dir(self) -> Path:
        """Locks and the record of running processes."""
        return self.home / "run"

    @cached_property
    def demo_file(self) -> Path:
        """JSON list of the demonstration's people, written by the loader and printed by `yikatong run`."""
        return self.home / "demo.json"


@lru_cache(maxsize=1)
def load() -> Settings:
    """The settings of this process, read once; tests call `load.cache_clear()`.

    Raises `BadSettings` naming every variable that cannot be used.
    """
    _refuse_unknown(os.environ)
    try:
        return Settings()
    except ValidationError as error:
        lines = [_sentence(fault["loc"], fault["msg"]) for fault in error.errors()]
        raise BadSettings("\n".join(dict.fromkeys(lines))) from None


def secret_file(path: Path, size: int) -> bytes:
    """The `size` random bytes kept in `path` (mode 0600), made once; two starters get the same ones.

    Raises `BadSettings` when the file has another length or can be read by others.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        create_once(path, secrets.token_bytes(size))
    refuse_shared(path)
    found = path.read_bytes()
    if len(found) != size:
        raise BadSettings(f"密钥文件 {path} 应为 {size} 字节，实为 {len(found)} 字节；请从备份恢复")
    return found


def refuse_shared(path: Path) -> None:
    """Raises `BadSettings` when others than its owner may read or write the file."""
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadSettings(f"密钥文件 {path} 可被其他用户读取；请执行 chmod 600 {path}")


def socket_dir(home: Path) -> Path:
    """Directory of the embedded server's socket; under /tmp when the home's path is too long for a socket."""
    near = home / "pg" / "socket"
    if len(os.fsencode(near)) + len(_SOCKET_NAME) <= _SOCKET_PATH_MAX:
        return near
    return Path("/tmp") / f"yikatong-{path_digest(home)}"  # noqa: S108 - owner and mode are checked by the server


def local_url(host: str, port: int) -> str:
    """How this machine itself reaches something that listens on `host`."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}"


def path_digest(path: Path) -> str:
    """Sixteen hexadecimal digits standing for a path."""
    return blake2s(os.fsencode(path), digest_size=8).hexdigest()


def embedded_dsn(home: Path, *, database: str = DATABASE_ROLE, role: str = DATABASE_ROLE) -> str:
    """Address (libpq) of the embedded server that belongs to `home`."""
    return f"postgresql://{role}@/{database}?host={quote(str(socket_dir(home)), safe='')}"


def _variable(field: str) -> str:
    return "DATABASE_URL" if field.lower() == "database_url" else PREFIX + field.upper()


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = [_variable(name) for name in Settings.model_fields]
    lines = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            lines.append(f"没有名为 {name} 的设置" + (f"；是否要写 {near[0]}？" if near else ""))
    if lines:
        raise BadSettings("\n".join(lines))


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    if not location:  # a rule about several settings brings its own sentence
        return message
    field = str(location[0]).lower()
    name = _variable(field)
    given = _HIDDEN if field == "database_url" else repr(os.environ.get(name, ""))
    allowed = Settings.model_fields[field].description
    if field == "province":
        allowed = "、".join(_provinces()) or "小写英文名"
    return f"设置 {name}={given} 不能用；允许的值：{allowed}"


def create_once(path: Path, content: bytes) -> None:
    """Write a private temporary file and link it into place, so that no one ever sees half a key."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first; its key counts
    finally:
        draft.unlink()
