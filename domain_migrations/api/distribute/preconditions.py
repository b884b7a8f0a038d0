"""The state that a cluster and its domains must be in before anything is distributed."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, get_domains
from ...engine.cluster.cluster import Cluster, read_cluster
from ...engine.history.status import DomainStatus, read_name_statuses
from ...engine.messages import shortened
from ...engine.runner.interruptions import find_interruption
from ...engine.sessions.connection import fetch_all
from ...exceptions import (
    DependencyNotApplied,
    DistributionRefused,
    MigrationInterrupted,
    NodeUnavailable,
)

PING = """
SELECT host || ':' || port, result
FROM pg_catalog.master_run_on_worker(%s::text[], %s::int[], %s::text[], true)
    AS answer (host, port, success, result)
WHERE NOT success
"""


def usable_cluster(connection: BaseDatabaseWrapper) -> Cluster:
    """Return the cluster that the connection's database coordinates.

    Raises:
        DistributionRefused: the database is not a coordinator's, or has no workers.
        NodeUnavailable: a node does not answer, or has not got the cluster's catalog yet.
    """
    cluster, database = read_cluster(connection), connection.alias
    if cluster is None:
        raise DistributionRefused(
            f'The database "{database}" does not belong to a cluster: the extension citus is not'
            " installed in it.",
            hint="On every node, run CREATE EXTENSION citus; then, on the coordinator,"
            " citus_set_coordinator_host() and citus_add_node().",
        )
    if not cluster.is_coordinator:
        at = next((node.address for node in cluster.nodes if node.is_coordinator), "")
        raise DistributionRefused(
            f'The database "{database}" is on a worker of the cluster, where the locks of runs'
            " exclude nobody.",
            hint="Set the address of the coordinator in DATABASES" + (f": {at}." if at else "."),
        )
    if not any(node.is_coordinator for node in cluster.nodes):
        raise DistributionRefused(
            f'The coordinator of the database "{database}" is not in its own cluster, so core\'s'
            " tables could have no copy on it.",
            hint="Run SELECT citus_set_coordinator_host('host', port) with the address by which the"
            " workers reach it.",
        )
    if not any(node.should_have_shards for node in cluster.workers):
        raise DistributionRefused(
            f'The cluster of the database "{database}" has no worker for the tables of domains.',
            hint="Add one with SELECT citus_add_node('host', port).",
        )
    _check_nodes(connection, cluster)
    return cluster


def _check_nodes(connection: BaseDatabaseWrapper, cluster: Cluster) -> None:
    hosts = [node.host for node in cluster.workers]
    ports = [node.port for node in cluster.workers]
    silent = fetch_all(connection, PING, [hosts, ports, ["SELECT 1"] * len(hosts)])
    if silent:
        found = "; ".join(f"{address}: {answer}" for address, answer in silent)
        raise NodeUnavailable(
            f"A node of the cluster does not answer: {found}.",
            hint="Nothing was changed. Start it, and run the command again.",
        )
    late = [node.address for node in cluster.nodes if not (node.is_active and node.metadata_synced)]
    if late:
        raise NodeUnavailable(
            "A node of the cluster is inactive, or has not got its catalog yet:"
            f" {', '.join(late)}.",
            hint="Nothing was changed. Wait until pg_dist_node says isactive and metadatasynced;"
            " SELECT citus_activate_node('host', port) starts it.",
        )


def refuse_unfinished(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> None:
    """Refuse where core, or one of the domains, is not completely migrated.

    Raises:
        DependencyNotApplied: migrations are pending.
        MigrationInterrupted: a run has died, and what it left is not done.
    """
    needed = list(dict.fromkeys((get_domains()[0], *domains)))
    for status in read_name_statuses(connection, needed):
        _refuse_pending(status)
        found = find_interruption(connection, status.domain) if status.last_run else None
        if found is not None or not status.is_consistent:
            at = f" at {found.key}" if found else ""
            raise MigrationInterrupted(
                f'The last run of the domain "{status.domain.name}" did not end well{at}.',
                hint=f"First run: manage.py migrate_domain {status.domain.name}",
            )


def _refuse_pending(status: DomainStatus) -> None:
    if status.pending:
        raise DependencyNotApplied(
            f'The domain "{status.domain.name}" has pending migrations:'
            f" {shortened(status.pending)}.",
            hint=f"First run: manage.py migrate_domain {status.domain.name}",
        )
