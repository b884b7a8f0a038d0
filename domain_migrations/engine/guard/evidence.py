"""What is known of a transaction when it is judged, and how a lock is told of."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ..boundary.rule import whose
from ..boundary.schema_owners import Territory
from .catalog_before import Past, Was
from .transaction import (
    CATALOG_CHANGES,
    PG_CLASS,
    PG_CONSTRAINT,
    PG_NAMESPACE,
    READS,
    STRENGTH,
    Lock,
    Mark,
)
from .violations import CHANGE_LOCK, INDEX_LOCK, READ_LOCK, Refusal


@dataclass(frozen=True)
class Evidence:
    """What a transaction has left so far.

    Attributes:
        territory: of the database before the migration.
        past: before what is judged.
        before, now: where the migration began and where it is.
        locks: held now and not before.
        writable: core's tables that the migration may write rows of; None for all.
        opaque: whether operations ran whose SQL is not known.
        plain: whether only such ran as drop nothing and depend on nothing.
    """

    connection: BaseDatabaseWrapper
    territory: Territory
    past: Past
    before: Mark
    now: Mark
    locks: list[Lock]
    writable: Collection[str] | None
    opaque: bool
    plain: bool

    @property
    def domain(self) -> Domain:
        return self.territory.domain

    def look_back(self) -> None:
        """Ask the past about what may have been dropped, moved, renamed or commented on."""
        # Of tables that the domain has now, only SQL that nobody knows can have taken one away.
        known = [] if self.opaque or self.domain.is_core else self.territory.quiet
        old = [
            lock
            for lock in self.locks
            if not self.is_new(lock.oid)
            and lock.schema not in known
            and (lock.mode in CATALOG_CHANGES or lock.schema is None)
        ]
        self.past.look(
            (lock.oid for lock in old if lock.catalog in (0, PG_CONSTRAINT)),
            (lock.oid for lock in old if lock.catalog not in (0, PG_CONSTRAINT, PG_NAMESPACE)),
        )

    def is_new(self, oid: int) -> bool:
        """Return whether an object was made since the migration began."""
        return self.now.made_since(self.before, oid)

    def was(self, lock: Lock) -> Was | None:
        """Return the relation as it was, if it was there and may be another now."""
        return self.past.get(PG_CLASS, lock.oid)

    def schema(self, lock: Lock) -> int | None:
        """Return the schema that a relation was in, or is in if it was made since."""
        was = self.was(lock)
        return was.schema if was else lock.schema

    def owner(self, lock: Lock) -> Domain | None:
        """Return the domain that a relation belongs to."""
        return self.territory.owner(self.schema(lock) or 0)

    def name(self, lock: Lock) -> str:
        """Return a relation's qualified name."""
        was = self.was(lock)
        name = was.name if was else lock.name
        return f"{self.territory.names.get(self.schema(lock) or 0, '')}.{name}"

    def is_engine_read(self, lock: Lock) -> bool:
        """Return whether the lock reads a table of ours: histories are read by every run."""
        schema = self.territory.names.get(self.schema(lock) or 0, "")
        name = schema, lock.table_name or lock.name or ""
        return lock.mode in READS and any(
            name == table
            for domain in self.territory.domains.values()
            for table in domain.own_tables
        )

    def dropped_keys(self) -> Iterator[Was]:
        """Yield the foreign keys that are gone."""
        for lock in self.locks:
            if lock.catalog == PG_CONSTRAINT and lock.mode == "AccessExclusiveLock":
                was = self.past.get(PG_CONSTRAINT, lock.oid)
                if was and was.kind == "f":
                    yield was

    def dropped_new_constraint(self) -> bool:
        """Return whether a constraint came and went, of which nobody can tell what it was."""
        return any(
            lock.catalog == PG_CONSTRAINT
            and lock.mode == "AccessExclusiveLock"
            and self.is_new(lock.oid)
            for lock in self.locks
        )

    def locked(self, lock: Lock, hint: str, more: str = "") -> Refusal:
        """Return the refusal of a lock on a relation."""
        rank = READ_LOCK if lock.mode in READS else CHANGE_LOCK
        if lock.table is not None:
            rank = INDEX_LOCK
        was = self.was(lock)
        # Of a cascade, the table is told rather than what hangs on it.
        beside = (was.kind if was else lock.kind) not in ("r", "p")
        return Refusal(
            rank + 2 * (len(STRENGTH) - STRENGTH[lock.mode]) + beside,
            f"took {lock.mode} on {self.name(lock)}, {whose(self.owner(lock))}"
            + (f", and {more}" if more else ""),
            hint,
            lock.key,
        )
