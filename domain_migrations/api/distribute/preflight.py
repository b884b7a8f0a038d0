"""The function under ``distribute_domain --check``: what a distribution would meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, QualifiedName, get_domain, get_domains
from ...engine.cluster.cluster import Cluster, read_cluster
from ...engine.cluster.reference_tables import (
    closure,
    foreign_keys,
    model_tables,
    tables_for_every_node,
)
from ...engine.messages import counted, shortened
from ...engine.runner.results import FORMAT
from ...engine.sessions.connection import fetch_all
from ...engine.sessions.database_problems import translate_database_errors
from ...exceptions import DistributionRefused
from ..obstacle import Obstacle
from .accepted import NO_WAY_BACK, disk_note, notes, sizes
from .distribution_obstacles import domain_obstacles, find_obstacles
from .facts import facts_for

TABLES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
"""


@dataclass(frozen=True)
class DistributionPreflight:
    """What a distribution of some domains would meet.

    Attributes:
        domains: their names.
        distributed: those of them that are distributed already.
        notes: sentences about what is kept, about disks, and about what cannot be undone.
        size: of the domains' tables with their indexes, in bytes.
        core_size: of core's tables that every node gets a copy of.
    """

    database: str
    domains: tuple[str, ...]
    distributed: tuple[str, ...]
    obstacles: tuple[Obstacle, ...]
    notes: tuple[str, ...]
    size: int
    core_size: int

    @property
    def is_blocked(self) -> bool:
        return bool(self.obstacles)

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "database": self.database,
            "domains": list(self.domains),
            "distributed": list(self.distributed),
            "obstacles": [each.as_json() for each in self.obstacles],
            "notes": list(self.notes),
            "bytes": self.size,
            "core_bytes": self.core_size,
        }


def check_distribution(
    names: Sequence[str] = (), *, database: str | None = None
) -> DistributionPreflight:
    """Return what a distribution of domains would meet; changes nothing.

    Arguments:
        names: domains; all but core unless given.
        database: alias; the domains' own unless given.

    Raises:
        UnknownDomain: no domain has that name.
        DatabaseUnavailable: the database cannot be reached.
    """
    chosen = [get_domain(name) for name in names] if names else list(get_domains())
    domains = tuple(domain for domain in chosen if not domain.is_core)
    alias = database or next((each.database for each in domains), get_domains()[0].database)
    with translate_database_errors(alias):
        return _check(connections[alias], domains)


def refuse_obstacles(
    connection: BaseDatabaseWrapper, cluster: Cluster, domains: Sequence[Domain]
) -> None:
    """Refuse domains in whose objects there are obstacles, before anything is locked.

    Raises:
        DistributionRefused: there are some; the message has the first one.
    """
    tables = _reference_tables(connection, cluster)
    facts = facts_for(connection, domains, tables, cluster.schemas)
    found = list(dict.fromkeys(domain_obstacles(facts)))
    if found:
        more = f" {counted(len(found) - 1, 'more obstacle')} after that." if found[1:] else ""
        names = " ".join(domain.name for domain in domains)
        raise DistributionRefused(
            f"{found[0].message}{more}",
            hint=f"{found[0].remedy} All of them: manage.py distribute_domain --check {names}",
        )


def _check(connection: BaseDatabaseWrapper, domains: tuple[Domain, ...]) -> DistributionPreflight:
    cluster = read_cluster(connection)
    tables = _reference_tables(connection, cluster)
    facts = facts_for(connection, domains, tables, cluster.schemas if cluster else ())
    obstacles = find_obstacles(connection, cluster, domains, tables)
    left = [table for table in tables if not cluster or table not in cluster.reference_tables]
    size, core_size = sizes(facts, left)
    said: list[str] = []
    if facts.domains and (cluster is None or cluster.is_coordinator):
        workers = cluster.workers if cluster else ()
        said = [*notes(facts), disk_note(facts, workers, size, core_size), NO_WAY_BACK]
    distributed = tuple(each.name for each in domains if each not in facts.domains)
    if distributed:
        said.insert(0, f"Distributed already: {shortened(distributed)}.")
    return DistributionPreflight(
        connection.alias,
        tuple(domain.name for domain in domains),
        distributed,
        obstacles,
        tuple(said),
        size,
        core_size,
    )


def _reference_tables(
    connection: BaseDatabaseWrapper, cluster: Cluster | None
) -> tuple[QualifiedName, ...]:
    """Return core's tables that are, or would become, reference tables."""
    existing = {QualifiedName(*row) for row in fetch_all(connection, TABLES)}
    found = tables_for_every_node(closure(model_tables() & existing, foreign_keys(connection)))
    return tuple(sorted(found | (cluster.reference_tables if cluster else frozenset())))
