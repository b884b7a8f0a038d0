"""Test databases from a template, with pytest-django and Django's test runner."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from domain_migrations.engine.sources.content_digest import content_digest, digest_function_for
from hr.models import Position
from tests.support import databases
from tests.support.catalog import execute, query, snapshot
from tests.support.commands import ROOT, SECONDS, process_environment
from tests.support.projects import Project, domain_app, plain_app
from tests.support.servers import TestServer

LAB = """
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Thing", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("code", models.CharField(max_length=9, unique=True)),
        ], options={"db_table": '"lab"."things"'}),
        migrations.RunSQL("CREATE VIEW lab.codes AS SELECT code FROM lab.things"),
        migrations.RunSQL("INSERT INTO lab.things (code) VALUES ('kept'), ('too')"),
    ]
"""
MORE = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.AddField("Thing", "more", models.TextField(default=""))]
"""
MODEL = """
class Thing(models.Model):
    code = models.CharField(max_length=9, unique=True)
    class Meta:
        db_table = '"lab"."things"'
"""
UNMIGRATED = """
class Leaf(models.Model):
    colour = models.TextField()
"""
TESTS = """
    import os
    import pytest
    from django.test import TransactionTestCase
    from lab.models import Thing

    @pytest.mark.django_db
    @pytest.mark.parametrize("turn", range(4))
    def test_rows(turn):
        assert Thing.objects.count() == 2

    def check():
        # Twice the same: leftovers of the first would break the second.
        assert sorted(Thing.objects.values_list("code", flat=True)) == ["kept", "too"]
        Thing.objects.create(code="test")

    @pytest.mark.django_db(transaction=True, serialized_rollback=True)
    @pytest.mark.parametrize("turn", range(4))
    def test_serialized_rollback(turn):
        check()

    class Serialized(TransactionTestCase):
        serialized_rollback = True

        def test_one(self):
            check()

        test_two = test_one

    class Other(TransactionTestCase):
        def test_one(self):
            pass
"""
ROWS = """
SELECT 'type', app_label, model, '' FROM public.django_content_type
UNION ALL SELECT 'permission', codename, name, '' FROM public.auth_permission
UNION ALL SELECT 'lab', app, name, '' FROM lab.django_migrations_lab
UNION ALL SELECT 'core', app, name, '' FROM public.django_migrations
UNION ALL SELECT 'sequence', sequencename, '', coalesce(last_value::text, '') FROM pg_sequences
    WHERE schemaname = 'lab' AND sequencename = 'things_id_seq'
ORDER BY 1, 2, 3, 4
"""
COLUMNS = """
SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
WHERE attrelid = 'lab.things'::regclass AND attnum > 0
"""


@pytest.fixture
def lab(project: Callable[..., Project], postgres_server: TestServer) -> Iterator[Project]:
    """A project with templates, whose test databases and templates are dropped in the end."""
    apps = {
        "lab": domain_app("lab", models=MODEL, migrations={"0001_initial": LAB}),
        "leaves": plain_app(models=UNMIGRATED),
    }
    lab = project(apps, settings={"DOMAIN_MIGRATIONS": {"TEST_DATABASE_TEMPLATE": True}})
    lab.write("replayed.py", "from settings import *\nDOMAIN_MIGRATIONS = {}\n")
    lab.write("lab/tests.py", TESTS)
    yield lab
    for name in test_databases(lab):
        databases.drop(postgres_server, name)


def test_databases(lab: Project) -> dict[str, int]:
    """The names of the project's test databases, and of their template, with their oids."""
    return dict(
        query(
            "SELECT datname, oid FROM pg_database WHERE starts_with(datname, %s)",
            f"test_{lab.database}",
        )
    )


test_databases.__test__ = False  # type: ignore[attr-defined]


def run_pytest(lab: Project, *arguments: str, settings: str = "settings") -> str:
    environment = {"PYTHONPATH": str(ROOT), "PYTEST_XDIST_WORKER": None, "PYTEST_ADDOPTS": None}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-s", "-p", "no:cacheprovider", f"--ds={settings}",
         *arguments, "lab/tests.py"],
        cwd=lab.path,
        env=process_environment(environment),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def content(database: str) -> tuple[dict[str, str], list[Any]]:
    """Every schema's fingerprint, and the rows that migrations and their receivers make."""
    with databases.default_database(database):
        return snapshot(), query(ROWS)


def test_workers_get_the_same_database_as_a_replay(lab: Project) -> None:
    execute("CREATE SCHEMA lab; CREATE TABLE lab.things (decoy int)")
    test = f"test_{lab.database}"
    run_pytest(lab, "-n0", "--reuse-db", "-k", "rows", settings="replayed")
    replayed = content(test)
    assert list(test_databases(lab)) == [test]

    run_pytest(lab, "-n2", "--reuse-db", "-k", "rows")
    made = test_databases(lab)
    assert made.keys() == {test, f"{test}_template", f"{test}_gw0", f"{test}_gw1"}
    for worker in ("gw0", "gw1"):
        assert content(f"{test}_{worker}") == replayed

    again = run_pytest(lab, "-n0", "--reuse-db", "--create-db")
    renewed = test_databases(lab)
    assert renewed[f"{test}_template"] == made[f"{test}_template"]
    assert renewed[test] != made[test]
    assert "template" not in again
    run_pytest(lab, "-n0", "--reuse-db", "-k", "Other")
    assert test_databases(lab) == renewed
    assert query(COLUMNS) == [(["decoy"],)]


def test_djangos_runner_copies_it_and_rebuilds_it_for_a_new_migration(lab: Project) -> None:
    def run(*arguments: str) -> str:
        done = lab.manage("test", "--noinput", "--keepdb", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr

    test = f"test_{lab.database}"
    message = f"Creating test database for alias 'default', the template '{test}_template'...\n"
    assert message in run("--parallel=2", "lab.tests.Serialized", "lab.tests.Other")
    made = test_databases(lab)
    assert made.keys() >= {test, f"{test}_template"}

    lab.write("lab/migrations/0002_more.py", "from django.db import migrations, models\n" + MORE)
    model = MODEL.replace("class Meta", 'more = models.TextField(default="")\n    class Meta')
    lab.write("lab/models.py", "from django.db import models\n" + model)
    run("lab.tests.Other")  # The test database is there, so it is migrated on.
    assert test_databases(lab)[f"{test}_template"] == made[f"{test}_template"]
    execute(f"DROP DATABASE {test}")
    assert message in run("lab.tests.Serialized")
    assert test_databases(lab)[f"{test}_template"] != made[f"{test}_template"]
    with databases.default_database(test):
        assert query(COLUMNS) == [(["id", "code", "more"],)]


@pytest.fixture
def migrations(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of hr's migrations."""
    folder = tmp_path / f"hr_migrations_{os.getpid()}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "0001_initial.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"hr": folder.name}
    return folder


def digest() -> str:
    return content_digest(connections["default"])


def test_the_digest_is_of_the_files(scratch_database: str, migrations: Path) -> None:
    found = [digest()]
    for name, text in (
        ("0001_initial.py", "1"),
        ("0002_more.py", ""),
        ("snapshot.sql", "SELECT 1"),
        ("snapshot.sql", "SELECT 2"),
        ("data/roles.json", "[]"),
    ):
        (migrations / name).parent.mkdir(exist_ok=True)
        (migrations / name).write_text(text)
        found.append(digest())
    (migrations / "0002_more.py").rename(migrations / "0002_much.py")
    found.append(digest())
    assert len(set(found)) == len(found)
    (migrations / "__pycache__").mkdir()
    (migrations / "__pycache__/0001_initial.pyc").touch()
    assert digest() == found[-1]


def test_the_digest_is_of_the_settings_and_the_models(
    scratch_database: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [digest()]
    settings.TIME_ZONE = "Asia/Tokyo"
    found.append(digest())
    for chosen in (
        {"TEST_DATABASE_TEMPLATE": "1"},
        {"TEST_DATABASE_TEMPLATE": "2"},
        {"HOOKS": {"*": [digest]}},
    ):
        settings.DOMAIN_MIGRATIONS = chosen
        found.append(digest())
    monkeypatch.setattr(Position._meta, "permissions", [("promote", "Can promote")])
    found.append(digest())
    monkeypatch.setitem(vars(Position._meta), "verbose_name_raw", "post")
    found.append(digest())
    settings.MIGRATION_MODULES = {"hr": None}
    found.append(digest())
    monkeypatch.setattr(Position._meta.get_field("code"), "max_length", 77)
    found.append(digest())
    assert [found.count(one) for one in found] == [1] * len(found)
    assert digest() == found[-1]


def test_no_template(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connections["default"]
    settings.DOMAIN_MIGRATIONS = {}
    assert digest_function_for(connection) is None
    settings.DOMAIN_MIGRATIONS = {"TEST_DATABASE_TEMPLATE": True}
    assert digest_function_for(connection) is content_digest
    monkeypatch.setitem(connection.settings_dict["TEST"], "MIGRATE", False)
    assert digest_function_for(connection) is None
    monkeypatch.setitem(connection.settings_dict["TEST"], "MIGRATE", True)

    class DisableMigrations:
        """As of pytest-django."""

        def __contains__(self, item: str) -> bool:
            return True

        def __getitem__(self, item: str) -> None:
            return None

    settings.MIGRATION_MODULES = DisableMigrations()
    assert digest_function_for(connection) is None
