"""The boundary guard: refusing migrations that touched what their domain may not.

A migration is judged from inside its transaction, before it commits. Two sources suffice, neither
of which needs a parser or a privilege: the locks that the session holds, and the rows of
PostgreSQL's catalogs that its transaction wrote. So SQL that a migration runs past Django is seen
like Django's own.

Two things cannot be seen: the effects of a savepoint that was rolled back, whose locks are
released and whose rows are gone, and, in migrations without a transaction, the tables whose rows a
statement read or wrote (see ``non_atomic``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from ...domains import Domain
from ...exceptions import BoundaryViolation
from ..boundary.schema_owners import SchemaOwners
from ..sql.query import run_sql
from .catalog_before import PG_CLASS, CatalogBefore
from .held_locks import INDEXES, LOCK_STRENGTH, HeldLock, LockKey
from .non_atomic import NonAtomicCheck
from .operation_kinds import is_additive, is_django_internal, runs_custom_sql
from .rules import find_violations
from .transaction import TransactionPoint, TransactionView
from .violations import Violation, causing_operation

CONTENT_TYPES = "django_content_type"
"""The one table of core that Django writes in a domain's migration, when a model is renamed."""


Footprint = dict[str, str]
"""The relations that a migration touched: ``schema.name`` → the strongest mode of a lock on it."""


class BoundaryGuard:
    """Refuses migrations of a domain that touch what the domain may not.

    Arguments:
        connection: the connection that the migrations run on.
        domain: the domain that the migrations belong to.
    """

    def __init__(self, connection: BaseDatabaseWrapper, domain: Domain) -> None:
        self.connection = connection
        self.domain = domain
        self.owners = SchemaOwners(domain)
        self.last_point: TransactionPoint | None = None

    def ignore_so_far(self) -> None:
        """Leave out what the transaction, in which migrations will begin, has done so far."""
        self.owners.begin(self.connection)
        self.last_point, _ = TransactionPoint.read(self.connection, self.owners.allowed)

    def begin(self, migration: Migration, *, backwards: bool = True) -> MigrationWatch:
        """Return the watch over a migration; the first thing to do in its transaction.

        For a migration without a transaction, call it outside of one.

        Arguments:
            backwards: whether the migration is reverted; False saves some queries.
        """
        self.owners.begin(self.connection)
        additive = not backwards and all(map(is_additive, migration.operations))
        if self.connection.in_atomic_block:
            return AtomicWatch(self, migration, additive=additive)
        if additive:
            return MigrationWatch(self, migration)
        return NonAtomicWatch(self, migration)

    def refusal(self, migration: Migration, violation: Violation, cause: str) -> BoundaryViolation:
        """Return the error that refuses a migration; ``cause`` is the subject of its sentence."""
        return BoundaryViolation(
            f"Migration {migration} is refused: its {cause} {violation.action}.",
            hint=violation.hint,
        )


class MigrationWatch:
    """The guard over one migration, from before its first operation to after its last.

    This one checks nothing more: a migration without a transaction whose operations only add
    to tables of the domain was judged by its plan. Its subclasses read the database.

    Attributes:
        before: the point where the migration began, in watches that read the database.
        catalog_before: the catalogs as they were then, as far as they are known.
        additive: whether all operations drop nothing and depend on nothing.
        held_before: the locks that earlier migrations of the same transaction took.
        unchecked: the operations that ran since the last check.
        custom_sql: whether an operation ran whose SQL is unknown.
        locks: the strongest lock on each relation so far.
    """

    before: TransactionPoint

    def __init__(self, guard: BoundaryGuard, migration: Migration) -> None:
        self.guard = guard
        self.connection = guard.connection
        self.owners = guard.owners
        self.migration = migration
        # Kept apart: while they run, the migration holds wrapped operations.
        self.operations = list(migration.operations)
        self.catalog_before = CatalogBefore(self.connection)
        self.additive = False
        self.held_before: set[LockKey] = set()
        self.unchecked: list[Operation] = []
        self.custom_sql = False
        self.locks: dict[str, str] = {}

    def after_operation(self, operation: Operation) -> None:
        """Note that an operation ran; subclasses check what it did, where that cannot wait.

        Raises:
            BoundaryViolation: the operation did what it may not.
        """
        self.unchecked.append(operation)
        self.custom_sql = self.custom_sql or runs_custom_sql(operation)

    def check(self) -> Footprint:
        """Return what the migration touched; subclasses check first what it did.

        Raises:
            BoundaryViolation: it touched what it may not.
        """
        return dict(sorted(self.locks.items()))

    def run_final(self, statement: LiteralString) -> None:
        """Run the transaction's last statement, in one round trip with what ``check`` reads."""
        run_sql(self.connection, statement)

    def ended_transaction(self) -> bool:
        """Return whether the transaction that the watch began in was committed or rolled back."""
        return False

    def _check_transaction(self, now: TransactionPoint, held: list[HeldLock]) -> None:
        """Judge all that the open transaction has done so far."""
        self.guard.last_point = now
        locks = [lock for lock in held if lock.key not in self.held_before]
        if any(lock.schema and lock.schema not in self.owners.names for lock in locks):
            self.owners.read(self.connection)
        if not self._may_change_domains():
            view = TransactionView(
                self.connection,
                self.owners,
                self.catalog_before,
                self.before,
                now,
                locks,
                self._writable_core_tables(),
                custom_sql=self.custom_sql,
                additive=self.additive,
            )
            self._raise_worst(find_violations(view))
        self._record_locks(locks)
        self.unchecked = []

    def _may_change_domains(self) -> bool:
        # A subclass of the operation may do more, so an inherited attribute does not count.
        alters = [vars(type(one)).get("alters_referenced_key", False) for one in self.operations]
        return self.guard.domain.is_core and alters == [True]

    def _writable_core_tables(self) -> Collection[str] | None:
        """Return core's tables that the migration may write rows of; None for all."""
        if getattr(self.migration, "writes_core", False):
            return None
        internal = any(map(is_django_internal, self.operations))
        return {CONTENT_TYPES} if internal else set()

    def _record_locks(self, locks: list[HeldLock]) -> None:
        """Note the strongest lock on each relation, also on one that was dropped."""
        for lock in locks:
            schema, name = lock.schema, lock.name
            if schema is None and (was := self.catalog_before.get(PG_CLASS, lock.oid)):
                schema, name = was.schema, was.name if was.kind not in INDEXES else None
            if not lock.is_relation or lock.table is not None or schema is None or name is None:
                continue
            if not self.owners.is_system(schema):
                full = f"{self.owners.names.get(schema, '')}.{name}"
                if LOCK_STRENGTH[lock.mode] >= LOCK_STRENGTH.get(self.locks.get(full, ""), 0):
                    self.locks[full] = lock.mode

    def _raise_worst(self, every: Iterable[Violation]) -> None:
        worst = min(every, key=lambda found: (found.priority, found.action), default=None)
        if worst is not None:
            raise self.to_error(worst)

    def to_error(self, violation: Violation) -> BoundaryViolation:
        """Return the error that names the operation that caused the violation."""
        cause = "deferred SQL"
        if self.unchecked:
            operation = causing_operation(violation, self.unchecked)
            number = [*self.operations, operation].index(operation) + 1
            cause = f"operation {number}, {type(operation).__name__},"
        return self.guard.refusal(self.migration, violation, cause)


class AtomicWatch(MigrationWatch):
    """The watch over a migration in a transaction.

    Operations of Django are checked together at the end; one with custom SQL is checked as soon
    as it has run, so that it can be named.

    Attributes:
        last_read: the point and the locks that ``run_final`` read.
    """

    def __init__(self, guard: BoundaryGuard, migration: Migration, *, additive: bool) -> None:
        super().__init__(guard, migration)
        self.additive = additive
        self.remaining = len(self.operations)
        self.last_read: tuple[TransactionPoint, list[HeldLock]] | None = None
        first_subxid = 0
        if len(self.connection.atomic_blocks) > 1:
            first_subxid = guard.last_point.last_subxid + 1 if guard.last_point else 0
            _, locks = TransactionPoint.read(self.connection, self.owners.allowed)
            self.held_before = {lock.key for lock in locks}
        custom_sql = any(map(runs_custom_sql, self.operations))
        filled: frozenset[str] = frozenset()
        if guard.last_point is None or custom_sql:
            # Otherwise the point where the last migration ended will do: it only makes the
            # range of new oids longer.
            guard.last_point, filled = TransactionPoint.at_start(self.connection)
        counts = guard.last_point.counts if custom_sql else {}
        self.before = replace(guard.last_point, counts=counts, first_subxid=first_subxid)
        self.catalog_before = CatalogBefore(
            self.connection, relations=not additive, objects=filled if custom_sql else ()
        )

    def after_operation(self, operation: Operation) -> None:
        super().after_operation(operation)
        self.remaining -= 1
        if self.remaining > 0 and runs_custom_sql(operation):
            self._check_transaction(*self._read())
            self.catalog_before.refresh()

    def run_final(self, statement: LiteralString) -> None:
        self.last_read = self._read(run_first=statement)

    def check(self) -> Footprint:
        self._check_transaction(*(self.last_read or self._read()))
        self.last_read = None
        return super().check()

    def ended_transaction(self) -> bool:
        now = self.guard.last_point
        return now is not None and now.xid != self.before.xid

    def _read(self, run_first: LiteralString = "") -> tuple[TransactionPoint, list[HeldLock]]:
        return TransactionPoint.read(
            self.connection,
            self.owners.allowed,
            counts=bool(self.before.counts),
            run_first=run_first,
        )


class NonAtomicWatch(MigrationWatch):
    """The watch over a migration without a transaction.

    What its operations leave in the catalogs is checked after each one with custom SQL. An
    operation that runs in a transaction of its own is judged in it, as an atomic migration is.
    """

    def __init__(self, guard: BoundaryGuard, migration: Migration) -> None:
        super().__init__(guard, migration)
        point, _ = TransactionPoint.at_start(self.connection)
        # Between transactions the server may reset the counts.
        self.before = replace(point, counts={})
        custom_sql = any(map(runs_custom_sql, self.operations))
        self.catalog_check = NonAtomicCheck(
            self.connection, self.owners, self.before, custom_sql=custom_sql
        )

    def after_operation(self, operation: Operation) -> None:
        super().after_operation(operation)
        if self.connection.in_atomic_block:
            read = TransactionPoint.read(self.connection, self.owners.allowed, counts=False)
            self._check_transaction(*read)
        elif runs_custom_sql(operation):
            self._raise_worst(self.catalog_check.find_violations(custom_sql=True))

    def check(self) -> Footprint:
        self._raise_worst(self.catalog_check.find_violations(custom_sql=self.custom_sql))
        return super().check()
