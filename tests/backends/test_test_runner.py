"""Django's test runner in a project with tables in schemas: flushing and restoring."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connections
from psycopg import sql

from tests.backends.test_commands import INITIAL, MODELS, SETTINGS
from tests.support.projects import Project, plain_app
from tests.support.servers import TestServer

SEED = """
    from django.db import migrations

    def seed(apps, editor):
        unit = apps.get_model("shop", "Unit").objects.create(name="mg")
        apps.get_model("shop", "Drug").objects.create(code="seed", unit=unit)

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
"""
TESTS = """
    from django.db import connection
    from django.test import TestCase, TransactionTestCase
    from shop.models import Drug, Sale, Tag, Unit


    def rows():
        with connection.cursor() as cursor:
            cursor.execute("SELECT code::text FROM inventory.drugs ORDER BY id")
            return [code for (code,) in cursor.fetchall()]


    def fill(code="test"):
        unit, _ = Unit.objects.get_or_create(name="mg")
        drug = Drug.objects.create(code=code, unit=unit)
        drug.tags.set([Tag.objects.create()])
        Sale.objects.create(drug=drug)
        return drug


    class Rows:
        # Twice the same: leftovers of the first would break the second.
        def test_one(self):
            self.assertEqual(rows(), self.expected)
            fill()

        test_two = test_one


    class A_Seeded(Rows, TestCase):
        expected = ["seed"]


    class B_Serialized(Rows, TransactionTestCase):
        serialized_rollback = True
        expected = ["seed"]


    class C_SerializedWithAvailableApps(Rows, TransactionTestCase):
        serialized_rollback = True
        available_apps = ["shop"]
        expected = ["seed"]


    class D_AvailableApps(TransactionTestCase):
        available_apps = ["shop"]

        def test_one(self):
            self.assertNotIn("test", rows())
            fill()

        test_two = test_one


    class E_ResetSequences(TransactionTestCase):
        reset_sequences = True

        def test_one(self):
            drug = fill()
            self.assertEqual((drug.pk, drug.unit.pk), (1, 1))
            self.assertEqual(list(Tag.objects.values_list("pk", flat=True)), [1])
            between = Drug.tags.through.objects.get()
            self.assertEqual(between.pk, 1)

        test_two = test_one


    class F_Plain(Rows, TransactionTestCase):
        expected = []
"""


@pytest.fixture
def shop(project: Callable[..., Project], postgres_server: TestServer) -> Iterator[Project]:
    """The project, whose test databases are dropped in the end."""
    migrations = {"0001_initial": INITIAL, "0002_seed": SEED}
    app = {**plain_app(models=MODELS, migrations=migrations), "tests.py": ""}
    settings = {**SETTINGS, "INSTALLED_APPS": ["shop"]}
    shop = project({"shop": app}, settings=settings)
    shop.write("shop/tests.py", TESTS)
    yield shop
    for name in test_databases(postgres_server):
        with postgres_server.connect() as session:
            session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_databases(server: TestServer) -> list[str]:
    own = connections["default"].settings_dict["NAME"]
    with server.connect() as session:
        rows = session.execute(
            "SELECT datname FROM pg_database WHERE datname ~ ('^test_' || %s || '(_[0-9]+)?$')"
            " ORDER BY 1",
            [own],
        ).fetchall()
    return [name for (name,) in rows]


test_databases.__test__ = False  # type: ignore[attr-defined]


def run(shop: Project, *arguments: str) -> str:
    done = shop.manage("test", "--noinput", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def test_all_kinds_of_test_cases(shop: Project) -> None:
    """Rows 12, 13 and 17."""
    assert "Ran 12 tests" in run(shop)


def test_keepdb(shop: Project, postgres_server: TestServer) -> None:
    assert "Ran 2 tests" in run(shop, "--keepdb", "shop.tests.A_Seeded")
    assert len(test_databases(postgres_server)) == 1
    assert "Ran 2 tests" in run(shop, "--keepdb", "shop.tests.A_Seeded")


def test_parallel_databases(shop: Project, postgres_server: TestServer) -> None:
    """The copies have the schemas too, and each process flushes its own."""
    output = run(
        shop,
        "--parallel=2",
        "--keepdb",
        "shop.tests.A_Seeded",
        "shop.tests.B_Serialized",
        "shop.tests.D_AvailableApps",
    )
    assert "Ran 6 tests" in output
    databases = test_databases(postgres_server)
    assert len(databases) == 3
    for name in databases:
        with postgres_server.connect(name) as session:
            tables = session.execute(
                "SELECT schemaname::text, tablename::text FROM pg_tables"
                " WHERE schemaname IN ('inventory', 'labels') ORDER BY 1, 2"
            ).fetchall()
        assert tables == [
            ("inventory", "cache"),
            ("inventory", "drugs"),
            ("inventory", "drugs_tags"),
            ("labels", "drugs"),
        ]


def test_without_migrations(shop: Project) -> None:
    """As pytest-django's `--nomigrations`: tables are made from models, schemas first."""
    shop.write("settings_plain.py", "from settings import *\nMIGRATION_MODULES = {'shop': None}\n")
    output = run(
        shop,
        "--settings=settings_plain",
        "shop.tests.D_AvailableApps",
        "shop.tests.E_ResetSequences",
        "shop.tests.F_Plain",
    )
    assert "Ran 6 tests" in output
