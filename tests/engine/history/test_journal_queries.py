"""The status of the latest runs, read in bulk, agrees with the list of runs."""

from __future__ import annotations

from django.db import connection

from domain_migrations.domains import get_domains
from domain_migrations.engine.history.journal_queries import shown_run_statuses
from domain_migrations.engine.history.runs import last_runs
from tests.support.business import rolled_back
from tests.support.catalog import execute

ROW = """
INSERT INTO {domain}.django_migrations_{domain}_journal (run, batch, app, name, direction, status,
    started, seconds, checksum, os_user, host, project_version, engine_version, django_version,
    footprint, details, error, sqlstate)
VALUES (%s, 1, '', '', %s, %s, now(), 1, '', '', '', '', '', '', '{{}}', '{{}}', '', '')
"""
RUN = "6f9619ff-8b86-4d11-b42d-00c04fc9640{}"


def add(domain: str, *rows: tuple[int, str, str]) -> None:
    for run, direction, status in rows:
        execute(ROW.format(domain=domain), RUN.format(run), direction, status)


def test_matches_the_recorded_runs(migrated_module_database: str) -> None:
    with rolled_back():
        # A run at work or killed; another one repaired by hand since; one that ended.
        add("hr", (1, "run", "running"), (1, "forwards", "done"), (2, "verify", "failed"))
        add("finance", (3, "run", "failed"), (4, "forwards", "adopted"), (5, "seed", "done"))
        add("inventory", (6, "run", "running"), (6, "forwards", "failed"), (6, "run", "failed"))
        found = shown_run_statuses(connection, get_domains())
        runs = last_runs(connection, get_domains())
        assert found == {name: run.status for name, run in runs.items()}
        assert found == {
            "core": "done",
            "hr": "running",
            "finance": "repaired",
            "inventory": "failed",
        }
        execute("DROP TABLE hr.django_migrations_hr_journal")
        assert "hr" not in shown_run_statuses(connection, get_domains())
