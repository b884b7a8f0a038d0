"""Whose each schema of a database is, seen from one domain."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain, get_domains
from .asking import query

SELECT_NAMESPACES = "SELECT oid, nspname FROM pg_namespace"


@dataclass
class Territory:
    """Whose each schema of the database is.

    Attributes:
        names: of all schemas seen, as they were when first seen, by oid.
        there: those that there were when the migration began.
    """

    domain: Domain
    names: dict[int, str] = field(default_factory=dict)
    there: frozenset[int] = frozenset()

    def begin(self, connection: BaseDatabaseWrapper) -> None:
        """Read the schemas, once, and remember which there are."""
        if not self.names:
            self.read(connection)
        self.there = frozenset(self.names)

    def read(self, connection: BaseDatabaseWrapper) -> None:
        """Read the schemas that there are now; ``names`` keeps those that are gone."""
        [rows] = query(connection, SELECT_NAMESPACES)
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
    def foreign(self) -> list[int]:
        """The schemas of the other domains, core's too when this one is not core."""
        return [oid for oid in self.names if self.owner(oid) and not self.is_own(oid)]

    @property
    def quiet(self) -> list[int]:
        """The schemas in which everything is allowed."""
        return [oid for oid in self.names if self.is_own(oid)]

    @property
    def core(self) -> int:
        """Core's schema where another domain runs; 0, which no schema has, where core does."""
        return next(
            (oid for oid in self.foreign if (owner := self.owner(oid)) and owner.is_core), 0
        )
