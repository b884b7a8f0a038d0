"""The domains that own the schemas of a database."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, get_domains
from ..sql.query import run_sql

SELECT_SCHEMAS = "SELECT oid, nspname FROM pg_namespace"


def is_system_schema(name: str) -> bool:
    """Return whether a schema is PostgreSQL's, temporary ones included."""
    return name.startswith("pg_") or name == "information_schema"


class Owners:
    """The owners of all schemas, where a schema that no domain owns counts as core's."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        domains = get_domains()
        self.core = domains[0]
        self._by_schema = {domain.schema: domain for domain in domains}
        [rows] = run_sql(connection, SELECT_SCHEMAS)
        self.names: dict[int, str] = dict(rows)

    def owner(self, schema: int) -> Domain | None:
        """Return the domain that owns the schema, None for PostgreSQL's."""
        return self.owner_of(self.names.get(schema, ""))

    def owner_of(self, name: str) -> Domain | None:
        if not name or is_system_schema(name):
            return None
        return self._by_schema.get(name, self.core)

    @property
    def domain_schemas(self) -> list[int]:
        """The schemas of all domains except core, which every domain may use."""
        return [oid for oid, name in self.names.items() if name in self.domain_names]

    @property
    def domain_names(self) -> frozenset[str]:
        """The names of those schemas."""
        return frozenset(name for name, domain in self._by_schema.items() if not domain.is_core)


@dataclass
class SchemaOwners:
    """The owners of the schemas, seen from the domain that is migrated.

    Attributes:
        names: of all schemas by oid, as they were when first read.
        present_at_start: the schemas that existed when the migration began.
    """

    domain: Domain
    names: dict[int, str] = field(default_factory=dict)
    present_at_start: frozenset[int] = frozenset()

    def begin(self, connection: BaseDatabaseWrapper) -> None:
        """Read the schemas, once, and remember which exist."""
        if not self.names:
            self.read(connection)
        self.present_at_start = frozenset(self.names)

    def read(self, connection: BaseDatabaseWrapper) -> None:
        """Read the schemas that exist now; ``names`` keeps those that were dropped."""
        [rows] = run_sql(connection, SELECT_SCHEMAS)
        self.domains = {domain.schema: domain for domain in get_domains()}
        for oid, name in rows:
            self.names.setdefault(oid, name)

    def owner(self, schema: int) -> Domain | None:
        """Return the domain that owns the schema, None where no domain does."""
        return self.domains.get(self.names.get(schema, ""))

    def is_own(self, schema: int) -> bool:
        """Return whether the domain may create anything in the schema."""
        owner = self.owner(schema)
        # A schema that no domain owns is core's, as an app without a domain is.
        return owner == self.domain if owner else self.domain.is_core or self.is_system(schema)

    def is_system(self, schema: int) -> bool:
        return is_system_schema(self.names.get(schema, ""))

    @property
    def forbidden(self) -> list[int]:
        """The schemas of the other domains, including core's where this one is not core."""
        return [oid for oid in self.names if self.owner(oid) and not self.is_own(oid)]

    @property
    def allowed(self) -> list[int]:
        """The schemas in which the domain may do anything."""
        return [oid for oid in self.names if self.is_own(oid)]

    @property
    def core(self) -> int:
        """Core's schema where another domain runs; 0, which no schema has, where core does."""
        return next(
            (oid for oid in self.forbidden if (owner := self.owner(oid)) and owner.is_core), 0
        )
