"""`snapshot_domain` in a foreign project: what it writes and refuses, and what makes it stale."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from domain_migrations.engine.catalog.fingerprint import compare
from tests.support.catalog import execute, history, query, snapshot
from tests.support.projects import Project, domain_app

SHOP = """
class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Item",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=20)),
                ("size", models.CharField(max_length=9, null=True)),
                ("owner", models.ForeignKey("auth.User", models.PROTECT, null=True)),
            ],
            options={
                "db_table": '"shop"."items"',
                "constraints": [models.CheckConstraint(
                    condition=models.Q(size__in=["small", "it's"]), name="items_size")],
            },
        ),
        migrations.RunSQL("COMMENT ON COLUMN shop.items.name IS 'a; b'", migrations.RunSQL.noop),
    ]
    dependencies = [("auth", "0001_initial")]
"""
FILLED = """
def fill(apps, schema_editor):
    Item = apps.get_model("shop", "Item")
    Item.objects.bulk_create(Item(name=name, size="small") for name in ("a;\\r\\n'b\\r", "$$", "ก"))


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
"""
BY_SQL = '''
class Migration(migrations.Migration):
    dependencies = [("shop", "0002_fill")]
    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION shop.sizes() RETURNS bigint LANGUAGE sql BEGIN ATOMIC
                SELECT CASE WHEN true THEN 1 END; SELECT count(*) FROM shop.items; END;
            """,
            "DROP FUNCTION shop.sizes()",
        ),
        migrations.RunSQL("CREATE VIEW shop.small AS SELECT id FROM shop.items"
                          " WHERE size IN ('small', 'tiny')", "DROP VIEW shop.small"),
        migrations.RunSQL("GRANT SELECT ON shop.small TO PUBLIC", migrations.RunSQL.noop),
        migrations.RunSQL("ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES"
                          " TO PUBLIC", migrations.RunSQL.noop),
    ]
'''
TILL = """
class Migration(migrations.Migration):
    dependencies = [("shop", "0003_by_sql")]
    operations = [
        migrations.CreateModel(
            "Sale",
            [
                ("id", models.UUIDField(primary_key=True)),
                ("item", models.ForeignKey("shop.Item", models.PROTECT)),
            ],
            options={"db_table": '"shop"."sales"'},
        ),
    ]
"""
RENAMED = """
class Migration(migrations.Migration):
    dependencies = [("shop", "0003_by_sql"), ("till", "0001_initial")]
    operations = [migrations.RenameField("Item", "name", "title")]
"""
INSERTED = """
class Migration(migrations.Migration):
    dependencies = [("shop", "0002_fill")]
    run_before = [("shop", "0003_by_sql")]
    operations = []
"""
REPLACES = """
class Migration(migrations.Migration):
    replaces = [("shop", "0001_initial"), ("shop", "0002_fill")]
"""
SQUASHED = SHOP.replace("\nclass Migration(migrations.Migration):\n", REPLACES)
HEADER = "from django.db import migrations, models\n"
CHANCE = """
import uuid


def fill(apps, schema_editor):
    apps.get_model("chance", "Thing").objects.create(id=uuid.uuid4())


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Thing",
            [("id", models.UUIDField(primary_key=True))],
            options={"db_table": '"chance"."things"'},
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
"""
POINTS = """
def fill(apps, schema_editor):
    permission = apps.get_model("auth", "Permission").objects.first()
    apps.get_model("points", "Thing").objects.create(permission=permission)


class Migration(migrations.Migration):
    dependencies = [("auth", "0001_initial")]
    operations = [
        migrations.CreateModel(
            "Thing",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("permission", models.ForeignKey("auth.Permission", models.CASCADE)),
            ],
            options={"db_table": '"points"."things"'},
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
"""
WRITES = """
class Migration(migrations.Migration):
    writes_core = True
    dependencies = [("auth", "0001_initial")]
    operations = [migrations.RunSQL("INSERT INTO public.auth_group (name) VALUES ('x')",
                                    migrations.RunSQL.noop)]
"""
REFUSED = """
import django
django.setup()
from domain_migrations.exceptions import InvalidConfiguration
from domain_migrations.api.snapshot import snapshot_domains
for name in ("chance", "points", "writes"):
    try:
        snapshot_domains([name])
    except InvalidConfiguration as exc:
        print(exc.message.partition(": ")[2])
"""
STALE = """
import importlib, pathlib, sys
import django
django.setup()
from domain_migrations.engine.runner.options import MigrateOptions
from domain_migrations.api.migrate import migrate_domains
folder = pathlib.Path("shop/migrations")
def attempt(name, text):
    path = folder / f"{name}.py"
    before = path.read_text() if path.exists() else None
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text)
    for module in [name for name in sys.modules if ".migrations" in name and "shop" in name]:
        del sys.modules[module]
    importlib.invalidate_caches()
    (result,) = migrate_domains(["shop"], MigrateOptions(strict=True)).domains
    print(result.error.code, result.error.message.partition(": ")[2] if result.error else "")
    path.unlink(missing_ok=True)
    if before is not None:
        path.write_text(before)
sql = (folder / "0003_by_sql.py").read_text()
attempt("0003_by_sql", sql.replace("tiny", "huge"))
attempt("0004_rename", None)
attempt("0002_inserted", INSERTED)
attempt("0001_squashed", SQUASHED)
"""


@pytest.fixture
def shop(project: Callable[..., Project]) -> Project:
    def single(name: str, migration: str) -> dict[str, str]:
        return domain_app(name, migrations={"0001_initial": migration})

    return project(
        {
            "shop": domain_app(
                "shop",
                migrations={
                    "0001_initial": SHOP,
                    "0002_fill": FILLED,
                    "0003_by_sql": BY_SQL,
                    "0004_rename": RENAMED,
                },
            ),
            "till": domain_app(
                "till", domain="shop", schema="shop", migrations={"0001_initial": TILL}
            ),
            "chance": single("chance", CHANCE),
            "points": single("points", POINTS),
            "writes": single("writes", WRITES),
        }
    )


def script(shop: Project, source: str) -> list[str]:
    shop.write("steps.py", source)
    done = shop.manage("shell", "-c", "import steps")
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line and "imported automatic" not in line]


def assert_stale_ones_are_named(shop: Project) -> None:
    """Each is refused, and the snapshot is as it was afterwards."""
    assert shop.manage("migrate_domain", "core").returncode == 0
    given = f"INSERTED = {HEADER + INSERTED!r}\nSQUASHED = {HEADER + SQUASHED!r}\n"
    where = "(shop/migrations/snapshot.sql)."
    assert script(shop, given + STALE) == [
        f"snapshot_stale shop.0003_by_sql was edited {where}",
        f"snapshot_stale shop.0004_rename was removed {where}",
        f"snapshot_stale shop.0002_inserted was inserted {where}",
        "snapshot_stale shop.0001_initial was replaced by a squashed one; shop.0002_fill was"
        f" replaced by a squashed one; shop.0001_squashed was inserted {where}",
    ]
    assert query("SELECT 1 FROM pg_namespace WHERE nspname = 'shop'") == []


def test_a_domain_with_rows_and_sql_of_its_own(shop: Project) -> None:
    execute("CREATE TABLE public.items (id int); CREATE VIEW public.small AS SELECT 1 AS decoy")
    before = snapshot()
    written = shop.manage("snapshot_domain", "shop")
    assert written.stdout == "shop: shop/migrations/snapshot.sql written, 5 migrations\n"
    assert written.stderr == (
        "Warning: shop: A snapshot contains no grants, so these of the migrations will be"
        " missing: default privileges shop for postgres on tables: added; privileges shop.sales"
        " differs: nothing / select to public; privileges shop.small differs: nothing / select to"
        " public. Grant them with grant_domain, or do without a snapshot.\n"
    )
    assert snapshot() == before
    text = (shop.path / "shop/migrations/snapshot.sql").read_text()
    assert "GRANT" not in text
    assert "OWNER" not in text

    assert_stale_ones_are_named(shop)

    restored = shop.manage("migrate", "--no-input")
    assert restored.returncode == 0, restored.stderr
    assert "Applying snapshot.sql (5 migrations to shop.0004_rename)... OK\n" in restored.stdout
    after = snapshot()
    rows = query("SELECT id, title, size FROM shop.items ORDER BY id")
    assert rows == [(1, "a;\r\n'b\r", "small"), (2, "$$", "small"), (3, "ก", "small")]
    assert query("SELECT nextval('shop.items_id_seq'), shop.sizes()") == [(4, 3)]
    # As in a replay, the name is that of the column before it was renamed (PostgreSQL 18).
    named = query("SELECT conname FROM pg_constraint WHERE contype = 'n' AND conname ~ '^items_'")
    assert ("items_name_not_null",) in named or not named
    order = history("shop.django_migrations_shop")
    assert order.index(("till", "0001_initial")) < order.index(("shop", "0004_rename"))
    verified = shop.manage("verify_domain", "shop", "--only", "history,checksum,drift")
    assert verified.stdout == "Nothing found.\n"

    execute("DROP SCHEMA shop CASCADE")
    shop.write("shop/migrations/0003_by_sql.py", HEADER + BY_SQL.replace("tiny", "huge"))
    replayed = shop.manage("migrate_domain", "shop", "--format", "json")
    assert (replayed.returncode, json.loads(replayed.stdout)["domains"][0]["status"]) == (
        0,
        "migrated",
    )
    assert "shop.0003_by_sql was edited" in replayed.stderr
    assert query("SELECT id, title, size FROM shop.items ORDER BY id") == rows
    assert "huge" in compare(after["shop"], snapshot()["shop"])[-1]
    checked = shop.manage("snapshot_domain", "--check", "shop")
    assert checked.returncode == 1
    assert checked.stderr.endswith(
        "CommandError: Not up to date: shop. Run: manage.py snapshot_domain shop\n"
    )


def test_migrations_whose_rows_cannot_be_kept_are_named(shop: Project) -> None:
    assert script(shop, REFUSED) == [
        "chance.0001_initial inserts different rows each time it runs.",
        "points.0001_initial inserts rows into points.things whose permission_id points at rows of"
        " public.auth_permission, which may differ in another database.",
        "writes.0001_initial writes rows of core, which are not in a snapshot.",
    ]
    assert list(shop.path.rglob("*snapshot.sql*")) == []
