"""A Citus cluster for tests: the one of CITUS_URL, or one that is started for the run.

CITUS_URL is the URL of a database on the coordinator whose superuser may create databases on every
node; CITUS_PG_BIN is the folder of PostgreSQL's programs with Citus, of which a coordinator and two
workers are started on sockets in the folder of the test run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from config.database import PART_VARIABLES
from config.embedded.cluster import Cluster
from config.embedded.locks import exclusive_lock
from tests.support import commands, databases, servers

URL, PROGRAMS = "CITUS_URL", "CITUS_PG_BIN"
SKIPPED = (
    f"There is no Citus cluster: set {URL} to the URL of a coordinator's database, or {PROGRAMS} to"
    " the folder of PostgreSQL programs that have Citus."
)
EMPTY = "citus_empty"
MIGRATED = "citus_migrated"
DISTRIBUTED = "citus_distributed"
CORE = "citus_core"
DISTRIBUTE_HR = """
SET citus.enable_local_reference_table_foreign_keys = off;
SELECT create_reference_table('public.users');
CREATE SCHEMA hr;
SELECT citus_schema_distribute('hr')
"""
WORKERS = 2
DROPS = 5

DISTRIBUTE_ALL = """
SET LOCAL citus.enable_local_reference_table_foreign_keys = off;
SET LOCAL citus.enable_unsafe_triggers = on;
SELECT create_reference_table('public.' || name) FROM unnest(string_to_array(
    'django_content_type auth_permission auth_group users auth_group_permissions user_groups'
    ' user_permissions permissions roles role_permissions user_roles cost_centres', ' ')) name;
SELECT citus_schema_distribute('inventory');
SELECT citus_schema_distribute('hr');
SELECT citus_schema_distribute('finance')
"""

OPTIONS = {
    **servers.FAST,
    # A killed coordinator must not forget what it has told the workers to commit.
    "synchronous_commit": "on",
    "shared_preload_libraries": "citus",
    "citus.node_conninfo": "sslmode=disable",
    # Each database of each test has a maintenance daemon.
    "max_worker_processes": "64",
    "max_prepared_transactions": "100",
    "max_locks_per_transaction": "256",
    # Moves of shards copy by logical replication.
    "wal_level": "logical",
}


@dataclass(frozen=True)
class NodeServer:
    """One server of the cluster.

    Attributes:
        parameters: host, port, user and perhaps password: psycopg's names.
        server: what starts and stops it; None for a cluster that others run.
    """

    parameters: Mapping[str, str]
    server: Cluster | None = None

    @property
    def address(self) -> tuple[str, int]:
        return self.parameters["host"], int(self.parameters["port"])

    def connect(self, database: str = "postgres", **parameters: Any) -> psycopg.Connection:
        """A session of the superuser in autocommit mode, apart from Django."""
        values: dict[str, Any] = {"dbname": database, "autocommit": True, **self.parameters}
        return psycopg.connect(**{**values, **parameters})


@dataclass(frozen=True)
class CitusServers:
    """The servers of the cluster, the coordinator first."""

    nodes: tuple[NodeServer, ...]
    folder: Path

    @property
    def coordinator(self) -> NodeServer:
        return self.nodes[0]

    @property
    def workers(self) -> tuple[NodeServer, ...]:
        return self.nodes[1:]

    @property
    def is_ours(self) -> bool:
        """Whether the servers were started for the tests, which may then stop and kill them."""
        return self.coordinator.server is not None

    def settings(self, database: str, node: NodeServer | None = None) -> dict[str, str]:
        """HOST, PORT, USER, PASSWORD and NAME of a `DATABASES` entry; the coordinator's."""
        values = {"password": "", **(node or self.coordinator).parameters, "name": database}
        return {key.upper(): value for key, value in values.items()}

    def environment(self, database: str) -> dict[str, str]:
        """The variables that make the project's own processes use `database`."""
        return {PART_VARIABLES[key]: value for key, value in self.settings(database).items()}

    def start(self) -> None:
        for node in self.nodes:
            if node.server is not None:
                node.server.ensure_running()

    def leave(self) -> None:
        for node in self.nodes:
            if node.server is not None:
                node.server.leave()

    def create(self, name: str, template: str = EMPTY) -> None:
        """Create a database on every node; a copy of `template` knows all nodes."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        for node in self.nodes:
            with node.connect() as session:
                session.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))

    def drop(self, name: str) -> None:
        """Drop a database on every node, its coordinator first, whose daemon uses the others."""
        for node in self.nodes:
            with node.connect() as session:
                _drop(session, name)

    def make_template(
        self, name: str, template: str, *commands_to_run: tuple[str, ...], prepare: str = ""
    ) -> str:
        """A database made once in a run from another one, by commands of the project; its name.

        Arguments:
            prepare: SQL that runs on the coordinator after the commands.

        Copies of it are clones of the whole cluster: oids, which shards are named by, stay.
        """
        done = self.folder / f"{name}.done"
        with exclusive_lock(done.with_suffix(".lock"), seconds=600):
            if not done.exists():
                self.drop(name)
                self.create(name, template)
                for arguments in commands_to_run:
                    environment = self.environment(name)
                    result = commands.run_manage(*arguments, environment=environment, seconds=500)
                    assert result.returncode == 0, result.stdout + result.stderr
                if prepare:
                    with self.coordinator.connect(name) as session:
                        session.execute(prepare)
                self._close(name)
                done.touch()
        return name

    def make_empty_template(self) -> None:
        """Make the database that all others are copied from, with the extension on every node."""
        done = self.folder / f"{EMPTY}.done"
        with exclusive_lock(done.with_suffix(".lock"), seconds=600):
            if done.exists():
                return
            self.drop(EMPTY)
            self.create(EMPTY, "template1")
            for node in self.nodes:
                with node.connect(EMPTY) as session:
                    session.execute("CREATE EXTENSION citus")
            with self.coordinator.connect(EMPTY) as session:
                address = self.coordinator.address
                session.execute("SELECT citus_set_coordinator_host(%s, %s)", address)
                for worker in self.workers:
                    session.execute("SELECT citus_add_node(%s, %s)", worker.address)
            self._close(EMPTY)
            done.touch()

    def _close(self, name: str) -> None:
        """Let nobody into a database, Citus' daemon included: only such a one can be copied."""
        statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false")
        ended = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s"
        for node in self.nodes:
            with node.connect() as session:
                session.execute(statement.format(sql.Identifier(name)))
                session.execute(ended, [name])


def _drop(session: psycopg.Connection, name: str) -> None:
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    for attempt in range(DROPS):
        try:
            session.execute(statement)
        except psycopg.errors.ObjectInUse:  # Citus' daemon, which was just starting.
            if attempt == DROPS - 1:
                raise
        else:
            return


def citus_servers() -> CitusServers:
    """The run's cluster, running; the test is skipped where there is none."""
    folder = Path(os.environ[servers.FOLDER_VARIABLE])
    if url := os.environ.get(URL):
        found = CitusServers(_nodes_of(url), folder)
    elif programs := os.environ.get(PROGRAMS):
        found = CitusServers(_own_nodes(folder, Path(programs)), folder)
    else:
        pytest.skip(SKIPPED)
    found.start()
    found.make_empty_template()
    return found


@contextmanager
def connected(
    cluster: CitusServers, blocker: Any, *, template: str = EMPTY, name: str | None = None
) -> Iterator[str]:
    """A new database on all nodes; Django's default connection is the coordinator's.

    Arguments:
        blocker: pytest-django's `django_db_blocker`.
    """
    name = name or databases.new_name("citus")
    cluster.create(name, template)
    try:
        with blocker.unblock(), pointed_at(cluster.settings(name)):
            yield name
    finally:
        cluster.drop(name)


@contextmanager
def pointed_at(settings: Mapping[str, str]) -> Iterator[None]:
    """Point Django's default connection (of all threads to come) at another server."""
    previous = connections["default"]
    previous.close()
    values = previous.settings_dict
    kept = {key: values[key] for key in settings}
    values.update(settings)
    connections["default"] = connections.create_connection("default")
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        connections["default"].close()
        values.update(kept)
        connections["default"] = previous
        ContentType.objects.clear_cache()


def _own_nodes(folder: Path, programs: Path) -> tuple[NodeServer, ...]:
    clusters = []
    for home in (folder / f"citus-{number}" for number in range(WORKERS + 1)):
        # A node that gets a shard connects to itself.
        host = Cluster(home, programs=programs).parameters["host"]
        options = {**OPTIONS, "citus.local_hostname": host}
        clusters.append(Cluster(home, programs=programs, options=options))
    return tuple(NodeServer(cluster.parameters, cluster) for cluster in clusters)


def _nodes_of(url: str) -> tuple[NodeServer, ...]:
    parameters = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    query = "SELECT nodename, nodeport FROM pg_dist_node WHERE noderole = 'primary' AND groupid > 0"
    database = parameters.pop("dbname")
    coordinator = NodeServer({"port": "5432", **parameters})
    with coordinator.connect(database) as session:
        workers = session.execute(query).fetchall()
    return (
        coordinator,
        *(NodeServer({**parameters, "host": host, "port": str(port)}) for host, port in workers),
    )
