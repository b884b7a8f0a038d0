"""What is known of a transaction when it is judged, and how a lock is told of."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ..boundary.rule import owner_clause
from ..boundary.schema_owners import SchemaOwners
from .catalog_before import CatalogBefore, PreviousObject
from .transaction import (
    DDL_MODES,
    LOCK_STRENGTH,
    PG_CLASS,
    PG_CONSTRAINT,
    PG_NAMESPACE,
    READ_MODES,
    HeldLock,
    TransactionPoint,
)
from .violations import CHANGE_LOCK, INDEX_LOCK, READ_LOCK, Violation


@dataclass(frozen=True)
class TransactionView:
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

    def load_previous(self) -> None:
        """Ask the past about what may have been dropped, moved, renamed or commented on."""
        # Of tables that the domain has now, only SQL that nobody knows can have taken one away.
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
        """Return whether an object was made since the migration began."""
        return self.now.made_since(self.before, oid)

    def previous(self, lock: HeldLock) -> PreviousObject | None:
        """Return the relation as it was, if it was there and may be another now."""
        return self.catalog_before.get(PG_CLASS, lock.oid)

    def schema(self, lock: HeldLock) -> int | None:
        """Return the schema that a relation was in, or is in if it was made since."""
        was = self.previous(lock)
        return was.schema if was else lock.schema

    def owner(self, lock: HeldLock) -> Domain | None:
        """Return the domain that a relation belongs to."""
        return self.owners.owner(self.schema(lock) or 0)

    def name(self, lock: HeldLock) -> str:
        """Return a relation's qualified name."""
        was = self.previous(lock)
        name = was.name if was else lock.name
        return f"{self.owners.names.get(self.schema(lock) or 0, '')}.{name}"

    def is_engine_read(self, lock: HeldLock) -> bool:
        """Return whether the lock reads a table of ours: histories are read by every run."""
        schema = self.owners.names.get(self.schema(lock) or 0, "")
        name = schema, lock.table_name or lock.name or ""
        return lock.mode in READ_MODES and any(
            name == table
            for domain in self.owners.domains.values()
            for table in domain.engine_tables
        )

    def dropped_keys(self) -> Iterator[PreviousObject]:
        """Yield the foreign keys that are gone."""
        for lock in self.locks:
            if lock.catalog == PG_CONSTRAINT and lock.mode == "AccessExclusiveLock":
                was = self.catalog_before.get(PG_CONSTRAINT, lock.oid)
                if was and was.kind == "f":
                    yield was

    def dropped_transient_constraint(self) -> bool:
        """Return whether a constraint came and went, of which nobody can tell what it was."""
        return any(
            lock.catalog == PG_CONSTRAINT
            and lock.mode == "AccessExclusiveLock"
            and self.is_new(lock.oid)
            for lock in self.locks
        )

    def lock_violation(self, lock: HeldLock, hint: str, more: str = "") -> Violation:
        """Return the refusal of a lock on a relation."""
        rank = READ_LOCK if lock.mode in READ_MODES else CHANGE_LOCK
        if lock.table is not None:
            rank = INDEX_LOCK
        was = self.previous(lock)
        # Of a cascade, the table is told rather than what hangs on it.
        beside = (was.kind if was else lock.kind) not in ("r", "p")
        return Violation(
            rank + 2 * (len(LOCK_STRENGTH) - LOCK_STRENGTH[lock.mode]) + beside,
            f"took {lock.mode} on {self.name(lock)}, {owner_clause(self.owner(lock))}"
            + (f", and {more}" if more else ""),
            hint,
            lock.key,
        )
