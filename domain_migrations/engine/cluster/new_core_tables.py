"""Tables that a migration of core creates, on a cluster whose nodes have copies of core's."""

from __future__ import annotations

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import CORE_SCHEMA
from .cluster import Cluster
from .reference_tables import (
    create_reference_tables,
    foreign_keys,
    local_core_tables,
    tables_for_every_node,
)


class NewCoreTables:
    """Makes reference tables of core's new tables, after each operation of a migration.

    After the operation, because later ones, and the foreign keys that Django creates at the end,
    may refer to the tables; by the catalog, because SQL and Python create tables too. Tables that
    were there before stay as they are.

    Arguments:
        connection: the connection of the migration, before its first operation.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self._seen = frozenset(local_core_tables(connection))

    def distribute(self) -> None:
        """Make the tables that are new since the last call reference tables."""
        local = local_core_tables(self.connection)
        new = tables_for_every_node(local[oid] for oid in local.keys() - self._seen)
        self._seen |= local.keys()
        if new:
            with transaction.atomic(using=self.connection.alias, savepoint=False):
                create_reference_tables(self.connection, new, foreign_keys(self.connection))


def has_core_copies(cluster: Cluster) -> bool:
    """Return whether core is distributed: a table of it is a reference table."""
    return any(table.schema == CORE_SCHEMA for table in cluster.reference_tables)
