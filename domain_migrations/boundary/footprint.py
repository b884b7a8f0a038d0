"""What a migration really touched, seen from inside its transaction before it commits.

Two sources, neither of which needs a parser or a privilege: the locks that the session holds,
and the rows of PostgreSQL's catalogs that carry its transaction's id. So SQL that a migration
runs by itself is seen like Django's own.

What cannot be seen: what a savepoint did that was rolled back, since its locks are given back
and its rows are gone; and, in migrations without a transaction, which tables a statement read
or wrote rows of (see ``aftermath``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from ..domains import Domain
from ..exceptions import BoundaryViolation
from .aftermath import Aftermath
from .held import STRENGTH, Lock, LockKey, read_locks
from .judge import Judge
from .known import Known, Territory
from .mark import Mark
from .operations import is_injected, is_opaque
from .refusals import Refusal

CONTENT_TYPES = "django_content_type"
"""The one table of core that Django writes in a domain's migration, when a model is renamed."""


@dataclass(frozen=True)
class Footprint:
    """What a migration touched.

    Attributes:
        locks: the strongest lock on each relation, ``schema.name`` → PostgreSQL's mode.
    """

    locks: dict[str, str] = field(default_factory=dict)


class FootprintGuard:
    """Refuses migrations of a domain that touch what the domain may not.

    Arguments:
        connection: the one that the migrations run on.
        domain: whose migrations they are.
    """

    def __init__(self, connection: BaseDatabaseWrapper, domain: Domain) -> None:
        self.connection = connection
        self.domain = domain
        self.territory = Territory(domain)
        self.known = Known()

    def begin(self, migration: Migration) -> None:
        """Remember where the migration starts; the first thing in its transaction.

        Where the migration has no transaction, it is called outside of one.
        """
        self.migration = migration
        self.operations: list[Operation] = []
        self.opaque = False
        self.seen: dict[LockKey, int] = {}
        self.locks: dict[str, str] = {}
        self.territory.begin(self.connection)
        self.known.read_relations(self.connection, self.territory)
        if any(map(is_opaque, migration.operations)):
            self.known.read_objects(self.connection, self.territory)
        self.before = Mark.read(self.connection)
        self.held: set[LockKey] = set()
        self.aftermath: Aftermath | None = None
        if self.connection.in_atomic_block:
            self.held = {lock.key for lock in read_locks(self.connection)}
        else:
            self.aftermath = Aftermath(self.connection, self.territory, self.known, self.before)

    def after_operation(self, operation: Operation) -> None:
        """Look at what an operation did.

        Raises:
            BoundaryViolation: an operation with SQL of its own did what it may not.
        """
        self.operations.append(operation)
        opaque = is_opaque(operation)
        self.opaque = self.opaque or opaque
        if not self.connection.in_atomic_block:
            if opaque and self.aftermath:
                self._raise_first(self.aftermath.refusals())
        elif opaque or self.aftermath:
            self._inspect(self._read_locks())
        else:
            self._read_locks()

    def check(self) -> Footprint:
        """Return what the migration touched.

        Raises:
            BoundaryViolation: it touched what it may not.
        """
        if self.connection.in_atomic_block:
            self._inspect(self._read_locks(deferred=True))
        elif self.aftermath:
            self._raise_first(self.aftermath.refusals())
        return Footprint(dict(sorted(self.locks.items())))

    def _read_locks(self, *, deferred: bool = False) -> list[Lock]:
        """Return the locks that the migration took, and note which operation took each first."""
        locks = [lock for lock in read_locks(self.connection) if lock.key not in self.held]
        if any(lock.schema and lock.schema not in self.territory.names for lock in locks):
            self.territory.read(self.connection)
        number = 0 if deferred else len(self.operations)
        for lock in locks:
            self.seen.setdefault(lock.key, number)
            if lock.is_relation and lock.table is None and lock.schema is not None:
                name = f"{self.territory.names.get(lock.schema, '')}.{lock.name}"
                if STRENGTH[lock.mode] >= STRENGTH.get(self.locks.get(name, ""), 0):
                    self.locks[name] = lock.mode
        return locks

    def _inspect(self, locks: list[Lock]) -> None:
        judge = Judge(
            self.connection,
            self.territory,
            self.known,
            self.before,
            Mark.read(self.connection),
            locks,
            self._writable(),
        )
        self._raise_first(judge.refusals(opaque=self.opaque))

    def _writable(self) -> Collection[str] | None:
        if getattr(self.migration, "writes_core", False):
            return None
        injected = any(map(is_injected, self.migration.operations))
        return {CONTENT_TYPES} if injected else set()

    def _raise_first(self, refusals: Iterator[Refusal]) -> None:
        refusal = min(refusals, key=lambda refusal: (refusal.rank, refusal.did), default=None)
        if refusal is None:
            return
        number = self.seen.get(refusal.key, -1) if refusal.key else -1
        raise BoundaryViolation(
            f"Migration {self.migration.app_label}.{self.migration.name} is refused: its"
            f" {self._operation(number)} {refusal.did}.",
            hint=refusal.hint,
        )

    def _operation(self, number: int) -> str:
        if number == -1:
            # Not told by a lock, so told by the look at the operation that ran last.
            number = len(self.operations)
        if number == 0:
            return "deferred SQL"
        return f"operation {number}, {type(self.operations[number - 1]).__name__},"
