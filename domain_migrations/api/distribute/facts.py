"""The domains in which obstacles are looked for, in one database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import CORE_SCHEMA, Domain, QualifiedName, get_domain, get_domains
from ...engine.cluster.cluster import read_cluster
from ...engine.sessions.connection import fetch_all
from ..obstacle import Obstacle

PLACED = """(n.nspname = ANY(%(schemas)s) OR (n.nspname::text, c.relname::text) IN (
    SELECT * FROM unnest(%(core_schemas)s::text[], %(core_tables)s::text[])))"""
"""Whether the table ``c`` of the namespace ``n`` is, or will be, on the nodes."""


@dataclass(frozen=True)
class Facts:
    """The domains that are to be distributed, and where their tables may point.

    Attributes:
        domains: those that are not distributed yet.
        reference_tables: core's tables that every node has, or will have, a copy of.
        distributed: the schemas that are, or will be, distributed.
    """

    connection: BaseDatabaseWrapper
    domains: tuple[Domain, ...]
    reference_tables: Collection[QualifiedName]
    distributed: Collection[str]

    @property
    def schemas(self) -> list[str]:
        return [domain.schema for domain in self.domains]

    @property
    def foreign_schemas(self) -> list[str]:
        """The schemas of core and of all domains."""
        return list(dict.fromkeys([CORE_SCHEMA, *(each.schema for each in get_domains())]))

    @property
    def waiting(self) -> list[str]:
        """The domains that stay on the coordinator for now."""
        return [
            each.name
            for each in get_domains()
            if not each.is_core and each.schema not in self.distributed
        ]

    @cached_property
    def copied(self) -> Collection[QualifiedName]:
        """The tables that every node has a copy of already."""
        cluster = read_cluster(self.connection)
        return cluster.reference_tables if cluster else ()

    def keeps_key(self, table: QualifiedName) -> bool:
        """Return whether a table's keys to reference tables are, or will be, enforced."""
        owners = {get_domain(name).schema for name in self.waiting}
        return table in self.reference_tables or table.schema in {*self.distributed, *owners}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query about the schemas in ``%(schemas)s``; see also `PLACED`."""
        values = {
            "schemas": self.schemas,
            "core_schemas": [table.schema for table in self.reference_tables],
            "core_tables": [table.name for table in self.reference_tables],
        }
        return fetch_all(self.connection, query, values)

    def obstacle(self, kind: str, schema: str, what: str, message: str, remedy: str) -> Obstacle:
        """Return an obstacle of the domain that owns the schema, or of all if none does."""
        owner = next((each.name for each in self.domains if each.schema == schema), "")
        return Obstacle(self.connection.alias, what, message, remedy, id=kind, domain=owner)


def facts_for(
    connection: BaseDatabaseWrapper,
    domains: Sequence[Domain],
    reference_tables: Collection[QualifiedName],
    distributed: Collection[str] = (),
) -> Facts:
    """Return the facts for domains, of which some may be distributed already."""
    left = tuple(domain for domain in domains if domain.schema not in distributed)
    every = {*distributed, *(domain.schema for domain in left)}
    return Facts(connection, left, frozenset(reference_tables), frozenset(every))
