"""Configuration of the embedded server, written at every start where the server itself cannot change it."""

from collections.abc import Iterable
from pathlib import Path

import psutil

from yikatong.core.env import DATABASE_ROLE

_MAP = "yikatong"
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
_BUFFERS_MB_MAX = 512
_HEAD = "# Written at every start; own settings belong into local.conf."


def write(directory: Path, *, socket: Path, durable: bool, system_names: Iterable[str]) -> None:
    """Write postgresql.conf, pg_hba.conf and pg_ident.conf into `directory`.

    `system_names` are the accounts of this machine that may be the roles `postgres` and `yikatong`.
    An operator's own settings go into `local.conf` there; they win and are never touched.
    """
    directory.mkdir(exist_ok=True, mode=0o755)
    values = {
        "data_directory": directory.parent / "data",
        "hba_file": directory / "pg_hba.conf",
        "ident_file": directory / "pg_ident.conf",
        "unix_socket_directories": socket,
        **_NETWORK,
        **_memory(),
        **_WAL,
        **({} if durable else _NOT_DURABLE),
        **_LOG,
    }
    own = ["include 'local.conf'"] if (directory / "local.conf").exists() else []
    lines = [f"{name} = {_quoted(value)}" for name, value in values.items()]
    _put(directory / "postgresql.conf", [*lines, *own])
    _put(directory / "pg_hba.conf", [f"local all all peer map={_MAP}"])
    pairs = [(name, role) for name in sorted(system_names) for role in ("postgres", DATABASE_ROLE)]
    _put(directory / "pg_ident.conf", [f'{_MAP} "{name}" {role}' for name, role in pairs])


_NETWORK = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": 120,
    # A query over all days of three years locks every partition with its indexes, some 4,500 in all.
    "max_locks_per_transaction": 512,
    "cluster_name": "yikatong",
    "timezone": "UTC",
    "jit": "off",  # compiling costs more than the short statements here
    "idle_in_transaction_session_timeout": "10min",
}
_WAL = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "min_wal_size": "160MB",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# Statements and constraint details can carry personal data (PIPL art. 51), so they stay out of the log.
_LOG = {
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_lock_waits": "on",
    "log_checkpoints": "off",
}


def _memory() -> dict[str, str]:
    total_mb = _memory_total() // 2**20
    buffers_mb = max(32, min(_BUFFERS_MB_MAX, total_mb // 8))
    return {
        "shared_buffers": f"{buffers_mb}MB",
        "effective_cache_size": f"{max(64, total_mb // 2)}MB",
        "maintenance_work_mem": f"{max(32, buffers_mb // 4)}MB",
        "work_mem": "8MB",
    }


def _memory_total() -> int:
    total = psutil.virtual_memory().total
    limit = _MEMORY_LIMIT.read_text().strip() if _MEMORY_LIMIT.exists() else "max"
    return total if limit == "max" else min(total, int(limit))


def _quoted(value: object) -> str:
    text = str(value).replace("'", "''")
    return f"'{text}'"


def _put(path: Path, lines: list[str]) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_text("\n".join([_HEAD, *lines, ""]))
    draft.chmod(0o644)
    draft.replace(path)
