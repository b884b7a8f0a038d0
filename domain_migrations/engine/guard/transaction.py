"""A transaction in progress: points in it, the locks that it holds, the rows that it wrote.

PostgreSQL reports neither the next oid nor the newest transaction id of a session. Both are read
by creating a large object, which any role may do, inside a savepoint that is rolled back. All
objects created between two points have oids between theirs; all rows that this transaction, or a
savepoint of it, has written have an ``xmin`` from its own id to that of the newest savepoint.
Where several migrations share a transaction, each is a savepoint with an id of its own. Rows that
``VACUUM`` froze keep an old ``xmin`` that may look new after a wraparound, which is why the range
needs its upper end: beyond it, ``pg_xact_status`` raises an error.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ..boundary.schema_owners import SchemaOwners
from ..sql.query import FORCE_GENERIC_PLAN, RESET_PLAN_MODE, Row, prepared_execute, run_sql
from .catalog_before import (
    CATALOGS,
    PG_CLASS,
    PG_CONSTRAINT,
    PG_NAMESPACE,
    SELECT_FILLED,
    CatalogBefore,
    PreviousObject,
)

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
SELECT_LOCKS: LiteralString = """
SELECT l.locktype = 'relation', coalesce(l.classid, 0), l.oid, l.modes,
    c.relnamespace, c.relkind::text, c.relname, t.oid, t.relname, l.age
FROM (
    SELECT locktype, classid, coalesce(relation, objid) AS oid, array_agg(DISTINCT mode) AS modes,
        min(age(transactionid))::bigint AS age
    FROM pg_locks
    WHERE pid = pg_backend_pid() AND granted AND CASE locktype
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
WHERE c.relname IS NULL OR c.relnamespace NOT IN (
        'pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
    AND (c.relkind NOT IN ('i', 'I') OR c.relnamespace <> ALL(%(allowed)s::oid[]))
"""

LockKey = tuple[int, int, str]
"""A lock by the catalog of its object (0 for relations), the object's oid and the mode."""


class HeldLock(NamedTuple):
    """One lock on one object.

    Attributes:
        is_relation: whether the object is in ``pg_class``.
        catalog: the oid of the catalog the object is in; 0 for relations.
        schema, kind, name: of a relation, as the catalog has it now; None when it was dropped.
        table, table_name: an index's table.
        age: of a transaction's id, which is locked too.
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


COUNTED: tuple[LiteralString, ...] = (
    "pg_class", "pg_attribute", "pg_type", "pg_depend", "pg_namespace", "pg_event_trigger",
    "pg_enum", "pg_constraint", "pg_publication_namespace", "pg_extension", "pg_proc",
    "pg_operator", "pg_opclass", "pg_opfamily", "pg_collation", "pg_conversion", "pg_ts_config",
    "pg_ts_dict", "pg_ts_parser", "pg_ts_template", "pg_statistic_ext", "pg_default_acl",
)  # fmt: skip
"""Catalogs whose inserts and updates by this session are read from its statistics."""


def _counts(kind: LiteralString) -> LiteralString:
    function: LiteralString = "pg_stat_get_xact_tuples_" + kind
    return "ARRAY[" + ", ".join(function + "('" + name + "'::regclass)" for name in COUNTED) + "]"


SELECT_COUNTS: LiteralString = (
    "SELECT current_setting('track_counts') = 'on', "
    + _counts("inserted") + ", " + _counts("updated")
)  # fmt: skip

# A probe of a point: statements between these two run in a savepoint that leaves nothing.
PROBE: LiteralString = (
    "SAVEPOINT domain_migrations_mark;"
    " SELECT pg_current_xact_id()::text::bigint, age(pg_current_xact_id()::xid)::bigint,"
    " lo_create(0)::bigint;"
)
END_PROBE: LiteralString = (
    "ROLLBACK TO SAVEPOINT domain_migrations_mark; RELEASE SAVEPOINT domain_migrations_mark"
)

NEW_OIDS: LiteralString = "unnest(%(lows)s::oid[], %(highs)s::oid[]) AS new (low, high)"
"""The ranges that the oids of new objects are in, to be joined with a catalog."""

LAST_OID = 2**32 - 1


@dataclass(frozen=True)
class TransactionPoint:
    """A point in a transaction; two of them delimit what happened in between.

    Attributes:
        xid: the transaction's own id, 64 bits wide.
        xid_age: its ``age()``, which stays the same until the transaction ends.
        last_subxid: the id of the newest savepoint, counted from ``xid``.
        next_oid: an oid that was new at this point.
        inserts, updates: the rows of each counted catalog that the session has inserted and
            updated so far; the server may reset them between transactions.
        counted: whether the server counts them.
        first_subxid: the first savepoint whose rows count: 0, or where a migration that shares
            its transaction with others begins.
    """

    xid: int
    xid_age: int
    last_subxid: int
    next_oid: int
    inserts: dict[str, int]
    updates: dict[str, int]
    counted: bool
    first_subxid: int = 0

    @classmethod
    def at_start(cls, connection: BaseDatabaseWrapper) -> tuple[TransactionPoint, frozenset[str]]:
        """Return where the transaction begins, or, outside of one, where a new one would.

        Also returned are the catalogs that hold objects that a migration could drop.
        """
        if not connection.in_atomic_block:
            with transaction.atomic(using=connection.alias):
                return cls.at_start(connection)
        counting, filling = (
            prepared_execute(connection, text) for text in (SELECT_COUNTS, SELECT_FILLED)
        )
        [(xid, age, oid)], counts, [filled] = run_sql(
            connection, PROBE + counting + ";" + filling + ";" + END_PROBE
        )
        point = cls(xid, age, 0, oid, *_counted(counts))
        return point, frozenset(itertools.compress(CATALOGS, filled))

    @classmethod
    def read(
        cls,
        connection: BaseDatabaseWrapper,
        allowed_schemas: list[int],
        *,
        counts: bool = True,
        run_first: LiteralString = "",
    ) -> tuple[TransactionPoint, list[HeldLock]]:
        """Return where the transaction is, and its locks, in one round trip.

        Arguments:
            allowed_schemas: the schemas in which the domain may do anything.
            counts: whether ``inserted`` and ``updated`` will be called.
            run_first: a statement without rows to run before.
        """
        counting = prepared_execute(connection, SELECT_COUNTS) + ";" if counts else ""
        locking = prepared_execute(connection, SELECT_LOCKS)
        # The locks are read inside the savepoint, whose id is the newest among them.
        statements = (
            PROBE + counting + FORCE_GENERIC_PLAN + locking + RESET_PLAN_MODE + ";" + END_PROBE
        )
        if run_first:
            statements = run_first + ";" + statements
        params = {"allowed": allowed_schemas}
        [(xid, age, oid)], *counted, rows = run_sql(connection, statements, params)
        locks = [lock for row in rows for lock in HeldLock.from_row(row)]
        last_subxid = max(age - lock.age for lock in locks if lock.age is not None)
        point = cls(xid, age, last_subxid, oid, *_counted(*counted))
        return point, [lock for lock in locks if lock.age is None]

    def is_new(self, before: TransactionPoint, oid: int) -> bool:
        """Return whether an object with this oid was created between the points."""
        if before.next_oid < self.next_oid:
            return before.next_oid < oid < self.next_oid
        return oid > before.next_oid or oid < self.next_oid

    def params(self, before: TransactionPoint) -> dict[str, Any]:
        """Return the parameters for ``written_here`` and for NEW_OIDS."""
        lows, highs = [before.next_oid], [self.next_oid]
        if self.next_oid < before.next_oid:  # The counter wrapped around.
            lows, highs = [before.next_oid, 0], [LAST_OID, self.next_oid]
        return {
            "xid": self.xid,
            "age": self.xid_age,
            "newest": self.last_subxid,
            "oldest": before.first_subxid,
            "lows": lows,
            "highs": highs,
        }


def _counted(rows: Sequence[Row] = ()) -> tuple[dict[str, int], dict[str, int], bool]:
    """Return the counts of inserted and updated rows, and whether the server counts them."""
    if not rows:
        return {}, {}, False
    [(counted, inserts, updates)] = rows
    return (
        dict(zip(COUNTED, inserts, strict=True)),
        dict(zip(COUNTED, updates, strict=True)),
        counted,
    )


Condition = Callable[[LiteralString], LiteralString]
"""Returns a condition of SQL for a catalog's alias."""


def written_here(alias: LiteralString) -> LiteralString:
    """Return the condition that a catalog's row was written by this transaction."""
    distance: LiteralString = "%(age)s::bigint - age(" + alias + ".xmin)"
    return (
        "CASE WHEN " + distance + " BETWEEN %(oldest)s AND %(newest)s THEN"
        " pg_xact_status((%(xid)s::bigint + " + distance + ")::text::xid8) = 'in progress'"
        " ELSE false END"
    )


def written_since(alias: LiteralString) -> LiteralString:
    """Return the condition that a catalog's row is newer than a point, whoever wrote it."""
    return "age(" + alias + ".xmin) BETWEEN 0 AND age((%(xid)s::text::xid8)::xid)"


@dataclass(frozen=True)
class TransactionView:
    """All that is known of a transaction when it is judged.

    Attributes:
        owners: of the schemas, as they were before the migration.
        catalog_before: the catalogs before what is judged.
        before, now: where the migration began and where it is.
        locks: held now and not before.
        writable: core's tables that the migration may write rows of; None for all.
        custom_sql: whether operations ran whose SQL is unknown.
        additive: whether all operations that ran drop nothing and depend on nothing.
    """

    connection: BaseDatabaseWrapper
    owners: SchemaOwners
    catalog_before: CatalogBefore
    before: TransactionPoint
    now: TransactionPoint
    locks: list[HeldLock]
    writable: Collection[str] | None
    custom_sql: bool
    additive: bool

    @property
    def domain(self) -> Domain:
        return self.owners.domain

    @property
    def params(self) -> dict[str, Any]:
        """The parameters for ``written_here`` and for NEW_OIDS."""
        return self.now.params(self.before)

    def load_previous(self) -> None:
        """Load the past of what may have been dropped, moved, renamed or commented on."""
        # Only custom SQL can have taken a table away that the domain has now.
        known = [] if self.custom_sql or self.domain.is_core else self.owners.allowed
        old = [
            lock
            for lock in self.locks
            if not self.is_new(lock.oid)
            and lock.schema not in known
            and (lock.mode in DDL_MODES or lock.schema is None)
        ]
        self.catalog_before.load(
            (lock.oid for lock in old if lock.catalog in (0, PG_CONSTRAINT)),
            (lock.oid for lock in old if lock.catalog not in (0, PG_CONSTRAINT, PG_NAMESPACE)),
        )

    def is_new(self, oid: int) -> bool:
        """Return whether an object was created since the migration began."""
        return self.now.is_new(self.before, oid)

    def inserted(self, *catalogs: str) -> bool:
        """Return whether the session may have inserted rows in a catalog."""
        return self._grew(catalogs, self.now.inserts, self.before.inserts)

    def updated(self, *catalogs: str) -> bool:
        """Return whether the session may have updated rows of a catalog."""
        return self._grew(catalogs, self.now.updates, self.before.updates)

    @property
    def counted(self) -> bool:
        return self.now.counted and self.before.counted

    def _grew(self, catalogs: Iterable[str], now: dict[str, int], then: dict[str, int]) -> bool:
        return not self.counted or any(now[name] != then[name] for name in catalogs)

    def previous(self, lock: HeldLock) -> PreviousObject | None:
        """Return the relation as it was, if it existed and may differ now."""
        return self.catalog_before.get(PG_CLASS, lock.oid)

    def schema(self, lock: HeldLock) -> int | None:
        """Return the schema that a relation was in, or is in if it is new."""
        was = self.previous(lock)
        return was.schema if was else lock.schema

    def schema_name(self, lock: HeldLock) -> str:
        return self.owners.names.get(self.schema(lock) or 0, "")

    def name(self, lock: HeldLock) -> str:
        """Return the name that a relation had, or has if it is new."""
        was = self.previous(lock)
        return was.name if was else str(lock.name)

    def owner(self, lock: HeldLock) -> Domain | None:
        """Return the domain that a relation belongs to."""
        return self.owners.owner(self.schema(lock) or 0)

    def is_engine_read(self, lock: HeldLock) -> bool:
        """Return whether the lock reads a table of the engine: every run reads histories."""
        name = self.schema_name(lock), lock.table_name or lock.name or ""
        return lock.mode in READ_MODES and any(
            name == table
            for domain in self.owners.domains.values()
            for table in domain.engine_tables
        )

    def dropped_foreign_keys(self) -> Iterator[PreviousObject]:
        for lock in self.locks:
            if lock.catalog == PG_CONSTRAINT and lock.mode == "AccessExclusiveLock":
                was = self.catalog_before.get(PG_CONSTRAINT, lock.oid)
                if was and was.kind == "f":
                    yield was

    def dropped_transient_constraint(self) -> bool:
        """Return whether a constraint was both created and dropped, so that nothing is known."""
        return any(
            lock.catalog == PG_CONSTRAINT
            and lock.mode == "AccessExclusiveLock"
            and self.is_new(lock.oid)
            for lock in self.locks
        )
