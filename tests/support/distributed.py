"""Domains that are distributed by SQL, as a cluster has them, and nodes that do not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.db import connections

from tests.support.cluster import NodeServer
from tests.support.proxy import Proxy

REFERENCED = """
WITH RECURSIVE wanted AS (
    SELECT k.confrelid AS oid FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
    WHERE k.contype = 'f' AND c.relnamespace = ANY(%s::regnamespace[])
        AND r.relnamespace = 'public'::regnamespace
    UNION
    SELECT k.confrelid FROM wanted w
    JOIN pg_constraint k ON k.conrelid = w.oid AND k.contype = 'f' AND k.confrelid <> w.oid
)
SELECT w.oid::regclass::text,
    (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = w.oid AND k.contype = 'f')
FROM wanted w ORDER BY 2
"""

TRIGGERS = """
SELECT format('%%s %%I', g.tgrelid::regclass, g.tgname) FROM pg_trigger g
JOIN pg_class c ON c.oid = g.tgrelid
WHERE NOT g.tgisinternal AND c.relnamespace = ANY(%s::regnamespace[])
"""

# A reference table may have rows of local tables that refer to it, and then keeps its own.
DISTRIBUTED = """
SELECT p.logicalrelid::text FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid
WHERE c.relnamespace = ANY(%s::regnamespace[])
"""

NODE = """
SELECT d.nodename, d.nodeport FROM pg_dist_node d
JOIN pg_dist_placement p ON p.groupid = d.groupid
JOIN pg_dist_shard h ON h.shardid = p.shardid
JOIN pg_class c ON c.oid = h.logicalrelid
WHERE c.relnamespace = %s::regnamespace
"""


def distribute(*schemas: str) -> None:
    """Distribute the schemas of the connected database, each with its rows."""
    connection = connections["default"]
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET citus.enable_unsafe_triggers = on")
        cursor.execute("SET citus.enable_unsafe_triggers = on")
        cursor.execute("SET citus.enable_local_reference_table_foreign_keys = off")
        cursor.execute(REFERENCED, [list(schemas)])
        for table, _ in cursor.fetchall():
            cursor.execute("SELECT create_reference_table(%s)", [table])
        cursor.execute(TRIGGERS, [list(schemas)])
        triggers = [name for (name,) in cursor.fetchall()]
        for name in triggers:
            table, trigger = name.split(" ", 1)
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        for schema in schemas:
            cursor.execute("SELECT citus_schema_distribute(%s)", [schema])
        for name in triggers:
            table, trigger = name.split(" ", 1)
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
        cursor.execute(DISTRIBUTED, [list(schemas)])
        for (table,) in cursor.fetchall():
            cursor.execute("SELECT truncate_local_data_after_distributing_table(%s)", [table])
    connection.close()


def node_of(schema: str) -> tuple[str, int]:
    """Host and port of the node that has the shards of a distributed schema."""
    with connections["default"].cursor() as cursor:
        cursor.execute(NODE, [schema])
        host, port = cursor.fetchone()
    return host, port


@contextmanager
def node_down(schema: str) -> Iterator[str]:
    """Let the coordinator find nobody at the address of the schema's node; yield that address.

    Only for this database, and not by stopping a server that other tests use.
    """
    host, port = node_of(schema)
    closed = port + 4000 if port < 60000 else port - 4000
    _set_address((host, port), (host, closed))
    try:
        yield f"{host}:{closed}"
    finally:
        _set_address((host, closed), (host, port))


@contextmanager
def node_behind_proxy(schema: str) -> Iterator[Proxy]:
    """Let the coordinator reach the schema's node through a proxy, which can stall."""
    host, port = node_of(schema)
    with closing(Proxy(NodeServer({"host": host, "port": str(port)}))) as proxy:
        behind = "127.0.0.1", proxy.port
        _set_address((host, port), behind)
        try:
            yield proxy
        finally:
            proxy.close()
            _set_address(behind, (host, port))


def _set_address(old: tuple[str, int], new: tuple[str, int]) -> None:
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_dist_node SET nodename = %s, nodeport = %s"
            " WHERE (nodename, nodeport) = (%s, %s)",
            [*new, *old],
        )
        assert cursor.rowcount == 1
    connection.close()  # With the connections to the nodes that it has kept open.
