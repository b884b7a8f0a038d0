"""A transfer to a domain that a database has not got yet: its first migration receives a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.runner.transfer.conftest import SLOW
from tests.support.catalog import execute, query, schemas, snapshot
from tests.support.exchange import AUTO, MIGRATION
from tests.support.projects import Project, domain_app, write_project
from tests.support.servers import TestServer

MODEL = """
class Thing(models.Model):
    class Meta:
        db_table = '"{app}"."things"'
"""
TABLES = {'"lab"."things"': '"ward"."things"'}
HEAD = "from domain_migrations.operations import ReceiveTable, TransferTable\n"
FIRST = MIGRATION.format(
    initial="initial = True",
    dependencies="",
    operations=f'migrations.CreateModel("Thing", [{AUTO}],'
    " options={'db_table': '\"lab\".\"things\"'}),",
)
GIVES = HEAD + MIGRATION.format(
    initial="",
    dependencies='("lab", "0001_initial"), ("ward", "0001_receive")',
    operations=f'TransferTable("Thing", pair="ward.0001_receive", tables={TABLES!r}),',
)
GETS = HEAD + MIGRATION.format(
    initial="initial = True",
    dependencies='("lab", "0001_initial")',
    operations=f'ReceiveTable("Thing", pair="lab.0002_transfer", tables={TABLES!r},'
    f" fields=[{AUTO}], options={{'db_table': '\"ward\".\"things\"'}}),",
)


@pytest.fixture
def project(scratch_database: str, postgres_server: TestServer, tmp_path: Path) -> Project:
    """The project that gives a table to a new domain; the database has a row in it."""
    database = {**postgres_server.settings, "NAME": scratch_database}
    before = {
        "lab": domain_app("lab", models=MODEL.format(app="lab"), migrations={"0001_initial": FIRST})
    }
    after = {
        "lab": domain_app("lab", migrations={"0001_initial": FIRST, "0002_transfer": GIVES}),
        "ward": domain_app(
            "ward", models=MODEL.format(app="ward"), migrations={"0001_receive": GETS}
        ),
    }
    migrated = write_project(tmp_path / "before", before, database=database)
    result = migrated.manage("migrate_domain", "--all")
    assert result.returncode == 0, result.stdout + result.stderr
    execute("INSERT INTO lab.things DEFAULT VALUES; CREATE TABLE public.things (id int)")
    return write_project(tmp_path / "after", after, database=database)


@pytest.mark.parametrize("domain", ["lab", "ward"])
def test_its_schema_and_its_history_are_made(project: Project, domain: str) -> None:
    result = project.manage("migrate_domain", domain)
    assert result.returncode == 0, result.stdout + result.stderr
    assert query("SELECT id FROM ward.things") == [(1,)]
    assert query("SELECT name FROM ward.django_migrations_ward") == [("0001_receive",)]
    app = "lab.0001" if domain == "lab" else "zero"
    back = project.manage("migrate_domain", domain, app, "--noinput")
    assert back.returncode == 0, back.stdout + back.stderr
    assert query("SELECT id FROM lab.things") == [(1,)]
    assert query("SELECT name FROM ward.django_migrations_ward") == []


@pytest.mark.parametrize("domain", ["lab", pytest.param("ward", marks=SLOW)])
@pytest.mark.parametrize("option", ["--dry-run", "--rehearse"])
def test_trying_it_leaves_no_schema(project: Project, domain: str, option: str) -> None:
    before = snapshot(include_privileges=True)
    result = project.manage("migrate_domain", domain, option)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "rolled back" in result.stdout.splitlines()[-1]
    assert snapshot(include_privileges=True) == before
    assert "ward" not in schemas()


def test_a_missing_privilege_on_its_schema_is_named(
    project: Project, postgres_server: TestServer, scratch_database: str
) -> None:
    role = f"deployer_{scratch_database}"
    execute(f"CREATE SCHEMA ward; CREATE ROLE {role} LOGIN; ALTER SCHEMA lab OWNER TO {role}")
    try:
        for schema, table in query(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('lab', 'public')"
        ):
            execute(f"ALTER TABLE {schema}.{table} OWNER TO {role}")
        settings = project.path / "settings.py"
        settings.write_text(
            settings.read_text() + f"DATABASES['default'].update(USER={role!r}, PASSWORD='')\n"
        )
        before = snapshot(include_privileges=True)
        for granted, lacking in (("", "USAGE"), ("USAGE", "CREATE")):
            if granted:
                execute(f"GRANT {granted} ON SCHEMA ward TO {role}")
                before = snapshot(include_privileges=True)
            result = project.manage("migrate_domain", "lab")
            assert result.returncode == 1
            assert "permission denied for schema ward" in result.stderr
            assert f"Grant it {lacking} on the schema ward" in result.stderr
            assert snapshot(include_privileges=True) == before
    finally:
        execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}")
