"""Obstacles: what keeps a domain from being copied, each with the statement that removes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...domains import CORE_SCHEMA
from ...engine.cluster.cluster import read_cluster
from ...engine.history.existing_tables import existing_tables
from ...engine.history.extractions import database_id
from ...engine.history.status import read_statuses
from ...engine.messages import shortened
from ...engine.runner.results import FORMAT
from ...engine.sessions.connection import schema_exists
from ..obstacle import Obstacle
from .copied_schema import tables_with_rows
from .core_copies import chosen_tables
from .disk_note import disk_note, domain_size
from .fence import fenced_tables
from .locale_obstacles import locale_notes, locale_obstacles
from .server_obstacles import role_notes, server_obstacles
from .sides import Sides, read_tables, stored
from .table_obstacles import table_obstacles


@dataclass(frozen=True)
class Preflight:
    """The obstacles, and what is handled without being one.

    Attributes:
        notes: sentences.
        size: of the tables and indexes in bytes.
    """

    obstacles: tuple[Obstacle, ...]
    notes: tuple[str, ...]
    tables: int
    size: int

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "obstacles": [each.as_json() for each in self.obstacles],
            "notes": list(self.notes),
            "tables": self.tables,
            "bytes": self.size,
        }


def preflight(
    sides: Sides, *, is_begun: bool = False, core_tables: Sequence[str] = ()
) -> Preflight:
    """Return what keeps the domain from being copied.

    Arguments:
        is_begun: the copy has begun: what is there already is the extraction's own.
    """
    chosen_tables(sides.from_connection, core_tables)
    copies = fenced_tables(sides.to_connection, CORE_SCHEMA)
    obstacles = [*_between(sides, is_begun), *distributed_obstacles(sides), *_histories(sides)]
    if not is_begun:
        obstacles += _filled_copies(sides, core_tables, copies)
    obstacles += [Obstacle(*row) for row in server_obstacles(sides, is_begun)]
    obstacles += [Obstacle(*row) for row in locale_obstacles(sides)]
    found, notes = table_obstacles(sides, {*core_tables, *copies}, is_begun)
    obstacles += [Obstacle(*row) for row in found]
    source = sides.from_connection
    notes += [*locale_notes(sides), *role_notes(sides)]
    size, _ = domain_size(sides)
    tables = stored(read_tables(source, sides.schema))
    notes.append(disk_note(sides))
    return Preflight(tuple(dict.fromkeys(obstacles)), tuple(notes), len(tables), size)


def _between(sides: Sides, is_begun: bool) -> Iterator[Obstacle]:
    source, target = sides.from_connection, sides.to_connection
    if database_id(source) == database_id(target):
        yield Obstacle(
            sides.target,
            "DATABASES",
            f'"{sides.source}" and "{sides.target}" are the same database.',
            f'Give "{sides.target}" in DATABASES the HOST, PORT or NAME of another one.',
        )
        return
    if is_begun or not schema_exists(target, sides.schema):
        return
    filled = tables_with_rows(target, read_tables(target, sides.schema))
    engine = set(sides.domain.engine_tables)
    if rows := [table.name for table in filled if table.name not in engine]:
        yield Obstacle(
            sides.target,
            shortened(rows),
            f"The target already has rows in {shortened(rows)}.",
            f'Find out whose they are. If nobody needs them: DROP SCHEMA "{sides.schema}" CASCADE;',
        )


def distributed_obstacles(sides: Sides) -> Iterator[Obstacle]:
    """Yield where the domain's rows are on a node of a cluster, which no publication sees."""
    for alias, connection in (
        (sides.source, sides.from_connection),
        (sides.target, sides.to_connection),
    ):
        cluster = read_cluster(connection)
        if cluster is not None and cluster.is_distributed(sides.schema):
            node = cluster.schemas[sides.schema]
            yield Obstacle(
                alias,
                sides.schema,
                f'The domain is distributed in the cluster of "{alias}": its tables are on'
                f" {f'the node {node.address}' if node else 'one of its nodes'}, and a copy by"
                " logical replication would be one of the coordinator's empty tables.",
                f"Within the cluster: manage.py distribute_domain {sides.domain.name} --move NODE."
                " To leave it, dump the coordinator's whole database into plain PostgreSQL.",
            )


def _filled_copies(
    sides: Sides, core_tables: Sequence[str], copies: Sequence[str]
) -> Iterator[Obstacle]:
    """Yield the tables of core that have rows where they are to be copied to."""
    there = read_tables(sides.to_connection, CORE_SCHEMA)
    chosen = [table for table in there if table.name.name in core_tables]
    for table in tables_with_rows(sides.to_connection, chosen):
        is_copy = table.name.name in copies
        yield Obstacle(
            sides.target,
            str(table.name),
            f'Core\'s table {table.name} has rows in "{sides.target}" already'
            + (", as the copy of another move." if is_copy else "."),
            "Leave it out of --with-core."
            if is_copy
            else f"Find out whose they are. If nobody needs them: TRUNCATE {table.name};",
        )


def _histories(sides: Sides) -> Iterator[Obstacle]:
    domain, source = sides.domain, sides.from_connection
    if not existing_tables(source, [domain.history_table]):
        yield Obstacle(
            sides.source,
            str(domain.history_table),
            f'The domain has no history in "{sides.source}".',
            f"manage.py migrate_domain {domain.name} --database {sides.source}",
        )
        return
    (status,) = read_statuses(source, [domain])
    if status.pending:
        yield Obstacle(
            sides.source,
            str(domain.history_table),
            f"Migrations are pending: {shortened(status.pending)}. The schema in the target is"
            " made by all that are on disk.",
            f"manage.py migrate_domain {domain.name} --database {sides.source}",
        )
    if status.unknown:
        yield Obstacle(
            sides.source,
            str(domain.history_table),
            f"Migrations are applied that are not on disk: {shortened(status.unknown)}.",
            "Deploy the code that has them.",
        )
