"""Obstacles in the cluster itself: its coordinator, its nodes and their versions."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.cluster.cluster import Cluster, Node
from ...engine.sessions.connection import fetch_all, fetch_one
from ..obstacles import Obstacle

# Whoever may not see what other sessions are counts as one that has seen the daemon.
ABOUT_NODE = """
SELECT concat_ws('|',
    coalesce((SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'), ''),
    current_setting('server_version_num'),
    NOT pg_has_role('pg_read_all_stats', 'USAGE') OR EXISTS (
        SELECT FROM pg_catalog.pg_stat_activity WHERE datname = current_database()
            AND backend_type LIKE 'Citus Maintenance Daemon%'))
"""

ON_WORKERS = """
SELECT host || ':' || port, success, result
FROM pg_catalog.master_run_on_worker(%s::text[], %s::int[], %s::text[], true)
    AS answer (host, port, success, result)
"""

WAIT = "Wait, or run: SELECT citus_activate_node('{}', {});"


def node_obstacles(connection: BaseDatabaseWrapper, cluster: Cluster | None) -> Iterator[Obstacle]:
    """Yield what is wrong with the cluster; the rest is found on a coordinator only."""

    def obstacle(kind: str, what: str, message: str, remedy: str) -> Obstacle:
        return Obstacle(connection.alias, what, message, remedy, id=kind)

    if cluster is None:
        yield obstacle(
            "no_extension",
            "citus",
            f'The extension citus is not installed in the database "{connection.alias}".',
            "On every node: CREATE EXTENSION citus;",
        )
        return
    if not cluster.is_coordinator:
        at = next((node.address for node in cluster.nodes if node.is_coordinator), "")
        yield obstacle(
            "not_coordinator",
            "DATABASES",
            f'The database "{connection.alias}" is on a worker, where the locks of runs exclude'
            " nobody.",
            "Set the address of the coordinator in DATABASES" + (f": {at}." if at else "."),
        )
        return
    if not any(node.is_coordinator for node in cluster.nodes):
        yield obstacle(
            "coordinator_host",
            "pg_dist_node",
            "The coordinator is no node of its own cluster, so core's tables could have no copy on"
            " it.",
            "SELECT citus_set_coordinator_host('…', …); with the address by which the workers"
            " reach it.",
        )
    if not any(node.should_have_shards for node in cluster.workers):
        yield obstacle(
            "no_worker",
            "pg_dist_node",
            "The cluster has no worker for the tables of domains.",
            "SELECT citus_add_node('…', …);",
        )
    for node in cluster.workers:
        yield from (obstacle(*each) for each in _states(node))
    for each in _answers(connection, cluster):
        yield obstacle(*each)


def _states(node: Node) -> Iterator[tuple[str, str, str, str]]:
    if not node.is_active:
        yield (
            "node_inactive",
            node.address,
            f"The node {node.address} is not active.",
            f"SELECT citus_activate_node('{node.host}', {node.port});",
        )
    elif not (node.has_metadata and node.metadata_synced):
        yield (
            "node_unsynced",
            node.address,
            f"The node {node.address} has not got the cluster's catalog yet.",
            WAIT.format(node.host, node.port),
        )


def _answers(
    connection: BaseDatabaseWrapper, cluster: Cluster
) -> Iterator[tuple[str, str, str, str]]:
    [own] = fetch_one(connection, ABOUT_NODE)
    version, server, has_daemon = own.split("|")
    if has_daemon == "f":
        yield _no_daemon("coordinator")
    workers = cluster.workers
    hosts, ports = [node.host for node in workers], [node.port for node in workers]
    parameters = [hosts, ports, [ABOUT_NODE] * len(workers)]
    for address, success, answer in fetch_all(connection, ON_WORKERS, parameters):
        if not success:
            yield (
                "node_unreachable",
                address,
                f"The node {address} does not answer: {answer}.",
                "Start it, or look at pg_hba.conf there and at citus.node_conninfo.",
            )
            continue
        its_version, its_server, has_daemon = answer.split("|")
        if its_version != version:
            found = f"version {its_version}" if its_version else "none"
            word = "ALTER EXTENSION citus UPDATE;" if its_version else "CREATE EXTENSION citus;"
            yield (
                "node_extension",
                address,
                f"The coordinator has version {version} of the extension citus, {address} {found}.",
                f"On {address}: {word}",
            )
        if its_server != server:
            yield (
                "node_version",
                address,
                f"The coordinator runs PostgreSQL {_release(server)}, {address}"
                f" {_release(its_server)}.",
                "Bring the nodes to one release of PostgreSQL.",
            )
        if has_daemon == "f":
            yield _no_daemon(address)


def _no_daemon(node: str) -> tuple[str, str, str, str]:
    return (
        "background_workers",
        node,
        f"The maintenance daemon of Citus does not run for this database on the {node}: each"
        " database of a cluster needs a background worker on every node."
        if node == "coordinator"
        else f"The maintenance daemon of Citus does not run for this database on {node}: each"
        " database of a cluster needs a background worker on every node.",
        "Raise max_worker_processes there, and restart it.",
    )


def _release(number: str) -> str:
    return f"{int(number) // 10000}.{int(number) % 10000}"
