"""Fixtures of the tests that need a Citus cluster; without one they are skipped."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.support import cluster, commands
from tests.support.cluster import CitusServers
from tests.support.temporary_migrations import TemporaryMigrations


@pytest.fixture(scope="session")
def citus_cluster() -> Iterator[CitusServers]:
    """The run's cluster, a coordinator and its workers, running."""
    servers = cluster.citus_servers()
    yield servers
    servers.leave()


@pytest.fixture(scope="module", autouse=True)
def alone_on_the_cluster() -> Iterator[None]:
    """On a cluster of others, no other worker of the run is at work during a module."""
    with cluster.alone():
        yield


@pytest.fixture
def citus_database(citus_cluster: CitusServers, django_db_blocker: Any) -> Iterator[str]:
    """A new empty database on all nodes, `connections["default"]` its coordinator; its name."""
    with cluster.connected(citus_cluster, django_db_blocker) as name:
        yield name


@pytest.fixture(scope="module")
def citus_module_database(citus_cluster: CitusServers, django_db_blocker: Any) -> Iterator[str]:
    """`citus_database`, once for all tests of a module."""
    with cluster.connected(citus_cluster, django_db_blocker) as name:
        yield name


@pytest.fixture
def migrated_citus_database(citus_cluster: CitusServers, django_db_blocker: Any) -> Iterator[str]:
    """`citus_database` with everything migrated and seeded, nothing distributed."""
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.MIGRATED) as name:
        yield name


@pytest.fixture
def manage(citus_cluster: CitusServers) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`manage(*args, **env)`: manage.py in a process of its own, on the current database."""

    def run(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        database = connections["default"].settings_dict["NAME"]
        merged = {**citus_cluster.environment(database), **environment}
        return commands.run_manage(*arguments, environment=merged)

    return run


@pytest.fixture
def distributed_hr(
    citus_cluster: CitusServers, django_db_blocker: Any, tmp_path: Path
) -> Iterator[TemporaryMigrations]:
    """`distributed_hr.release({name: source})`: the distributed hr with these migrations."""
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.EMPTY_HR):
        yield TemporaryMigrations(tmp_path)
