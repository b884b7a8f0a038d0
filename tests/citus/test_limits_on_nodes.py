"""Locks on a node are waited for no longer than said, whatever the transaction is of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.db import connections
from django.test import override_settings

from tests.api.seed.conftest import Write, fail, seeds
from tests.citus.test_migrate import THINGS
from tests.support import cluster
from tests.support.catalog import history, query
from tests.support.cluster import CitusServers
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

pytestmark = pytest.mark.citus

Call = Callable[..., Result]
Hold = Callable[..., object]

__all__ = ["seeds"]

SHARDS = """
SELECT nodename, nodeport, shard_name(table_name, shardid) FROM citus_shards
WHERE table_name = %s::regclass
"""
LIMIT = 0.8
LONGEST = 6.0
"""Seconds after which a run that waits without a limit goes on, and the test fails."""


@contextmanager
def held(servers: CitusServers, table: str, mode: str, seconds: float = LONGEST) -> Iterator[None]:
    """Lock a table on each worker that has it, past the coordinator."""
    name = str(connections["default"].settings_dict["NAME"])
    shards = {(host, port): shard for host, port, shard in query(SHARDS, table)}
    with ExitStack() as stack:
        for node in servers.workers:
            if shard := shards.get(node.address):
                holder = stack.enter_context(node.connect(name, application_name="holder"))
                holder.execute("SET citus.enable_manual_changes_to_shards = on")
                holder.execute(f"BEGIN; LOCK TABLE {shard} IN {mode} MODE")
                release = threading.Timer(seconds, holder.execute, ["COMMIT"])
                release.start()
                stack.callback(release.join)
                stack.callback(release.cancel)
        yield


PARTS = {
    "0002_field": 'migrations.AddField("Thing", "a", models.IntegerField(null=True))',
    "0003_sql": 'migrations.RunSQL("ALTER TABLE hr.things ADD b int", "")',
    "0004_rows": 'migrations.RunSQL("UPDATE hr.things SET other_id = NULL", "")',
    "0005_python": "migrations.RunPython(own_transaction)",
}
PART = """
from django.db import transaction
def own_transaction(apps, editor):
    with transaction.atomic(), editor.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hr.things ADD d int")
class Migration(migrations.Migration):
    atomic = False
    dependencies = [("hr", "{before}")]
    operations = [{operation}]
"""


@pytest.mark.usefixtures("replayed")
def test_migrations_without_a_transaction(
    distributed_hr: TemporaryMigrations, citus_cluster: CitusServers, call: Call
) -> None:
    steps = {"0001_things": THINGS}
    with distributed_hr.release(steps):
        assert call("migrate_domain", "hr").exit_status == 0
    for name, operation in PARTS.items():
        before = list(steps)[-1]
        steps[name] = PART.format(before=before, operation=operation)
        is_python = name == "0005_python"
        with (
            distributed_hr.release(steps),
            held(citus_cluster, "hr.things", "ACCESS EXCLUSIVE", LONGEST if is_python else 2),
        ):
            result = call("migrate_domain", "hr", lock_timeout=LIMIT)
        if is_python:  # What it has done outside of its transactions cannot be repeated.
            assert "canceling statement due to lock timeout" in result.stderr
            continue
        assert result.exit_status == 0, result.stderr
        assert f"A statement of hr.{name} was rolled back: lock timeout" in result.stdout
    assert history("hr.django_migrations_hr")[-1] == ("hr", "0004_rows")


@pytest.fixture
def distributed_database(citus_cluster: CitusServers, django_db_blocker: object) -> Iterator[str]:
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.DISTRIBUTED) as name:
        yield name


def test_seeds(distributed_database: str, citus_cluster: CitusServers, seeds: Write) -> None:
    seeds("001_forms.yaml", "DosageForm: [{code: A, name: One}]")
    with (
        override_settings(DOMAIN_MIGRATIONS={"RETRIES": 0, "LOCK_TIMEOUT": LIMIT}),
        held(citus_cluster, "inventory.dosage_forms", "ACCESS EXCLUSIVE"),
    ):
        assert "canceling statement due to lock timeout" in fail()


def test_distribution_beside_reference_tables_of_an_earlier_one(
    migrated_citus_database: str, citus_cluster: CitusServers, call: Call
) -> None:
    assert call("distribute_domain", "inventory", "--noinput").exit_status == 0
    with (
        override_settings(DOMAIN_MIGRATIONS={"RETRIES": 0}),
        held(citus_cluster, "public.users", "ROW EXCLUSIVE"),
    ):
        result = call("distribute_domain", "hr", "--noinput", lock_timeout=LIMIT)
    assert result.exit_status == 1, result.stderr
    assert "canceling statement due to lock timeout" in result.stderr
    assert query("SELECT count(*) FROM pg_dist_schema") == [(1,)]
