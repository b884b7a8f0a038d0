"""What the histories alone say, in one round trip for all the domains of a database."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain, get_domains
from ..history.tables import owned_rows, read_names_at_once
from .status import DomainStatus, status_from_names


class Glance:
    """Reads each database once, for a run that only asks whether something is pending.

    How the latest run of a domain ended is not asked.

    Arguments:
        names: the domains that will be asked about; those that do not exist do not matter.
        database: alias; each domain's own unless given.
    """

    def __init__(self, names: Sequence[str], database: str | None) -> None:
        self.every = get_domains()
        self.wanted = [domain for domain in self.every if domain.name in names]
        self.database = database
        self._found: dict[str, dict[str, DomainStatus]] = {}

    def status(self, connection: BaseDatabaseWrapper, domain: Domain) -> DomainStatus:
        """Return the domain's status, of all that were wanted from the same database at once."""
        found = self._found.get(connection.alias)
        if found is None:
            beside = [
                other
                for other in self.wanted
                if (self.database or other.database) == connection.alias
            ]
            try:
                found = self._read(connection, beside)
            except ProgrammingError:
                found = {}  # Something is wrong with one of them, which is not the others' fault.
            self._found[connection.alias] = found
        if domain.name not in found:
            found |= self._read(connection, [domain])
        return found[domain.name]

    def _read(
        self, connection: BaseDatabaseWrapper, domains: Sequence[Domain]
    ) -> dict[str, DomainStatus]:
        core = self.every[0]
        names = read_names_at_once(connection, list(dict.fromkeys((core, *domains))))
        owned = owned_rows(names, self.every)
        return {
            domain.name: status_from_names(
                domain,
                owned[domain.name],
                misplaced=() if domain.is_core else names[core.name],
            )
            for domain in domains
        }
