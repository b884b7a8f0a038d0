"""Domains in other projects: several apps, faked rows, the runners of Django and pytest."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support.catalog import execute, query, schemas, tables
from tests.support.commands import ROOT, process_environment
from tests.support.projects import Project, domain_app, plain_app

Write = Callable[..., Project]


def create(app: str, model: str, table: str, *, after: str = "") -> str:
    return f"""
    class Migration(migrations.Migration):
        initial = True
        dependencies = [{after}]
        operations = [migrations.CreateModel("{model}", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("size", models.IntegerField(db_index=True)),
        ], options={{"db_table": '{table}'}})]
    """


def model(name: str, table: str) -> str:
    return f"""
class {name}(models.Model):
    size = models.IntegerField(db_index=True)
    class Meta:
        db_table = '{table}'
"""


THINGS = '"lab"."things"'
PARTS = '"lab"."parts"'
LAB = {
    "lab": domain_app(
        "lab",
        models=model("Thing", THINGS),
        migrations={"0001_initial": create("lab", "Thing", THINGS)},
    )
}
TWO_APPS = {
    **LAB,
    "lab_parts": domain_app(
        "lab_parts",
        domain="lab",
        models=model("Part", PARTS),
        migrations={"0001_initial": create("lab_parts", "Part", PARTS)},
    ),
}


def status(project: Project, *arguments: str) -> dict[str, object]:
    result = project.manage("migrate_domain", *arguments, "--format", "json")
    return dict(json.loads(result.stdout)["domains"][-1])


def test_a_domain_that_needs_nothing_of_core_leaves_public_alone(project: Write) -> None:
    foreign = project(LAB)
    for target in ("lab", "zero", "lab"):
        result = foreign.manage("migrate_domain", "lab", *([target] if target == "zero" else []))
        assert result.returncode == 0, result.stderr
        assert tables("public") == set()
    assert tables("lab") == {"things", "django_migrations_lab", "django_migrations_lab_journal"}


@pytest.mark.parametrize("domain", ["core", "lab", "other"])
def test_core_that_names_a_domain_in_run_before(project: Write, domain: str) -> None:
    base = plain_app(
        migrations={
            "0001_initial": """
            class Migration(migrations.Migration):
                run_before = [("lab", "0001_initial")]
            """
        }
    )
    steps = {"0001_initial": create("other", "Thing", '"other"."things"')}
    foreign = project({**LAB, "base": base, "other": domain_app("other", migrations=steps)})
    assert status(foreign, domain, "--plan")["error"] == {
        "code": "boundary",
        "message": "Migration base.0001_initial has lab.0001_initial in its run_before: core"
        ' may not depend on domains, and it belongs to the domain "lab".',
        "hint": "Remove it; if lab.0001_initial needs it, add ('base', '0001_initial')"
        " to its dependencies.",
        "sqlstate": None,
    }
    assert schemas() == ["public"]


def test_two_apps_share_a_domain(project: Write) -> None:
    foreign = project(TWO_APPS)
    result = foreign.manage("migrate_domain", "lab", "--with-dependencies")
    assert result.returncode == 0, result.stderr
    assert tables("lab") >= {"things", "parts"}
    rows = query("SELECT app, name FROM lab.django_migrations_lab ORDER BY app")
    assert rows == [("lab", "0001_initial"), ("lab_parts", "0001_initial")]
    ambiguous = foreign.manage("migrate_domain", "lab", "0001")
    assert ambiguous.returncode == 1
    assert 'begin with "0001": lab.0001_initial, lab_parts.0001_initial' in ambiguous.stderr
    assert foreign.manage("migrate", "lab_parts", "zero").returncode == 0
    assert "parts" not in tables("lab")
    assert "things" in tables("lab")
    again = foreign.manage("migrate_domain", "lab", "lab_parts.0001")
    assert again.returncode == 0, again.stderr
    assert "parts" in tables("lab")


def test_apps_that_disagree_on_the_schema_are_refused(project: Write) -> None:
    apps = {**LAB, "lab_parts": domain_app("lab_parts", domain="lab", schema="elsewhere")}
    result = project(apps).manage("migrate_domain", "lab")
    assert result.returncode == 1
    assert 'The apps of the domain "lab" disagree on its schema' in result.stderr
    assert "Traceback" not in result.stderr
    assert schemas() == ["public"]


def test_fake_records_and_runs_nothing(project: Write) -> None:
    foreign = project(LAB)
    assert foreign.manage("migrate_domain", "core").returncode == 0
    execute("CREATE SCHEMA lab; CREATE TABLE lab.things (by_hand int)")
    result = foreign.manage("migrate_domain", "lab", "--fake")
    assert result.returncode == 0, result.stderr
    assert query("SELECT by_hand FROM lab.things") == []
    assert query(
        "SELECT name, status FROM lab.django_migrations_lab_journal WHERE app = 'lab'"
    ) == [("0001_initial", "faked")]


def test_fake_initial_finds_the_table_in_its_schema(project: Write) -> None:
    foreign = project(LAB)
    assert foreign.manage("migrate_domain", "core").returncode == 0
    execute("CREATE TABLE public.things (id int)")
    assert foreign.manage("migrate_domain", "lab", "--fake-initial").returncode == 0
    assert "things" in tables("lab")
    execute("DELETE FROM lab.django_migrations_lab")
    before = query("SELECT 'lab.things'::regclass::oid")
    result = foreign.manage("migrate_domain", "lab", "--fake-initial")
    assert result.returncode == 0, result.stderr
    assert "FAKED" in result.stdout
    assert query("SELECT 'lab.things'::regclass::oid") == before


def test_several_ends_are_refused(project: Write) -> None:
    migrations = {
        "0001_initial": create("lab", "Thing", THINGS),
        "0002_a": 'class Migration(migrations.Migration): dependencies = [("lab", "0001_initial")]',
        "0002_b": 'class Migration(migrations.Migration): dependencies = [("lab", "0001_initial")]',
    }
    app = domain_app("lab", models=model("Thing", THINGS), migrations=migrations)
    result = project({"lab": app}).manage("migrate_domain", "lab", "--with-dependencies")
    assert result.returncode == 1
    assert "The migrations of lab have several leaves: 0002_a, 0002_b." in result.stderr
    assert "lab" not in schemas()


def test_broken_migration_file_of_another_domain_does_not_matter(project: Write) -> None:
    apps = {**LAB, "shop": domain_app("shop", migrations={"0001_initial": "raise RuntimeError"})}
    foreign = project(apps)
    result = foreign.manage("migrate_domain", "lab", "--with-dependencies")
    assert result.returncode == 0, result.stderr
    broken = foreign.manage("migrate_domain", "shop")
    assert broken.returncode == 1
    assert "Traceback" not in broken.stderr
    assert "shop" in broken.stderr


def test_all_continues_after_a_domain_that_fails(project: Write) -> None:
    failing = """
    class Migration(migrations.Migration):
        operations = [migrations.RunSQL("SELECT 1 / 0", "")]
    """
    apps = {"shop": domain_app("shop", migrations={"0001_fails": failing}), **LAB}
    result = project(apps).manage("migrate_domain", "--all", "--format", "json")
    assert result.returncode == 1
    found = {d["domain"]: d["status"] for d in json.loads(result.stdout)["domains"]}
    assert found == {"core": "migrated", "shop": "failed", "lab": "migrated"}


def test_all_stops_after_core_fails(project: Write) -> None:
    failing = """
    class Migration(migrations.Migration):
        operations = [migrations.RunSQL("SELECT 1 / 0", "")]
    """
    apps = {"base": plain_app(migrations={"0001_fails": failing}), **LAB}
    result = project(apps).manage("migrate_domain", "--all", "--format", "json")
    assert result.returncode == 1
    found = {d["domain"]: d["status"] for d in json.loads(result.stdout)["domains"]}
    assert found == {"core": "failed", "lab": "skipped"}
    assert "lab" not in schemas()


@pytest.mark.parametrize("options", [[], ["--nomigrations"]])
def test_pytest_django_in_a_foreign_project(project: Write, options: list[str]) -> None:
    foreign = project(LAB)
    foreign.write(
        "test_things.py",
        """
        import pytest
        from django.db import connection
        from lab.models import Thing

        @pytest.mark.django_db
        def test_thing():
            Thing.objects.create(size=1)
            with connection.cursor() as cursor:
                cursor.execute("SELECT to_regclass('lab.things'), to_regclass('public.things')")
                assert cursor.fetchone() == ("lab.things", None)

        @pytest.mark.django_db(transaction=True)
        def test_flushed():
            assert not Thing.objects.exists()
        """,
    )
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "--ds=settings", *options],
        cwd=foreign.path,
        env=process_environment({"PYTHONPATH": f"{foreign.path}:{ROOT}"}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "2 passed" in result.stdout, result.stdout + result.stderr


def test_djangos_runner_in_a_foreign_project(project: Write) -> None:
    foreign = project(LAB)
    foreign.write(
        "lab/tests.py",
        """
        from django.test import TestCase, TransactionTestCase
        from lab.models import Thing

        class A(TransactionTestCase):
            def test_a(self):
                Thing.objects.create(size=1)

        class B(TransactionTestCase):
            def test_b(self):
                self.assertFalse(Thing.objects.exists())

        class C(TestCase):
            def test_c(self):
                self.assertFalse(Thing.objects.exists())
        """,
    )
    for options in (["--keepdb"], ["--keepdb"], ["--parallel", "2", "--noinput"]):
        result = foreign.manage("test", *options)
        assert result.returncode == 0, result.stderr
        assert "Ran 3 tests" in result.stderr
    execute(f"DROP DATABASE IF EXISTS test_{foreign.database} WITH (FORCE)")


RENAMED = model("Kind", "account_kinds")
RENAME = """
class Migration(migrations.Migration):
    dependencies = [("account", "0001_initial")]
    operations = [migrations.RenameModel("Sort", "Kind")]
"""


def test_plan_has_the_order_of_djangos_own(project: Write) -> None:
    """Django sorts apps by label: here a model is renamed before there are content types."""
    steps = {"0001_initial": create("account", "Sort", "account_kinds"), "0002_kind": RENAME}
    foreign = project({"account": plain_app(models=RENAMED, migrations=steps)})

    def keys(arguments: list[str], part: str) -> list[str]:
        result = foreign.manage("migrate_domain", "core", *arguments, "--format", "json")
        assert result.returncode == 0, result.stderr
        (domain,) = json.loads(result.stdout)["domains"]
        return [f"{key['app']}.{key['name']}" for key in domain[part]]

    planned = keys(["--plan"], "steps")
    assert planned[:5] == [
        "account.0001_initial",
        "account.0002_kind",
        "contenttypes.0001_initial",
        "contenttypes.0002_remove_content_type_name",
        "auth.0001_initial",
    ]
    assert keys(["--dry-run"], "steps") == planned
    assert keys([], "applied") == planned
