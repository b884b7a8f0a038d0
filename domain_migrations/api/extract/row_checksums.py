"""Counts and checksums of every table's rows, equal on two servers of different versions.

A row's checksum is PostgreSQL's own extended hash, on which hash partitioning depends, and so is
stable between versions. Types whose equal values can be written differently, or whose hash depends
on oids, are hashed as text. The checksums of the rows are added, whatever their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ...engine.catalog.fingerprint import SETTINGS
from ...engine.sessions.connection import execute, fetch_all, settings_sql

HASHED_AS_THEY_ARE = (
    *("bool", "int2", "int4", "int8", "oid", "float4", "float8", "uuid", "bytea"),
    *("text", "varchar", "date", "time", "timestamp", "timestamptz"),
)
COLUMNS = """
SELECT c.relname, a.attname, t.typname = ANY(%(kinds)s) AND t.typtype = 'b'
    AND t.typnamespace = 'pg_catalog'::regnamespace
    OR t.typname = 'numeric' AND a.atttypmod >= 0
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %(schema)s AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attname COLLATE "C"
"""
CHECKSUM = """
SELECT count(*), coalesce(sum(hash_record_extended(ROW({columns}), 0)), 0)::text
FROM ONLY {table} AS t
"""
SESSION = {
    **{name: value for name, value in SETTINGS.items() if name != "jit"},
    "jit": "off",
    "max_parallel_workers_per_gather": "4",
}


class Checksum(NamedTuple):
    """The number of a table's rows, and the sum of their hashes."""

    rows: int
    total: str


Checksums = dict[QualifiedName, Checksum]


def checksum_queries(connection: BaseDatabaseWrapper, schema: str) -> dict[QualifiedName, Any]:
    """Return the query of each table, the same for both sides: columns come in order of names."""
    columns: dict[QualifiedName, list[sql.Composable]] = {}
    params = {"schema": schema, "kinds": list(HASHED_AS_THEY_ARE)}
    for table, column, is_plain in fetch_all(connection, COLUMNS, params):
        cast = sql.SQL("t.{}" if is_plain else "t.{}::text").format(sql.Identifier(column))
        columns.setdefault(QualifiedName(schema, table), []).append(cast)
    return {
        table: sql.SQL(CHECKSUM).format(
            columns=sql.SQL(", ").join(parts), table=sql.Identifier(*table)
        )
        for table, parts in columns.items()
    }


def prepare_session(connection: BaseDatabaseWrapper) -> None:
    """Give the session the settings that the text of values depends on."""
    execute(connection, settings_sql(SESSION, local=False))


def checksums_of_both(
    queries: Mapping[QualifiedName, Any],
    source: BaseDatabaseWrapper,
    target: BaseDatabaseWrapper,
) -> tuple[Checksums, Checksums]:
    """Return the checksums of both sides, read at the same time.

    Arguments:
        source, target: sessions that :func:`prepare_session` has prepared.
    """
    with ThreadPoolExecutor(2) as pool:
        one, other = (pool.submit(_read, side.connection, queries) for side in (source, target))
        return one.result(), other.result()


def _read(session: psycopg.Connection[Any], queries: Mapping[QualifiedName, Any]) -> Checksums:
    # Not through Django's wrapper, which belongs to the thread that made it.
    found: Checksums = {}
    for table, query in queries.items():
        row = session.execute(query).fetchone()
        found[table] = Checksum(*row) if row else Checksum(0, "0")
    return found


def differing_tables(source: Checksums, target: Checksums) -> list[str]:
    """Return a sentence part for each table whose rows differ."""
    found: list[str] = []
    for table in sorted(source.keys() | target.keys()):
        one, other = source.get(table), target.get(table)
        if one != other:
            counts: Sequence[Any] = [side.rows if side else "no table" for side in (one, other)]
            what = f"{counts[0]} / {counts[1]} rows" if counts[0] != counts[1] else "other rows"
            found.append(f"{table} ({what})")
    return found
