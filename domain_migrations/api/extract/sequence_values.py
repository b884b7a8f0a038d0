"""The values of sequences, which logical replication does not carry."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...engine.sessions.connection import execute, fetch_all

MARGIN = 1000
"""How many values are skipped, for those that are drawn without a row."""

SEQUENCES = """
SELECT c.relname, s.seqincrement, s.seqmin, s.seqmax
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s ORDER BY 1
"""


def copy_sequences(source: BaseDatabaseWrapper, target: BaseDatabaseWrapper, schema: str) -> int:
    """Set each sequence of the target past the source's, and return how many there are.

    The names are the same on both sides, whether a column owns the sequence or not.
    """
    found = fetch_all(source, SEQUENCES, [schema])
    if not found:
        return 0
    query = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, last_value, is_called FROM {}").format(
            name, sql.Identifier(schema, name)
        )
        for name, *_ in found
    )
    values = {name: (value, called) for name, value, called in fetch_all(source, query)}
    calls = []
    for name, increment, lowest, highest in found:
        value, called = values[name]
        if called:
            value = min(max(value + MARGIN * increment, lowest), highest)
        text = sql.Identifier(schema, name).as_string(None)
        calls.append(sql.SQL("setval({}::regclass, {}, {})").format(text, value, called))
    execute(target, sql.SQL("SELECT {}").format(sql.SQL(", ").join(calls)))
    return len(found)
