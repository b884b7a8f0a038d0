"""Watches over migrations without a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from .checked_transactions import ChangedMoreThanRows, CheckedTransactions
from .created_objects import Start, created_since
from .database_objects import CLUSTER_VIOLATION, alters_cluster
from .held_locks import HeldLock
from .non_atomic import MAINTENANCE, NonAtomicCheck
from .operation_kinds import runs_custom_sql
from .rows_only import read_rows_only
from .transaction import TransactionPoint
from .violations import IN_TRANSACTION, Priority, Violation
from .watch import (
    FORCE_CONSTRAINTS,
    AtomicWatch,
    Footprint,
    GuardState,
    MigrationWatch,
    RowsWatch,
)

DIRECT_VIOLATION = Violation(
    Priority.WRITTEN,
    "would use psycopg's connection outside of a transaction, where nothing can check it",
    IN_TRANSACTION,
    frozenset(),
)


class NonAtomicWatch(MigrationWatch):
    """The watch over a migration without a transaction.

    The statements of an operation with custom SQL run in transactions of their own, each judged
    before its commit as an atomic migration is. What cannot run in one is judged by what it leaves
    in the catalogs. A statement that is repeated with other values is judged by its locks, as long
    as they are the only traces that it leaves.

    Attributes:
        unseen: whether such a statement ran.
        unseen_creates: whether one ran that may have created or dropped something.
    """

    def __init__(self, guard: GuardState, migration: Migration) -> None:
        super().__init__(guard, migration)
        custom_sql = any(map(runs_custom_sql, self.operations))
        self.catalog_check = NonAtomicCheck(self.connection, self.owners, custom_sql=custom_sql)
        self.unseen = self.unseen_creates = False
        self._judged: set[frozenset[HeldLock]] = set()
        self._start: Start | None = None
        if custom_sql:
            point, _ = TransactionPoint.at_start(self.connection)
            self._start = Start(point.xid, point.next_oid)

    @property
    def start(self) -> Start | None:
        return self._start

    def created(self, start: Start | None = None) -> list[str]:
        start = start or self.start
        return created_since(self.connection, self.owners.own, start) if start else []

    @contextmanager
    def observe(self, operation: Operation | None) -> Iterator[None]:
        if not (self.custom_sql if operation is None else runs_custom_sql(operation)):
            yield
            return
        transactions = CheckedTransactions(
            self.connection,
            partial(self._begin_transaction, operation),
            partial(self._check_rows, operation),
            partial(self._before_unseen, operation),
            partial(self._refuse_direct, operation),
        )
        with transactions.checked():
            yield

    def after_operation(self, operation: Operation) -> None:
        super().after_operation(operation)
        if self.unseen and runs_custom_sql(operation):
            self._raise_worst(self._find_violations())

    def check(self) -> Footprint:
        self._raise_worst(self._find_violations())
        return super().check()

    def _find_violations(self) -> Iterator[Violation]:
        return self.catalog_check.find_violations(
            custom_sql=self.unseen, creates=self.unseen_creates
        )

    def _begin_transaction(self, operation: Operation | None) -> Callable[[], bool]:
        """Return the check of a transaction that begins now."""
        self._judged.clear()  # It may change what the locks mean.
        watch = AtomicWatch(self.guard, self.migration, self.operations)
        watch.custom_sql = True
        watch.unchecked = [operation] if operation else []

        def check() -> bool:
            watch.run_final(FORCE_CONSTRAINTS)
            self.record_locks(watch.check())
            self.warnings += watch.warnings
            counts = self.guard.last_point.counts if self.guard.last_point else {}
            return bool(counts) and not any(counts.values())

        return check

    def _check_rows(self, operation: Operation | None) -> bool:
        """Judge a statement's transaction by its locks, the same ones once.

        Raises:
            ChangedMoreThanRows: its locks do not suffice.
        """
        locks = read_rows_only(self.connection, self.owners.allowed, run_first=FORCE_CONSTRAINTS)
        if locks is None:
            raise ChangedMoreThanRows
        on_nodes: list[HeldLock] = []
        if self.guard.nodes is not None:
            here = self.guard.nodes.as_tables([*locks])
            on_nodes = [lock for lock in self._with_nodes(here, last=True) if lock not in here]
            locks = frozenset((*here, *on_nodes))
        if locks not in self._judged:
            watch = RowsWatch(self.guard, self.migration, self.operations)
            watch.on_nodes = on_nodes
            watch.unchecked = [operation] if operation else []
            self.record_locks(watch.check())
            self._judged.add(locks)
        return True

    def _before_unseen(self, operation: Operation | None, statement: str) -> None:
        """Refuse a statement that will change another domain's index, or the cluster."""
        self._judged.clear()
        target = self.catalog_check.find_target(statement)
        violation = None
        if alters_cluster(statement):
            allowed = self.guard.domain.is_core or getattr(self.migration, "alters_database", False)
            violation = None if allowed else CLUSTER_VIOLATION
        elif target is not None and not self.owners.is_own(target.schema):
            violation = target.to_violation(self.owners)
        if violation is not None:
            self.unchecked = [operation] if operation else []
            raise self.to_error(violation)
        self.unseen = self.unseen or target is None
        creates = target is None and MAINTENANCE.match(statement) is None
        self.unseen_creates = self.unseen_creates or creates

    def _refuse_direct(self, operation: Operation | None) -> None:
        """Refuse what would be sent past Django's cursors, outside of a transaction."""
        self.unchecked = [operation] if operation else []
        raise self.to_error(DIRECT_VIOLATION)
