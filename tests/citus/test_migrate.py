"""`migrate_domain` on a distributed domain: what the coordinator and the shards have after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from tests.support import cluster as clusters
from tests.support.catalog import execute, history, query
from tests.support.cluster import CitusServers
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

pytestmark = [pytest.mark.citus, pytest.mark.usefixtures("replayed")]

Call = Callable[..., Result]

THINGS = """
class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Other", fields=[
            ("id", models.BigAutoField(primary_key=True)),
        ], options={"db_table": '"hr"."others"'}),
        migrations.CreateModel("Thing", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("other", models.ForeignKey("hr.Other", models.CASCADE, null=True)),
        ], options={"db_table": '"hr"."things"'}),
        migrations.RunSQL("INSERT INTO hr.others SELECT FROM generate_series(1, 3)", ""),
        migrations.RunSQL("INSERT INTO hr.things (other_id) SELECT id FROM hr.others", ""),
    ]
"""
COLUMNS = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_things")]
    operations = [
        migrations.AddField("Thing", "width", models.PositiveIntegerField(default=1)),
        migrations.AddField(
            "Thing", "code", models.CharField(max_length=9, null=True, unique=True)),
        migrations.AddField(
            "Thing", "twin", models.OneToOneField("hr.Other", models.CASCADE, null=True,
                                                  related_name="+")),
        migrations.AddField(
            "Thing", "next", models.ForeignKey("hr.Thing", models.SET_NULL, null=True)),
        migrations.AddConstraint("Thing", models.CheckConstraint(
            condition=models.Q(width__lt=99), name="things_narrow")),
        migrations.AddIndex("Thing", models.Index(fields=["width"], name="things_width")),
    ]
"""
TEXTS = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0002_columns")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE hr.things ADD a int UNIQUE, ADD COLUMN b int CHECK (b > 0) CHECK (a > b),"
            " ADD CONSTRAINT things_ab CHECK (a < b), ALTER code TYPE text;"
            "CREATE INDEX things_b ON hr.things (b); COMMENT ON COLUMN hr.things.b IS 'b; b'",
            "ALTER TABLE hr.things DROP a, DROP COLUMN b, ALTER code TYPE varchar(9)"),
        migrations.RunSQL(
            "ALTER TABLE hr.things ADD c bigint DEFAULT 1 REFERENCES hr.others",
            "ALTER TABLE hr.things DROP c"),
        migrations.RunSQL(
            '''CREATE FUNCTION hr.widen() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN NEW.width := NEW.width + 1; RETURN NEW; END $$;
            CREATE TRIGGER widen BEFORE INSERT ON hr.things FOR EACH ROW
            EXECUTE FUNCTION hr.widen();''',
            "DROP TRIGGER widen ON hr.things; DROP FUNCTION hr.widen()"),
    ]
"""
STEPS = {"0001_things": THINGS, "0002_columns": COLUMNS, "0003_texts": TEXTS}

CONSTRAINTS = """
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = 'hr'::regnamespace AND c.relname ~ '^(things|others)(_[0-9]+)?$'
ORDER BY 1, 2
"""


def on_worker(cluster: CitusServers, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a query on the node of hr's shards, which shows them."""
    ((port,),) = query(
        "SELECT DISTINCT nodeport FROM citus_shards WHERE table_name::text LIKE 'hr.%'"
    )
    node = next(one for one in cluster.workers if one.address[1] == port)
    with node.connect(str(connections["default"].settings_dict["NAME"])) as session:
        session.execute("SET citus.override_table_visibility = off")
        session.execute("SET citus.enable_manual_changes_to_shards = on")
        return session.execute(statement).fetchall()


def without_numbers(rows: list[tuple[Any, ...]]) -> set[tuple[str, ...]]:
    """Texts of shards as the coordinator has them."""
    return {tuple(re.sub(r"_\d{6,}", "", text) for text in row) for row in rows}


def test_same_names_as_on_plain_postgresql__on_coordinator_and_shards(
    hr_migrations: TemporaryMigrations,
    citus_cluster: CitusServers,
    django_db_blocker: Any,
    call: Call,
) -> None:
    with hr_migrations.release(STEPS):
        assert call("migrate_domain", "hr").exit_status == 0
        plain = query(CONSTRAINTS)
        with clusters.connected(citus_cluster, django_db_blocker, template=clusters.EMPTY_HR):
            execute("CREATE TABLE public.things (id int); CREATE SCHEMA decoy")
            result = call("migrate_domain", "hr")
            assert result.exit_status == 0, result.stderr
            assert query(CONSTRAINTS) == plain
            shards = without_numbers(
                [
                    row
                    for row in on_worker(citus_cluster, CONSTRAINTS)
                    if row[0] not in ("things", "others")
                ]
            )
            assert {row for row in shards if not row[1].endswith("_not_null")} == {
                row for row in plain if not row[1].endswith("_not_null")
            }
            triggers = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname ~ '^widen'"
            assert without_numbers(on_worker(citus_cluster, triggers)) == {("hr.things",)}
            execute("INSERT INTO hr.things (width) VALUES (5)")
            assert query("SELECT width FROM hr.things ORDER BY id DESC LIMIT 1") == [(6,)]
            execute("DELETE FROM hr.things WHERE width = 6")
            for arguments in (["hr", "0001"], ["hr"], ["hr", "--rollback", "2"], ["hr", "zero"]):
                result = call("migrate_domain", *arguments, "--noinput")
                assert result.exit_status == 0, result.stderr
            assert query("SELECT to_regclass('hr.things'), to_regclass('public.things')::text") == [
                (None, "things")
            ]
            assert history("hr.django_migrations_hr") == []


def test_functions_past_the_transaction_are_refused_by_name(
    distributed_hr: TemporaryMigrations, call: Call
) -> None:
    execute("CREATE TABLE public.decoys (id int)")
    calls = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_things")]
    operations = [migrations.RunSQL(
        "SELECT run_command_on_all_nodes('DROP TABLE IF EXISTS public.decoys')")]
"""
    with distributed_hr.release({"0001_things": THINGS, "0002_calls": calls}):
        result = call("migrate_domain", "hr")
        assert result.exit_status == 1
        assert (
            "Migration hr.0002_calls is refused: it calls run_command_on_all_nodes(), which changes"
            " nodes of the cluster past this transaction: no rollback undoes it, and the guard does"
            " not see it." in result.stderr
        )
        assert query("SELECT to_regclass('public.decoys')::text") == [("decoys",)]
    allowed = calls.replace("dependencies", "alters_database = True\n    dependencies")
    with distributed_hr.release({"0001_things": THINGS, "0002_calls": allowed}):
        assert call("migrate_domain", "hr").exit_status == 0
        assert query("SELECT to_regclass('public.decoys')::text") == [(None,)]


def test_deferred_key_is_checked_on_the_node_before_the_commit(
    distributed_hr: TemporaryMigrations, call: Call
) -> None:
    wrong = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_things")]
    operations = [migrations.RunSQL("UPDATE hr.things SET other_id = 99", "")]
"""
    with distributed_hr.release({"0001_things": THINGS, "0002_wrong": wrong}):
        result = call("migrate_domain", "hr")
        assert result.exit_status == 1
        (name,) = query(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'hr.things'::regclass"
            " AND contype = 'f'"
        )[0]
        assert (
            'failed at the deferred constraints: insert or update on table "things" violates'
            f' foreign key constraint "{name}". It was rolled back.' in result.stderr
        )
        assert history("hr.django_migrations_hr") == [("hr", "0001_things")]
        assert query("SELECT max(other_id) FROM hr.things") == [(3,)]


@pytest.mark.parametrize("option", ["--dry-run", "--rehearse"])
def test_trials_tell_what_the_run_does(
    option: str, distributed_hr: TemporaryMigrations, call: Call
) -> None:
    """The rows of one migration have no pending triggers for the table of the next one."""
    rows = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0002_columns")]
    operations = [migrations.RunSQL(
        "UPDATE hr.things SET other_id = 1", "UPDATE hr.things SET other_id = NULL")]
"""
    last = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0003_rows")]
    operations = [
        migrations.AddField("Thing", "last", models.PositiveIntegerField(null=True)),
        migrations.AlterField(
            "Thing", "other", models.ForeignKey("hr.Other", models.CASCADE, default=1)),
    ]
"""
    steps = {"0001_things": THINGS, "0002_columns": COLUMNS, "0003_rows": rows, "0004_last": last}
    with distributed_hr.release({"0001_things": THINGS}):
        assert call("migrate_domain", "hr").exit_status == 0
    before = query(CONSTRAINTS)
    with distributed_hr.release(steps):
        result = call("migrate_domain", "hr", option)
        assert result.exit_status == 0, result.stderr
        assert query(CONSTRAINTS) == before
        assert 'CONSTRAINT "things_width_check"' in result.stdout
        result = call("migrate_domain", "hr")
        assert result.exit_status == 0, result.stderr
        assert query("SELECT DISTINCT other_id FROM hr.things") == [(1,)]


def test_rows_then_table_in_one_migration(distributed_hr: TemporaryMigrations, call: Call) -> None:
    both = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_things")]
    operations = [
        migrations.RunSQL("UPDATE hr.things SET other_id = 1", ""),
        migrations.AddField("Thing", "width", models.IntegerField(null=True)),
    ]
"""
    with distributed_hr.release({"0001_things": THINGS, "0002_both": both}):
        result = call("migrate_domain", "hr")
        assert result.exit_status == 1
        assert (
            'cannot ALTER TABLE "things" because it has pending trigger events. It was rolled back.'
            in result.stderr
        )
        assert "write two migrations, one that changes the rows and one after it" in result.stderr
