"""Migrations without a transaction that stopped halfway: nothing that they owe is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.catalog import execute, history, query
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]

MIGRATION = """
from django.contrib.postgres.operations import AddIndexConcurrently

def fail(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 / count(*) FROM public.switch")

def stray(apps, schema_editor):
    schema_editor.deferred_sql.append(
        "DO $$ BEGIN COMMIT; CREATE TABLE inventory.stray (id int); END $$"
    )

class Migration(migrations.Migration):
    initial = True
    atomic = False
    dependencies = [("contenttypes", "0002_remove_content_type_name")]
    operations = [
        migrations.CreateModel("Thing", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("size", models.IntegerField(default=0)),
            ("kind", models.ForeignKey("contenttypes.ContentType", models.PROTECT)),
        ], options={"db_table": '"hr"."things"'}),
        %s,
    ]
"""
INDEX = 'AddIndexConcurrently("thing", models.Index(fields=["size"], name="things_size"))'
SQL = 'migrations.RunSQL(\'INSERT INTO "hr"."things" (size, kind_id) VALUES (1, -1)\')'

FOREIGN_KEYS = """
SELECT confrelid::regclass::text, convalidated FROM pg_constraint
WHERE contype = 'f' AND conrelid = 'hr.things'::regclass
"""


@pytest.fixture
def release(hr_migrations: TemporaryMigrations, call: Call) -> Iterator[Callable[[str], Result]]:
    """Start to apply a migration that has deferred SQL, with the operation after it."""
    contexts = []

    def start(operation: str) -> Result:
        execute(
            "CREATE TABLE public.switch (); CREATE TABLE public.things (kind_id int);"
            " CREATE SCHEMA IF NOT EXISTS hr"
        )
        contexts.append(hr_migrations.release({"0001_initial": MIGRATION % operation}))
        contexts[0].__enter__()
        return call("migrate_domain", "hr")

    yield start
    contexts[0].__exit__(None, None, None)


def is_applied() -> bool:
    return ("hr", "0001_initial") in history("hr.django_migrations_hr")


def test_resumed_by_a_person(release: Callable[[str], Result], call: Call) -> None:
    assert release("migrations.RunPython(fail)").exit_status == 1
    assert query(FOREIGN_KEYS) == []
    execute("ALTER TABLE public.switch ADD COLUMN id int; INSERT INTO public.switch VALUES (1)")

    assert "interrupted" in call("migrate_domain", "hr").stderr
    assert not is_applied()
    assert call("repair_domain", "hr", "--resume", "--noinput").exit_status == 0

    assert is_applied()
    assert query(FOREIGN_KEYS) == [("django_content_type", True)]


def test_resumed_by_the_next_run(release: Callable[[str], Result], call: Call) -> None:
    execute("CREATE SCHEMA hr; CREATE TABLE hr.things_size ()")
    assert release(INDEX).exit_status == 1
    execute("DROP TABLE hr.things_size")

    assert call("migrate_domain", "hr").exit_status == 0

    assert is_applied()
    assert query(FOREIGN_KEYS) == [("django_content_type", True)]


def test_stopped_in_the_deferred_sql(release: Callable[[str], Result], call: Call) -> None:
    assert release(SQL).exit_status == 1

    refused = call("migrate_domain", "hr")

    assert refused.exit_status == 1
    assert "Operations recorded as finished: 2 of 2." in refused.stderr
    assert 'SQL left to run after them: ALTER TABLE "hr"."things" ADD CONSTRAINT' in refused.stderr
    assert (
        "To resume at the SQL after the operations, run: manage.py repair_domain hr --resume"
        in (refused.stderr)
    )
    assert not is_applied()

    execute("DELETE FROM hr.things")
    assert call("repair_domain", "hr", "--resume", "--noinput").exit_status == 0
    assert is_applied()
    assert query(FOREIGN_KEYS) == [("django_content_type", True)]


def test_refused_by_the_last_check(release: Callable[[str], Result], call: Call) -> None:
    refused = release("migrations.RunPython(stray)")
    assert (refused.exit_status, "inventory.stray" in refused.stderr) == (1, True)

    again = call("migrate_domain", "hr")

    assert again.exit_status == 1
    assert "To resume at the history row" in again.stderr
    assert not is_applied()


TABLE = """
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
        ("size", models.IntegerField(default=0)),
    ], options={"db_table": '"hr"."things"'})]
"""
INDEXES = """
from django.contrib.postgres.operations import AddIndexConcurrently

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("hr", "0001_initial")]
    operations = [
        AddIndexConcurrently("thing", models.Index(fields=["size"], name="things_size")),
        AddIndexConcurrently("thing", models.Index(fields=["-size"], name="things_large")),
    ]
"""


@pytest.fixture
def indexes(hr_migrations: TemporaryMigrations) -> Iterator[None]:
    """Two migrations of hr; the second builds two indexes concurrently."""
    with hr_migrations.release({"0001_initial": TABLE, "0002_indexes": INDEXES}):
        yield


def index_names() -> set[str]:
    rows = query("SELECT indexname FROM pg_indexes WHERE tablename = 'things'")
    return {name for (name,) in rows} - {"things_pkey"}


@pytest.mark.usefixtures("indexes")
@pytest.mark.parametrize("arguments", [(), ("0002",), ("--stage", "before")])
def test_a_revert_that_stopped_is_not_forgotten(call: Call, arguments: tuple[str, ...]) -> None:
    call("migrate_domain", "hr")
    execute("DROP INDEX hr.things_size; CREATE VIEW hr.things_size AS SELECT 1")
    assert call("migrate_domain", "hr", "0001").exit_status == 1
    assert index_names() == set()

    for more in ((), (), ("--plan",)):
        refused = call("migrate_domain", "hr", *arguments, *more)
        assert refused.exit_status == 1
        assert "was interrupted while reverting hr.0002_indexes" in refused.stderr

    execute("DROP VIEW hr.things_size; CREATE INDEX things_size ON hr.things (size)")
    assert call("migrate_domain", "hr", "0001").exit_status == 0
    assert call("migrate_domain", "hr").exit_status == 0
    assert index_names() == {"things_size", "things_large"}


@pytest.mark.usefixtures("indexes")
@pytest.mark.parametrize("target", ["0001", "zero"])
def test_an_application_that_stopped_is_not_forgotten(call: Call, target: str) -> None:
    call("migrate_domain", "hr", "0001")
    execute("CREATE VIEW hr.things_large AS SELECT 1")
    assert call("migrate_domain", "hr").exit_status == 1
    assert index_names() == {"things_size"}

    for more in ((), ("--plan",)):
        refused = call("migrate_domain", "hr", target, *more)
        assert refused.exit_status == 1
        assert "was interrupted while applying hr.0002_indexes" in refused.stderr
    execute("DROP VIEW hr.things_large")
    assert call("migrate_domain", "hr").exit_status == 0
    assert call("migrate_domain", "hr", target).exit_status == 0
    assert index_names() == set()


def test_a_resumed_run_that_failed_early_does_not_hide_it(
    release: Callable[[str], Result], call: Call
) -> None:
    release("migrations.RunPython(fail)")
    execute(
        "INSERT INTO hr.django_migrations_hr_journal OVERRIDING USER VALUE"
        " SELECT (jsonb_populate_record(j, jsonb_build_object('run', gen_random_uuid()))).*"
        " FROM hr.django_migrations_hr_journal j WHERE status = 'failed' AND name <> ''"
    )
    refused = call("migrate_domain", "hr")
    assert "Operations recorded as finished: 1 of 2." in refused.stderr
    assert not is_applied()


@pytest.mark.parametrize("resume", [True, False])
def test_a_migration_that_has_become_atomic(
    hr_migrations: TemporaryMigrations, call: Call, resume: bool
) -> None:
    execute("CREATE TABLE public.switch ()")
    source = MIGRATION % "migrations.RunPython(fail)"
    with hr_migrations.release({"0001_initial": source}):
        assert call("migrate_domain", "hr").exit_status == 1
    with hr_migrations.release({"0001_initial": source.replace("atomic = False", "")}):
        command = ("repair_domain", "hr", "--resume") if resume else ("migrate_domain", "hr")
        refused = call(*command, "--noinput")
    assert refused.exit_status == 1
    assert "It has become atomic since: to resume it, write atomic = False again." in refused.stderr
    assert not is_applied()


OWN_TRANSACTION = """
def add(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("INSERT INTO hr.parts (thing_id) SELECT id FROM public.wanted")

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("hr", "0001_initial")]
    operations = [migrations.RunPython(add, atomic=True), migrations.RunSQL("SELECT 1")]
"""
WITH_PARTS = (
    TABLE.rstrip()[:-1]
    + """,
        migrations.CreateModel("Part", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("thing", models.ForeignKey("hr.Thing", models.CASCADE)),
        ], options={"db_table": '"hr"."parts"'}),
    ]
"""
)


def test_an_operation_whose_commit_failed_has_not_run(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    execute("CREATE TABLE public.wanted (id bigint); INSERT INTO public.wanted VALUES (1)")
    with hr_migrations.release({"0001_initial": WITH_PARTS, "0002_add": OWN_TRANSACTION}):
        failed = call("migrate_domain", "hr")
        assert "failed at operation 1 of 2 (RunPython " in failed.stderr
        execute("INSERT INTO hr.things (id, size) VALUES (1, 1)")

        assert call("repair_domain", "hr", "--resume", "--noinput").exit_status == 0

    assert query("SELECT thing_id FROM hr.parts") == [(1,)]


RENAME = """
def fail(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 / count(*) FROM public.switch")

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("hr", "0001_initial")]
    operations = [migrations.RenameModel("Thing", "Article"), migrations.RunPython(fail)]
"""


def test_renamed_content_types_are_no_operations_of_the_migration(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    execute("CREATE TABLE public.switch ()")
    with hr_migrations.release({"0001_initial": TABLE, "0002_rename": RENAME}):
        assert "operation 2 of 2" in call("migrate_domain", "hr").stderr

        refused = call("migrate_domain", "hr")

        assert "Operations recorded as finished: 1 of 2." in refused.stderr
        execute("ALTER TABLE public.switch ADD id int; INSERT INTO public.switch VALUES (1)")
        assert call("repair_domain", "hr", "--resume", "--noinput").exit_status == 0
    assert query("SELECT model FROM django_content_type WHERE model IN ('thing', 'article')") == [
        ("article",)
    ]
