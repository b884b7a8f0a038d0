"""A Citus cluster for tests: the one of CITUS_URL, or one that is started for the run.

CITUS_URL is the URL of a database on the coordinator whose superuser may create databases on every
node; CITUS_PG_BIN is the folder of PostgreSQL's programs with Citus, of which each worker of pytest
starts a coordinator and two nodes of its own, on sockets in the folder of the test run.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Template:
    """What a new database has.

    Attributes:
        commands: commands of the project that make it.
        statements: SQL that runs on the coordinator after the commands.
    """

    commands: tuple[tuple[str, ...], ...] = ()
    statements: str = ""


EMPTY = Template()
"""The extension, and all nodes."""
MIGRATED = Template((("migrate",), ("seed_domain", "--all", "--tag", "demo")))
"""The sample project and its seeds, nothing distributed."""
CORE = Template((("migrate_domain", "core"),))
"""Core's tables, on the coordinator alone."""
EMPTY_HR = Template(CORE.commands, DISTRIBUTE_HR)
"""Core's tables, the users a reference table, and an empty distributed hr."""
DISTRIBUTED = Template((("migrate",),), DISTRIBUTE_ALL)
"""The sample project without rows, whose domains are distributed."""

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
    """The servers of the cluster, the coordinator first.

    Attributes:
        templates: the databases of this process that others are copied from.
    """

    nodes: tuple[NodeServer, ...]
    templates: dict[Template, str] = field(default_factory=dict)

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
        """Stop our servers, and leave nothing on those that others run."""
        for node in self.nodes:
            if node.server is not None:
                node.server.leave()
        if not self.is_ours:
            while self.templates:
                _, name = self.templates.popitem()
                self.drop(name)

    def create(self, name: str, template: Template = EMPTY) -> None:
        """Create a database on every node.

        It is a copy of one that is made once: a clone of the whole cluster, which knows all nodes.
        Oids, which shards are named by, stay.
        """
        self._copy(name, self.templates.get(template) or self._make(template))

    def drop(self, name: str) -> None:
        """Drop a database on every node, its coordinator first, whose daemon uses the others."""
        for node in self.nodes:
            with node.connect() as session:
                _drop(session, name)

    def _copy(self, name: str, source: str) -> None:
        names = sql.Identifier(name), sql.Identifier(source)
        for node in self.nodes:
            with node.connect() as session:
                session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))

    def _make(self, template: Template) -> str:
        name = databases.new_name("citus_template")
        self.drop(name)
        try:
            if template == EMPTY:
                self._make_empty(name)
            else:
                self._complete(name, template)
            self._close(name)
        except BaseException:
            self.drop(name)
            raise
        self.templates[template] = name
        return name

    def _complete(self, name: str, template: Template) -> None:
        """Make it of the template that lacks its last step, which others may need, too."""
        if template.statements:
            self.create(name, Template(template.commands))
            with self.coordinator.connect(name) as session:
                session.execute(template.statements)
        else:
            *before, last = template.commands
            self.create(name, Template(tuple(before)))
            done = commands.run_manage(*last, environment=self.environment(name), seconds=500)
            assert done.returncode == 0, done.stdout + done.stderr

    def _make_empty(self, name: str) -> None:
        self._copy(name, "template1")
        for node in self.nodes:
            with node.connect(name) as session:
                session.execute("CREATE EXTENSION citus")
        with self.coordinator.connect(name) as session:
            session.execute("SELECT citus_set_coordinator_host(%s, %s)", self.coordinator.address)
            for worker in self.workers:
                session.execute("SELECT citus_add_node(%s, %s)", worker.address)

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
    """This process's cluster, running; the test is skipped where there is none."""
    if url := os.environ.get(URL):
        found = CitusServers(_nodes_of(url))
    elif programs := os.environ.get(PROGRAMS):
        found = CitusServers(_own_nodes(Path(programs)))
    else:
        pytest.skip(SKIPPED)
    found.start()
    return found


@contextmanager
def alone(seconds: float = math.inf) -> Iterator[None]:
    """Let no other process of the run use a cluster meanwhile that all of them share.

    A move of shards waits for every transaction on a node, whatever its database is.
    """
    if not os.environ.get(URL):
        yield
        return
    with exclusive_lock(_run_folder() / "citus.lock", seconds=seconds):
        yield


@contextmanager
def connected(
    cluster: CitusServers, blocker: Any, *, template: Template = EMPTY, name: str | None = None
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


def _run_folder() -> Path:
    return Path(os.environ[servers.FOLDER_VARIABLE])


def _own_nodes(programs: Path) -> tuple[NodeServer, ...]:
    prefix = f"citus-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    clusters = []
    for number in range(WORKERS + 1):
        home = _run_folder() / f"{prefix}-{number}"
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
    if len(workers) != WORKERS:
        raise pytest.UsageError(
            f"The tests are for a cluster of a coordinator and {WORKERS} workers, and that of"
            f" {URL} has {len(workers)}: add or remove workers, or set {PROGRAMS} instead."
        )
    return (
        coordinator,
        *(NodeServer({**parameters, "host": host, "port": str(port)}) for host, port in workers),
    )
