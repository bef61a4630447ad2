"""A PostgreSQL that really writes to the disk, with a province's worth of rows for the gate to join."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from yikatong.runtime.postgres import Cluster
from yikatong.using.codes import keysets
from yikatong.using.codes.keyset import Keyset

CARDS = 200_000
TERMINALS = 1_000
FIRST_TERMINAL = 510_100_000_000
SCENE = 3

_SEED = """
INSERT INTO regions_organisation (id, code, name, kind, division_code)
  VALUES (md5('o')::uuid, 'BENCH', '测试运营', 'operator', '510100');
INSERT INTO catalogue_domain (code, name, "order", icon) VALUES ('transit', '交通出行', 0, '');
INSERT INTO catalogue_place (id, number, name, kind, domain_id, keeper_id, division_code, address, hours,
    concessions, is_accessible, is_open)
  VALUES (md5('p')::uuid, 'BENCH', '测试车站', 'station', 'transit', md5('o')::uuid, '510104', '', '', '', true, true);
INSERT INTO access_terminal (id, number, name, kind, place_id, owner_id, city_code, domain_code, scenes, status,
    key_generation, stopped_reason, offline_uses_max)
  SELECT md5('t' || n)::uuid, %(first)s + n, '闸机', 'gate', md5('p')::uuid, md5('o')::uuid, '510100',
    'transit', ARRAY[%(scene)s]::smallint[], 'enrolled', 1, '', 2000 FROM generate_series(1, %(terminals)s) n;
INSERT INTO holders_holder (id, name, name_original, social_security_number, social_security_index, sex,
    birth_date, nationality, ethnicity, division_code, ground, status, created_at)
  SELECT md5('h' || n)::uuid, '测试', '', '\\x00', decode(md5('i' || n), 'hex'), '1', '1980-01-01', 'CHN', '',
    '510104', 'residence', 'active', now() FROM generate_series(1, %(cards)s) n;
INSERT INTO cards_card (id, holder_id, number, identification, reset_info, category, spec_version, division_code,
    status, issued_on, expires_on, cancel_reason)
  SELECT md5('c' || n)::uuid, md5('h' || n)::uuid, lpad(n::text, 9, '0'), md5('x' || n), repeat('0', 26), '3',
    '3.00', '510100', '1', '2024-01-01', '2044-01-01', '' FROM generate_series(1, %(cards)s) n;
INSERT INTO cards_ecard (id, holder_id, card_id, number, status, issued_at)
  SELECT md5('e' || n)::uuid, md5('h' || n)::uuid, md5('c' || n)::uuid, 'B' || n, 'issued', now()
  FROM generate_series(1, %(cards)s) n;
INSERT INTO codes_device (number, id, ecard_id, holder_id, public_key, name, is_server, generation, status,
    registered_at)
  SELECT n, md5('d' || n)::uuid, md5('e' || n)::uuid, md5('h' || n)::uuid, '\\x00', '手机', false, 1, 'active',
    now() FROM generate_series(1, %(cards)s) n;
"""


@contextlib.contextmanager
def running(home: Path) -> Iterator[str]:
    """The address of the database: `DATABASE_URL` if set, else an embedded server of our own, durable."""
    if dsn := os.environ.get("DATABASE_URL"):
        yield dsn
        return
    with Cluster(home).opened() as dsn:
        os.environ["DATABASE_URL"] = dsn
        yield dsn


def prepare(dsn: str, *, cards: int = CARDS, terminals: int = TERMINALS) -> None:
    """Tables, today's partitions, and the rows; nothing when they are there."""
    _django("migrate", "--verbosity", "0")
    with psycopg.connect(dsn, autocommit=True) as connection:
        fsync = connection.execute("SHOW fsync").fetchone()
        if fsync != ("on",):
            raise SystemExit("this server does not write to the disk (fsync off): nothing to measure")
        found = connection.execute("SELECT count(*) FROM codes_device").fetchone()
        if found != (cards,):
            _seed(connection, cards, terminals)
        connection.execute("TRUNCATE usage_use, usage_shown")
    code = "from yikatong.core.clock import *; from yikatong.using.usage.tasks import prepare; prepare(day_of(now()))"
    _django("shell", "--verbosity", "0", "-c", code)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT" if _is_superuser(connection) else "SELECT 1")


def _seed(connection: psycopg.Connection, cards: int, terminals: int) -> None:
    values = {"first": FIRST_TERMINAL, "scene": SCENE, "cards": cards, "terminals": terminals}
    with psycopg.ClientCursor(connection) as cursor:  # several statements with parameters: bound on our side
        cursor.execute(_SEED, values)


def _is_superuser(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return row == (True,)


def _django(*arguments: str) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "yikatong.site.settings"}
    subprocess.run([sys.executable, "-W", "ignore", "-m", "django", *arguments], check=True, env=environment)


def keyset(dsn: str) -> Keyset:
    """The issuer's keys of this database, made at the first run under this home's master key."""
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
        row = connection.execute("SELECT * FROM codes_issuerkey WHERE sign_until IS NULL").fetchone()
        if row is not None:
            return keysets.unwrap(row)
        made = Keyset.generate(issuer=510000, key_id=1)
        connection.execute(
            "INSERT INTO codes_issuerkey (key_id, issuer, public_key, secrets_sealed, created_at) "
            "VALUES (1, 510000, %s, %s, now())",
            [made.sm2_public, keysets.seal(made)],
        )
        return made
