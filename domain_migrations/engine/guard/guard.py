"""The boundary guard: refusing migrations that touched what their domain may not.

A migration is judged from inside its transaction, before it commits. Two sources suffice, neither
of which needs a parser or a privilege: the locks that the session holds, and the rows of
PostgreSQL's catalogs that its transaction wrote. So SQL that a migration runs past Django is seen
like Django's own.

Two things cannot be seen: the effects of a savepoint that was rolled back, whose locks are
released and whose rows are gone, and, in migrations without a transaction, what a statement reads
or writes that PostgreSQL does not run in one (see ``non_atomic``).
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration

from ...domains import Domain
from ..boundary.schema_owners import SchemaOwners
from .non_atomic_watch import NonAtomicWatch
from .operation_kinds import is_additive
from .watch import AtomicWatch, GuardState, MigrationWatch


class BoundaryGuard(GuardState):
    """Refuses migrations of a domain that touch what the domain may not.

    Arguments:
        connection: the connection that the migrations run on.
        domain: the domain that the migrations belong to.
        partner: the domain with which the migration exchanges a table; see ``TransferTable``.
    """

    def __init__(
        self, connection: BaseDatabaseWrapper, domain: Domain, partner: Domain | None = None
    ) -> None:
        if partner is not None and partner.is_core:
            domain, partner = partner, domain
        super().__init__(connection, SchemaOwners(domain, partner))

    def ignore_so_far(self) -> None:
        """Leave out what the transaction, in which migrations will begin, has done so far."""
        self.owners.begin(self.connection)
        self.last_point, _ = self.read_point()

    def begin(self, migration: Migration, *, backwards: bool = True) -> MigrationWatch:
        """Return the watch over a migration; the first thing to do in its transaction.

        For a migration without a transaction, call it outside of one.

        Arguments:
            backwards: whether the migration is reverted; False saves some queries.
        """
        self.owners.begin(self.connection)
        additive = not backwards and all(map(is_additive, migration.operations))
        if self.connection.in_atomic_block:
            shared = len(self.connection.atomic_blocks) > 1
            return AtomicWatch(self, migration, additive=additive, shared=shared)
        if additive:
            return MigrationWatch(self, migration)
        return NonAtomicWatch(self, migration)
