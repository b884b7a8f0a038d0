"""Indexes that are built after the rows are copied, which is faster than to keep them meanwhile.

Only indexes that nothing else needs are left out: those of constraints and replica identities stay.
Their definitions are the source's, and the fingerprints of both sides are compared again before the
cut-over.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...engine.sessions.connection import execute, fetch_all

INDEXES = """
SELECT c.relname::text, pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = %s AND c.relkind = 'i' AND t.relkind = 'r' AND t.relreplident <> 'f'
    AND NOT i.indisunique AND NOT i.indisexclusion AND NOT i.indisreplident
    AND NOT i.indisclustered AND i.indisvalid AND NOT c.relispartition
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
    AND pg_catalog.obj_description(c.oid, 'pg_class') IS NULL
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attstattarget > 0)
ORDER BY 1
"""


def drop_indexes(target: BaseDatabaseWrapper, schema: str) -> None:
    """Drop the indexes that only queries need, before anything is copied."""
    names = [sql.Identifier(schema, name) for name, _ in fetch_all(target, INDEXES, [schema])]
    if names:
        execute(target, sql.SQL("DROP INDEX {}").format(sql.SQL(", ").join(names)))


def build_indexes(source: BaseDatabaseWrapper, target: BaseDatabaseWrapper, schema: str) -> int:
    """Build the indexes that the source has and the target lacks; return how many.

    Each is built alone, so a killed command has built some, and the next call builds the rest.
    """
    there = {name for name, _ in fetch_all(target, INDEXES, [schema])}
    missing = [row for row in fetch_all(source, INDEXES, [schema]) if row[0] not in there]
    for _, definition in missing:
        execute(target, definition)
    return len(missing)
