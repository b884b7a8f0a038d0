"""The cost of runs: round trips besides a migration's own statements, and imported modules."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.support.catalog import execute, history
from tests.support.commands import ROOT, Result, process_environment
from tests.support.servers import TestServer
from tests.support.temporary_migrations import TemporaryMigrations

THING = """
class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
    ], options={"db_table": '"hr"."things"'})]
"""
ADD = """
class Migration(migrations.Migration):
    dependencies = [("hr", "{before}")]
    operations = [migrations.AddField("Thing", "{name}", models.IntegerField(null=True))]
"""
NOT_ENDED = """
UPDATE hr.django_migrations_hr_journal SET status = 'running'
WHERE direction = 'run' AND status = 'done'
"""
NAMES = ("width", "depth", "height")
ONE_MIGRATION = 60
"""Fewer are better. More, and every migration of every domain takes longer on a far server."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes to the server, but for BEGIN and COMMIT; one text for each round trip."""
    texts: list[str] = []
    execute = psycopg.ClientCursor.execute

    def kept(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        text = query.as_string(self) if isinstance(query, psycopg.sql.Composable) else query
        texts.append(" ".join(str(text).split()))
        return execute(self, query, *arguments, **options)

    monkeypatch.setattr(psycopg.ClientCursor, "execute", kept)
    return texts


def test_three_round_trips_for_a_migration_beside_its_statement(
    hr_migrations: TemporaryMigrations, call: Callable[..., Result], sent: list[str]
) -> None:
    before, steps = "0001_thing", {"0001_thing": THING}
    for number, name in enumerate(NAMES, start=2):
        steps[f"{number:04}_{name}"] = ADD.format(before=before, name=name)
        before = f"{number:04}_{name}"
    with hr_migrations.release(steps):
        assert call("migrate_domain", "hr").exit_status == 0
    assert history("hr.django_migrations_hr") == [("hr", name) for name in steps]
    first = next(n for n, text in enumerate(sent) if 'ADD COLUMN "width"' in text)
    around = sent[first - 1 : first + 3 + 4 * (len(NAMES) - 1)]
    for name, step in zip(
        NAMES, (around[n : n + 4] for n in range(0, len(around), 4)), strict=True
    ):
        begun, added, looked, recorded = step
        assert begun.startswith("SELECT pg_backend_pid(), coalesce(bool_or(")
        assert "set_config('lock_timeout'" in begun
        assert added == f'ALTER TABLE "hr"."things" ADD COLUMN "{name}" integer NULL'
        assert looked.startswith("SET CONSTRAINTS ALL IMMEDIATE;SAVEPOINT domain_migrations_mark;")
        assert recorded.startswith("SELECT pg_backend_pid(), coalesce(bool_or(")
        assert 'INSERT INTO "hr"."django_migrations_hr" ' in recorded
        assert 'INSERT INTO "hr"."django_migrations_hr_journal" ' in recorded


def test_statements_of_a_run_with_one_migration(
    hr_migrations: TemporaryMigrations, call: Callable[..., Result], sent: list[str]
) -> None:
    """Everything: the looks before and with the lock, the migration, Django's receivers."""
    steps = {"0001_thing": THING}
    with hr_migrations.release(steps):
        assert call("migrate_domain", "hr").exit_status == 0
    sent.clear()
    steps["0002_width"] = ADD.format(before="0001_thing", name="width")
    with hr_migrations.release(steps):
        assert call("migrate_domain", "hr").exit_status == 0
    assert len(sent) <= ONE_MIGRATION, "\n".join(sent)


def test_the_run_after_one_that_did_not_end_asks_for_no_cluster(
    hr_migrations: TemporaryMigrations, call: Callable[..., Result], sent: list[str]
) -> None:
    """The settings, which every run reads, show that the server has not loaded Citus."""
    with hr_migrations.release({"0001_thing": THING}):
        assert call("migrate_domain", "hr").exit_status == 0
        execute(NOT_ENDED)
        sent.clear()
        assert call("migrate_domain", "hr").exit_status == 0
    assert any("pg_catalog.pg_settings" in text for text in sent)
    assert [text for text in sent if "'citus'" in text] == []


def test_a_run_with_nothing_to_do_imports_only_what_it_needs(
    migrated_database: str, postgres_server: TestServer
) -> None:
    """Importing the engine took a tenth of the process, and most of it is for other runs."""
    source = (
        "import sys; from django.core.management import execute_from_command_line as run;"
        "run(['manage.py', 'migrate', '-v0']); print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        cwd=ROOT,
        env=process_environment(
            {
                **postgres_server.environment(migrated_database),
                "DJANGO_SETTINGS_MODULE": "config.settings",
            }
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "domain_migrations.engine.runner.domain_run" in loaded
    for name in (
        "operations.existing_table",
        "backends.postgresql.template_database",
        "engine.catalog",
        "engine.guard",
        "engine.runner.executor",
        "engine.runner.tracebacks",
        "engine.sessions.rejections",
        "engine.snapshots",
        "engine.sources.adoptions",
        "engine.sql.lexer",
    ):
        assert f"domain_migrations.{name}" not in loaded
