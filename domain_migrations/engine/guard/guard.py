"""What a migration really touched, seen from inside its transaction before it commits.

Two sources, neither of which needs a parser or a privilege: the locks that the session holds,
and the rows of PostgreSQL's catalogs that carry its transaction's id. So SQL that a migration
runs by itself is seen like Django's own.

What cannot be seen: what a savepoint did that was rolled back, since its locks are given back
and its rows are gone; and, in migrations without a transaction, which tables a statement read
or wrote rows of (see ``aftermath``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from ...domains import Domain
from ...exceptions import BoundaryViolation
from ..boundary.schema_owners import SchemaOwners
from .catalog_before import CatalogBefore, NoCatalogBefore
from .evidence import TransactionView
from .non_atomic import NonAtomicCheck
from .operation_kinds import (
    full_name,
    is_additive,
    is_django_internal,
    match_score,
    runs_custom_sql,
)
from .rules import violations
from .transaction import LOCK_STRENGTH, PG_CLASS, HeldLock, LockKey, TransactionPoint
from .violations import Violation

INDEXES = ("i", "I")

REACHES_DOMAINS = "domain_migrations.operations.AlterReferencedKey"
"""An operation of this engine that changes domains' columns for core, alone in its migration."""

CONTENT_TYPES = "django_content_type"
"""The one table of core that Django writes in a domain's migration, when a model is renamed."""


@dataclass(frozen=True)
class Footprint:
    """What a migration touched.

    Attributes:
        locks: the strongest lock on each relation, ``schema.name`` → PostgreSQL's mode.
    """

    locks: dict[str, str] = field(default_factory=dict)


class BoundaryGuard:
    """Refuses migrations of a domain that touch what the domain may not.

    Arguments:
        connection: the one that the migrations run on.
        domain: whose migrations they are.
    """

    def __init__(self, connection: BaseDatabaseWrapper, domain: Domain) -> None:
        self.connection = connection
        self.domain = domain
        self.territory = SchemaOwners(domain)
        self.mark: TransactionPoint | None = None

    def ignore_so_far(self) -> None:
        """Leave out what the transaction, in which migrations will begin, has done so far."""
        self.territory.begin(self.connection)
        self.mark, _ = TransactionPoint.read(self.connection, self.territory.allowed)

    def begin(self, migration: Migration, *, backwards: bool = True) -> None:
        """Remember where the migration starts; the first thing in its transaction.

        Where the migration has no transaction, it is called outside of one.

        Arguments:
            backwards: whether it is undone; to say so where it is not saves some looking.
        """
        self.migration = migration
        self.planned = list(migration.operations)
        self.ran = 0
        self.unseen: list[Operation] = []
        self.opaque = False
        self.locks: dict[str, str] = {}
        self.held: set[LockKey] = set()
        self.seen: tuple[TransactionPoint, list[HeldLock]] | None = None
        self.aftermath: NonAtomicCheck | None = None
        self.territory.begin(self.connection)
        opaque = any(map(runs_custom_sql, self.planned))
        self.trusted = self.domain.is_core and list(map(full_name, self.planned)) == [
            REACHES_DOMAINS
        ]
        self.plain = not backwards and all(map(is_additive, self.planned))
        atomic = self.connection.in_atomic_block
        oldest = 0
        if atomic and len(self.connection.atomic_blocks) > 1:
            oldest = self.mark.last_subxid + 1 if self.mark else 0
            self.held = {
                lock.key
                for lock in TransactionPoint.read(self.connection, self.territory.allowed)[1]
            }
        filled: frozenset[str] = frozenset()
        self.past: CatalogBefore = NoCatalogBefore()
        if self.plain and not atomic:
            return  # Only its plan can be judged.
        if self.mark is None or opaque or not atomic:
            # Else where the last migration ended will do: a longer range of oids, no more.
            self.mark, filled = TransactionPoint.at_start(self.connection)
        # Between transactions the server may set the counts back.
        counted = self.mark.counted and atomic and opaque
        self.before = replace(self.mark, counted=counted, first_subxid=oldest)
        if not atomic:
            self.aftermath = NonAtomicCheck(
                self.connection, self.territory, self.before, opaque=opaque
            )
        elif not self.plain:
            self.past = CatalogBefore(self.connection, objects=filled if opaque else ())

    def after_operation(self, operation: Operation) -> None:
        """Look at what an operation did.

        Raises:
            BoundaryViolation: an operation with SQL of its own did what it may not.
        """
        self.ran += 1
        self.unseen.append(operation)
        opaque = runs_custom_sql(operation)
        self.opaque = self.opaque or opaque
        if not self.connection.in_atomic_block:
            if opaque and self.aftermath:
                self._raise_first(self.aftermath.violations(opaque=True))
        elif self.aftermath or (opaque and self.ran < len(self.planned)):
            self._check_now()
            self.past.refresh()

    def run_final(self, statement: LiteralString) -> None:
        """Run the transaction's last statement; what is held then is read with it."""
        self.seen = self._read(behind=statement)

    def check(self) -> Footprint:
        """Return what the migration touched.

        Raises:
            BoundaryViolation: it touched what it may not.
        """
        if self.connection.in_atomic_block:
            self._check_now()
        elif self.aftermath:
            self._raise_first(self.aftermath.violations(opaque=self.opaque))
        return Footprint(dict(sorted(self.locks.items())))

    def _check_now(self) -> None:
        """Look at everything that was done so far."""
        self.mark, locks = self.seen or self._read()
        self.seen = None
        locks = [lock for lock in locks if lock.key not in self.held]
        if any(lock.schema and lock.schema not in self.territory.names for lock in locks):
            self.territory.read(self.connection)
        evidence = TransactionView(
            self.connection,
            self.territory,
            self.past,
            self.before,
            self.mark,
            locks,
            self._writable(),
            custom_sql=self.opaque,
            additive=self.plain,
        )
        if not self.trusted:
            self._raise_first(violations(evidence))
        self._record_locks(locks)
        self.unseen = []

    def _read(self, behind: LiteralString = "") -> tuple[TransactionPoint, list[HeldLock]]:
        return TransactionPoint.read(
            self.connection, self.territory.allowed, counts=self.before.counted, behind=behind
        )

    def _record_locks(self, locks: list[HeldLock]) -> None:
        """Note the strongest lock on each relation, also on one that is gone."""
        for lock in locks:
            schema, name = lock.schema, lock.name
            if schema is None and (was := self.past.get(PG_CLASS, lock.oid)):
                schema, name = was.schema, was.name if was.kind not in INDEXES else None
            if not lock.is_relation or lock.table is not None or schema is None or name is None:
                continue
            if not self.territory.is_system(schema):
                full = f"{self.territory.names.get(schema, '')}.{name}"
                if LOCK_STRENGTH[lock.mode] >= LOCK_STRENGTH.get(self.locks.get(full, ""), 0):
                    self.locks[full] = lock.mode

    def _writable(self) -> Collection[str] | None:
        if getattr(self.migration, "writes_core", False):
            return None
        injected = any(map(is_django_internal, self.migration.operations))
        return {CONTENT_TYPES} if injected else set()

    def _raise_first(self, found: Iterator[Violation]) -> None:
        refusal = min(found, key=lambda refusal: (refusal.priority, refusal.action), default=None)
        if refusal is not None:
            raise self.to_error(refusal)

    def to_error(self, refusal: Violation) -> BoundaryViolation:
        """Return the error that names what did it."""
        return BoundaryViolation(
            f"Migration {self.migration.app_label}.{self.migration.name} is refused: its"
            f" {self._operation(refusal)}, {refusal.action}.",
            hint=refusal.hint,
        )

    def _operation(self, refusal: Violation) -> str:
        """Return which operation did it: of those not looked at yet, the one that fits best."""
        if not self.unseen:
            return "deferred SQL"
        words = set(re.findall(r"\w+", refusal.action.lower()))
        operation = max(reversed(self.unseen), key=lambda operation: match_score(operation, words))
        number = next(
            number
            for number, planned in enumerate((*self.planned, operation), start=1)
            if planned is operation
        )
        return f"operation {number}, {type(operation).__name__}"
