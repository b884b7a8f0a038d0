"""A foreign project with one domain, which runs the README's commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.install import run
from tests.support.commands import ROOT
from tests.support.projects import domain_app, write_project
from tests.support.servers import TestServer

MODELS = """
from django.conf import settings


class Sample(models.Model):
    code = models.CharField(max_length=24, unique=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    parents = models.ManyToManyField("self", symmetrical=False)

    class Meta:
        db_table = '"lab"."samples"'
"""

USE = """
from django.contrib.auth import get_user_model
from lab.models import Sample
user = get_user_model().objects.create(username="somsri")
first = Sample.objects.create(code="A", taken_by=user)
Sample.objects.create(code="B", taken_by=user).parents.add(first)
print(Sample.objects.filter(parents__taken_by__username="somsri").get().code)
"""

TABLES = """
SELECT n.nspname || '.' || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
FOREIGN_KEYS = """
SELECT f.relname, t.relnamespace::regnamespace || '.' || t.relname
FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
WHERE k.contype = 'f' AND k.connamespace = 'lab'::regnamespace ORDER BY 1, 2
"""
OWN = {"lab.django_migrations_lab", "lab.django_migrations_lab_journal"}
SAMPLES = {"lab.samples", "lab.samples_parents"}
DECOY = "public.samples"
DATABASE = "foreign_project"


@dataclass(frozen=True)
class Foreign:
    folder: Path
    python: Path
    server: TestServer

    @classmethod
    def write(cls, folder: Path, python: Path, server: TestServer) -> Foreign:
        """Write the project, and a table in ``public`` that has the name of one of its own."""
        settings = {**server.settings, "NAME": DATABASE}
        write_project(folder, {"lab": domain_app("lab", models=MODELS)}, database=settings)
        with server.connect() as session:
            session.execute(f"CREATE DATABASE {DATABASE}")
        with server.connect(DATABASE) as session:
            session.execute(f"CREATE TABLE {DECOY} (code text UNIQUE)")
            session.execute(f"INSERT INTO {DECOY} VALUES ('decoy')")
        return cls(folder, python, server)

    def manage(self, *arguments: str, fails: bool = False) -> str:
        return run(self.python, "manage.py", *arguments, folder=self.folder, fails=fails)

    def query(self, statement: str) -> list[tuple[object, ...]]:
        with self.server.connect(DATABASE) as session:
            return session.execute(statement).fetchall()

    def tables(self) -> set[object]:
        return {name for (name,) in self.query(TABLES)}


def comes_from_the_environment(foreign: Foreign) -> None:
    """the engine is imported from there, and nothing of this repository can be"""
    code = (
        "import importlib.util as u, domain_migrations; print(domain_migrations.__file__);"
        "print([n for n in ('config', 'core', 'inventory', 'hr', 'finance', 'tests')"
        " if u.find_spec(n)])"
    )
    origin, others = run(foreign.python, "-c", code, folder=foreign.folder).splitlines()
    assert Path(origin).is_relative_to(foreign.python.parent.parent), origin
    assert not Path(origin).is_relative_to(ROOT / "domain_migrations")
    assert others == "[]", others


def checks(foreign: Foreign) -> None:
    """check finds nothing wrong"""
    assert "no issues" in foreign.manage("check", "--database", "default")


def makes_migrations(foreign: Foreign) -> None:
    """makemigrations writes the domain's first migration"""
    foreign.manage("makemigrations", "lab")
    assert "CreateModel" in (foreign.folder / "lab/migrations/0001_initial.py").read_text()
    foreign.manage("makemigrations", "--check", "--dry-run")


def shows_an_empty_database(foreign: Foreign) -> None:
    """show_domains and migrate_domain --check create nothing"""
    assert "lab.0001_initial" in foreign.manage("show_domains")
    assert "lab.0001_initial" in foreign.manage("migrate_domain", "--all", "--check", fails=True)
    assert foreign.tables() == {DECOY}


def stops_without_core(foreign: Foreign) -> None:
    """migrate_domain lab stops, names the command for core and changes nothing"""
    output = foreign.manage("migrate_domain", "lab", fails=True)
    assert "manage.py migrate_domain core" in output, output
    assert foreign.tables() == {DECOY}


def migrates(foreign: Foreign) -> None:
    """migrate_domain --all puts the tables into the schema and the rows into the history"""
    foreign.manage("migrate_domain", "--all")
    tables = foreign.tables()
    assert tables >= SAMPLES | OWN | {DECOY, "public.auth_user"}, tables
    assert foreign.query("SELECT app, name FROM lab.django_migrations_lab") == [
        ("lab", "0001_initial")
    ]
    assert foreign.query("SELECT DISTINCT app FROM django_migrations ORDER BY 1") == [
        ("auth",),
        ("contenttypes",),
    ]
    assert foreign.query(FOREIGN_KEYS) == [
        ("samples", "public.auth_user"),
        ("samples_parents", "lab.samples"),
        ("samples_parents", "lab.samples"),
    ]
    assert foreign.query("SELECT model FROM django_content_type WHERE app_label = 'lab'") == [
        ("sample",)
    ]


def works(foreign: Foreign) -> None:
    """the models work"""
    assert foreign.manage("shell", "-v", "0", "-c", USE).split()[-1] == "B"


def tells_where_it_stands(foreign: Foreign) -> None:
    """show_domains, showmigrations and migrate --check agree that all is applied"""
    domains = json.loads(foreign.manage("show_domains", "--format", "json"))["domains"]
    found = {domain["domain"]: (domain["pending"], domain["tables"]) for domain in domains}
    assert found["lab"] == ([], 2), found
    assert found["core"][0] == [], found
    assert "[X] 0001_initial" in foreign.manage("showmigrations", "lab")
    foreign.manage("migrate", "--check")
    foreign.manage("migrate_domain", "--all", "--check")


def goes_to_zero_and_back(foreign: Foreign) -> None:
    """migrate_domain lab zero takes the domain's tables away and no other; lab brings them back"""
    before = foreign.tables()
    foreign.manage("migrate_domain", "lab", "zero")
    assert foreign.tables() == before - SAMPLES
    assert foreign.query("SELECT count(*) FROM lab.django_migrations_lab") == [(0,)]
    assert foreign.query(
        "SELECT direction, status FROM lab.django_migrations_lab_journal"
        " WHERE name = '0001_initial' ORDER BY id"
    ) == [
        ("forwards", "done"),
        ("backwards", "done"),
    ]
    foreign.manage("migrate_domain", "lab")
    assert foreign.tables() == before
    assert foreign.query(f"SELECT code FROM {DECOY}") == [("decoy",)]


FOREIGN_STEPS = (
    comes_from_the_environment,
    checks,
    makes_migrations,
    shows_an_empty_database,
    stops_without_core,
    migrates,
    works,
    tells_where_it_stands,
    goes_to_zero_and_back,
)
