"""Obstacles in the cluster itself: its coordinator, its nodes and their versions."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.cluster.cluster import Cluster, Node
from ...engine.cluster.node_queries import NodeQuery, ask_nodes
from ...engine.sessions.connection import fetch_all
from ..obstacle import Obstacle

# The daemon starts with the first use of a database, where a background worker is left. Whoever may
# not see what other sessions are sees no lack.
ABOUT_NODE = """
SELECT json_build_array(
    (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'),
    current_setting('server_version_num')::int,
    (SELECT count(*) < current_setting('max_worker_processes')::int
        OR bool_or(datname = current_database() AND backend_type LIKE 'Citus Maintenance Daemon%')
     FROM pg_catalog.pg_stat_activity
     WHERE backend_type NOT IN ('client backend', 'autovacuum launcher', 'autovacuum worker',
        'background writer', 'checkpointer', 'startup', 'walreceiver', 'walsender', 'walwriter',
        'walsummarizer', 'archiver', 'logger', 'slotsync worker', 'io worker')))
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
            "The coordinator is not a node of its own cluster, so core's tables could have no copy"
            " on it.",
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
    [[answer]] = fetch_all(connection, ABOUT_NODE)
    version, server, has_worker = json.loads(answer) if isinstance(answer, str) else answer
    if not has_worker:
        yield _no_worker_left("the coordinator")
    queries = [NodeQuery(node.host, node.port, ABOUT_NODE) for node in cluster.workers]
    for node, about in zip(cluster.workers, ask_nodes(connection, queries), strict=True):
        address = node.address
        if about.problem:
            yield (
                "node_unreachable",
                address,
                f"The node {address} does not answer: {about.problem}.",
                "Start it, or look at pg_hba.conf there and at citus.node_conninfo.",
            )
            continue
        its_version, its_server, has_worker = about.value
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
        if not has_worker:
            yield _no_worker_left(address)


def _no_worker_left(node: str) -> tuple[str, str, str, str]:
    return (
        "background_workers",
        node,
        f"No background worker is left on {node} for the maintenance daemon of this database: each"
        " database of a cluster needs one on every node.",
        "Raise max_worker_processes there, and restart it.",
    )


def _release(number: int) -> str:
    return f"{number // 10000}.{number % 10000}"
