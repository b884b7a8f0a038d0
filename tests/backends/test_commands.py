"""Django's own commands and test runner, in a project that uses only the engine's backend."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.support.catalog import execute, query, tables
from tests.support.projects import Project, plain_app

MODELS = """
    class Unit(models.Model):
        name = models.CharField(max_length=9)

    class Drug(models.Model):
        code = models.CharField(max_length=9, unique=True, db_comment="its code")
        unit = models.ForeignKey(Unit, models.CASCADE)
        tags = models.ManyToManyField("Tag")

        class Meta:
            db_table = '"inventory"."drugs"'
            db_table_comment = "what is given"

    class Tag(models.Model):
        class Meta:
            db_table = '"labels"."drugs"'

    class Sale(models.Model):
        drug = models.ForeignKey(Drug, models.CASCADE)
"""
INITIAL = """
    KEY = models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )

    class Migration(migrations.Migration):
        initial = True
        dependencies = []
        operations = [
            migrations.CreateModel("Unit", [
                ("id", KEY),
                ("name", models.CharField(max_length=9)),
            ]),
            migrations.CreateModel("Tag", [
                ("id", KEY),
            ], {"db_table": '"labels"."drugs"'}),
            migrations.CreateModel("Drug", [
                ("id", KEY),
                ("code", models.CharField(max_length=9, unique=True, db_comment="its code")),
                ("unit", models.ForeignKey("shop.unit", models.CASCADE)),
            ], {"db_table": '"inventory"."drugs"', "db_table_comment": "what is given"}),
            migrations.AddField("Drug", "tags", models.ManyToManyField("shop.tag")),
            migrations.CreateModel("Sale", [
                ("id", KEY),
                ("drug", models.ForeignKey("shop.drug", models.CASCADE)),
            ]),
        ]
"""
SETTINGS = {
    "INSTALLED_APPS": ["django.contrib.contenttypes", "shop"],
    "DATABASE_ROUTERS": [],
    "CACHES": {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": '"inventory"."cache"',
        }
    },
}
ROWS = """
    INSERT INTO shop_unit (name) VALUES ('mg'), ('ml');
    INSERT INTO inventory.drugs (code, unit_id) VALUES ('a', 1), ('b', 2);
    INSERT INTO labels.drugs DEFAULT VALUES;
    INSERT INTO inventory.drugs_tags (drug_id, tag_id) VALUES (1, 1), (2, 1);
    INSERT INTO shop_sale (drug_id) VALUES (2);
"""
DECOYS = """
    CREATE TABLE public.drugs (id int PRIMARY KEY, code text, CONSTRAINT code_key UNIQUE (code));
    CREATE TABLE public.drugs_tags (id int PRIMARY KEY);
    CREATE SCHEMA third;
    CREATE TABLE third.drugs (id int PRIMARY KEY);
    INSERT INTO public.drugs VALUES (1, 'kept');
    INSERT INTO public.drugs_tags VALUES (1);
    INSERT INTO third.drugs VALUES (1);
"""


@pytest.fixture
def shop(project: Callable[..., Project]) -> Project:
    """The project, with nothing in its database yet."""
    app = plain_app(models=MODELS, migrations={"0001_initial": INITIAL})
    return project({"shop": app}, settings=SETTINGS)


@pytest.fixture
def migrated(shop: Project) -> Project:
    execute(DECOYS)
    run(shop, "migrate")
    return shop


def run(shop: Project, *arguments: str) -> str:
    """Run a command that must succeed; its standard output."""
    done = shop.manage(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def counts(*names: str) -> list[int]:
    return [query(f"SELECT count(*) FROM {name}")[0][0] for name in names]


def decoys_are_untouched() -> bool:
    return counts("public.drugs", "public.drugs_tags", "third.drugs") == [1, 1, 1]


def test_migrate_and_back(migrated: Project) -> None:
    assert tables("inventory") == {"drugs", "drugs_tags"}
    assert tables("labels") == {"drugs"}
    assert "No changes detected" in run(migrated, "makemigrations", "--check")
    run(migrated, "migrate", "shop", "zero")
    assert tables("inventory") == tables("labels") == set()
    assert decoys_are_untouched()


@pytest.mark.parametrize(
    "arguments", [["migrate", "--plan"], ["migrate", "--check"], ["sqlmigrate", "shop", "0001"]]
)
def test_read_only_commands_create_nothing(arguments: list[str], shop: Project) -> None:
    """Row 11."""
    done = shop.manage(*arguments)
    assert "Traceback" not in done.stderr
    assert (
        query("SELECT nspname::text FROM pg_namespace WHERE nspname IN ('inventory', 'labels')")
        == []
    )
    assert tables("public") == set()


def test_fake_initial__all_tables_exist(migrated: Project) -> None:
    """Row 9, and row 15 for the table between drugs and tags."""
    execute("DELETE FROM django_migrations WHERE app = 'shop'")
    assert "Applying shop.0001_initial... FAKED" in run(migrated, "migrate", "--fake-initial")
    assert decoys_are_untouched()


@pytest.mark.parametrize("missing", ["inventory.drugs_tags", "inventory.drugs"])
def test_fake_initial__a_table_is_missing_and_its_homonyms_do_not_count(
    missing: str, migrated: Project
) -> None:
    execute(f"DELETE FROM django_migrations WHERE app = 'shop'; DROP TABLE {missing} CASCADE")
    done = migrated.manage("migrate", "--fake-initial")
    assert done.returncode == 1
    assert "already exists" in done.stderr
    assert "FAKED" not in done.stdout


def test_run_syncdb__twice(project: Callable[..., Project]) -> None:
    """Row 18: tables of an app without migrations, whose schemas do not exist yet."""
    execute(DECOYS)
    shop = project({"shop": plain_app(models=MODELS)}, settings=SETTINGS)
    first = run(shop, "migrate", "--run-syncdb")
    assert 'Creating table "inventory"."drugs"' in first
    assert tables("inventory") == {"drugs", "drugs_tags"}
    assert 'Creating table "' not in run(shop, "migrate", "--run-syncdb")
    assert decoys_are_untouched()


def test_flush(migrated: Project) -> None:
    """Rows 12 and 13: foreign keys between schemas do not stop TRUNCATE."""
    execute(ROWS)
    statement = run(migrated, "sqlflush")
    for name in (
        '"inventory"."drugs"',
        '"inventory"."drugs_tags"',
        '"labels"."drugs"',
        '"shop_unit"',
    ):
        assert len(re.findall(re.escape(name) + "[, ]", statement)) == 1
    run(migrated, "flush", "--noinput")
    assert (
        counts("inventory.drugs", "inventory.drugs_tags", "labels.drugs", "shop_unit", "shop_sale")
        == [0] * 5
    )
    assert decoys_are_untouched()


def test_sqlsequencereset(migrated: Project) -> None:
    execute(ROWS)
    execute(
        "UPDATE inventory.drugs_tags SET id = id + 40; INSERT INTO labels.drugs (id) VALUES (70)"
    )
    execute(run(migrated, "sqlsequencereset", "shop"))
    assert query("INSERT INTO labels.drugs DEFAULT VALUES RETURNING id") == [(71,)]
    assert query("SELECT nextval(pg_get_serial_sequence('inventory.drugs', 'id'))") == [(3,)]


def test_dumpdata_and_loaddata(migrated: Project) -> None:
    execute(ROWS)
    dump = run(migrated, "dumpdata", "shop", "--natural-foreign", "--indent=1")
    assert len(json.loads(dump)) == 6
    (migrated.path / "dump.json").write_text(dump)
    run(migrated, "flush", "--noinput")
    assert "Installed 6 object(s)" in run(migrated, "loaddata", "dump.json")
    assert query("SELECT code, unit_id FROM inventory.drugs ORDER BY id") == [("a", 1), ("b", 2)]
    assert counts("inventory.drugs_tags") == [2]
    # The sequences have moved on.
    assert query("INSERT INTO inventory.drugs (code, unit_id) VALUES ('c', 1) RETURNING id") == [
        (3,)
    ]
    assert decoys_are_untouched()


def test_inspectdb__can_be_pasted(migrated: Project) -> None:
    """Row 16: every schema's tables, once, with names that Django takes."""
    output = run(migrated, "inspectdb")
    assert "Unable to inspect" not in output
    found = dict(re.findall(r"class (\w+)\(models\.Model\):.*?db_table = '(.*?)'\n", output, re.S))
    assert found == {
        "DjangoContentType": "django_content_type",
        "DjangoMigrations": "django_migrations",
        "Drugs": "drugs",
        "DrugsTags": "drugs_tags",
        "InventoryDrugs": '"inventory"."drugs"',
        "InventoryDrugsTags": '"inventory"."drugs_tags"',
        "LabelsDrugs": '"labels"."drugs"',
        "ShopSale": "shop_sale",
        "ShopUnit": "shop_unit",
        "ThirdDrugs": '"third"."drugs"',
    }
    drug = output[output.index("class InventoryDrugs(") :]
    drug = drug[: drug.index("class InventoryDrugsTags(")]
    assert "unit = models.ForeignKey('ShopUnit', models.DO_NOTHING)" in drug
    assert "code = models.CharField(unique=True, max_length=9, db_comment='its code')" in drug
    assert "db_table_comment = 'what is given'" in drug
    between = output[output.index("class InventoryDrugsTags(") :]
    assert "drug = models.ForeignKey(InventoryDrugs, models.DO_NOTHING)" in between
    assert "models.ForeignKey('LabelsDrugs', models.DO_NOTHING)" in between
    assert "unique_together = (('drug', 'tag'),)" in between

    execute(ROWS)
    migrated.write("pasted/models.py", output)
    migrated.write(
        "settings_pasted.py",
        "from settings import *\nINSTALLED_APPS = ['pasted']\nCACHES = {}\n",
    )
    shell = (
        "from pasted.models import *;"
        "print(sorted(InventoryDrugsTags.objects.values_list('drug__code', 'drug__unit__name')))"
    )
    done = migrated.manage("shell", "--settings=settings_pasted", "-c", shell)
    assert "[('a', 'mg'), ('b', 'ml')]" in done.stdout, done.stderr


def test_inspectdb__one_table(migrated: Project) -> None:
    output = run(migrated, "inspectdb", '"labels"."drugs"')
    assert re.findall(r"^class (\w+)", output, re.MULTILINE) == ["LabelsDrugs"]
    assert 'db_table = \'"labels"."drugs"\'' in output


def test_createcachetable(migrated: Project) -> None:
    dry = run(migrated, "createcachetable", "--dry-run")
    assert 'CREATE INDEX "cache_expires" ON "inventory"."cache" ("expires");' in dry
    assert tables("inventory") == {"drugs", "drugs_tags"}
    run(migrated, "createcachetable")
    assert "already exists" in run(migrated, "createcachetable")
    assert query(
        "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'inventory'"
        " AND tablename = 'cache' ORDER BY 1"
    ) == [("cache_expires",), ("cache_pkey",)]
    shell = "from django.core.cache import cache; cache.set('a', 5); print('got', cache.get('a'))"
    assert "got 5" in run(migrated, "shell", "-c", shell)
    assert counts("inventory.cache") == [1]
