"""Indexes that are built after the rows are copied, which is faster than to keep them meanwhile.

Only those that nothing else needs are left out: not primary keys, replica identities, what
foreign keys refer to, and what functions and rules name in ON CONFLICT. Their definitions are the
source's, and the fingerprints of both sides are compared again before the cut-over.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.catalog.fingerprint import catalog_cursor
from ...engine.sessions.connection import execute
from .database_origins import extra_session

INDEXES = """
SELECT format('%%I.%%I', n.nspname, c.relname),
    format('DROP INDEX %%I.%%I', n.nspname, c.relname), pg_catalog.pg_get_indexdef(c.oid),
    pg_catalog.pg_table_size(t.oid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind = 'i' AND t.relkind = 'r' AND t.relreplident <> 'f'
    AND NOT i.indisunique AND NOT i.indisexclusion AND NOT i.indisreplident
    AND NOT i.indisclustered AND i.indisvalid AND NOT c.relispartition
    AND pg_catalog.obj_description(c.oid, 'pg_class') IS NULL
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attstattarget > 0)
UNION ALL
SELECT format('%%I.%%I', n.nspname, k.conname),
    format('ALTER TABLE %%I.%%I DROP CONSTRAINT %%I', n.nspname, t.relname, k.conname),
    format('ALTER TABLE %%I.%%I ADD CONSTRAINT %%I %%s', n.nspname, t.relname, k.conname,
        pg_catalog.pg_get_constraintdef(k.oid)),
    pg_catalog.pg_table_size(t.oid)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
JOIN pg_catalog.pg_class c ON c.oid = k.conindid
JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = %(schema)s AND k.contype = 'u' AND t.relkind = 'r' AND t.relreplident <> 'f'
    AND NOT t.relispartition AND NOT i.indisreplident AND NOT i.indisclustered
    AND c.reloptions IS NULL
    AND pg_catalog.obj_description(k.oid, 'pg_constraint') IS NULL
    AND pg_catalog.obj_description(c.oid, 'pg_class') IS NULL
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint f
        WHERE f.contype = 'f' AND f.conindid = k.conindid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid AND d.deptype = 'n')
ORDER BY 4 DESC, 1
"""
AT_ONCE = 2
"""How many are built at the same time."""


def drop_indexes(target: BaseDatabaseWrapper, schema: str) -> None:
    """Drop the indexes that the copy does not need, before anything is copied."""
    for _, drop, _ in _indexes(target, schema):
        execute(target, drop)


def build_indexes(source: BaseDatabaseWrapper, target: BaseDatabaseWrapper, schema: str) -> int:
    """Build the indexes that the source has and the target lacks; return how many.

    Each is built alone, so a killed command has built some, and the next call builds the rest.
    """
    there = {name for name, _, _ in _indexes(target, schema)}
    found = _indexes(source, schema)
    missing = [definition for name, _, definition in found if name not in there]
    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:
        builds = [
            pool.submit(
                _build,
                stack.enter_context(extra_session(target.alias)),
                missing[number::AT_ONCE],
            )
            for number in range(AT_ONCE if missing else 0)
        ]
        for build in builds:
            build.result()
    return len(missing)


def _indexes(connection: BaseDatabaseWrapper, schema: str) -> list[tuple[str, str, str]]:
    """Return the name of each, and the statements that drop it and that create it anywhere.

    With the session's search path, a definition would not name the schemas that are in it.
    """
    with catalog_cursor(connection) as cursor:
        cursor.execute(INDEXES, {"schema": schema})
        return [(name, drop, create) for name, drop, create, _ in cursor.fetchall()]


def _build(session: BaseDatabaseWrapper, definitions: Sequence[str]) -> None:
    # Not by Django's cursors, which belong to the thread that made the connection.
    with session.wrap_database_errors:
        for definition in definitions:
            session.connection.execute(definition.encode())
