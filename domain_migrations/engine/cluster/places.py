"""The places of domains in a cluster: the node of each, and its size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from .cluster import TO_READ, check_coordinator, read_cluster


class Place(NamedTuple):
    """Where a domain is.

    Attributes:
        node: host and port of the node that has its tables, as Citus has them; None for a domain
            that is not distributed, whose tables the coordinator has.
        size: of its tables in bytes, with a single copy of each reference table; None if it is not
            known.
    """

    node: str | None
    size: int | None


def read_places(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> dict[str, Place]:
    """Return domain name → its place; nothing where Citus is not installed.

    Raises:
        InvalidConfiguration: the database is one of a worker.
    """
    cluster = read_cluster(connection)
    if cluster is None:
        return {}
    check_coordinator(connection, cluster, TO_READ)
    from .table_measures import measure_tables  # Most databases are in no cluster.

    measured = measure_tables(connection, [domain.schema for domain in domains])
    places = {}
    for domain in domains:
        node = cluster.schemas.get(domain.schema)
        places[domain.name] = Place(node.address if node else None, measured.size_of(domain.schema))
    return places
