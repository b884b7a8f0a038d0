"""The domains that own the schemas of a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, get_domains
from ..sql.query import run_sql

SELECT_SCHEMAS: LiteralString = r"""
SELECT oid, nspname FROM pg_namespace;
SELECT n.nspname, substring(c.relname FROM '^django_migrations_(.+)_journal$')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname LIKE 'django\_migrations\_%\_journal' AND c.relkind = 'r'
"""
"""The schemas, and those that hold a journal with the domain that it belongs to."""


@dataclass
class SchemaOwners:
    """The owners of the schemas, seen from one domain: the one that is migrated, or core.

    Attributes:
        partner: the domain with which it exchanges a table, whose schema counts as its own.
        names: the names of all schemas by oid, as they were when first read.
        domains: by the name of the schema that each owns, with those that are not installed.
        present_at_start: the schemas that existed when the migration began.
    """

    domain: Domain
    partner: Domain | None = None
    names: dict[int, str] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)
    present_at_start: frozenset[int] = frozenset()

    def begin(self, connection: BaseDatabaseWrapper) -> None:
        """Read the schemas, once, and remember which exist."""
        if not self.names:
            self.read(connection)
        self.present_at_start = frozenset(self.names)

    def read(self, connection: BaseDatabaseWrapper) -> None:
        """Read the schemas that exist now; ``names`` keeps those that were dropped."""
        rows, journals = run_sql(connection, SELECT_SCHEMAS)
        # A domain that is not installed is another domain, too. Core may clean up after it.
        others = (
            [] if self.domain.is_core else [Domain(name, schema, ()) for schema, name in journals]
        )
        self.domains = {domain.schema: domain for domain in (*others, *get_domains())}
        self.names = dict(rows) | self.names

    def owner(self, schema: int) -> Domain | None:
        """Return the domain that owns the schema, None where no domain does."""
        return self.domains.get(self.names.get(schema, ""))

    def owner_or_core(self, schema: int) -> Domain | None:
        """Return the owner, where a schema that no domain owns is core's; None for PostgreSQL's."""
        if schema not in self.names or self.is_system(schema):
            return None
        return self.owner(schema) or get_domains()[0]

    def is_own(self, schema: int) -> bool:
        """Return whether the domain may create anything in the schema."""
        owner = self.owner(schema)
        if owner is not None:
            return owner in (self.domain, self.partner)
        # A schema that no domain owns is core's, as an app without a domain is.
        return self.domain.is_core or self.is_system(schema)

    def is_system(self, schema: int) -> bool:
        """Return whether a schema is PostgreSQL's, temporary ones included."""
        name = self.names.get(schema, "")
        return name.startswith("pg_") or name == "information_schema"

    @property
    def allowed(self) -> list[int]:
        """The schemas in which the domain may do anything."""
        return [oid for oid in self.names if self.is_own(oid)]

    @property
    def own(self) -> list[int]:
        """The allowed schemas without PostgreSQL's."""
        return [oid for oid in self.allowed if not self.is_system(oid)]

    @property
    def forbidden(self) -> list[int]:
        """The schemas of the other domains, including core's where this one is not core."""
        return [oid for oid in self.names if self.owner(oid) and not self.is_own(oid)]

    @property
    def other_domains(self) -> list[int]:
        """The schemas of the other domains without core's, which every domain may use."""
        core = get_domains()[0]
        return [oid for oid in self.forbidden if self.owner(oid) != core]
