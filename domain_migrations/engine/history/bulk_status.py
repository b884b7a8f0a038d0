"""The statuses of many domains from names alone, in few queries."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, get_domains
from .half_moves import HalfMove, find_half_moves
from .status import DomainStatus, status_from_names
from .tables import applied_names, rows_of_own_apps


class BulkStatusReader:
    """The statuses of many domains from names alone, read once from each database.

    Arguments:
        names: the domains whose status will be needed; unknown ones are ignored.
        database: alias; each domain's own unless given.
    """

    def __init__(self, names: Sequence[str], database: str | None) -> None:
        self.every = get_domains()
        self.wanted = [domain for domain in self.every if domain.name in names]
        self.database = database
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
            try:
                found = self._read(connection, together)
            except ProgrammingError:
                found = {}  # One of the tables cannot be read; the others are read one by one.
            self._found[connection.alias] = found
        if domain.name not in found:
            found |= self._read(connection, [domain])
        return found[domain.name]

    def half_move(self, connection: BaseDatabaseWrapper, domain: Domain) -> HalfMove | None:
        """Return what :func:`find_half_move` finds, in one query for the same database."""
        self.status(connection, domain)
        known = self._half_moves.setdefault(connection.alias, {})
        if domain.name not in known:
            # All of the database, or one where the others could not be read together.
            read = self._found[connection.alias]
            statuses = [each for name, each in read.items() if name not in known]
            found = dict(find_half_moves(connection, statuses))
            known.update({each.domain.name: found.get(each.domain) for each in statuses})
        return known[domain.name]

    def _read(
        self, connection: BaseDatabaseWrapper, domains: Sequence[Domain]
    ) -> dict[str, DomainStatus]:
        core = self.every[0]
        names = applied_names(connection, list(dict.fromkeys((core, *domains))))
        owned = rows_of_own_apps(names, self.every)
        return {
            domain.name: status_from_names(
                domain,
                owned[domain.name],
                misplaced=() if domain.is_core else names[core.name],
            )
            for domain in domains
        }
