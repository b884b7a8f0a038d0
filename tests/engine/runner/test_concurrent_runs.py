"""Concurrent deploys: every migration is applied once, and none fails because of another."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from domain_migrations.domains import get_domains
from tests.support.commands import ROOT, process_environment
from tests.support.sessions import advisory_locks, execute

SECONDS = 400


def run_at_once(count: int, environment: dict[str, str]) -> list[tuple[int, str]]:
    """Exit status and output of so many processes of `migrate_domain --all`."""
    processes = [
        subprocess.Popen(
            [sys.executable, "manage.py", "migrate_domain", "--all", "--lock-wait=300"],
            cwd=ROOT,
            env=process_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        outputs = [process.communicate(timeout=SECONDS)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [
        (process.returncode, output) for process, output in zip(processes, outputs, strict=True)
    ]


def assert_applied_once() -> None:
    for domain in get_domains():
        history, journal = domain.history_table.db_table, domain.journal_table.db_table
        applied = Counter(execute(f"SELECT app, name FROM {history}"))
        assert applied
        assert set(applied.values()) == {1}
        done = Counter(
            execute(
                f"SELECT app, name FROM {journal}"
                " WHERE status = 'done' AND direction = 'forwards' AND name <> ''"
            )
        )
        assert done == applied
        assert execute(f"SELECT * FROM {journal} WHERE status = 'failed'") == []
        runs = execute(
            f"SELECT run FROM {journal} WHERE direction = 'run'"
            " GROUP BY run HAVING count(*) <> 2 OR NOT bool_or(status = 'done')"
        )
        assert runs == []


@pytest.mark.parametrize(
    "count", [4, pytest.param(30, marks=pytest.mark.slow_stress)], ids=["four", "thirty"]
)
def test_processes_at_once_from_empty(
    postgres_server: Any, scratch_database: str, count: int
) -> None:
    results = run_at_once(count, postgres_server.environment(scratch_database))
    failed = [output for status, output in results if status not in (0, 75)]
    assert failed == []
    assert any(status == 0 for status, _ in results)
    assert_applied_once()
    assert advisory_locks() == 0
