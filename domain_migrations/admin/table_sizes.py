"""The tables of a schema, their foreign keys and their sizes, read without waiting for locks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain
from ..engine.cluster.cluster import read_cluster
from ..engine.cluster.table_measures import measure_tables
from ..engine.history.status import count_tables
from ..engine.sessions.connection import fetch_all

RELATIONS = """
SELECT c.relname, r.relname, rn.nspname
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname = %s
GROUP BY c.relname, r.relname, rn.nspname
ORDER BY c.relname, min(k.conname)
"""


class Relation(NamedTuple):
    """The table that one or more foreign keys of a table refer to."""

    to: str
    to_schema: str


class Size(NamedTuple):
    """The size of a domain's schema; the engine's own tables count in bytes only.

    Attributes:
        size: in bytes, None if it is not known.
        node: which node of a cluster has its tables; "" for the connection's server.
        in_cluster: whether its database is one of a cluster.
    """

    tables: int
    size: int | None
    node: str = ""
    in_cluster: bool = False


class Table(NamedTuple):
    """One table: its estimated rows and its size in bytes, None where they are not known."""

    schema: str
    name: str
    rows: int | None
    size: int | None
    relations: tuple[Relation, ...] = ()


def read_tables(connection: BaseDatabaseWrapper, schemas: Sequence[str]) -> list[Table]:
    """Return the tables and materialized views of the schemas."""
    measured = measure_tables(connection, schemas).tables
    return [Table(*name, *measure) for name, measure in measured.items()]


def read_relations(connection: BaseDatabaseWrapper, schema: str) -> dict[str, tuple[Relation, ...]]:
    """Return table → what its foreign keys refer to, also in other schemas."""
    relations: dict[str, tuple[Relation, ...]] = {}
    for table, *target in fetch_all(connection, RELATIONS, [schema]):
        relations[table] = (*relations.get(table, ()), Relation(*target))
    return relations


def read_sizes(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> dict[str, Size]:
    """Return domain name → the number of tables in its schema, their size and their node."""
    counts = count_tables(connection, domains)
    measured = measure_tables(connection, [domain.schema for domain in domains])
    cluster = read_cluster(connection) if measured.has_citus else None
    nodes = cluster.schemas if cluster else {}
    sizes = {}
    for domain in domains:
        node = nodes.get(domain.schema)
        sizes[domain.name] = Size(
            counts[domain.name],
            measured.size_of(domain.schema),
            node.address if node else "",
            cluster is not None,
        )
    return sizes
