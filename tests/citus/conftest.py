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


@pytest.fixture(scope="session")
def migrated_cluster_template(citus_cluster: CitusServers) -> str:
    """A database with the sample project and its seeds, nothing distributed, to be copied."""
    return citus_cluster.make_template(
        cluster.MIGRATED, cluster.EMPTY, ("migrate",), ("seed_domain", "--all", "--tag", "demo")
    )


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
def migrated_citus_database(
    citus_cluster: CitusServers, migrated_cluster_template: str, django_db_blocker: Any
) -> Iterator[str]:
    """`citus_database` with everything migrated and seeded, nothing distributed."""
    with cluster.connected(
        citus_cluster, django_db_blocker, template=migrated_cluster_template
    ) as name:
        yield name


@pytest.fixture
def manage(citus_cluster: CitusServers) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`manage(*args, **env)`: manage.py in a process of its own, on the current database."""

    def run(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        database = connections["default"].settings_dict["NAME"]
        merged = {**citus_cluster.environment(database), **environment}
        return commands.run_manage(*arguments, environment=merged)

    return run


@pytest.fixture(scope="session")
def core_cluster_template(citus_cluster: CitusServers) -> str:
    """A database with core's tables, the users a reference table, and an empty distributed hr."""
    return citus_cluster.make_template(
        cluster.CORE, cluster.EMPTY, ("migrate_domain", "core"), prepare=cluster.DISTRIBUTE_HR
    )


@pytest.fixture
def distributed_hr(
    citus_cluster: CitusServers,
    core_cluster_template: str,
    django_db_blocker: Any,
    tmp_path: Path,
) -> Iterator[TemporaryMigrations]:
    """`distributed_hr.release({name: source})`: the distributed hr with these migrations."""
    with cluster.connected(citus_cluster, django_db_blocker, template=core_cluster_template):
        yield TemporaryMigrations(tmp_path)


@pytest.fixture(scope="session")
def distributed_cluster_template(citus_cluster: CitusServers) -> str:
    """A database with the sample project without rows, whose domains are distributed."""
    return citus_cluster.make_template(
        cluster.DISTRIBUTED, cluster.EMPTY, ("migrate",), prepare=cluster.DISTRIBUTE_ALL
    )
