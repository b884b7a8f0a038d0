"""Casts and transforms of a schema's types, which ``pg_dump --schema`` leaves out.

They are in no schema, but each belongs to those of its types.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ..catalog.fingerprint import catalog_cursor
from .dump_entries import DumpEntry

# Casts from a range to its multirange, and those of extensions, come with their owner.
SELECT_ENTRIES = """
SELECT 'CAST', format('(%%s AS %%s)', s.oid::regtype, t.oid::regtype),
    CASE c.castmethod WHEN 'f' THEN ' WITH FUNCTION ' || c.castfunc::regprocedure
        WHEN 'i' THEN ' WITH INOUT' ELSE ' WITHOUT FUNCTION' END
    || CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END,
    quote_literal(obj_description(c.oid, 'pg_cast'))
FROM pg_cast c
JOIN pg_type s ON s.oid = c.castsource
JOIN pg_type t ON t.oid = c.casttarget
JOIN pg_namespace n ON n.oid IN (s.typnamespace, t.typnamespace)
WHERE n.nspname = %(schema)s AND NOT (s.typtype = 'r' AND t.typtype = 'm')
    AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype = 'e')
UNION
SELECT 'TRANSFORM', format('FOR %%s LANGUAGE %%I', f.trftype::regtype, l.lanname),
    ' (' || concat_ws(', ',
        'FROM SQL WITH FUNCTION ' || nullif(f.trffromsql, 0)::regprocedure,
        'TO SQL WITH FUNCTION ' || nullif(f.trftosql, 0)::regprocedure) || ')',
    quote_literal(obj_description(f.oid, 'pg_transform'))
FROM pg_transform f
JOIN pg_type t ON t.oid = f.trftype
JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_language l ON l.oid = f.trflang
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = f.tableoid AND d.objid = f.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
USED_KINDS = ("DOMAIN", "FUNCTION", "SHELL TYPE", "TABLE", "TYPE")


def with_casts(
    connection: BaseDatabaseWrapper, schema: str, entries: Sequence[DumpEntry]
) -> tuple[DumpEntry, ...]:
    """Return the entries of a schema's dump and those of its casts and transforms, in order."""
    with catalog_cursor(connection) as cursor:
        cursor.execute(SELECT_ENTRIES, {"schema": schema})
        rows = cursor.fetchall()
    found = list(entries)
    for kind, name, definition, comment in rows:
        statements = [f"CREATE {kind} {name}{definition};"]
        if comment is not None:
            statements.append(f"COMMENT ON {kind} {name} IS {comment};")
        entry = DumpEntry(kind, name, tuple(statements), f"DROP {kind} {name};")
        found.insert(_position(statements[0], found), entry)
    return tuple(found)


def _position(statement: str, entries: Sequence[DumpEntry]) -> int:
    """Return the place after everything that a statement names."""
    text = statement.replace('"', "")
    used = (
        i
        for i, entry in enumerate(entries, start=1)
        if entry.kind in USED_KINDS and f".{entry.name.partition('(')[0]}" in text
    )
    return max(used, default=0)
