"""Watches over migrations in a transaction: what each has done is judged before it commits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from ...domains import Domain
from ...exceptions import BoundaryViolation
from ..boundary.schema_owners import SchemaOwners
from ..sql.query import run_sql
from .catalog_before import PG_CLASS, CatalogBefore
from .created_objects import Start, created_in_transaction
from .database_objects import find_dropped_views, find_unpublished_tables
from .held_locks import INDEXES, LOCK_STRENGTH, HeldLock, LockKey
from .operation_kinds import is_django_internal, runs_code, runs_custom_sql
from .rules import find_violations
from .transaction import TransactionPoint, TransactionView
from .violations import Violation, causing_operation

if TYPE_CHECKING:
    from .locks_on_nodes import LocksOnNodes

CONTENT_TYPES = "django_content_type"
"""The one table of core that Django writes in a domain's migration, when a model is renamed."""


FORCE_CONSTRAINTS = "SET CONSTRAINTS ALL IMMEDIATE"
"""What would fail, or fire, at the commit shows before it."""

Footprint = dict[str, str]
"""The relations that a migration touched: ``schema.name`` → the strongest mode of a lock on it."""


@dataclass
class GuardState:
    """What the watches over the migrations of a run share.

    Attributes:
        last_point: the latest point that was read, in whatever transaction.
        filled: the catalogs that held objects which a migration could drop.
        uses_savepoints: whether to read in savepoints, which a cluster makes on every node.
        nodes: the transaction's locks on a cluster's nodes; None on plain PostgreSQL.
    """

    connection: BaseDatabaseWrapper
    owners: SchemaOwners
    last_point: TransactionPoint | None = None
    filled: frozenset[str] = frozenset()
    uses_savepoints: bool = True
    nodes: LocksOnNodes | None = None

    @property
    def domain(self) -> Domain:
        return self.owners.domain

    def read_point(
        self, *, counts: bool = True, run_first: LiteralString = ""
    ) -> tuple[TransactionPoint, list[HeldLock]]:
        """Return where the transaction is, and its locks; see ``TransactionPoint.read``."""
        point, held = TransactionPoint.read(
            self.connection,
            self.owners.allowed,
            counts=counts,
            run_first=run_first,
            savepoint=self.uses_savepoints,
        )
        return point, held if self.nodes is None else self.nodes.as_tables(held)

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
        warnings: what the migration did, and may have done unknowingly.
    """

    before: TransactionPoint

    def __init__(
        self,
        guard: GuardState,
        migration: Migration,
        operations: Sequence[Operation] | None = None,
    ) -> None:
        self.guard = guard
        self.connection = guard.connection
        self.owners = guard.owners
        self.migration = migration
        # Kept apart: while they run, the migration holds wrapped operations.
        self.operations = list(migration.operations if operations is None else operations)
        self.catalog_before = CatalogBefore(self.connection)
        self.additive = False
        self.held_before: set[LockKey] = set()
        self.unchecked: list[Operation] = []
        self.custom_sql = False
        self.locks: dict[str, str] = {}
        self.warnings: list[str] = []

    def observe(self, operation: Operation | None) -> AbstractContextManager[None]:
        """Return the context to run an operation in; subclasses check in it what it does.

        Arguments:
            operation: None for the deferred SQL.
        """
        return nullcontext()

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

    @property
    def start(self) -> Start | None:
        """The point where a migration without a transaction began, if it has custom SQL."""
        return None

    def created(self, start: Start | None = None) -> list[str]:
        """Return the objects that the migration's custom SQL created or replaced.

        Arguments:
            start: where a migration that is resumed began.
        """
        return []

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
                alters_database=self._may_alter_database(),
                custom_sql=self.custom_sql,
                additive=self.additive,
            )
            self._raise_worst(find_violations(view))
            self.warnings += [*find_unpublished_tables(view), *find_dropped_views(view)]
        self._record_held(locks)
        self.unchecked = []

    def _may_change_domains(self) -> bool:
        # A subclass of the operation may do more, so an inherited attribute does not count.
        alters = [vars(type(one)).get("alters_referenced_key", False) for one in self.operations]
        return self.guard.domain.is_core and alters == [True]

    def _may_alter_database(self) -> bool:
        # A publication of a whole schema continues to publish the table that leaves it.
        exchanges = self.owners.partner is not None
        return exchanges or getattr(self.migration, "alters_database", False)

    def _writable_core_tables(self) -> Collection[str] | None:
        """Return core's tables that the migration may write rows of; None for all."""
        if getattr(self.migration, "writes_core", False) or self.owners.partner is not None:
            return None
        internal = any(map(is_django_internal, self.operations))
        return {CONTENT_TYPES} if internal else set()

    def _with_nodes(self, held: list[HeldLock], *, last: bool) -> list[HeldLock]:
        """Return the locks together with those that only a cluster's nodes have."""
        if self.guard.nodes is None:
            return held
        return self.guard.nodes.added_to(
            held,
            self.owners,
            writes_core=self.guard.domain.is_core or self._writable_core_tables() is None,
            may_be_unseen=any(map(runs_code, self.unchecked)),
            may_call=not self.additive,
            last=last,
        )

    def record_locks(self, locks: Footprint) -> None:
        """Note the locks if they are the strongest on their relations so far."""
        for relation, mode in locks.items():
            if LOCK_STRENGTH[mode] >= LOCK_STRENGTH.get(self.locks.get(relation, ""), 0):
                self.locks[relation] = mode

    def _record_held(self, locks: list[HeldLock]) -> None:
        """Note the strongest lock on each relation, also on one that was dropped."""
        for lock in locks:
            schema, name = lock.schema, lock.name
            if schema is None and (was := self.catalog_before.get(PG_CLASS, lock.oid)):
                schema, name = was.schema, was.name if was.kind not in INDEXES else None
            if not lock.is_relation or lock.table is not None or schema is None or name is None:
                continue
            if not self.owners.is_system(schema):
                self.record_locks({f"{self.owners.names.get(schema, '')}.{name}": lock.mode})

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


class RowsWatch(MigrationWatch):
    """The watch over a transaction of which is known, afterwards, that it changed only rows.

    Attributes:
        on_nodes: the locks that only a cluster's nodes have.
    """

    on_nodes: Iterable[HeldLock] = ()

    def check(self) -> Footprint:
        now, held = self.guard.read_point()
        held += self.on_nodes
        self.custom_sql = True
        self.before = now.just_before()
        self._check_transaction(now, held)
        return super().check()


class AtomicWatch(MigrationWatch):
    """The watch over a migration in a transaction.

    Operations of Django are checked together at the end; one with custom SQL is checked as soon
    as it has run, so that it can be named.

    Arguments:
        shared: whether other migrations may have run in the transaction before.

    Attributes:
        last_read: the point and the locks that ``run_final`` read.
    """

    def __init__(
        self,
        guard: GuardState,
        migration: Migration,
        operations: Sequence[Operation] | None = None,
        *,
        additive: bool = False,
        shared: bool = False,
    ) -> None:
        super().__init__(guard, migration, operations)
        self.additive = additive
        self.remaining = len(self.operations)
        self.last_read: tuple[TransactionPoint, list[HeldLock]] | None = None
        first_subxid = 0
        if shared:
            first_subxid = guard.last_point.last_subxid + 1 if guard.last_point else 0
            _, locks = guard.read_point()
            self.held_before = {lock.key for lock in locks}
        if guard.nodes is not None:
            self.held_before |= guard.nodes.begin(shared=shared)
        custom_sql = any(map(runs_custom_sql, self.operations))
        if guard.last_point is None or custom_sql:
            # Otherwise the point where the last migration ended will do: it only makes the
            # range of new oids longer.
            guard.last_point, guard.filled = TransactionPoint.at_start(self.connection)
        counts = guard.last_point.counts if custom_sql else {}
        self.before = replace(guard.last_point, counts=counts, first_subxid=first_subxid)
        objects = guard.filled if custom_sql else guard.filled & {"pg_publication_rel"}
        self.catalog_before = CatalogBefore(
            self.connection, relations=not additive, objects=() if additive else objects
        )

    def after_operation(self, operation: Operation) -> None:
        super().after_operation(operation)
        self.remaining -= 1
        if self.remaining > 0 and runs_custom_sql(operation):
            self._check_transaction(*self._read())
            self.catalog_before.refresh()

    def run_final(self, statement: LiteralString) -> None:
        self.last_read = self._read(run_first=statement, last=True)

    def check(self) -> Footprint:
        self._check_transaction(*(self.last_read or self._read(last=True)))
        self.last_read = None
        return super().check()

    def created(self, start: Start | None = None) -> list[str]:
        now = self.guard.last_point
        if not self.custom_sql or now is None:
            return []
        if now.counts and self.before.counts and now.counts == self.before.counts:
            return []  # The catalogs are as they were: it changed only rows.
        return created_in_transaction(self.connection, self.owners.own, self.before, now)

    def ended_transaction(self) -> bool:
        now = self.guard.last_point
        return now is not None and now.xid != self.before.xid

    def _read(
        self, run_first: LiteralString = "", *, last: bool = False
    ) -> tuple[TransactionPoint, list[HeldLock]]:
        now, held = self.guard.read_point(counts=bool(self.before.counts), run_first=run_first)
        return now, self._with_nodes(held, last=last)
