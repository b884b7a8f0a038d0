"""Django's own executor, as commands that derive from Django's and helpers for tests use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from domain_migrations.domains import get_domain
from domain_migrations.exceptions import LockNotAvailable, MigrationInterrupted
from tests.support.business import rolled_back
from tests.support.catalog import execute, histories, history, query, snapshot, tables
from tests.support.commands import Result
from tests.support.projects import Project, domain_app, plain_app
from tests.support.sessions import running

Call = Callable[..., Result]

CREATE = """
class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
    ], options={"db_table": '"lab"."things"'})]
"""
STRAY = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.RunSQL("CREATE TABLE public.stray (i int)")]
"""
COMMAND = """
from django.core.management.commands.migrate import Command
"""
JOURNAL = "SELECT direction, name, status FROM {} ORDER BY id"


def test_command_that_derives_from_djangos_is_guarded(project: Callable[..., Project]) -> None:
    steps = {"0001_initial": CREATE, "0002_stray": STRAY}
    command = {"management/commands/deploy.py": COMMAND}
    foreign = project(
        {"lab": domain_app("lab", migrations=steps), "tools": {**plain_app(), **command}}
    )
    result = foreign.manage("deploy")
    assert result.returncode == 1
    assert "Migration lab.0002_stray is refused: its operation 1, RunSQL, made public.stray" in (
        result.stderr
    )
    assert "Traceback" not in result.stderr
    assert "stray" not in tables("public")
    assert history("lab.django_migrations_lab") == [("lab", "0001_initial")]
    assert query(JOURNAL.format("lab.django_migrations_lab_journal")) == [
        ("run", "", "running"),
        ("forwards", "0001_initial", "done"),
        ("forwards", "0002_stray", "failed"),
        ("run", "", "failed"),
    ]
    assert foreign.manage("migrate_domain", "lab", "zero", "--noinput").returncode == 0


def test_executor_runs_as_a_run_does(migrated_database: str, call: Call) -> None:
    before = snapshot()
    MigrationExecutor(connection).migrate([("hr", "0011_leave_within_employment")])
    assert call("migrate_domain", "hr", "--check").exit_status == 1
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("hr"))
    rows = query(JOURNAL.format("hr.django_migrations_hr_journal"))
    last = history("hr.django_migrations_hr")[-1][1]
    assert rows[-2:] == [("forwards", last, "done"), ("run", "", "done")]
    assert snapshot() == before
    assert call("migrate_domain", "hr", "--check", "--strict").exit_status == 0


def test_executor_in_a_transaction(migrated_database: str, call: Call) -> None:
    """As in a TestCase."""
    before = (snapshot(), histories())
    with rolled_back():
        MigrationExecutor(connection).migrate([("hr", "0011_leave_within_employment")])
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("hr"))
        assert snapshot() == before[0]
    assert (snapshot(), histories()) == before


def test_executor_waits_for_other_runs(migrated_database: str, settings: Any) -> None:
    settings.DOMAIN_MIGRATIONS = {"LOCK_WAIT": 0}
    executor = MigrationExecutor(connection)
    before = (snapshot(), histories())
    with running(get_domain("hr")), pytest.raises(LockNotAvailable):
        executor.migrate([("hr", "0011_leave_within_employment")])
    assert (snapshot(), histories()) == before


def test_executor_does_not_pass_over_an_interrupted_migration(migrated_database: str) -> None:
    execute(
        "INSERT INTO hr.django_migrations_hr_journal SELECT 1000000, run, batch, app, name,"
        " 'backwards', 'running', started, seconds, checksum, database_user, os_user, host,"
        " project_version, engine_version, django_version, footprint, details, error, sqlstate"
        " FROM hr.django_migrations_hr_journal WHERE name = '0006_index_employee_names' LIMIT 1"
    )
    with pytest.raises(MigrationInterrupted) as caught:
        MigrationExecutor(connection).migrate([("hr", "0011_leave_within_employment")])
    assert caught.value.message == (
        "hr.0006_index_employee_names was interrupted; only a run of its domain can resume it."
    )


def test_helpers_that_empty_the_history_empty_all(migrated_database: str) -> None:
    statements = connection.ops.sql_flush(no_style(), ["django_migrations"])
    connection.ops.execute_sql_flush(statements)
    assert not any(histories().values())
