"""The Citus cluster that a database belongs to, as its catalog describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import QualifiedName
from ...exceptions import InvalidConfiguration
from ..sessions.connection import fetch_all, fetch_one
from ..sessions.database_problems import SITE, SiteLabel

EXTENSION = "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'"

# Before a worker is added to a cluster, its group is 0, too, and it has no nodes.
LOCAL_GROUP = "SELECT groupid FROM pg_catalog.pg_dist_local_group"

NODES = """
SELECT groupid, nodename, nodeport, isactive, hasmetadata,
    coalesce(metadatasynced, false), shouldhaveshards
FROM pg_catalog.pg_dist_node
WHERE noderole = 'primary'
ORDER BY groupid
"""

# All shards of a distributed schema are on one node.
SCHEMAS = """
SELECT n.nspname, min(l.groupid)
FROM pg_catalog.pg_dist_schema s
JOIN pg_catalog.pg_namespace n ON n.oid = s.schemaid
LEFT JOIN pg_catalog.pg_dist_partition p ON p.colocationid = s.colocationid
LEFT JOIN pg_catalog.pg_dist_shard h ON h.logicalrelid = p.logicalrelid
LEFT JOIN pg_catalog.pg_dist_placement l ON l.shardid = h.shardid
GROUP BY 1
ORDER BY 1
"""

REFERENCE_TABLES = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_dist_partition p
JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE p.partmethod = 'n' AND p.repmodel = 't'
"""


class Node(NamedTuple):
    """A server of the cluster, a row of ``pg_dist_node``; the coordinator's group is 0."""

    group: int
    host: str
    port: int
    is_active: bool
    has_metadata: bool
    metadata_synced: bool
    should_have_shards: bool

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_coordinator(self) -> bool:
        return self.group == 0


@dataclass(frozen=True)
class Cluster:
    """What one database says of its cluster.

    Attributes:
        version: the extension's, such as ``14.0-1``.
        is_coordinator: whether the database is the coordinator's.
        nodes: the primary nodes, the coordinator first where its host is set.
        schemas: distributed schema → the node of its shards, None where it has no table yet.
        reference_tables: the tables that every node has a copy of.
    """

    version: str
    is_coordinator: bool
    nodes: tuple[Node, ...]
    schemas: Mapping[str, Node | None]
    reference_tables: frozenset[QualifiedName]

    @property
    def workers(self) -> tuple[Node, ...]:
        """The nodes but the coordinator."""
        return tuple(node for node in self.nodes if not node.is_coordinator)

    def is_distributed(self, schema: str) -> bool:
        """Return whether the schema is distributed: its tables are shards on one node."""
        return schema in self.schemas


TO_MIGRATE = (
    "locks exclude no run on another node, and tables of core would be made on this one alone"
)
TO_READ = "core has no history, and what is not on this node is not seen"


def check_coordinator(
    connection: BaseDatabaseWrapper, cluster: Cluster, why: str = TO_MIGRATE
) -> None:
    """Refuse to work on a worker.

    Arguments:
        why: what is wrong there.

    Raises:
        InvalidConfiguration: the database is one of a worker.
    """
    if cluster.is_coordinator:
        return
    site: SiteLabel | None = connection.settings_dict.get(SITE)
    subject = f'"{connection.alias}"' if site is None else f'of the site "{site.name}"'
    addresses = [node.address for node in cluster.nodes if node.is_coordinator]
    raise InvalidConfiguration(
        f"The database {subject} is on a worker of a Citus cluster, where {why}.",
        hint=f"Let {'DATABASES' if site is None else site.origin} name the coordinator"
        f"{', ' + addresses[0] if addresses else ''}, and run the command again.",
    )


def read_cluster(connection: BaseDatabaseWrapper) -> Cluster | None:
    """Return the cluster of a connection's database; None where Citus is not installed in it."""
    extension = fetch_one(connection, EXTENSION)
    if extension is None:
        return None
    group = fetch_one(connection, LOCAL_GROUP)
    nodes = tuple(Node(*row) for row in fetch_all(connection, NODES))
    by_group = {node.group: node for node in nodes}
    return Cluster(
        version=extension[0],
        is_coordinator=group == (0,),
        nodes=nodes,
        schemas={schema: by_group.get(at) for schema, at in fetch_all(connection, SCHEMAS)},
        reference_tables=frozenset(
            QualifiedName(*row) for row in fetch_all(connection, REFERENCE_TABLES)
        ),
    )
