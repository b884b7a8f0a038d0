"""What commands say of the rows in distributed tables, which the coordinator's shells lack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from domain_migrations.api.extract.obstacles import distributed_obstacles
from domain_migrations.api.extract.sides import Sides
from domain_migrations.api.verify.row_facts import RowFacts
from domain_migrations.domains import QualifiedName, get_domain
from domain_migrations.engine.alterations.definition import SchemaDefinition
from domain_migrations.engine.cluster.shards import Measure, measure_shards, read_placements
from domain_migrations.engine.runner.dry_run.effects import files_by_oid, rewritten
from domain_migrations.engine.runner.loader import DomainLoader
from domain_migrations.engine.runner.losses import describe_losses
from tests.support import cluster
from tests.support.catalog import execute
from tests.support.cluster import CitusServers
from tests.support.distributed import distribute, node_down, node_of

pytestmark = pytest.mark.citus

LEAVE_TYPES = QualifiedName("hr", "leave_types")


@pytest.fixture(scope="module", autouse=True)
def distributed(citus_cluster: CitusServers, django_db_blocker: Any) -> Iterator[None]:
    """The sample domains, hr on a node of the cluster."""
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.MIGRATED):
        execute("CREATE TABLE public.leave_types (id int)")
        distribute("hr")
        execute("ANALYZE public.users")
        yield


def losses() -> str:
    connection = connections["default"]
    loader = DomainLoader(connection, get_domain("hr"))
    reverted = loader.graph.nodes["hr", "0002_leave"]
    return describe_losses(connection, loader, [(reverted, True)])


def measures(*schemas: str) -> dict[QualifiedName, Measure]:
    connection = connections["default"]
    return measure_shards(connection, read_placements(connection, schemas))


def test_losses_count_the_rows_on_the_node() -> None:
    counts = " + ".join(
        f"(SELECT count(*) FROM hr.{name})"
        for name in ("leave_requests", "leave_balances", "leave_types")
    )
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        (rows,) = cursor.fetchone()
    assert rows > 0

    assert f"3 tables with an estimated {rows} rows (hr." in losses()


def test_rows_on_a_node_that_is_down_are_unknown() -> None:
    assert measures("hr")[LEAVE_TYPES].rows
    with node_down("hr"):
        assert measures("hr")[LEAVE_TYPES] == Measure(None, None)


def test_rewritten_table_has_the_rows_of_its_shard() -> None:
    connection = connections["default"]
    before = files_by_oid(connection)
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        execute("ALTER TABLE hr.leave_types ALTER COLUMN code TYPE char(40)")
        rows = rewritten(connection, before, files_by_oid(connection))
        transaction.set_rollback(True)

    assert not any("FROM hr.leave_types" in query["sql"] for query in queries)
    assert rows == {"hr.leave_types": measures("hr")[LEAVE_TYPES].rows}
    assert rows["hr.leave_types"] > 0


def test_one_copy_of_a_reference_table_is_measured() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*), citus_total_relation_size('users') FROM users")
        rows, of_all_nodes = cursor.fetchone()

    users = measures("public")[QualifiedName("public", "users")]

    assert users == Measure(rows, of_all_nodes // 3)


def test_sizes_of_a_locked_table_are_not_waited_for() -> None:
    with transaction.atomic():
        execute("LOCK hr.leave_types IN ACCESS EXCLUSIVE MODE")
        assert set(measures("hr")) >= {LEAVE_TYPES}


def test_repair_knows_the_size_of_the_shard() -> None:
    connection = connections["default"]
    definition = SchemaDefinition.read(connection, "hr", exclude=())

    size = RowFacts(connection, definition).tables["leave_types"].size
    with node_down("hr"):
        unknown = RowFacts(connection, definition).too_large("leave_types")

    assert size == measures("hr")[LEAVE_TYPES].size
    assert unknown == "the size of the table is not known, and nobody can write to it meanwhile"


def test_extraction_of_a_distributed_domain_is_refused() -> None:
    host, port = node_of("hr")

    found = list(distributed_obstacles(Sides(get_domain("hr"), "default", "default")))
    others = list(distributed_obstacles(Sides(get_domain("finance"), "default", "default")))

    assert found[0].message.startswith(
        'The domain is distributed in the cluster of "default": its tables are on the node'
        f" {host}:{port}, and"
    )
    assert "manage.py distribute_domain hr --move NODE" in found[0].remedy
    assert others == []
