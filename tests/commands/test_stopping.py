"""Ctrl-C, SIGTERM and SIGHUP: a sentence that says what was kept, and a closed journal."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.db import connections

from tests.support.catalog import query
from tests.support.commands import ROOT, process_environment
from tests.support.projects import Project, domain_app
from tests.support.sessions import until

SLEEPING = """
SELECT FROM pg_stat_activity
WHERE query LIKE '%%asleep_in_{}%%' AND state = 'active' AND pid <> pg_backend_pid()
"""
JOURNAL = """
SELECT direction, status, error FROM lab.django_migrations_lab_journal ORDER BY id DESC LIMIT 2
"""
SCRATCH = "SELECT FROM pg_database WHERE datname LIKE '%%\\_{}\\_%%'"
APPLIED = "SELECT name FROM lab.django_migrations_lab"
FIRST = "class Migration(migrations.Migration):\n    operations = []\n"
SECOND = """
class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("lab", "0001_first")]
    operations = [
        migrations.RunSQL("CREATE TABLE lab.kept (id int)", ""),
        migrations.RunSQL("SELECT pg_sleep(60) AS asleep_in_{database}", ""),
    ]
"""

Make = Callable[..., Project]


def sleeping_project(project: Make, *, atomic: bool = True) -> Project:
    database = connections["default"].settings_dict["NAME"]
    second = SECOND.format(atomic=atomic, database=database)
    return project(
        {"lab": domain_app("lab", migrations={"0001_first": FIRST, "0002_second": second})}
    )


def default_signals() -> None:
    """Handle signals as on a terminal, also if the tests run under nohup or in the background."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def stop(project: Project, number: signal.Signals, *arguments: str) -> tuple[int, str, int]:
    """Send the signal while the second migration sleeps: exit status, standard error and pid."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=project.path,
        env=process_environment({"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=default_signals,
    )
    until(lambda: query(SLEEPING.format(project.database)), seconds=60)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr, process.pid


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_migration(project: Make, number: signal.Signals) -> None:
    status, stderr, _ = stop(sleeping_project(project), number, "migrate_domain", "lab")
    message = (
        f"Migration lab.0002_second was stopped by {number.name} at operation 2 of 2 (Raw SQL"
        " operation)."
    )
    assert status == 1
    assert stderr == (
        f"CommandError: {message} It was rolled back. Done before it in this run: lab.0001_first."
        " Run the command again: it continues from here.\n"
    )
    assert query(JOURNAL) == [("run", "failed", message), ("forwards", "failed", message)]
    assert query(APPLIED) == [("0001_first",)]
    assert not query("SELECT FROM pg_tables WHERE tablename = 'kept'")


def test_a_migration__without_a_transaction(project: Make) -> None:
    made = sleeping_project(project, atomic=False)
    status, stderr, _ = stop(made, signal.SIGTERM, "migrate_domain", "--all")
    assert status == 1
    assert "what it had committed was kept" in stderr
    assert "run: manage.py repair_domain lab --resume" in stderr
    assert "Traceback" not in stderr
    assert query(JOURNAL)[0][:2] == ("run", "failed")
    assert query("SELECT FROM pg_tables WHERE tablename = 'kept'")


@pytest.mark.parametrize("command", ["prove_domain", "snapshot_domain"])
def test_scratch_databases_are_dropped(project: Make, command: str) -> None:
    status, stderr, pid = stop(sleeping_project(project), signal.SIGTERM, command, "lab")
    assert status == 1
    assert stderr == (
        "CommandError: The command was stopped by a signal. Its scratch databases are dropped,"
        " and nothing else was changed.\n"
    )
    assert not query(SCRATCH.format(pid))


def test_parallel_runs(project: Make) -> None:
    made = sleeping_project(project)
    status, stderr, _ = stop(made, signal.SIGTERM, "migrate_domain", "--all", "--jobs", "2")
    assert status == 1
    assert "The command was stopped by SIGTERM. What was finished before is kept." in stderr
    assert "Traceback" not in stderr
    assert query(JOURNAL)[0][:2] == ("run", "failed")
