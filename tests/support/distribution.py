"""What a distribution must not change, read by psycopg on the coordinator and on the nodes."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

SCHEMAS = ["public", "inventory", "hr", "finance"]
ENGINE_TABLES = ("django_migrations", "django_seeds")

TABLES = """
SELECT schemaname, tablename FROM pg_tables
WHERE schemaname = ANY(%s) ORDER BY 1, 2
"""
SEQUENCES = """
SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences
WHERE schemaname = ANY(%s) AND sequencename NOT LIKE '%%_journal_id_seq' ORDER BY 1
"""
TRIGGERS = """
SELECT c.relname || '.' || t.tgname, t.tgenabled::text FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND n.nspname = ANY(%s) ORDER BY 1
"""
SHARD_TRIGGERS = """
SELECT c.relname, t.tgname, t.tgenabled::text FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND n.nspname = %s AND c.relkind = 'r' AND c.relname ~ '_[0-9]{6,}$'
"""
SUM = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {} AS t"
LOCAL_ROWS = """
SELECT logicalrelid::text FROM pg_dist_partition WHERE pg_relation_size(logicalrelid) > 0
"""
PREPARED = "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"


def rows(session: psycopg.Connection) -> dict[str, tuple[Any, ...]]:
    """Table → the number of its rows and their checksum; the engine's journals left out."""
    found: dict[str, tuple[Any, ...]] = {}
    for schema, table in session.execute(TABLES, [SCHEMAS]).fetchall():
        if not table.startswith(ENGINE_TABLES):
            query = sql.SQL(SUM).format(sql.Identifier(schema, table))
            [found[f"{schema}.{table}"]] = session.execute(query).fetchall()
    return found


def sequences(session: psycopg.Connection) -> dict[str, int | None]:
    """Sequence → its last value."""
    return dict(session.execute(SEQUENCES, [SCHEMAS]).fetchall())


def triggers(session: psycopg.Connection) -> dict[str, str]:
    """Trigger → its state."""
    return dict(session.execute(TRIGGERS, [SCHEMAS]).fetchall())


def shard_triggers(session: psycopg.Connection, schema: str) -> dict[str, str]:
    """The same of the shards on a node, without the numbers in their names."""
    session.execute("SET citus.show_shards_for_app_name_prefixes TO '*'")
    return {
        f"{shard.rpartition('_')[0]}.{name.rpartition('_')[0]}": state
        for shard, name, state in session.execute(SHARD_TRIGGERS, [schema])
    }


def distributed_schemas(session: psycopg.Connection) -> list[str]:
    query = "SELECT schemaid::regnamespace::text FROM pg_dist_schema ORDER BY 1"
    return [name for (name,) in session.execute(query)]


def local_rows(session: psycopg.Connection) -> list[str]:
    """Citus' tables that have rows in their own files."""
    return [name for (name,) in session.execute(LOCAL_ROWS)]


def prepared_transactions(session: psycopg.Connection) -> int:
    [[number]] = session.execute(PREPARED).fetchall()
    return int(number)
