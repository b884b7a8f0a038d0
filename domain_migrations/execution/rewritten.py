"""Which tables a transaction has written anew, seen by the names of their files."""

from __future__ import annotations

import json
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

FILES = """
SELECT c.oid, c.relfilenode, c.reltuples::bigint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relfilenode <> 0
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

# A table that another session has written anew, by VACUUM FULL, say, is not locked by this one.
OURS = """
SELECT c.oid, format('%%s.%%s', n.nspname, c.relname), format('%%I.%%I', n.nspname, c.relname),
    pg_relation_size(c.oid), has_table_privilege(c.oid, 'SELECT') AND c.relispopulated
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.oid = ANY(%s::oid[])
ORDER BY 2
"""

COUNTED_BYTES = 32 * 1024 * 1024
"""Up to here rows are counted, which takes less time than the writing has."""


class File(NamedTuple):
    """A table's file, and how many rows the statistics give it: -1 for not known."""

    node: int
    rows: int


Files = dict[int, File]
"""By the table's oid."""


def read_files(connection: BaseDatabaseWrapper) -> Files:
    """Return the file of every table and materialized view."""
    with connection.cursor() as cursor:
        cursor.execute(FILES)
        return {oid: File(*rest) for oid, *rest in cursor.fetchall()}


def rewritten(connection: BaseDatabaseWrapper, before: Files, now: Files) -> dict[str, int]:
    """Return table → estimated rows, of those that got another file from this transaction."""
    changed = [oid for oid in now if oid in before and now[oid].node != before[oid].node]
    if not changed:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(OURS, [changed])
        found = cursor.fetchall()
        rows = {}
        for oid, name, quoted, size, readable in found:
            if readable and (size <= COUNTED_BYTES or before[oid].rows <= 0):
                rows[name] = _rows(cursor, quoted, count=size <= COUNTED_BYTES)
            else:
                rows[name] = max(before[oid].rows, 0)
    return rows


def _rows(cursor: CursorWrapper, table: str, *, count: bool) -> int:
    """Return how many rows a table has, or how many the planner thinks that it has."""
    if count:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 (quoted by the server)
        return int(cursor.fetchone()[0])
    cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM {table}")
    (answer,) = cursor.fetchone()
    plan = json.loads(answer) if isinstance(answer, str) else answer
    return int(plan[0]["Plan"]["Plan Rows"])
