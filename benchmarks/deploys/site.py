"""Databases and projects for the contenders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.deploys.measuring import Contender
from benchmarks.deploys.projects import GeneratedProject, Style, write_project
from tests.support import databases, servers

SETUP_AND_QUERY = (
    "import manage, django; django.setup();"
    " from django.db import connection; connection.cursor().execute('SELECT 1')"
)


@dataclass
class Site:
    """A server, and a folder for generated projects.

    Attributes:
        migrations: the number of migrations of each app.
        operations: the number of operations in each migration.
    """

    server: servers.TestServer
    folder: Path
    migrations: int
    operations: int
    _projects: dict[str, GeneratedProject] = field(default_factory=dict)

    def project(
        self,
        style: Style,
        domains: int,
        migrations: int | None = None,
        *,
        snapshots: bool = False,
    ) -> GeneratedProject:
        """Return the generated project, which is written only once.

        Arguments:
            snapshots: whether every domain has a snapshot.
        """
        count = migrations or self.migrations
        name = f"{style}_{domains}_{count}" + ("_snapshots" if snapshots else "")
        if name not in self._projects:
            project = write_project(
                self.folder / name,
                style,
                domains=domains,
                migrations=count,
                operations=self.operations,
            )
            if snapshots:
                self.manage(project, "postgres", "snapshot_domain", *project.labels)
            self._projects[name] = project
        return self._projects[name]

    def manage(self, project: GeneratedProject, database: str, *arguments: str) -> str:
        """Run a project's manage.py without measuring it, and return its standard output."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=project.folder,
            env={**os.environ, **self.server.environment(database)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def renew(self, database: str, template: str = "template1") -> None:
        """Drop and recreate a database."""
        databases.drop(self.server, database)
        databases.create(self.server, database, template=template)

    def contender(
        self, name: str, project: GeneratedProject, database: str, *arguments: str, **more: object
    ) -> Contender:
        """Return a contender that calls a project's manage.py."""
        return Contender(
            name,
            [sys.executable, "manage.py", *arguments],
            project.folder,
            self.server.environment(database),
            **more,  # type: ignore[arg-type]
        )

    def floor(self, project: GeneratedProject, database: str) -> Contender:
        """Return the lower bound of any Django command."""
        return Contender(
            "django.setup() and SELECT 1",
            [sys.executable, "-c", SETUP_AND_QUERY],
            project.folder,
            self.server.environment(database),
        )

    def psql(self, name: str, file: Path, database: str, **more: object) -> Contender:
        """Return a contender that executes a file with psql."""
        host, port, user = (self.server.parameters[key] for key in ("host", "port", "user"))
        options = ["-q", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", port, "-U", user]
        return Contender(
            name,
            [self.server.program("psql"), *options, "-f", str(file), database],
            self.folder,
            {},
            **more,  # type: ignore[arg-type]
        )

    def dump(self, database: str) -> Path:
        """Dump the contents of a database to a file that ``psql`` can restore."""
        file = self.folder / f"{database}.sql"
        file.write_text(self.server.run_program("pg_dump", "--no-owner", database=database))
        return file

    def statements(self, project: GeneratedProject, database: str, label: str) -> list[list[str]]:
        """Return the SQL of each migration of a domain, for a database with core."""
        answer = self.manage(
            project, database, "migrate_domain", label, "--plan", "--format", "json"
        )
        (domain,) = json.loads(answer)["domains"]
        return [step["sql"] for step in domain["steps"]]

    @cached_property
    def core(self) -> str:
        """The name of a template database with core."""
        return self._with("core")

    def _with(self, *domains: str) -> str:
        database = f"benchmark_with_{'_'.join(domains)}"
        self.renew(database)
        for domain in domains:
            self.manage(self.project("domains", 1), database, "migrate_domain", domain)
        return database


@contextmanager
def open_site(folder: Path, *, migrations: int, operations: int) -> Iterator[Site]:
    """Yield a site on a separate server, which is removed afterwards."""
    data = servers.make_folder()
    server = servers.session_server()
    try:
        server.start()
        yield Site(server, folder, migrations, operations)
    finally:
        server.cluster.leave()
        servers.remove(data)
