"""What a connection's database says of its cluster."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from domain_migrations.domains import QualifiedName
from domain_migrations.engine.cluster.cluster import Cluster, read_cluster
from tests.support.cluster import CORE, EMPTY_HR, CitusServers, connected, pointed_at

pytestmark = pytest.mark.citus


def read() -> Cluster:
    found = read_cluster(connections["default"])
    assert found is not None
    return found


def test_coordinator_with_workers(citus_database: str, citus_cluster: CitusServers) -> None:
    found = read()

    assert found.version.split(".")[0].isdecimal()
    assert found.is_coordinator
    assert [node.is_coordinator for node in found.nodes] == [True, False, False]
    assert [(node.host, node.port) for node in found.workers] == [
        worker.address for worker in citus_cluster.workers
    ]
    assert all(node.is_active and node.has_metadata for node in found.nodes)
    assert all(node.metadata_synced for node in found.nodes)
    assert [node.should_have_shards for node in found.nodes] == [False, True, True]
    assert (found.schemas, found.reference_tables) == ({}, frozenset())


def test_distributed_schema_is_on_one_node(citus_database: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "CREATE SCHEMA inventory; CREATE SCHEMA hr;"
            "CREATE TABLE public.users (id bigint PRIMARY KEY);"
            "CREATE TABLE public.drugs (id bigint PRIMARY KEY);"
            "CREATE TABLE inventory.drugs (id bigint PRIMARY KEY);"
            "SELECT create_reference_table('public.users')"
        )
        cursor.execute("SELECT citus_schema_distribute('inventory')")
        cursor.execute("SELECT citus_schema_distribute('hr')")
        cursor.execute(
            "SELECT nodeport, nodename FROM citus_shards WHERE table_name::text LIKE %s",
            ["inventory.%"],
        )
        ((port, host),) = cursor.fetchall()

    found = read()

    node = found.schemas["inventory"]
    assert node is not None
    assert (node.host, node.port) == (host, port)
    assert found.schemas == {"hr": None, "inventory": node}
    assert found.is_distributed("hr")
    assert not found.is_distributed("public")
    assert found.reference_tables == {QualifiedName("public", "users")}


def test_worker_is_no_coordinator(citus_database: str, citus_cluster: CitusServers) -> None:
    with pointed_at(citus_cluster.settings(citus_database, citus_cluster.workers[0])):
        found = read()

    assert not found.is_coordinator
    assert len(found.nodes) == 3


def test_databases_have_what_their_template_says(
    citus_cluster: CitusServers, django_db_blocker: Any
) -> None:
    """In whatever order templates are made that begin with the same commands."""
    for template, schemas in [(CORE, set()), (EMPTY_HR, {"hr"}), (CORE, set())]:
        with connected(citus_cluster, django_db_blocker, template=template):
            assert read().schemas.keys() == schemas
