"""A small project and copies of its database, as the sites of a fleet."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from tests.support import databases
from tests.support.commands import ROOT, process_environment
from tests.support.projects import Project, domain_app, write_project
from tests.support.servers import TestServer
from tests.support.sessions import until

FIRST = """
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Thing", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("code", models.CharField(max_length=20)),
        ], options={"db_table": '"lab"."things"'}),
    ]
"""
SECOND = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.AddField("Thing", "note", models.TextField(default=""))]
"""
MODELS = """
class Thing(models.Model):
    code = models.CharField(max_length=20)
    note = models.TextField(default="")
    class Meta:
        db_table = '"lab"."things"'
"""
APP = domain_app("lab", models=MODELS, migrations={"0001_initial": FIRST})


@dataclass
class Fleet:
    """A project whose sites have `lab.0001_initial` applied, and a table of that name in public.

    Attributes:
        sites: name → DSN, of those that are sites.
    """

    server: TestServer
    project: Project
    names: Sequence[str]
    sites: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The file of sites, as they are now."""
        path = self.project.path / "sites.txt"
        path.write_text("".join(f"{name} {dsn}\n" for name, dsn in self.sites.items()))
        path.chmod(0o600)
        return path

    def manage(
        self, *arguments: str, **environment: str | None
    ) -> subprocess.CompletedProcess[str]:
        """One of the commands for fleets, on the file of sites."""
        return self.project.manage(*arguments, f"--sites={self.file}", **environment)

    def json(self, *arguments: str, **environment: str | None) -> tuple[dict[str, Any], int]:
        """The object that a command prints, and its exit status."""
        done = self.manage(*arguments, "--format=json", **environment)
        assert done.stdout, done.stderr
        return json.loads(done.stdout), done.returncode

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command in a process of its own, killed at the end."""
        values = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments, f"--sites={self.file}"],
            cwd=self.project.path,
            env=process_environment(values),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A test run in the background has it ignored, and so would the command.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def connect(self, site: str) -> psycopg.Connection[Any]:
        """A session of the superuser in the site's database."""
        return self.server.connect(self.names[list(self.sites).index(site)])

    def query(self, site: str, statement: str) -> list[tuple[Any, ...]]:
        with self.connect(site) as session:
            return session.execute(statement).fetchall()

    def columns(self, site: str, table: str = "lab.things") -> list[str]:
        """The columns of a table, by the catalog."""
        rows = self.query(
            site,
            f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        )
        return [name for (name,) in rows]

    def applied(self, site: str) -> list[str]:
        rows = self.query(site, "SELECT name FROM lab.django_migrations_lab ORDER BY id")
        return [name for (name,) in rows]

    def migration(self, name: str, source: str) -> None:
        """Add a migration to the project."""
        header = "from django.db import migrations, models\n"
        self.project.write(f"lab/migrations/{name}.py", header + source)


def dsn(server: TestServer, name: str, **others: str) -> str:
    """The pairs that lead to a database of the server."""
    values = {**server.parameters, "dbname": name, **others}
    return " ".join(f"{word}='{value}'" for word, value in values.items())


def make_template(server: TestServer, folder: Path) -> str:
    """Make a database with `lab.0001_initial` and a decoy in public; clone it."""
    name = databases.new_name("fleet_template")
    databases.create(server, name)
    project = write_project(folder, {"lab": APP}, database={**server.settings, "NAME": name})
    done = project.manage("migrate_domain", "lab")
    assert done.returncode == 0, done.stdout + done.stderr
    with server.connect(name) as session:
        session.execute("CREATE TABLE public.things (id int)")
    return name


@contextmanager
def fleet_of(
    server: TestServer, template: str, folder: Path, count: int, *, settings: Mapping[str, Any]
) -> Iterator[Fleet]:
    """Copies of the template, and a project that has one more migration, pending at each."""
    names = [databases.new_name("fleet") for _ in range(count)]
    for name in names:
        databases.create(server, name, template=template)
    app = {**APP, "migrations/0002_note.py": "from django.db import migrations, models\n" + SECOND}
    database = {**server.settings, "NAME": names[0]}
    project = write_project(folder, {"lab": app}, database=database, settings=settings)
    width = len(str(count))
    sites = {
        f"branch-{number:0{width}}": dsn(server, name) for number, name in enumerate(names, start=1)
    }
    try:
        yield Fleet(server, project, names, sites)
    finally:
        for name in names:
            databases.drop(server, name)


def processes_with(text: str) -> list[str]:
    """The ids of the processes whose command line has a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if text in path.read_text():
                found.append(path.parent.name)
    return found


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def password_role(server: TestServer, name: str, password: str) -> Iterator[None]:
    """A superuser who, unlike everyone else on the test server, has to give a password."""
    rules = f"local all {name} scram-sha-256\nhost all {name} all scram-sha-256\n"
    with server.connect() as session:
        ((file,),) = session.execute("SHOW hba_file")
        path = Path(file)
        session.execute(f"CREATE ROLE {name} SUPERUSER LOGIN PASSWORD '{password}'")
        path.write_text(rules + path.read_text())
        session.execute("SELECT pg_reload_conf()")
        try:
            until(lambda: _is_refused(server, name))
            yield
        finally:
            path.write_text(path.read_text().removeprefix(rules))
            session.execute("SELECT pg_reload_conf()")
            session.execute(f"DROP ROLE {name}")


def _is_refused(server: TestServer, role: str) -> bool:
    try:
        server.connect(user=role, password="wrong").close()
    except psycopg.OperationalError:
        return True
    return False
