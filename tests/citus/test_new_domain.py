"""A new domain on a cluster: distributed from its first migration on, core's tables everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.test import override_settings

from domain_migrations.domains import get_domain
from domain_migrations.engine.cluster.cluster import Cluster, read_cluster
from domain_migrations.engine.cluster.reference_tables import model_tables, session_tables
from domain_migrations.engine.runner.dry_run.dry_run import HOLDS_LOCKS
from tests.support import cluster
from tests.support.catalog import execute, query
from tests.support.cluster import CitusServers
from tests.support.commands import Result
from tests.support.extra_migrations import pending
from tests.support.temporary_migrations import TemporaryMigrations

pytestmark = pytest.mark.citus

Call = Callable[..., Result]

OWN_TABLES = """
SELECT c.relname, p.logicalrelid IS NOT NULL
FROM pg_class c LEFT JOIN pg_dist_partition p ON p.logicalrelid = c.oid
WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r'
"""
RESTORED = "SELECT count(*) FROM hr.django_migrations_hr_journal WHERE details ? 'snapshot'"

SEEN = """
class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_dist_schema"
            " WHERE schemaid = 'hr'::regnamespace) THEN RAISE 'not distributed'; END IF; END $$"
        )
    ]
"""

NEW_CORE = {
    "0901_places": """
    operations = [
        migrations.CreateModel("Place", [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=20, unique=True)),
        ], options={"db_table": "places"}),
        migrations.CreateModel("Room", [
            ("id", models.BigAutoField(primary_key=True)),
            ("place", models.ForeignKey("core.place", on_delete=models.CASCADE)),
            ("keepers", models.ManyToManyField("core.user", db_table="room_keepers")),
        ], options={"db_table": "rooms"}),
        migrations.RunSQL(
            "CREATE TABLE public.doors (id bigint PRIMARY KEY,"
            " place_id bigint CONSTRAINT doors_place REFERENCES public.places (id))",
            "DROP TABLE public.doors",
        ),
    ]
    """,
    "0902_changes": """
    operations = [
        migrations.AddField(
            "place", "roles", models.ManyToManyField("core.role", db_table="place_roles")
        ),
        migrations.AlterField("place", "name", models.CharField(max_length=40, unique=True)),
        migrations.RenameModel("Room", "Chamber"),
        migrations.AlterModelTable("chamber", "chambers"),
    ]
    """,
}
NEW_TABLES = {"places", "chambers", "room_keepers", "place_roles", "doors"}
NEW_KEY = {
    "0901_place": """
    dependencies += [("core", "0901_places")]
    operations = [migrations.CreateModel("Desk", [
        ("id", models.BigAutoField(primary_key=True)),
        ("place", models.ForeignKey("core.place", on_delete=models.CASCADE)),
    ], options={"db_table": '"hr"."desks"'})]
    """,
}


def read() -> Cluster:
    found = read_cluster(connections["default"])
    assert found is not None
    return found


def reference_tables() -> set[str]:
    return {table.name for table in read().reference_tables}


def own_tables(schema: str) -> dict[str, bool]:
    return dict(query(OWN_TABLES, schema))


@pytest.fixture
def core(citus_cluster: CitusServers, django_db_blocker: Any) -> Iterator[str]:
    """A database in which core is migrated, on the coordinator alone."""
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.CORE) as name:
        execute("CREATE TABLE public.hr (id int PRIMARY KEY); CREATE TABLE public.desks (id int)")
        yield name


@pytest.fixture
def distributed_hr(core: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> str:
    """hr is declared as distributed, and has been migrated."""
    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)
    result = call("migrate_domain", "hr")
    assert (result.exit_status, result.stderr) == (0, "")
    number = len(model_tables() - session_tables())
    assert f"every node, and locked meanwhile: {number} tables." in result.stdout
    return core


def test_distributed_from_the_first_migration_on(distributed_hr: str, call: Call) -> None:
    assert [*read().schemas] == ["hr"]
    tables = own_tables("hr")
    assert {table.name for table in get_domain("hr").engine_tables[:2]} < tables.keys()
    assert all(tables.values())
    assert query(RESTORED) != [(0,)]  # The snapshot was restored, not replayed.
    assert read().reference_tables == model_tables() - session_tables()
    assert {"hr", "desks", "django_session", "django_migrations"}.isdisjoint(reference_tables())
    assert call("verify_domain", "hr").stdout == "Nothing found.\n"
    assert call("migrate_domain", "hr").stdout.endswith("hr: nothing to do\n")


def test_local_domains_keep_their_rows(
    core: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("migrate_domain", "finance").exit_status == 0
    # Citus removes local rows with CASCADE: of a table's referrers, and of those of these.
    execute(
        "CREATE TABLE finance.approvals (id bigint PRIMARY KEY,"
        " permission_id int REFERENCES public.auth_permission (id));"
        "INSERT INTO finance.approvals SELECT 1, min(id) FROM public.auth_permission"
    )
    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)

    result = call("migrate_domain", "hr")

    assert (result.exit_status, result.stderr) == (0, "")
    assert query("SELECT id FROM finance.approvals") == [(1,)]
    assert read().reference_tables == model_tables() - session_tables()


def test_rows_of_core_are_kept_and_its_triggers_do_not_fire(
    core: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        "INSERT INTO public.auth_group (name) VALUES ('a'), ('b');"
        "CREATE TABLE public.fired (name text);"
        "CREATE FUNCTION public.fire() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO public.fired VALUES (NEW.name); RETURN NEW; END';"
        "CREATE TRIGGER on_group AFTER INSERT ON public.auth_group"
        " FOR EACH ROW EXECUTE FUNCTION public.fire();"
        "ALTER TABLE public.auth_group ENABLE ALWAYS TRIGGER on_group"
    )
    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)

    assert call("migrate_domain", "hr").exit_status == 0

    assert query("SELECT id, name FROM public.auth_group ORDER BY 1") == [(1, "a"), (2, "b")]
    assert query("SELECT * FROM public.fired") == []
    assert query("SELECT nextval(pg_get_serial_sequence('public.auth_group', 'id'))") == [(3,)]
    enabled = "SELECT tgenabled FROM pg_trigger WHERE tgname = 'on_group'"
    assert query(enabled) == [("A",)]
    left = "SELECT pg_relation_size('public.auth_group')"
    assert query(left) == [(0,)]


def test_dry_run_distributes_and_leaves_nothing(
    core: str, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)

    with TemporaryMigrations(tmp_path).release({"0001_seen": SEEN}):
        result = call("migrate_domain", "hr", dry_run=True)

    assert (result.exit_status, result.stderr) == (0, HOLDS_LOCKS + "\n")
    assert (read().schemas, read().reference_tables) == ({}, frozenset())
    assert query("SELECT to_regnamespace('hr')") == [(None,)]


def test_core_is_not_locked_while_a_writer_is_waited_for(
    core: str, call: Call, monkeypatch: pytest.MonkeyPatch, citus_cluster: CitusServers
) -> None:
    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)
    with (
        override_settings(DOMAIN_MIGRATIONS={"RETRIES": 1}),
        citus_cluster.coordinator.connect(core) as writer,
        writer.transaction(),
    ):
        writer.execute("LOCK TABLE public.users IN ROW EXCLUSIVE MODE")
        result = call("migrate_domain", "hr", lock_timeout=2)

    assert "The creation of the schema hr was rolled back: lock timeout, blocked by" in (
        result.stdout + result.stderr
    )
    assert result.exit_status == 1
    assert "canceling statement due to lock timeout" in result.stderr
    assert (read().schemas, read().reference_tables) == ({}, frozenset())
    assert query("SELECT to_regnamespace('hr')") == [(None,)]
    assert call("migrate_domain", "hr").exit_status == 0


def test_not_declared_stays_on_the_coordinator(core: str, call: Call) -> None:
    assert call("migrate_domain", "hr").exit_status == 0

    assert (read().schemas, read().reference_tables) == ({}, frozenset())
    assert not any(own_tables("hr").values())


def test_default_of_the_database(core: str, call: Call) -> None:
    execute("SET citus.enable_schema_based_sharding TO on")

    assert call("migrate_domain", "hr").exit_status == 0

    assert [*read().schemas] == ["hr"]
    assert all(own_tables("hr").values())


def test_empty_schema_that_exists_is_distributed(
    core: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("CREATE SCHEMA hr")
    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)

    assert call("migrate_domain", "hr").exit_status == 0

    assert all(own_tables("hr").values())


def test_schema_with_tables_stays_where_it_is(
    core: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("CREATE SCHEMA hr; CREATE TABLE hr.found (id int)")
    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)

    result = call("migrate_domain", "hr")

    assert result.exit_status == 0
    assert result.stderr == (
        'Warning: The domain "hr" is declared as distributed, and its schema had tables already,'
        " which stay on the coordinator. Run: manage.py distribute_domain hr\n"
    )
    assert not any(own_tables("hr").values())


def test_new_tables_of_core(distributed_hr: str, call: Call, tmp_path: Path) -> None:
    before = reference_tables()
    with pending(tmp_path, "core", NEW_CORE):
        done = call("migrate_domain", "core")
        assert (done.exit_status, done.stderr) == (0, "")
        assert reference_tables() - before == NEW_TABLES
        with pending(tmp_path, "hr", NEW_KEY):
            done = call("migrate_domain", "hr")
            assert (done.exit_status, done.stderr) == (0, "")
            assert own_tables("hr")["desks"]
            assert call("migrate_domain", "hr", rollback=1, interactive=False).exit_status == 0
        done = call("migrate_domain", "core", rollback=1, interactive=False)
        assert (done.exit_status, done.stderr) == (0, "")
    assert reference_tables() == before
    assert query("SELECT count(*) FROM public.desks") == [(0,)]
    assert query("SELECT to_regclass('public.places')") == [(None,)]


def test_new_tables_of_a_core_that_is_not_distributed(
    core: str, call: Call, tmp_path: Path
) -> None:
    with pending(tmp_path, "core", NEW_CORE):
        assert call("migrate_domain", "core").exit_status == 0
    assert reference_tables() == set()


def test_worker_is_refused(core: str, call: Call, citus_cluster: CitusServers) -> None:
    host, port = citus_cluster.coordinator.address
    with cluster.pointed_at(citus_cluster.settings(core, citus_cluster.workers[0])):
        result = call("migrate_domain", "core")
        assert (result.exit_status, result.stderr) == (
            1,
            'CommandError: The database "default" is on a worker of a Citus cluster, where locks'
            " exclude no run on another node, and tables of core would be made on this one alone."
            f" Let DATABASES name the coordinator, {host}:{port}, and run the command again.\n",
        )
        assert query("SELECT to_regclass('public.django_migrations')") == [(None,)]
        shown = call("show_domains")
        assert (shown.exit_status, shown.stdout) == (1, "")
        assert (
            'The database "default" is on a worker of a Citus cluster, where core has no history,'
            f" and what is not on this node is not seen. Let DATABASES name the coordinator, {host}"
            in shown.stderr
        )
