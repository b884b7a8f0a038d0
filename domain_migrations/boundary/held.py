"""The locks that a transaction holds, which tell what it read, wrote and changed."""

from __future__ import annotations

from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from .mark import query

MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
"""PostgreSQL's table locks, weakest first."""

STRENGTH = {mode: strength for strength, mode in enumerate(MODES)}

READS = frozenset(("AccessShareLock", "RowShareLock"))
ROW_WRITE = "RowExclusiveLock"
CATALOG_CHANGES = frozenset(MODES[3:])
"""Modes that no SELECT, INSERT, UPDATE or DELETE takes."""

# Locks on objects that are no relations: dropping, renaming and commenting take strong ones,
# making something in a schema, or something that depends on them, AccessShareLock at most.
SELECT_LOCKS = """
SELECT l.locktype = 'relation', coalesce(l.classid, 0), coalesce(l.relation, l.objid), l.mode,
    c.relnamespace, c.relkind::text, c.relname, t.oid, t.relname
FROM (
    SELECT DISTINCT locktype, classid, relation, objid, mode FROM pg_locks
    WHERE pid = pg_backend_pid() AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (locktype = 'relation' OR locktype = 'object' AND mode <> 'AccessShareLock')
) l
LEFT JOIN pg_class c ON l.locktype = 'relation' AND c.oid = l.relation
LEFT JOIN pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_class t ON t.oid = i.indrelid
WHERE l.locktype = 'object' OR c.oid IS NULL
   OR c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
"""

LockKey = tuple[int, int, str]
"""A lock by the catalog of its object (0 for relations), the object's oid and the mode."""


class Lock(NamedTuple):
    """One lock on one object.

    Attributes:
        is_relation: whether the object is in ``pg_class``.
        catalog: the oid of the catalog the object is in; 0 for relations.
        schema, kind, name: what the catalog says of a relation now; None when it is gone.
        table, table_name: an index's table.
    """

    is_relation: bool
    catalog: int
    oid: int
    mode: str
    schema: int | None
    kind: str | None
    name: str | None
    table: int | None
    table_name: str | None

    @property
    def key(self) -> LockKey:
        return self.catalog, self.oid, self.mode


def read_locks(connection: BaseDatabaseWrapper) -> list[Lock]:
    """Return the locks of this session, but those on PostgreSQL's own relations."""
    [rows] = query(connection, SELECT_LOCKS)
    return [Lock(*row) for row in rows]
