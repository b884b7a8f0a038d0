"""Obstacles in the cluster that are found before any node is asked."""

from __future__ import annotations

from django.db import connections

from domain_migrations.api.distribute.node_obstacles import node_obstacles
from domain_migrations.api.obstacle import Obstacle
from domain_migrations.engine.cluster.cluster import Cluster, Node

COORDINATOR = Node(0, "10.0.0.1", 5432, True, True, True, False)


def found(cluster: Cluster | None) -> list[Obstacle]:
    return list(node_obstacles(connections["default"], cluster))


def test_without_the_extension() -> None:
    assert [each.as_json() for each in found(None)] == [
        {
            "id": "no_extension",
            "domain": "",
            "database": "default",
            "object": "citus",
            "message": 'The extension citus is not installed in the database "default".',
            "remedy": "On every node: CREATE EXTENSION citus;",
        }
    ]


def test_on_a_worker() -> None:
    [obstacle] = found(Cluster("14.0-1", False, (COORDINATOR,), {}, frozenset()))

    assert obstacle.id == "not_coordinator"
    assert obstacle.remedy == "Set the address of the coordinator in DATABASES: 10.0.0.1:5432."
