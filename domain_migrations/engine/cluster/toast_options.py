"""The options of tables for long values (``toast.…``), which Citus does not give to the shards."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ..sql.query import run_sql

OPTIONS: LiteralString = """
SELECT n.nspname, c.relname, o.option_name, o.option_value
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
CROSS JOIN LATERAL pg_catalog.pg_options_to_table(t.reloptions) o
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'r'
ORDER BY 1, 2, 3
"""
SET: LiteralString = "ALTER TABLE {} SET (toast.{} = {})"


def toast_statements(
    connection: BaseDatabaseWrapper, tables: Collection[QualifiedName]
) -> Iterator[sql.Composed]:
    """Yield the statements that give the options of distributed tables to their shards, too."""
    [rows] = run_sql(connection, OPTIONS, {"schemas": sorted({table.schema for table in tables})})
    for schema, name, option, value in rows:
        if QualifiedName(schema, name) in tables:
            yield sql.SQL(SET).format(
                sql.Identifier(schema, name), sql.Identifier(option), sql.Literal(value)
            )
