"""Fixtures of the whole suite: one server for a run, and a database for each test."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from config.database import ENGINE
from config.embedded.locks import exclusive_lock
from tests.support import commands, databases, file_order, projects, servers, temporary_migrations
from tests.support.servers import TestServer

MIGRATED_TEMPLATE = "migrated_template"
SERVER = pytest.StashKey[TestServer]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stress",
        choices=["short", "full"],
        help="run the tests marked `slow_stress` too: in a short form, or all of them",
    )
    parser.addoption(
        "--compat",
        metavar="FOLDER",
        help="run tests/compat too, and write what happened into the folder",
    )
    parser.addoption(
        "--other-tools",
        metavar="FOLDER",
        help="run tests/other_tools too, with other migration tools that are installed there",
    )


def pytest_configure(config: pytest.Config) -> None:
    # The tests start a thousand processes, which would all compile the project again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if servers.FOLDER_VARIABLE not in os.environ:
        folder = servers.make_folder(servers.memory())
        config.add_cleanup(lambda: servers.remove(folder))
    server = servers.session_server()
    config.stash[SERVER] = server
    config.add_cleanup(server.cluster.leave)
    # Whatever is configured on this machine: tests use their own server, started on first use.
    settings = connections.settings["default"]
    settings.update(ENGINE=ENGINE, NAME="domains", PASSWORD="", OPTIONS={}, CONN_MAX_AGE=0)
    settings.update(HOST="", PORT="", USER="")
    # Importing the models has made a wrapper of the configured engine already.
    connections["default"] = connections.create_connection("default")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    file_order.sort_by_file(items, file_order.longest_files())
    if config.getoption("--stress"):
        return
    stress = [item for item in items if item.get_closest_marker("slow_stress")]
    if stress:
        config.hook.pytest_deselected(items=stress)
        items[:] = [item for item in items if item not in stress]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for some in terminalreporter.stats.values() for report in some]
    durations = [
        (one.nodeid, one.duration) for one in reports if isinstance(one, pytest.TestReport)
    ]
    missing = file_order.missing_files(durations, file_order.longest_files())
    if missing:
        terminalreporter.section("long files that tests/longest_files.txt lacks")
        for name, seconds in missing:
            terminalreporter.write_line(f"{name}  # {seconds:.0f} s")


def pytest_collection_finish() -> None:
    """Keep what collection made out of the garbage collections to come, and have fewer of them.

    They cost a sixth of the time that tests spend in migrations, which render models by the dozen.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def stress_size(request: pytest.FixtureRequest) -> str:
    """`short` or `full`: how long a stress test may take."""
    return request.config.getoption("--stress") or "short"


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> TestServer:
    """The run's server, running; Django's default connection points to it."""
    server = pytestconfig.stash[SERVER]
    server.start()
    connections.settings["default"].update(server.settings)
    return server


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, postgres_server: TestServer
) -> None:
    """pytest-django's hook before it creates the test database: the server must run by then."""


@pytest.fixture
def scratch_database(postgres_server: TestServer, django_db_blocker: Any) -> Iterator[str]:
    """A new empty database that `connections["default"]` points to; its name."""
    with databases.connected(postgres_server, django_db_blocker) as name:
        yield name


@pytest.fixture(scope="module")
def module_database(postgres_server: TestServer, django_db_blocker: Any) -> Iterator[str]:
    """`scratch_database`, once for all tests of a module."""
    with databases.connected(postgres_server, django_db_blocker) as name:
        yield name


@pytest.fixture(scope="session")
def migrated_template(postgres_server: TestServer) -> str:
    """A database with everything migrated, made once in a run; clone it, never connect to it.

    The migrations were replayed, so whatever is restored from a snapshot can be compared with it.
    """
    lock = postgres_server.cluster.home.path / "migrated_template.lock"
    done = lock.with_suffix(".done")
    with exclusive_lock(lock, seconds=600):
        if not done.exists():
            databases.drop(postgres_server, MIGRATED_TEMPLATE)
            databases.create(postgres_server, MIGRATED_TEMPLATE)
            environment = {
                **postgres_server.environment(MIGRATED_TEMPLATE),
                "DOMAIN_SNAPSHOTS": "off",
            }
            result = commands.run_manage("migrate", environment=environment, seconds=500)
            assert result.returncode == 0, result.stdout + result.stderr
            done.touch()
    return MIGRATED_TEMPLATE


@pytest.fixture
def replayed(settings: Any) -> None:
    """Domains are migrated by their migrations, not from their snapshots."""
    settings.DOMAIN_MIGRATIONS = {**settings.DOMAIN_MIGRATIONS, "SNAPSHOTS": False}


@pytest.fixture
def migrated_database(
    postgres_server: TestServer, migrated_template: str, django_db_blocker: Any
) -> Iterator[str]:
    """`scratch_database` with everything migrated."""
    with databases.connected(
        postgres_server, django_db_blocker, template=migrated_template
    ) as name:
        yield name


@pytest.fixture(scope="module")
def migrated_module_database(
    postgres_server: TestServer, migrated_template: str, django_db_blocker: Any
) -> Iterator[str]:
    """`migrated_database`, once for all tests of a module."""
    with databases.connected(
        postgres_server, django_db_blocker, template=migrated_template
    ) as name:
        yield name


@pytest.fixture
def hr_migrations(
    migrated_database: str, tmp_path: Path
) -> temporary_migrations.TemporaryMigrations:
    """`hr_migrations.release({name: source})`: hr with these migrations, none of them applied."""
    return temporary_migrations.without_migrations(tmp_path)


@pytest.fixture
def call() -> Callable[..., commands.Result]:
    """`call(*args)`: call_command here; .stdout .stderr .exit_status .error."""
    return commands.call


@pytest.fixture
def manage(postgres_server: TestServer) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`manage(*args, **env)`: manage.py in a process of its own, on the current database."""

    def run(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        database = connections["default"].settings_dict["NAME"]
        merged = {**postgres_server.environment(database), **environment}
        return commands.run_manage(*arguments, environment=merged)

    return run


@pytest.fixture
def project(
    scratch_database: str, postgres_server: TestServer, tmp_path: Path
) -> Callable[..., projects.Project]:
    """`project(apps, settings=None)`: a foreign project on the scratch database.

    `apps` is `{app: {file: source}}`; see `domain_app` and `plain_app` in tests.support.projects.
    """
    database = {**postgres_server.settings, "NAME": scratch_database}

    def write(
        apps: Mapping[str, Mapping[str, str]],
        *,
        settings: Mapping[str, Any] | None = None,
        name: str = "project",
    ) -> projects.Project:
        return projects.write_project(tmp_path / name, apps, database=database, settings=settings)

    return write
