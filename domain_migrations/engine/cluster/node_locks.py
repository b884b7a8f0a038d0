"""The locks that a transaction holds on a node: what triggers, keys and functions do there.

They are read over the connection that the transaction has to the node, which sees its new tables.
Where statements ran in parallel there are several; all have the same number of a global process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import LiteralString, NamedTuple

# A shard has the number of its table at the end of its name.
_READ: LiteralString = r"""
    PERFORM pg_catalog.set_config('domain_migrations.node_locks', (
        SELECT coalesce(json_agg(json_build_array(
            n.nspname, coalesce(t.relname, c.relname), l.modes)), '[]')::text
        FROM (
            SELECT k.relation, json_agg(DISTINCT k.mode) AS modes
            FROM pg_catalog.pg_locks k
            WHERE k.locktype = 'relation' AND k.granted AND k.mode <> 'SIReadLock'
                AND k.database = (SELECT d.oid FROM pg_catalog.pg_database d
                    WHERE d.datname = pg_catalog.current_database())
                AND k.pid IN (SELECT a.process_id
                    FROM pg_catalog.get_all_active_transactions() a
                    WHERE a.global_pid = pg_catalog.citus_backend_gpid())
            GROUP BY k.relation
        ) l
        JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind NOT IN ('i', 'I')
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        LEFT JOIN pg_catalog.pg_dist_shard s
            ON s.shardid = substring(c.relname FROM '_(\d{1,18})$')::bigint
        LEFT JOIN pg_catalog.pg_class t
            ON t.oid = s.logicalrelid AND t.relnamespace = c.relnamespace
    ), true);"""

READ: LiteralString = "DO $locks$ BEGIN" + _READ + " END $locks$"

CHECK_AND_READ: LiteralString = (
    "DO $locks$ BEGIN SET CONSTRAINTS ALL IMMEDIATE;" + _READ + " END $locks$"
)
"""Before, what is deferred is checked and its triggers fire; the coordinator's tables are empty."""

ONE_TABLE_OF_EACH_NODE: LiteralString = r"""
SELECT DISTINCT ON (l.groupid) n.nspname, c.relname, c.oid
FROM pg_catalog.pg_dist_schema s
JOIN pg_catalog.pg_namespace n ON n.oid = s.schemaid
JOIN pg_catalog.pg_dist_partition p ON p.colocationid = s.colocationid
JOIN pg_catalog.pg_dist_shard h ON h.logicalrelid = p.logicalrelid
JOIN pg_catalog.pg_dist_placement l ON l.shardid = h.shardid
JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid AND c.relkind = 'r'
WHERE %(schema)s::text IS NULL OR n.nspname = %(schema)s
ORDER BY l.groupid, c.relname LIKE 'django\_migrations\_%%' DESC, c.oid
"""
"""A statement goes to a node by a table on it, which every run may read if it is the engine's."""

# Over the connection that the transaction has to the node, unlike run_command_on_workers().
RUN_ON_NODE: LiteralString = (
    "SELECT pg_catalog.citus_run_local_command({command}),"
    " pg_catalog.current_setting('domain_migrations.node_locks', true), count(*)"
    " FROM {table} WHERE false"
)


class NodeLock(NamedTuple):
    """A lock on a relation of a node, with the name of its table where it is a shard."""

    schema: str
    name: str
    mode: str


def locks_in(answer: str) -> Iterator[NodeLock]:
    """Yield the locks in what ``READ`` has set."""
    for schema, name, modes in json.loads(answer):
        for mode in modes:
            yield NodeLock(schema, name, mode)
