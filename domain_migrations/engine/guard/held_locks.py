"""Held locks: the modes, and those that a session holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, LiteralString, NamedTuple

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

LOCK_STRENGTH = {mode: strength for strength, mode in enumerate(MODES)}

READ_MODES = frozenset(("AccessShareLock", "RowShareLock"))
WRITE_MODE = "RowExclusiveLock"
DDL_MODES = frozenset(MODES[3:])
"""Modes that no SELECT, INSERT, UPDATE or DELETE takes."""

INDEXES = ("i", "I")
"""The kinds of relations that are indexes, in ``pg_class.relkind``."""

# Dropping, renaming and commenting on an object that is not a relation takes a strong lock;
# creating something in a schema, or something that depends on an object, AccessShareLock at most.
# The locks on the transaction's own ids show how many savepoints it had.
# LATERAL … OFFSET 0 finds each lock by index; a join would scan catalogs that may be huge.
# Indexes of allowed schemas are left out: the locks on their tables say as much.
# A relation newer than the transaction's snapshot is found by a function, which uses another one.
# SIReadLock is not a lock: with it, a serializable transaction remembers what it has read.
SELECT_LOCKS: LiteralString = """
SELECT l.locktype = 'relation', coalesce(l.classid, 0), l.oid, l.modes,
    coalesce(c.relnamespace, f.schema), coalesce(c.relkind::text, f.kind),
    coalesce(c.relname, f.name), t.oid, t.relname, l.age
FROM (
    SELECT locktype, classid, coalesce(relation, objid) AS oid, array_agg(DISTINCT mode) AS modes,
        min(age(transactionid))::bigint AS age
    FROM pg_locks
    WHERE pid = pg_backend_pid() AND granted AND mode <> 'SIReadLock' AND CASE locktype
        WHEN 'relation' THEN database = (
            SELECT oid FROM pg_database WHERE datname = current_database())
        WHEN 'object' THEN mode <> 'AccessShareLock' AND database = (
            SELECT oid FROM pg_database WHERE datname = current_database())
        ELSE locktype = 'transactionid' END
    GROUP BY locktype, classid, coalesce(relation, objid)
) l
LEFT JOIN LATERAL (
    SELECT relnamespace, relkind, relname FROM pg_class
    WHERE l.locktype = 'relation' AND oid = l.oid OFFSET 0
) c ON true
LEFT JOIN LATERAL (
    SELECT r.oid, r.relname FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid
    WHERE c.relkind IN ('i', 'I') AND c.relnamespace <> ALL(%(allowed)s::oid[])
      AND i.indexrelid = l.oid OFFSET 0
) t ON true
LEFT JOIN LATERAL (
    SELECT to_regnamespace(schema)::oid AS schema, 'r' AS kind, (parse_ident(name))[1] AS name
    FROM pg_identify_object('pg_class'::regclass, l.oid, 0)
    WHERE l.locktype = 'relation' AND c.relname IS NULL AND type <> 'index'
) f ON true
WHERE c.relname IS NULL OR (
    c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
    AND (c.relkind NOT IN ('i', 'I') OR c.relnamespace <> ALL(%(allowed)s::oid[])))
"""

LockKey = tuple[int, int, str]
"""A lock by the catalog of its object (0 for relations), the object's oid and the mode."""


class HeldLock(NamedTuple):
    """One lock on one object.

    Attributes:
        is_relation: whether the object is in ``pg_class``.
        catalog: the oid of the catalog the object is in; 0 for relations.
        schema, kind, name: a relation's, as the catalog has it now; None when it was dropped.
        table, table_name: an index's table.
        age: the age of a transaction's id, which is locked too.
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
    age: int | None = None

    @property
    def key(self) -> LockKey:
        return self.catalog, self.oid, self.mode

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Iterator[HeldLock]:
        """Yield one lock for each mode in a row of SELECT_LOCKS."""
        is_relation, catalog, oid, modes, *rest = row
        for mode in modes:
            yield cls(is_relation, catalog, oid, mode, *rest)
