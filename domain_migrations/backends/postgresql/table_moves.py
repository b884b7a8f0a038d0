"""Statements that rename a table, move it to another schema, or both."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator

from django.db.backends.utils import CursorWrapper

from .names import TableName, format_table_name, quote, truncate

RELATION_EXISTS = """
    SELECT 1
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%s) AND c.relname = %s
"""

NAMES_TAKEN = """
    SELECT r.relname, r.relkind = 'S'
    FROM pg_catalog.pg_class t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_catalog.pg_class r ON r.oid IN (
        SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid
        UNION ALL
        SELECT d.objid
        FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass
            AND d.refclassid = 'pg_catalog.pg_class'::regclass
            AND d.refobjid = t.oid
            AND d.refobjsubid > 0
    )
    JOIN pg_catalog.pg_namespace target ON target.nspname = %s
    WHERE n.nspname = %s
        AND t.relname = %s
        AND r.relkind IN ('i', 'I', 'S')
        AND EXISTS (
            SELECT FROM pg_catalog.pg_class other
            WHERE other.relnamespace = target.oid AND other.relname = r.relname
        )
    ORDER BY r.relname
"""
"""The indexes and sequences of a table whose names are taken in another schema."""


def move_table_sql(
    cursor: CursorWrapper, old: TableName, new: TableName, *, keep: Collection[str] = ()
) -> Iterator[str]:
    """Yield the statements that rename the table `old` to `new`, move it there, or both.

    ``ALTER TABLE`` does one at a time, and a table takes its indexes and sequences along, whose
    names may be taken in the new schema. They are renamed as PostgreSQL would have named them
    there, except those to `keep`, which migrations refer to by name: for these PostgreSQL reports
    the conflict. A bare name belongs to ``public``, where the introspection lists it.
    """
    source, target = truncate(old.schema or "public"), truncate(new.schema or "public")
    name, new_name = truncate(old.name), truncate(new.name)
    schema = source
    if source != target:
        cursor.execute(NAMES_TAKEN, [target, source, name])
        for taken, is_sequence in cursor.fetchall():
            if taken not in keep:
                kind = "SEQUENCE" if is_sequence else "INDEX"
                free = _free_name(cursor, [source, target], taken)
                yield f"ALTER {kind} {format_table_name(schema, taken)} RENAME TO {quote(free)}"
        if name != new_name and _exists(cursor, [target], name):
            yield f"ALTER TABLE {format_table_name(schema, name)} RENAME TO {quote(new_name)}"
            name = new_name
        yield f"ALTER TABLE {format_table_name(schema, name)} SET SCHEMA {quote(target)}"
        schema = target
    if name != new_name:
        yield f"ALTER TABLE {format_table_name(schema, name)} RENAME TO {quote(new_name)}"


def _free_name(cursor: CursorWrapper, schemas: list[str], name: str) -> str:
    """Return the name with the first numeric suffix that is free in all schemas."""
    suffixes = map(str, itertools.count(1))
    names = (truncate(name, len(suffix)) + suffix for suffix in suffixes)
    return next(free for free in names if not _exists(cursor, schemas, free))


def _exists(cursor: CursorWrapper, schemas: list[str], name: str) -> bool:
    cursor.execute(RELATION_EXISTS, [schemas, name])
    return cursor.fetchone() is not None
