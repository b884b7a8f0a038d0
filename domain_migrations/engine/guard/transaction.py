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
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from ...domains import Domain
from ..boundary.schema_owners import SchemaOwners
from ..sql.query import FORCE_GENERIC_PLAN, RESET_PLAN_MODE, Row, prepared_execute, run_sql
from .catalog_before import (
    CATALOGS,
    IN_DATABASE,
    PG_CLASS,
    PG_CONSTRAINT,
    PG_LARGEOBJECT,
    PG_NAMESPACE,
    SCHEMA_COLUMNS,
    SELECT_FILLED,
    CatalogBefore,
    PreviousObject,
)
from .held_locks import DDL_MODES, READ_MODES, SELECT_LOCKS, HeldLock
from .violations import Description

COUNTED = (
    *SCHEMA_COLUMNS, "pg_attribute", "pg_depend", "pg_namespace", "pg_enum", "pg_constraint",
    "pg_publication_namespace", "pg_amop", "pg_amproc", "pg_ts_config_map", "pg_description",
    *(catalog for catalog, *_ in IN_DATABASE),
)  # fmt: skip

CLUSTER_CATALOGS = {
    "pg_authid": "roles",
    "pg_auth_members": "memberships of roles",
    "pg_database": "databases",
    "pg_db_role_setting": "settings of databases or roles",
    "pg_tablespace": "tablespaces",
    "pg_parameter_acl": "privileges on settings",
    "pg_shdescription": "comments on databases or roles",
    "pg_shseclabel": "security labels of databases or roles",
    "pg_subscription": "subscriptions",
    "pg_replication_origin": "replication origins",
    "pg_user_mapping": "user mappings",
}
"""Catalogs that not every role may read, or whose deleted rows leave no lock: what they hold."""

COUNTERS = (
    *itertools.product(("inserted", "updated"), COUNTED),
    *itertools.product(("inserted", "updated", "deleted"), CLUSTER_CATALOGS),
)
"""What this session has done to the rows of which catalogs, read from its statistics."""

SELECT_COUNTS: LiteralString = (
    "SELECT CASE WHEN current_setting('track_counts') = 'on' THEN ARRAY["
    + ", ".join(
        "pg_stat_get_xact_tuples_" + kind + "('" + catalog + "'::regclass)"
        for kind, catalog in COUNTERS
    )
    + "] ELSE '{}' END"
)

# A probe of a point: statements between these two run in a savepoint that leaves nothing.
PROBE: LiteralString = (
    "SAVEPOINT domain_migrations_mark;"
    " SELECT pg_current_xact_id()::text::bigint, age(pg_current_xact_id()::xid)::bigint,"
    " lo_create(0)::bigint;"
)
END_PROBE: LiteralString = (
    "ROLLBACK TO SAVEPOINT domain_migrations_mark; RELEASE SAVEPOINT domain_migrations_mark"
)

# Citus makes every savepoint on the nodes, too. Without one, what is created is dropped again, and
# the rows of the transaction are no newer than the transactions that it has locked.
LASTING_PROBE: LiteralString = (
    "SELECT pg_current_xact_id()::text::bigint, age(pg_current_xact_id()::xid)::bigint,"
    " set_config('domain_migrations.probe', lo_create(0)::text, true)::bigint;"
)
END_LASTING_PROBE: LiteralString = (
    "SELECT lo_unlink(current_setting('domain_migrations.probe')::oid)"
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
        counts: the rows that the session has inserted and updated so far in each of COUNTERS;
            empty where the server does not count them. It may reset them between transactions.
        first_subxid: the first savepoint whose rows count: 0, or where a migration that shares
            its transaction with others begins.
    """

    xid: int
    xid_age: int
    last_subxid: int
    next_oid: int
    counts: dict[tuple[str, str], int]
    first_subxid: int = 0

    @classmethod
    def at_start(cls, connection: BaseDatabaseWrapper) -> tuple[TransactionPoint, frozenset[str]]:
        """Return where the transaction begins, or, outside of one, where a new one would.

        Also returned are the catalogs that hold objects that a migration could drop.
        """
        connection.ensure_connection()
        status = connection.connection.info.transaction_status
        if connection.get_autocommit() and status == TransactionStatus.IDLE:
            with transaction.atomic(using=connection.alias):
                return cls.at_start(connection)
        counting = prepared_execute(connection, SELECT_COUNTS)
        filling = prepared_execute(connection, SELECT_FILLED)
        statements = PROBE + counting + ";" + filling + ";" + END_PROBE
        [(xid, age, oid)], counts, [filled] = run_sql(connection, statements)
        point = cls(xid, age, 0, oid, _by_counter(counts))
        return point, frozenset(itertools.compress(CATALOGS, filled))

    @classmethod
    def read(
        cls,
        connection: BaseDatabaseWrapper,
        allowed_schemas: list[int],
        *,
        counts: bool = True,
        run_first: LiteralString = "",
        savepoint: bool = True,
    ) -> tuple[TransactionPoint, list[HeldLock]]:
        """Return where the transaction is, and its locks, in one round trip.

        Arguments:
            allowed_schemas: the schemas in which the domain may do anything.
            counts: whether ``inserted`` and ``updated`` will be called.
            run_first: a statement without rows to run before.
            savepoint: whether to use one; large objects that the migration drops are not seen
                without it.
        """
        counting = prepared_execute(connection, SELECT_COUNTS) + ";" if counts else ""
        locking = prepared_execute(connection, SELECT_LOCKS)
        # The locks are read inside the savepoint, whose id is the newest among them.
        reading = counting + FORCE_GENERIC_PLAN + locking + RESET_PLAN_MODE + ";"
        if savepoint:
            statements = PROBE + reading + END_PROBE
        else:
            statements = LASTING_PROBE + reading + END_LASTING_PROBE
        if run_first:
            statements = run_first + ";" + statements
        results = run_sql(connection, statements, {"allowed": allowed_schemas})
        if not savepoint:
            del results[-1]
        [(xid, age, oid)], *counted, rows = results
        locks = [lock for row in rows for lock in HeldLock.from_row(row)]
        if not savepoint:
            locks = [lock for lock in locks if lock.catalog != PG_LARGEOBJECT]
        last_subxid = max(age - lock.age for lock in locks if lock.age is not None)
        point = cls(xid, age, last_subxid, oid, _by_counter(*counted))
        return point, [lock for lock in locks if lock.age is None]

    def just_before(self) -> TransactionPoint:
        """Return a point so late that no object is newer, for a transaction that created none."""
        return replace(self, next_oid=self.next_oid - 1)

    def is_new(self, before: TransactionPoint, oid: int) -> bool:
        """Return whether an object with this oid was created between the points."""
        if before.next_oid < self.next_oid:
            return before.next_oid < oid < self.next_oid
        return oid > before.next_oid or oid < self.next_oid

    def params(self, before: TransactionPoint) -> dict[str, Any]:
        """Return the parameters for WRITTEN_HERE and NEW_OIDS."""
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


def _by_counter(rows: Sequence[Row] = ()) -> dict[tuple[str, str], int]:
    """Return the row of SELECT_COUNTS by counter; {} if it was not read."""
    return {counter: n for (row,) in rows for counter, n in zip(COUNTERS, row, strict=False)}


WRITTEN_HERE: LiteralString = """CASE
    WHEN %(age)s::bigint - age(x.xmin) BETWEEN %(oldest)s AND %(newest)s THEN pg_xact_status(
        (%(xid)s::bigint + %(age)s::bigint - age(x.xmin))::text::xid8) = 'in progress'
    ELSE false END"""
"""The condition that a row, of a catalog with the alias ``x``, was written by this transaction."""

WRITTEN_SINCE: LiteralString = "age(x.xmin) BETWEEN 0 AND age((%(xid)s::text::xid8)::xid)"
"""The condition that a row of ``x`` is newer than a point, whoever wrote it."""


@dataclass(frozen=True)
class TransactionView:
    """All that is known of a transaction when it is judged.

    Attributes:
        owners: the owners of the schemas, as they were before the migration.
        catalog_before: the catalogs before what is judged.
        before, now: the points where the migration began and where it is.
        locks: the locks held now and not before.
        writable: core's tables that the migration may write rows of; None for all.
        alters_database: whether the migration may change objects of the whole database.
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
    alters_database: bool
    custom_sql: bool
    additive: bool

    @property
    def domain(self) -> Domain:
        return self.owners.domain

    @property
    def params(self) -> dict[str, Any]:
        """The parameters for WRITTEN_HERE and NEW_OIDS."""
        return self.now.params(self.before)

    def load_previous(self, altered: Iterable[int] = ()) -> None:
        """Load the past of what may have been dropped, moved, renamed or commented on.

        Arguments:
            altered: objects that are not relations, and that no lock may show.
        """
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
            (
                *(lock.oid for lock in old if lock.catalog not in (0, PG_CONSTRAINT, PG_NAMESPACE)),
                *altered,
            ),
        )

    def is_new(self, oid: int) -> bool:
        """Return whether an object was created since the migration began."""
        return self.now.is_new(self.before, oid)

    def was_made(self, lock: HeldLock) -> bool:
        """Return whether the transaction created the relation; another session's is new too."""
        return self.is_new(lock.oid) and lock.mode == "AccessExclusiveLock"

    def rows(self, statement: LiteralString, **params: Any) -> list[Row]:
        """Return the rows of a statement that may use WRITTEN_HERE and NEW_OIDS."""
        execution = prepared_execute(self.connection, statement)
        params |= self.now.params(self.before)
        [rows] = run_sql(self.connection, FORCE_GENERIC_PLAN + execution + RESET_PLAN_MODE, params)
        return rows

    def inserted(self, catalog: str) -> bool:
        """Return whether the session may have inserted rows in a catalog."""
        return self.count("inserted", catalog) != 0

    def updated(self, catalog: str) -> bool:
        """Return whether the session may have updated rows of a catalog."""
        return self.count("updated", catalog) != 0

    def count(self, kind: str, catalog: str) -> int | None:
        """Return how many rows of a catalog were changed in this way; None if it is unknown."""
        if not (self.now.counts and self.before.counts):
            return None
        return self.now.counts[kind, catalog] - self.before.counts[kind, catalog]

    def previous(self, lock: HeldLock) -> PreviousObject | None:
        """Return what is locked as it was, if it existed and may differ now."""
        return self.catalog_before.get(lock.catalog or PG_CLASS, lock.oid)

    def as_before(self, lock: HeldLock) -> HeldLock:
        """Return the lock with its relation as it was, or as it is if that is new."""
        was = self.previous(lock)
        return lock._replace(schema=was.schema, kind=was.kind, name=was.name) if was else lock

    def describe(self, lock: HeldLock) -> Description:
        """Return the qualified name that a relation had, or has if it is new."""
        before = self.as_before(lock)
        names = self.owners.names.get(before.schema or 0, ""), str(before.name)
        return Description(".".join(names), frozenset(names))

    def is_engine_read(self, lock: HeldLock) -> bool:
        """Return whether the lock reads a table of the engine: every run reads histories."""
        name = self.owners.names.get(self.as_before(lock).schema or 0), lock.table_name or lock.name
        return lock.mode in READ_MODES and any(
            name in domain.engine_tables for domain in self.owners.domains.values()
        )

    def dropped_constraints(self) -> list[HeldLock]:
        """Return the locks on constraints that were dropped."""
        return [
            lock
            for lock in self.locks
            if lock.catalog == PG_CONSTRAINT and lock.mode == "AccessExclusiveLock"
        ]

    def dropped_foreign_keys(self) -> list[PreviousObject]:
        """Return the foreign keys that existed before and were dropped."""
        previous = map(self.previous, self.dropped_constraints())
        return [was for was in previous if was and was.kind == "f"]
