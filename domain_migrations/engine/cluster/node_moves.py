"""Moves of a distributed schema from one node to another, as Citus makes them."""

from __future__ import annotations

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

WAL_LEVEL = "SELECT to_json(current_setting('wal_level'))"

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


def read_wal_level(connection: BaseDatabaseWrapper, node: Node) -> tuple[str, str]:
    """Return a node's ``wal_level``, and why it has not answered."""
    [answer] = ask_nodes(connection, [NodeQuery(node.host, node.port, WAL_LEVEL)])
    return answer.value or "", answer.problem


def move_schema(
    connection: BaseDatabaseWrapper, schema: str, node: Node, *, block_writes: bool
) -> None:
    """Move a distributed schema to a node; a statement of its own, which Citus undoes if it fails."""
    execute(connection, MOVE, [schema, node.host, node.port, MODES[block_writes]])


def read_progress(cursor: psycopg.Cursor[Any], pid: int) -> Copied | None:
    """Return how far the move of a session is; None if it moves nothing at this moment."""
    cursor.execute(PROGRESS, [pid])
    row = cursor.fetchone()
    return Copied(*row) if row else None
