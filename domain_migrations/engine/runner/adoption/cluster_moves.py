"""Moves of tables between core and a domain on a Citus cluster: on the coordinator only."""

from __future__ import annotations

from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper

from ....exceptions import InvalidConfiguration
from ...cluster.cluster import Cluster, read_cluster
from ...messages import shortened
from ...sql.query import run_sql
from ..run_session import RunSession
from .moves import Move

KEEP_LOCAL: LiteralString = "SET LOCAL citus.enable_schema_based_sharding TO off"


def keep_on_coordinator(session: RunSession, move: Move) -> None:
    """Let a new schema of the open transaction be an ordinary one, if the server is a cluster's.

    Citus would copy the tables to a node while they move, one by one, before those that they refer
    to; ``distribute_domain`` does it afterwards, with the triggers off.

    Raises:
        InvalidConfiguration: the tables, or the schema, are on nodes already.
    """
    if session.on_cluster is not None:
        check_move(session.on_cluster.cluster, move)
        run_sql(session.connection, KEEP_LOCAL)


def check_not_on_nodes(connection: BaseDatabaseWrapper, move: Move) -> None:
    """Refuse a move of what is on nodes already, if the database is one of a cluster.

    Raises:
        InvalidConfiguration: the tables, or the schema, are.
    """
    if (cluster := read_cluster(connection)) is not None:
        check_move(cluster, move)


def check_move(cluster: Cluster, move: Move) -> None:
    """Refuse a move of tables, or into or out of a schema, that are on nodes.

    Raises:
        InvalidConfiguration: they are.
    """
    schema = move.domain.schema
    if cluster.is_distributed(schema):
        raise InvalidConfiguration(
            f"{move} is not possible: the schema {schema} is distributed. Citus copies the rows of"
            " tables that enter it with their triggers on, and lets none with an identity leave.",
            hint="Give new tables to the domain in migrations of its own, or restore a dump of the"
            " coordinator into plain PostgreSQL first.",
        )
    copied = sorted(cluster.reference_tables & move.tables.keys())
    if copied:
        raise InvalidConfiguration(
            f"{move} is not possible: {shortened(copied)} {'are' if copied[1:] else 'is'} on every"
            " node of the cluster, as core's tables are.",
            hint="Adopt an app before its tables are distributed; those of a domain are on one"
            " node.",
        )
