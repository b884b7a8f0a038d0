"""The schema while rows are compared: what is changed by hand meanwhile would not travel."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.sessions.connection import fetch_all, fetch_one

# Not pg_class as a whole: writers may empty tables, which gives them new files.
MARK = """
WITH own AS (
    SELECT c.oid, c.relname, c.relkind FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s
)
SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
    SELECT concat_ws(':', 'c', oid, relname, relkind) FROM own
    UNION ALL SELECT concat_ws(':', 'a', a.attrelid, a.attnum, a.xmin)
        FROM pg_catalog.pg_attribute a JOIN own ON own.oid = a.attrelid
    UNION ALL SELECT concat_ws(':', 'k', k.oid, k.xmin)
        FROM pg_catalog.pg_constraint k JOIN own ON own.oid = k.conrelid
    UNION ALL SELECT concat_ws(':', 'g', g.oid, g.xmin)
        FROM pg_catalog.pg_trigger g JOIN own ON own.oid = g.tgrelid
    UNION ALL SELECT concat_ws(':', 'f', p.oid, p.xmin)
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = %(schema)s
) AS parts (part)
"""
COLUMNS = """
SELECT format('%%I.%%I.%%I', n.nspname, c.relname, a.attname)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
"""


def catalog_mark(connection: BaseDatabaseWrapper, schema: str) -> str:
    """Return a text that is another one as soon as the schema's definition was changed."""
    return str(fetch_one(connection, MARK, {"schema": schema})[0])


def columns_without_counterpart(
    one: BaseDatabaseWrapper, other: BaseDatabaseWrapper, schema: str
) -> list[str]:
    """Return the columns of tables that only the first database has."""
    first, second = (
        {column for (column,) in fetch_all(connection, COLUMNS, [schema])}
        for connection in (one, other)
    )
    return sorted(first - second)
