"""The statuses that runs begin with."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import OperationalError, ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, QualifiedName, get_domains
from ...exceptions import ChangedTable, NewerTables
from ..sessions.connection import is_alive
from .existing_tables import existing_tables
from .half_moves import HalfMove, find_half_moves, own_tables
from .status import DomainStatus, engine_tables, read_name_statuses


class StatusReader:
    """The statuses of domains from names alone, read at once, with two queries for a database.

    Arguments:
        names: the domains whose status will be needed; unknown ones are ignored.
        database: alias; each domain's own unless given.
    """

    def __init__(self, names: Sequence[str], database: str | None) -> None:
        self.wanted = [domain for domain in get_domains() if domain.name in names]
        self.database = database
        self._existing: dict[str, Collection[QualifiedName]] = {}
        self._found: dict[str, dict[str, DomainStatus]] = {}
        self._half_moves: dict[str, dict[str, HalfMove | None]] = {}

    def status(self, connection: BaseDatabaseWrapper, domain: Domain) -> DomainStatus:
        """Return the domain's status; the first call reads all of the same database."""
        found = self._found.get(connection.alias)
        if found is None:
            together = [
                other
                for other in self.wanted
                if (self.database or other.database) == connection.alias
            ]
            own = (table for each in together if not each.is_core for table in own_tables(each))
            try:
                existing = existing_tables(connection, {*engine_tables(together), *own})
                self._existing[connection.alias] = existing
                found = self._read(connection, together)
            except (ProgrammingError, OperationalError, ChangedTable, NewerTables):
                if not is_alive(connection):
                    raise
                # One of the tables cannot be read, or its node is down; the others are read one by
                # one.
                found = {}
            self._found[connection.alias] = found
        if domain.name not in found:
            found |= self._read(connection, [domain])
        return found[domain.name]

    def half_move(self, connection: BaseDatabaseWrapper, domain: Domain) -> HalfMove | None:
        """Return what :func:`find_half_move` finds, in no query where the domain is whole."""
        self.status(connection, domain)
        known = self._half_moves.setdefault(connection.alias, {})
        if domain.name not in known:
            # All of the database, or one where the others could not be read together.
            read, existing = self._found[connection.alias], self._existing.get(connection.alias)
            statuses = [each for name, each in read.items() if name not in known]
            found = dict(find_half_moves(connection, statuses, existing))
            known.update({each.domain.name: found.get(each.domain) for each in statuses})
        return known[domain.name]

    def _read(
        self, connection: BaseDatabaseWrapper, domains: Sequence[Domain]
    ) -> dict[str, DomainStatus]:
        existing = self._existing.get(connection.alias)
        statuses = read_name_statuses(connection, domains, existing)
        return {status.domain.name: status for status in statuses}
