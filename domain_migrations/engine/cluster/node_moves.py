"""Moves of a distributed schema from one node to another, as Citus makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString, NamedTuple

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from ..sessions.connection import execute, fetch_all, fetch_one
from .cluster import Cluster, Node
from .node_queries import NodeQuery, ask_nodes

SIZE = """
SELECT count(*), coalesce(sum(s.shard_size), 0)::bigint
FROM pg_catalog.citus_shards s
JOIN pg_catalog.pg_class c ON c.oid = s.table_name
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s
"""

# All shards of a schema move together; only those of distributed schemas are ours.
BALANCE = """
SELECT n.nspname, min(l.groupid)
FROM pg_catalog.get_rebalance_table_shards_plan() p
JOIN pg_catalog.pg_class c ON c.oid = p.table_name
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_dist_schema s ON s.schemaid = n.oid
JOIN pg_catalog.pg_dist_node l ON l.nodename = p.targetname AND l.nodeport = p.targetport
GROUP BY 1 ORDER BY 1
"""

# Their changes could not be replicated, so that Citus refuses them, or their publication.
NOT_REPLICATED = """
SELECT c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r' AND (
    c.relpersistence = 'u' OR c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)))
ORDER BY 1
"""

# A node that gives or gets shards connects to itself, under a name of its own.
ABOUT_NODE = """
SELECT json_build_object('wal_level', current_setting('wal_level'),
    'itself', current_setting('citus.local_hostname') || ':' || current_setting('port'),
    'reaches_itself', pg_catalog.citus_check_connection_to_node(
        current_setting('citus.local_hostname'), current_setting('port')::int))
"""

MOVE = "SELECT pg_catalog.citus_schema_move(%s::regnamespace, %s, %s, %s)"
MODES = {False: "auto", True: "block_writes"}

PROGRESS: LiteralString = """
SELECT min(status), coalesce(sum(target_shard_size), 0)::bigint,
    coalesce(sum(source_shard_size), 0)::bigint
FROM pg_catalog.get_rebalance_progress() WHERE sessionid = %s HAVING count(*) > 0
"""


class SchemaSize(NamedTuple):
    """The shards of a schema, and their bytes."""

    tables: int
    bytes: int


class NodeFacts(NamedTuple):
    """What a move needs to know of a node.

    Attributes:
        itself: the address at which the node connects to itself.
        problem: why it has not answered; "" if it has.
    """

    wal_level: str = ""
    itself: str = ""
    reaches_itself: bool = False
    problem: str = ""


class Copied(NamedTuple):
    """How far a move is.

    Attributes:
        phase: Citus' word for it.
        copied, total: bytes on the target, and on the source.
    """

    phase: str
    copied: int
    total: int


def read_schema_size(connection: BaseDatabaseWrapper, schema: str) -> SchemaSize:
    """Return the number and the size of the shards of a distributed schema."""
    return SchemaSize(*fetch_one(connection, SIZE, [schema]))


def read_balance_plan(connection: BaseDatabaseWrapper, cluster: Cluster) -> list[tuple[str, Node]]:
    """Return the schemas that Citus would move to balance the nodes, and where to."""
    by_group = {node.group: node for node in cluster.nodes}
    return [(schema, by_group[group]) for schema, group in fetch_all(connection, BALANCE)]


def tables_not_replicated(connection: BaseDatabaseWrapper, schema: str) -> list[str]:
    """Return the tables that logical replication cannot copy while they are written."""
    return [name for (name,) in fetch_all(connection, NOT_REPLICATED, [schema])]


def read_node_facts(connection: BaseDatabaseWrapper, nodes: Sequence[Node]) -> list[NodeFacts]:
    """Return what a move needs to know of nodes, in their order."""
    queries = [NodeQuery(node.host, node.port, ABOUT_NODE) for node in nodes]
    return [
        NodeFacts(**(answer.value or {}), problem=answer.problem)
        for answer in ask_nodes(connection, queries)
    ]


def move_schema(
    connection: BaseDatabaseWrapper, schema: str, node: Node, *, block_writes: bool
) -> None:
    """Move a distributed schema to a node, in a statement of its own, which Citus undoes."""
    execute(connection, MOVE, [schema, node.host, node.port, MODES[block_writes]])


def read_progress(cursor: psycopg.Cursor[Any], pid: int) -> Copied | None:
    """Return how far the move of a session is; None if it moves nothing at this moment."""
    cursor.execute(PROGRESS, [pid])
    row = cursor.fetchone()
    return Copied(*row) if row else None
