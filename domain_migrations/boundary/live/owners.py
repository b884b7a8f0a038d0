"""Whose each schema of a database is."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, get_domains
from ..asking import query

SELECT_SCHEMAS = "SELECT oid, nspname FROM pg_namespace"


class Owners:
    """The schemas that there are, and the domains that own them."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        domains = get_domains()
        self.core = domains[0]
        self._by_schema = {domain.schema: domain for domain in domains}
        [rows] = query(connection, SELECT_SCHEMAS)
        self.names: dict[int, str] = dict(rows)

    def owner(self, schema: int) -> Domain | None:
        """Return whose the schema is: core's where no domain owns it, None's if PostgreSQL's."""
        return self.owner_of(self.names.get(schema, ""))

    def owner_of(self, name: str) -> Domain | None:
        """Return whose a schema of that name is."""
        if not name or name.startswith("pg_") or name == "information_schema":
            return None
        return self._by_schema.get(name, self.core)

    @property
    def domain_schemas(self) -> list[int]:
        """The schemas of all domains but core, which anybody may use."""
        return [oid for oid, name in self.names.items() if name in self.domain_names]

    @property
    def domain_names(self) -> frozenset[str]:
        """The names of those schemas."""
        return frozenset(name for name, domain in self._by_schema.items() if not domain.is_core)
