"""Checksums of rows, equal on two servers of different versions.

A row's checksum is PostgreSQL's own extended hash, on which hash partitioning depends, and so is
stable between versions. Types whose equal values can be written differently, or whose hash depends
on oids, are hashed as text; and text by its bytes, because a collation may take different texts for
equal, and hashes them by a key that depends on the version of ICU. The checksums of the rows are
added, whatever their order.
"""

from __future__ import annotations

from typing import NamedTuple

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
    OR t.typname = 'numeric' AND a.atttypmod >= 0,
    a.attcollation <> 0
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %(schema)s AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attname COLLATE "C"
"""
SESSION = {**SETTINGS, "max_parallel_workers_per_gather": "4"}


class Checksum(NamedTuple):
    """The number of rows, and the sum of their hashes."""

    rows: int
    total: str


def hashed_columns(
    connection: BaseDatabaseWrapper, schema: str
) -> dict[QualifiedName, list[sql.Composable]]:
    """Return the columns of each table as they are hashed, in the order of their names.

    Their positions may differ between the sides.
    """
    columns: dict[QualifiedName, list[sql.Composable]] = {}
    params = {"schema": schema, "kinds": list(HASHED_AS_THEY_ARE)}
    for table, column, is_plain, is_text in fetch_all(connection, COLUMNS, params):
        form = ("t.{}" if is_plain else "t.{}::text") + (' COLLATE "C"' if is_text else "")
        part = sql.SQL(form).format(sql.Identifier(column))
        columns.setdefault(QualifiedName(schema, table), []).append(part)
    return columns


def prepare_session(connection: BaseDatabaseWrapper) -> None:
    """Give the session the settings that the text of values depends on."""
    execute(connection, settings_sql(SESSION, local=False))
