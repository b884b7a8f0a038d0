"""The order in which a distribution locks its tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ...engine.cluster.reference_tables import in_foreign_key_order
from ...engine.sessions.connection import execute, fetch_all

# A table and what its writers lock before it: a partition's parent, and the target of a key.
LOCKED_BEFORE = """
SELECT n.nspname, c.relname, bn.nspname, b.relname
FROM (
    SELECT inhrelid AS oid, inhparent AS before FROM pg_catalog.pg_inherits
    UNION
    SELECT conrelid, confrelid FROM pg_catalog.pg_constraint WHERE contype = 'f'
) e
JOIN pg_catalog.pg_class c ON c.oid = e.oid AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class b ON b.oid = e.before AND b.oid <> c.oid
JOIN pg_catalog.pg_namespace bn ON bn.oid = b.relnamespace
WHERE n.nspname = ANY(%s)
"""

PARENTS = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind = 'p'
"""

LOCK = "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE"


def lock_tables(
    connection: BaseDatabaseWrapper, tables: Collection[QualifiedName], schemas: Sequence[str]
) -> None:
    """Lock tables, and the partitioned ones of schemas, in the open transaction.

    In one statement, before anything is read: sessions that read first and write then would get
    into a deadlock with this one. In the order of those that write a parent or a referenced row
    first.
    """
    if ordered := lock_order(connection, tables, schemas):
        names = sql.SQL(", ").join(sql.Identifier(*table) for table in ordered)
        execute(connection, sql.SQL(LOCK).format(names))


def lock_order(
    connection: BaseDatabaseWrapper, tables: Collection[QualifiedName], schemas: Sequence[str]
) -> list[QualifiedName]:
    """Return the tables and the partitioned ones of schemas, each after its parent and targets."""
    parents = (QualifiedName(*row) for row in fetch_all(connection, PARENTS, [list(schemas)]))
    locked = {*tables, *parents}
    edges = [
        (QualifiedName(*row[:2]), QualifiedName(*row[2:]))
        for row in fetch_all(
            connection, LOCKED_BEFORE, [sorted({table.schema for table in locked})]
        )
    ]
    return in_foreign_key_order(locked, edges)
