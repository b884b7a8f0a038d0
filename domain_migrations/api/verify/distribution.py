"""Tables that should be on a cluster's nodes, and are on the coordinator only."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...engine.catalog import drift_ids
from ...engine.cluster.cluster import Cluster, read_cluster
from ...engine.messages import Finding
from ...engine.sessions.connection import schema_exists

HINT_SCHEMA = "To move its tables to a node, run: manage.py distribute_domain {}"
HINT_TABLE = (
    "No distributed domain can refer to it. When no run is in progress, and its triggers are"
    " disabled: BEGIN; SET LOCAL citus.enable_local_reference_table_foreign_keys TO off;"
    " SELECT create_reference_table('{}'); COMMIT"
)
HINT_UNLOGGED = (
    "No distributed domain can refer to it, and the copy of a node that crashes would be empty."
    " Write a migration with: ALTER TABLE {} SET LOGGED"
)
HINT_PARTITIONED = (
    "No distributed domain can refer to it: Citus copies no partitioned table. Where one has to,"
    " move the rows of {} to a table without partitions."
)
UNFIT = {True: ("partitioned", HINT_PARTITIONED), False: ("unlogged", HINT_UNLOGGED)}


def distribution_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield what is not distributed although it should be; nothing on plain PostgreSQL."""
    if not (domain.is_core or domain.is_distributed):
        return
    cluster = read_cluster(connection)
    if cluster is None:
        return
    if domain.is_core:
        yield from _local_core_tables(connection, domain, cluster)
    elif not cluster.is_distributed(domain.schema) and schema_exists(connection, domain.schema):
        yield Finding(
            drift_ids.NOT_DISTRIBUTED,
            "drift",
            domain.name,
            domain.schema,
            f'The domain "{domain.name}" is declared as distributed, and its schema'
            f" {domain.schema} is not.",
            HINT_SCHEMA.format(domain.name),
        )


def _local_core_tables(
    connection: BaseDatabaseWrapper, core: Domain, cluster: Cluster
) -> Iterator[Finding]:
    from ...engine.cluster.new_core_tables import has_core_copies
    from ...engine.cluster.reference_tables import (
        local_core_tables,
        model_tables,
        tables_for_every_node,
        unfit_core_tables,
    )

    if not has_core_copies(cluster):
        return
    local = tables_for_every_node(local_core_tables(connection).values())
    for table in sorted(local & model_tables()):
        yield Finding(
            drift_ids.NOT_ON_EVERY_NODE,
            "drift",
            core.name,
            str(table),
            f"The table {table} is on the coordinator only, while core's other tables are on every"
            " node.",
            HINT_TABLE.format(table.db_table),
        )
    unfit = unfit_core_tables(connection)
    for table in sorted(tables_for_every_node(unfit) & model_tables()):
        kind, hint = UNFIT[unfit[table]]
        yield Finding(
            drift_ids.NOT_ON_EVERY_NODE,
            "drift",
            core.name,
            str(table),
            f"The table {table} is {kind}, so it is on the coordinator only, while core's other"
            " tables are on every node.",
            hint.format(table.db_table),
        )
