"""Invalid input: one sentence, an exit status other than 0, and no change."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.catalog import HISTORIES, execute, histories, query, snapshot
from tests.support.commands import Result
from tests.support.projects import Project, domain_app

Call = Callable[..., Result]
Manage = Callable[..., subprocess.CompletedProcess[str]]

CREATE = """
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
        ("size", models.IntegerField()),
    ], options={"db_table": '"lab"."things"'})]
"""
MODEL = """
class Thing(models.Model):
    size = models.IntegerField()
    class Meta:
        db_table = '"lab"."things"'
"""


@pytest.fixture(scope="module")
def as_migrated(migrated_module_database: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The catalogs and the histories of the module's database, which no test changes."""
    return snapshot(), histories()


@pytest.fixture
def unchanged(as_migrated: tuple[dict[str, str], dict[str, Any]]) -> Iterator[None]:
    yield
    assert (snapshot(), histories()) == as_migrated


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (
            ["inventry"],
            2,
            'There is no domain "inventry". Did you mean "inventory"?'
            f" The domains are {', '.join(HISTORIES)}.",
        ),
        (["zzz"], 2, f'There is no domain "zzz". The domains are {", ".join(HISTORIES)}.'),
        (
            ["auth"],
            2,
            'There is no domain "auth". The app of that name belongs to the domain "core".'
            f" The domains are {', '.join(HISTORIES)}.",
        ),
        (
            ["hr", "0999_nothing"],
            1,
            'No migration of the domain "hr" begins with "0999_nothing".'
            " See them with: manage.py show_domains hr",
        ),
        (
            ["hr", "00"],
            1,
            'Several migrations of the domain "hr" begin with "00": hr.0001_initial,',
        ),
        (["hr", "--all"], 2, "Name either one DOMAIN or --all."),
        ([], 2, "Name either one DOMAIN or --all."),
        (["--all", "--rollback"], 2, "--rollback cannot be used with --all."),
        (["hr", "0001", "--rollback"], 2, "--rollback cannot be used with a TARGET."),
        (["hr", "--plan", "--check"], 2, "--plan and --check cannot be used together; choose one."),
        (
            ["hr", "--fake", "--fake-initial"],
            2,
            "--fake and --fake-initial cannot be used together; choose one.",
        ),
        (["hr", "--plan", "--fake"], 2, "--plan cannot be used with --fake or --fake-initial."),
        (["hr", "--lock-wait", "-1"], 2, "--lock-wait takes seconds, 0 or more."),
        (["hr", "--rollback", "0"], 2, "--rollback takes a number of batches, 1 or more."),
    ],
)
def test_arguments(call: Call, arguments: list[str], status: int, sentence: str) -> None:
    result = call("migrate_domain", *arguments)
    assert (result.exit_status, sentence in result.stderr) == (status, True), result.stderr


@pytest.mark.parametrize("command", [["migrate_domain", "hr"], ["migrate"], ["migrate", "hr"]])
def test_unreachable_database(
    command: list[str], manage: Manage, migrated_module_database: str
) -> None:
    result = manage(*command, DATABASE_URL="postgres://u:p@127.0.0.1:1/nowhere")
    assert result.returncode == 75
    assert 'The database "default" (nowhere on 127.0.0.1:1) cannot be reached:' in result.stderr
    assert ("--wait-for-db" in result.stderr) == (command[0] == "migrate_domain")
    assert "Traceback" not in result.stderr


@pytest.fixture
def powerless(scratch_database: str) -> Iterator[str]:
    """A role that may connect and do nothing else."""
    role = f"powerless_{scratch_database}"
    execute(f"CREATE ROLE {role} LOGIN")
    execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield role
    execute(f"DROP OWNED BY {role}")
    execute(f"DROP ROLE {role}")


def test_role_without_privileges(manage: Manage, powerless: str) -> None:
    before = snapshot()
    result = manage("migrate_domain", "core", DATABASE_USER=powerless)
    assert result.returncode == 1
    assert f'The role "{powerless}" lacks a privilege' in result.stderr
    assert "Grant it CREATE on the schema public" in result.stderr
    assert "Traceback" not in result.stderr
    assert snapshot() == before


def test_role_that_owns_the_schema_needs_no_create_on_the_database(
    project: Callable[..., Project], powerless: str
) -> None:
    execute(f"CREATE SCHEMA lab AUTHORIZATION {powerless}")
    execute(f"GRANT CREATE ON SCHEMA public TO {powerless}")
    app = domain_app("lab", models=MODEL, migrations={"0001_initial": CREATE})
    lab = project({"lab": app})
    settings = (lab.path / "settings.py").read_text()
    lab.write("settings.py", settings + f"DATABASES['default']['USER'] = {powerless!r}\n")
    result = lab.manage("migrate_domain", "lab", "--with-dependencies")
    assert result.returncode == 0, result.stderr
    assert query("SELECT tableowner FROM pg_tables WHERE schemaname = 'lab'") == [(powerless,)] * 3


def test_database_that_is_not_utf8(manage: Manage, scratch_database: str) -> None:
    name = f"{scratch_database}_latin"
    execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        result = manage("migrate_domain", "core", DATABASE_NAME=name)
    finally:
        execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert result.returncode == 1
    assert "is encoded in LATIN1, not in UTF-8." in result.stderr
    assert "Traceback" not in result.stderr


def test_schema_name_that_would_need_escaping(project: Callable[..., Project]) -> None:
    app = domain_app("lab", schema='la"b', models=MODEL, migrations={"0001_initial": CREATE})
    before = snapshot()
    result = project({"lab": app}).manage("migrate_domain", "lab")
    assert result.returncode != 0
    assert 'la"b' in result.stderr
    assert "Traceback" not in result.stderr
    assert snapshot() == before


def test_migration_that_fails_half_way(project: Callable[..., Project]) -> None:
    failing = """
    class Migration(migrations.Migration):
        dependencies = [("lab", "0001_initial")]
        operations = [
            migrations.AddField("Thing", "note", models.TextField(default="")),
            migrations.RunSQL('INSERT INTO "lab"."things" (size, note) VALUES (1, NULL)', ""),
        ]
    """
    app = domain_app(
        "lab", models=MODEL, migrations={"0001_initial": CREATE, "0002_fails": failing}
    )
    lab = project({"lab": app})
    execute("CREATE TABLE public.things (id int PRIMARY KEY)")
    decoy = query("SELECT 'public.things'::regclass::oid")
    result = lab.manage("migrate_domain", "lab", "--with-dependencies")
    assert result.returncode == 1
    assert (
        "Migration lab.0002_fails failed at operation 2 of 2 (Raw SQL operation)" in result.stderr
    )
    assert 'null value in column "note"' in result.stderr
    assert "Failing row contains" not in result.stderr
    assert "It was rolled back. Applied before it in this run: lab.0001_initial." in (result.stderr)
    assert query('SELECT app, name FROM "lab"."django_migrations_lab"') == [("lab", "0001_initial")]
    columns = query(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'lab.things'::regclass AND attnum > 0"
        " ORDER BY attnum"
    )
    assert columns == [("id",), ("size",)]
    assert query("SELECT 'public.things'::regclass::oid") == decoy
    assert query(
        "SELECT name, status, sqlstate FROM lab.django_migrations_lab_journal"
        " WHERE direction = 'forwards' ORDER BY id"
    ) == [("0001_initial", "done", ""), ("0002_fails", "failed", "23502")]
