"""The number of rows that a transaction has written in shards, as the nodes count."""

from __future__ import annotations

from collections.abc import Collection

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ..sessions.connection import fetch_all, fetch_one

SHARDS = """
SELECT shard_name(h.logicalrelid, h.shardid)
FROM pg_catalog.pg_dist_shard h
JOIN pg_catalog.pg_class c ON c.oid = h.logicalrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname <> ALL(%s)
"""

ROWS_WRITTEN = """
SELECT coalesce(sum(pg_stat_get_xact_tuples_inserted(to_regclass(s.name))), 0)::bigint,
    coalesce(sum(pg_stat_get_xact_tuples_updated(to_regclass(s.name))), 0)::bigint
FROM {node} unnest({shards}::text[]) AS s (name)
"""

ON_NODE_OF = "(SELECT FROM {} LIMIT 1) AS on_the_node,"
"""A query of a distributed table runs on its node, in the connection that wrote the rows."""


def rows_written(
    connection: BaseDatabaseWrapper,
    schema: str,
    others: Collection[str],
    *,
    beside: QualifiedName | None,
) -> tuple[int, int]:
    """Return the numbers of rows that were inserted and updated in the shards of a schema's tables.

    Arguments:
        others: names of tables that do not count.
        beside: a table of the schema that has rows, if the schema is distributed; None for
            reference tables, which the coordinator has, too.
    """
    shards = [name for (name,) in fetch_all(connection, SHARDS, [schema, [*others]])]
    if not shards:
        return 0, 0
    node = sql.SQL(ON_NODE_OF).format(sql.Identifier(*beside)) if beside else sql.SQL("")
    query = sql.SQL(ROWS_WRITTEN).format(node=node, shards=sql.Literal(shards))
    inserted, updated = fetch_one(connection, query)
    return inserted, updated
