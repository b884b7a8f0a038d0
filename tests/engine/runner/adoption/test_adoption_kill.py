"""kill -9 of the adopting process: nothing was moved, or all of it."""

from __future__ import annotations

import datetime
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support import databases, lab
from tests.support.catalog import execute, history, snapshot, tables
from tests.support.commands import ROOT, process_environment
from tests.support.projects import Project, write_project
from tests.support.servers import TestServer
from tests.support.sessions import advisory_locks, until

SEED = 1113
LONGEST = 0.8
"""Seconds from the first lock to a kill: about as long as the whole run takes."""
KILLS = {None: 1, "short": 6, "full": 20}
"""The option --stress → how often each of the two directions is killed."""


def start(project: Project, domain: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate_domain", domain],
        cwd=project.path,
        env=process_environment({"PYTHONPATH": str(ROOT)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_kill_at_random_moments(
    postgres_server: TestServer,
    core_template: str,
    tmp_path: Any,
    django_db_blocker: Any,
    pytestconfig: pytest.Config,
) -> None:
    kills = KILLS[pytestconfig.getoption("--stress")]
    chance = random.Random(SEED)
    projects: dict[str, Callable[[str], Project]] = {
        "lab": lambda name: _project(postgres_server, tmp_path / "after", lab.after(), name),
        "core": lambda name: _project(postgres_server, tmp_path / "undone", lab.undone(), name),
    }
    with (
        django_db_blocker.unblock(),
        databases.scratch(postgres_server, template=core_template) as name,
        databases.default_database(name),
    ):
        for domain, written in projects.items():
            before = _state()
            for _ in range(kills):
                process = start(written(name), domain)
                until(lambda started=process: advisory_locks() or started.poll() is not None)
                time.sleep(chance.uniform(0, LONGEST))
                process.kill()
                process.wait()
                until(lambda: advisory_locks() == 0)
                assert _state() in (before, _other(before))
            assert start(written(name), domain).wait() == 0
            assert _state() == _other(before)


def _project(server: TestServer, path: Any, files: dict[str, str], name: str) -> Project:
    return write_project(path, {"lab": files}, database={**server.settings, "NAME": name})


GRANTED = """
CREATE ROLE {role};
GRANT SELECT, UPDATE (size) ON lab_sample TO {role} WITH GRANT OPTION;
GRANT USAGE ON lab_numbers TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role};
"""


@pytest.mark.slow_stress
def test_kill_at_random_moments__surroundings(
    postgres_server: TestServer,
    core_template: str,
    tmp_path: Any,
    django_db_blocker: Any,
    pytestconfig: pytest.Config,
) -> None:
    """Views, enum types, functions, statistics, grants and views under old names: all or none."""
    kills = KILLS[pytestconfig.getoption("--stress")]
    chance = random.Random(SEED)
    adoption = replace(lab.ADOPTION, compat_views_until=datetime.date(2099, 1, 1))
    role = f"lab_reader_{os.getpid()}"
    with (
        django_db_blocker.unblock(),
        databases.scratch(postgres_server, template=core_template) as name,
        databases.default_database(name),
    ):
        execute(lab.SURROUNDINGS + GRANTED.format(role=role))
        after = _project(postgres_server, tmp_path / "after", lab.after(adoption), name)
        undone = _project(postgres_server, tmp_path / "undone", lab.undone(adoption), name)
        try:
            whole = {"core": _everything()}
            assert start(after, "lab").wait() == 0
            whole["lab"] = _everything()
            assert start(undone, "core").wait() == 0
            assert _everything() == whole["core"]
            for project, domain in ((after, "lab"), (undone, "core")):
                for _ in range(kills):
                    process = start(project, domain)
                    until(lambda started=process: advisory_locks() or started.poll() is not None)
                    time.sleep(chance.uniform(0, LONGEST))
                    process.kill()
                    process.wait()
                    until(lambda: advisory_locks() == 0)
                    assert _everything() in whole.values()
                assert start(project, domain).wait() == 0
                assert _everything() == whole[domain]
        finally:
            execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def _everything() -> tuple[dict[str, str], set[tuple[str, str]], bool]:
    """All that the catalog says, privileges too, and which history has the rows."""
    found = snapshot(include_privileges=True)
    table = "lab.django_migrations_lab" if "lab" in found else "public.django_migrations"
    rows = history(f"{table} WHERE app = 'lab'")
    assert len(rows) == 2
    return found, set(rows), "lab" in found


State = tuple[set[str], int, str]


def _state() -> State:
    """Where the tables and the rows of the history are, and nothing in between."""
    has_schema = "lab" in snapshot()
    inside = tables("lab") & set(lab.ADOPTION.tables) if has_schema else set()
    rows = len(history("public.django_migrations WHERE app = 'lab'"))
    there = len(history("lab.django_migrations_lab")) if has_schema else 0
    assert rows + there == 2
    assert len(inside) == (3 if there else 0)
    return inside, rows, "lab" if has_schema else ""


def _other(state: State) -> State:
    is_adopted = bool(state[0])
    return (set(), 2, "") if is_adopted else (set(lab.ADOPTION.tables), 0, "lab")
