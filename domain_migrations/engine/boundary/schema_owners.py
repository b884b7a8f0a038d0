"""Whose each schema of a database is, seen from one domain."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, get_domains
from ..sql.query import run_sql

SELECT_SCHEMAS = "SELECT oid, nspname FROM pg_namespace"


class Owners:
    """The schemas that there are, and the domains that own them."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        domains = get_domains()
        self.core = domains[0]
        self._by_schema = {domain.schema: domain for domain in domains}
        [rows] = run_sql(connection, SELECT_SCHEMAS)
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


SELECT_NAMESPACES = "SELECT oid, nspname FROM pg_namespace"


@dataclass
class SchemaOwners:
    """Whose each schema of the database is.

    Attributes:
        names: of all schemas seen, as they were when first seen, by oid.
        there: those that there were when the migration began.
    """

    domain: Domain
    names: dict[int, str] = field(default_factory=dict)
    present_at_start: frozenset[int] = frozenset()

    def begin(self, connection: BaseDatabaseWrapper) -> None:
        """Read the schemas, once, and remember which there are."""
        if not self.names:
            self.read(connection)
        self.present_at_start = frozenset(self.names)

    def read(self, connection: BaseDatabaseWrapper) -> None:
        """Read the schemas that there are now; ``names`` keeps those that are gone."""
        [rows] = run_sql(connection, SELECT_NAMESPACES)
        self.domains = {domain.schema: domain for domain in get_domains()}
        for oid, name in rows:
            self.names.setdefault(oid, name)

    def owner(self, schema: int) -> Domain | None:
        """Return the domain that owns the schema, None where no domain does."""
        return self.domains.get(self.names.get(schema, ""))

    def is_own(self, schema: int) -> bool:
        """Return whether the domain may make what it likes there."""
        owner = self.owner(schema)
        # What belongs to no domain is core's, as apps without a domain are.
        return owner == self.domain if owner else self.domain.is_core or self.is_system(schema)

    def is_system(self, schema: int) -> bool:
        """Return whether the schema is PostgreSQL's, temporary ones included."""
        name = self.names.get(schema, "")
        return name.startswith("pg_") or name == "information_schema"

    @property
    def forbidden(self) -> list[int]:
        """The schemas of the other domains, core's too when this one is not core."""
        return [oid for oid in self.names if self.owner(oid) and not self.is_own(oid)]

    @property
    def allowed(self) -> list[int]:
        """The schemas in which everything is allowed."""
        return [oid for oid in self.names if self.is_own(oid)]

    @property
    def core(self) -> int:
        """Core's schema where another domain runs; 0, which no schema has, where core does."""
        return next(
            (oid for oid in self.forbidden if (owner := self.owner(oid)) and owner.is_core), 0
        )
