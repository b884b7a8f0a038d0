"""What a distribution would meet in a real cluster."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections, transaction

from domain_migrations.api.distribute.node_obstacles import node_obstacles
from domain_migrations.api.distribute.preflight import check_distribution
from domain_migrations.api.verify.verify import verify_domains
from domain_migrations.engine.cluster.cluster import read_cluster
from tests.support.catalog import execute, query
from tests.support.cluster import CitusServers, pointed_at

pytestmark = pytest.mark.citus

# No process listens at port 1.
CASES = (
    ("node_inactive", "UPDATE pg_dist_node SET isactive = false WHERE groupid = 1"),
    ("node_unsynced", "UPDATE pg_dist_node SET metadatasynced = false WHERE groupid = 1"),
    ("node_unreachable", "UPDATE pg_dist_node SET nodeport = 1 WHERE groupid = 1"),
    ("coordinator_host", "DELETE FROM pg_dist_node WHERE groupid = 0"),
    ("no_worker", "UPDATE pg_dist_node SET shouldhaveshards = false"),
)


def of_nodes() -> list[str]:
    connection = connections["default"]
    return [each.id for each in node_obstacles(connection, read_cluster(connection))]


@pytest.mark.parametrize(("kind", "statement"), CASES, ids=[kind for kind, _ in CASES])
def test_nodes(citus_module_database: str, kind: str, statement: str) -> None:
    assert of_nodes() == []
    with transaction.atomic():
        execute(statement)
        assert of_nodes() == [kind]
        transaction.set_rollback(True)


def test_a_worker_without_the_extension(citus_database: str, citus_cluster: CitusServers) -> None:
    with citus_cluster.workers[0].connect(citus_database) as session:
        session.execute("DROP EXTENSION citus CASCADE")
    host, port = citus_cluster.workers[0].address
    [obstacle] = node_obstacles(connections["default"], read_cluster(connections["default"]))
    assert (obstacle.id, obstacle.object) == ("node_extension", f"{host}:{port}")
    assert obstacle.remedy == f"On {host}:{port}: CREATE EXTENSION citus;"


def test_the_sample_project_can_be_distributed(
    migrated_citus_database: str, citus_cluster: CitusServers
) -> None:
    before = query("SELECT count(*) FROM pg_class")
    found = check_distribution()

    assert (found.obstacles, found.domains) == ((), ("inventory", "hr", "finance"))
    assert found.size > found.core_size > 0
    assert "df -h" in found.notes[0]
    assert "no way back" in found.notes[-1]
    assert query("SELECT count(*) FROM pg_class") == before

    with pointed_at(citus_cluster.settings(migrated_citus_database, citus_cluster.workers[0])):
        assert [each.id for each in check_distribution().obstacles] == ["not_coordinator"]


def test_one_domain_leaves_the_keys_of_the_others_half_enforced(
    migrated_citus_database: str,
) -> None:
    found = check_distribution(["inventory"])

    assert found.obstacles == ()
    assert found.notes[0] == (
        "Until hr, finance are distributed too, nothing stops whoever deletes rows of core that"
        " they point at; what they write is checked."
    )


def test_a_domain_that_is_declared_as_distributed_can_become_it(
    migrated_citus_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)
    assert [each.id for each in verify_domains(["hr"]).findings] == ["D071"]
    assert check_distribution(["hr"]).obstacles == ()

    execute("ALTER TABLE hr.positions ADD COLUMN odd int")
    [obstacle] = check_distribution(["hr"]).obstacles
    assert (obstacle.id, obstacle.domain, obstacle.object) == (
        "verify_finding",
        "hr",
        "hr.positions.odd",
    )
    assert obstacle.message.startswith("D")


def test_pending_migrations(migrated_citus_database: str) -> None:
    call_command(
        "repair_domain", "hr", mark_unapplied="0013_alter_verbose_names", interactive=False
    )
    found = check_distribution(["hr"]).obstacles
    assert [(each.id, each.object, each.remedy) for each in found] == [
        ("pending_migrations", "hr.django_migrations_hr", "manage.py migrate_domain hr")
    ]
