"""The rows that Citus' tables had on the coordinator before, in files that no query reads.

``truncate_local_data_after_distributing_table`` removes them with ``CASCADE``, over any number of
foreign keys, and asks only about keys that point at the table itself. A local table that refers to
a reference table through another one would lose its rows, so such tables are left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ..sql.query import run_sql

# Citus' tables never get a row in their own files: what is in them, they had before.
TABLES_WITH_LOCAL_ROWS: LiteralString = """
WITH RECURSIVE referring AS (
    SELECT confrelid AS target, conrelid AS oid
    FROM pg_catalog.pg_constraint WHERE contype = 'f'
    UNION
    SELECT r.target, k.conrelid
    FROM referring r JOIN pg_catalog.pg_constraint k ON k.confrelid = r.oid AND k.contype = 'f'
)
SELECT n.nspname, c.relname
FROM pg_catalog.pg_dist_partition p
JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'r' AND pg_catalog.pg_relation_size(c.oid) > 0
    AND NOT EXISTS (
        SELECT FROM referring r
        LEFT JOIN pg_catalog.pg_dist_partition o ON o.logicalrelid = r.oid
        WHERE r.target = c.oid AND o.logicalrelid IS NULL)
ORDER BY 1, 2
"""

REMOVE = "SELECT pg_catalog.truncate_local_data_after_distributing_table({}::regclass)"

# Rows that they refer to can be deleted: the keys are unknown where the rows are.
HALF_ENFORCED_KEYS: LiteralString = """
WITH placed AS (
    SELECT logicalrelid::oid AS oid FROM pg_catalog.pg_dist_partition
    UNION
    SELECT c.oid FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS t (schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
)
SELECT DISTINCT n.nspname
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.confrelid IN (SELECT oid FROM placed)
    AND k.conrelid NOT IN (SELECT oid FROM placed)
ORDER BY 1
"""


def tables_with_local_rows(
    connection: BaseDatabaseWrapper, schemas: Sequence[str]
) -> tuple[QualifiedName, ...]:
    """Return the tables of schemas whose local rows can be removed without touching others."""
    [rows] = run_sql(connection, TABLES_WITH_LOCAL_ROWS, {"schemas": list(schemas)})
    return tuple(QualifiedName(*row) for row in rows)


def removal_statement(table: QualifiedName) -> sql.Composed:
    """Return the statement that removes the local rows of a table."""
    return sql.SQL(REMOVE).format(table.db_table)


def schemas_with_half_enforced_keys(
    connection: BaseDatabaseWrapper, moving: Collection[QualifiedName] = ()
) -> tuple[str, ...]:
    """Return the schemas of local tables that have foreign keys to tables on the nodes.

    Arguments:
        moving: local tables that are counted as those on the nodes.
    """
    schemas, names = [table.schema for table in moving], [table.name for table in moving]
    [rows] = run_sql(connection, HALF_ENFORCED_KEYS, {"schemas": schemas, "names": names})
    return tuple(schema for (schema,) in rows)
