"""The plan of a distribution: schemas, tables of core, and the rest of an earlier run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import CORE_SCHEMA, Domain, QualifiedName, get_domains
from ...engine.cluster.cluster import Cluster
from ...engine.cluster.local_rows import schemas_with_half_enforced_keys, tables_with_local_rows
from ...engine.cluster.reference_tables import (
    closure,
    foreign_keys,
    in_foreign_key_order,
    local_core_tables,
    model_tables,
    tables_for_every_node,
)
from ...engine.messages import counted, shortened
from ...engine.sessions.connection import fetch_one
from .contents import read_table_names

# Of the tables with their indexes, which are copied and then removed from the coordinator.
BYTES = """
SELECT pg_size_pretty(coalesce(sum(pg_total_relation_size(c.oid)), 0))
FROM unnest(%s::text[], %s::text[]) AS t (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
"""


@dataclass(frozen=True)
class DistributionPlan:
    """What a run does.

    Attributes:
        domains: those that are not distributed yet.
        reference_tables: the tables of core that become reference tables, referenced ones first.
        tables: the tables of the domains' schemas.
        left: the tables whose local rows an earlier run has left.
        size: of the tables, for people.
        half_enforced: the domains that stay, and whose foreign keys are enforced by half then.
    """

    cluster: Cluster
    domains: tuple[Domain, ...]
    reference_tables: tuple[QualifiedName, ...]
    tables: tuple[QualifiedName, ...]
    left: tuple[QualifiedName, ...]
    size: str
    half_enforced: tuple[str, ...] = ()

    @property
    def all_tables(self) -> frozenset[QualifiedName]:
        return frozenset((*self.reference_tables, *self.tables))

    @property
    def schemas(self) -> tuple[str, ...]:
        """The schemas of which something changes."""
        return (CORE_SCHEMA, *(domain.schema for domain in self.domains))

    @property
    def moves(self) -> bool:
        """Whether anything is left to be distributed."""
        return bool(self.domains or self.reference_tables)

    @property
    def effect(self) -> str:
        """What the run does and cannot be undone, in sentences."""
        what = []
        if self.domains:
            names = shortened([domain.name for domain in self.domains], limit=10)
            what.append(
                f"moves {counted(len(self.tables), 'table')} of {names} to the workers"
                f" {', '.join(node.address for node in self.cluster.workers)}"
            )
        if self.reference_tables:
            number = len(self.reference_tables)
            what.append(f"makes {counted(number, 'table')} of core {reference_tables(number)}")
        keys = f"Then {half_enforced_keys(self.half_enforced)} " if self.half_enforced else ""
        return (
            f"This {' and '.join(what)} ({self.size}). Nobody can use these tables meanwhile. It"
            " cannot be undone in place: the way back is a dump of the coordinator, restored"
            f" without Citus. {keys}Make a backup first."
        )


def reference_tables(number: int) -> str:
    """Return what that many tables become."""
    return "a reference table" if number == 1 else "reference tables"


def half_enforced_keys(domains: Sequence[str]) -> str:
    """Return what holds of domains on the coordinator whose keys point at tables on the nodes."""
    return (
        f"foreign keys of {', '.join(domains)} to tables that are on the nodes are checked"
        " when their own rows are written, but the rows that they refer to can be deleted."
        " Distribute these as well."
    )


def plan_distribution(
    connection: BaseDatabaseWrapper, cluster: Cluster, domains: Sequence[Domain]
) -> DistributionPlan:
    """Return what is left to do for the domains to be distributed."""
    local, keys = {*local_core_tables(connection).values()}, foreign_keys(connection)
    wanted = tables_for_every_node(closure(model_tables() & local, keys) & local)
    moving = tuple(each for each in domains if not cluster.is_distributed(each.schema))
    tables = read_table_names(connection, [domain.schema for domain in moving])
    every = [*wanted, *tables]
    [size] = fetch_one(connection, BYTES, [[t.schema for t in every], [t.name for t in every]])
    schemas = [CORE_SCHEMA, *(domain.schema for domain in domains)]
    half = schemas_with_half_enforced_keys(connection, every) if every else ()
    owners = {domain.schema: domain.name for domain in get_domains()}
    return DistributionPlan(
        cluster=cluster,
        domains=moving,
        reference_tables=tuple(in_foreign_key_order(wanted, keys)),
        tables=tables,
        left=tables_with_local_rows(connection, schemas),
        size=size,
        half_enforced=tuple(owners.get(schema, schema) for schema in half),
    )
