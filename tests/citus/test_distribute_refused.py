"""What is refused before anything is changed, and the status that a script gets."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.db import connections

from tests.support.cluster import CitusServers, pointed_at
from tests.support.commands import Result

pytestmark = pytest.mark.citus


def run_sql(text: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(text)


def test_pending_migrations(citus_database: str, call: Callable[..., Result]) -> None:
    result = call("distribute_domain", "inventory")

    assert result.exit_status == 1
    assert 'The domain "core" has pending migrations: ' in result.stderr
    assert "First run: manage.py migrate_domain core" in result.stderr


def test_worker(
    citus_database: str, citus_cluster: CitusServers, call: Callable[..., Result]
) -> None:
    with pointed_at(citus_cluster.settings(citus_database, citus_cluster.workers[0])):
        result = call("distribute_domain", "inventory")

    assert result.exit_status == 1
    host, port = citus_cluster.coordinator.address
    assert 'The database "default" is on a worker of the cluster' in result.stderr
    assert f"Set the address of the coordinator in DATABASES: {host}:{port}." in result.stderr


def test_coordinator_without_its_host(citus_database: str, call: Callable[..., Result]) -> None:
    run_sql("SELECT citus_remove_node(nodename, nodeport) FROM pg_dist_node WHERE groupid = 0")

    result = call("distribute_domain", "inventory")

    assert result.exit_status == 1
    assert "is not in its own cluster" in result.stderr


def test_node_that_does_not_answer(citus_database: str, call: Callable[..., Result]) -> None:
    # A port that nobody listens at, for this database only.
    run_sql("UPDATE pg_dist_node SET nodeport = 1 WHERE groupid = 2")
    connections["default"].close()

    result = call("distribute_domain", "inventory", "--format", "json")

    assert result.exit_status == 75
    assert json.loads(result.stdout)["error"]["code"] == "node"
    assert "A node of the cluster does not answer: " in result.stderr
    assert ":1: " in result.stderr


def test_node_that_is_not_active(citus_database: str, call: Callable[..., Result]) -> None:
    run_sql(
        "SELECT citus_disable_node(nodename, nodeport, true) FROM pg_dist_node WHERE groupid = 2"
    )

    result = call("distribute_domain", "inventory")

    assert result.exit_status == 75
    assert "A node of the cluster is inactive" in result.stderr


def test_an_obstacle(migrated_citus_database: str, call: Callable[..., Result]) -> None:
    run_sql(
        "CREATE FUNCTION hr.f() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF TG_TABLE_NAME = 'x' THEN RAISE 'x'; END IF; RETURN NULL; END $$"
    )
    run_sql("CREATE TRIGGER t AFTER INSERT ON hr.positions FOR EACH ROW EXECUTE FUNCTION hr.f()")
    run_sql("CREATE RULE r AS ON DELETE TO hr.positions DO ALSO SELECT 1")

    result = call("distribute_domain", "hr", "--dry-run")

    assert result.exit_status == 1
    assert "1 more obstacle after that." in result.stderr
    assert "manage.py distribute_domain --check hr" in result.stderr

    checked = call("distribute_domain", "hr", "--check")

    assert checked.exit_status == 1
    assert "[function_shard_name]" in checked.stdout
    assert "[rule_action]" in checked.stdout
