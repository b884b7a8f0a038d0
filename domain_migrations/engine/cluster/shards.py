"""The shards of tables: where each is, its estimated rows and its size.

On the coordinator a distributed table is an empty shell, whose own statistics and size say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ..sessions.connection import as_text, fetch_all, fetch_one
from ..sql import measures
from .cluster import EXTENSION
from .node_queries import NodeQuery, ask_nodes
from .table_measures import Measure

PLACEMENTS = """
SELECT n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname),
    pg_catalog.shard_name(c.oid, h.shardid, false), h.shardid, p.repmodel = 't',
    d.nodename, d.nodeport
FROM pg_catalog.pg_dist_partition p
JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_dist_shard h ON h.logicalrelid = p.logicalrelid
JOIN pg_catalog.pg_dist_placement l ON l.shardid = h.shardid
JOIN pg_catalog.pg_dist_node d ON d.groupid = l.groupid AND d.noderole = 'primary'
WHERE n.nspname = ANY(%s) AND l.shardstate = 1
ORDER BY n.nspname, c.relname, d.groupid
"""

MEASURED = f"""
WITH {measures.LOCKED}
SELECT json_agg(json_build_array(s.shard, {measures.ROWS}, {measures.BYTES}))
FROM unnest({{shards}}::text[]) AS s (shard)
JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(s.shard)
"""  # noqa: S608 (made of constants only)


class Placement(NamedTuple):
    """One copy of a table's shard; a reference table has one on every node.

    Attributes:
        title: the table's qualified name, quoted where necessary.
        shard: the qualified name of the copy on the node, in the same form.
    """

    table: QualifiedName
    title: str
    shard: str
    shard_id: int
    is_reference: bool
    host: str
    port: int

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


UNKNOWN = Measure(None, None)


def read_placements(connection: BaseDatabaseWrapper, schemas: Iterable[str]) -> list[Placement]:
    """Return the placements of the tables in the schemas; none where Citus is not installed.

    The coordinator's, if there is one, comes before the others of the same table.
    """
    if fetch_one(connection, EXTENSION) is None:
        return []
    return [
        Placement(QualifiedName(schema, name), *rest)
        for schema, name, *rest in fetch_all(connection, PLACEMENTS, [list(schemas)])
    ]


def measure_shards(
    connection: BaseDatabaseWrapper, placements: Sequence[Placement]
) -> dict[QualifiedName, Measure]:
    """Return table → what its shards hold; one copy of a reference table counts.

    Unknown is what is on a node that does not answer.
    """
    counted: dict[int, Placement] = {}
    for placement in placements:
        counted.setdefault(placement.shard_id, placement)
    found = _ask(connection, list(counted.values()))
    measures_of: dict[QualifiedName, list[Measure]] = {}
    for placement in counted.values():
        measures_of.setdefault(placement.table, []).append(found.get(placement.shard, UNKNOWN))
    return {
        table: Measure(_total(each.rows for each in parts), _total(each.size for each in parts))
        for table, parts in measures_of.items()
    }


def _ask(connection: BaseDatabaseWrapper, placements: Sequence[Placement]) -> dict[str, Measure]:
    nodes = list(dict.fromkeys((each.host, each.port) for each in placements))
    with connection.cursor() as cursor:
        queries = [
            NodeQuery(
                *node,
                as_text(
                    cursor,
                    sql.SQL(MEASURED).format(
                        shards=[e.shard for e in placements if (e.host, e.port) == node]
                    ),
                ),
            )
            for node in nodes
        ]
    return {
        shard: Measure(None if rows < 0 else int(rows), int(size))
        for answer in ask_nodes(connection, queries)
        for shard, rows, size in answer.value or ()
    }


def _total(numbers: Iterable[int | None]) -> int | None:
    """Return the sum; None if one of the numbers is not known."""
    known: list[Any] = list(numbers)
    return None if None in known else sum(known)
