"""Changes of columns and keys that an inspected schema has in its own way."""

from __future__ import annotations

from django.db import migrations, models
from django.db.migrations.state import ProjectState

from domain_migrations.exact.fields import TypedCharField
from tests.backends.cases.sequence import table
from tests.backends.conftest import Place
from tests.support.catalog import execute, query

KEYS = """
SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2
"""
COLUMN = """
SELECT format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s::regclass AND a.attname = 'state'
"""


def create(name: str, **fields: models.Field) -> migrations.CreateModel:
    return table(lambda name: f'"inventory"."{name}"', name, fields)


def test_foreign_keys_of_the_database_survive_a_new_type_of_the_key(qualified: Place) -> None:
    own = {"db_constraint": False, "db_index": False}
    operations = [
        migrations.CreateModel(
            "Drug",
            [("code", models.IntegerField(primary_key=True))],
            {"db_table": '"inventory"."drug"'},
        ),
        create("Lot", drug=models.ForeignKey("Drug", models.CASCADE, **own)),
        create("Note", drug=models.ForeignKey("Drug", models.CASCADE, **own)),
    ]
    state = qualified.run(operations, ProjectState())
    execute(
        'ALTER TABLE inventory.lot ADD CONSTRAINT "Of a drug" FOREIGN KEY (drug_id)'
        " REFERENCES inventory.drug ON DELETE CASCADE;"
        "CREATE TABLE public.drug (code int PRIMARY KEY);"
        'CREATE TABLE public.lot (drug_id int CONSTRAINT "Of a drug" REFERENCES public.drug)'
    )
    before = query(KEYS)

    later = qualified.run(
        [migrations.AlterField("Drug", "code", models.BigIntegerField(primary_key=True))], state
    )
    assert query(KEYS) == before
    assert len(before) == 2
    assert query(
        "SELECT a.attrelid::regclass::text, format_type(a.atttypid, NULL) FROM pg_attribute a"
        " WHERE a.attname = 'drug_id' ORDER BY 1"
    ) == [
        ("inventory.lot", "bigint"),
        ("inventory.note", "bigint"),
        ("lot", "integer"),
    ]
    qualified.run([migrations.RemoveField("Lot", "drug")], later)
    assert query(KEYS) == [item for item in before if item[0] == "lot"]


def test_a_type_of_its_own_changes_with_its_default(qualified: Place) -> None:
    execute(
        "CREATE SCHEMA IF NOT EXISTS inventory;"
        "CREATE TYPE inventory.one AS ENUM ('new', 'old');"
        "CREATE TYPE inventory.two AS ENUM ('old', 'new');"
        "CREATE TABLE public.drug (state text DEFAULT 'new')"
    )
    fields = (
        (TypedCharField("inventory.two", db_default="new"), "'new'::inventory.two"),
        (models.CharField(max_length=9, db_default="new"), "'new'::character varying"),
        (TypedCharField("inventory.one", db_default="old"), "'old'::inventory.one"),
        (models.TextField(), None),
        (TypedCharField("inventory.two"), None),
    )
    first = TypedCharField("inventory.one", db_default="new")
    state = qualified.run([create("Drug", state=first)], ProjectState())
    execute("INSERT INTO inventory.drug DEFAULT VALUES")

    for field, default in fields:
        state = qualified.run([migrations.AlterField("Drug", "state", field)], state)
        [(kind, found)] = query(COLUMN, "inventory.drug")
        assert (kind, found) == (_type(field), default)
    assert query("SELECT state::text FROM inventory.drug") == [("new",)]
    assert query(COLUMN, "public.drug") == [("text", "'new'::text")]


def _type(field: models.Field) -> str:
    plain = {"CharField": "character varying(9)", "TextField": "text"}
    return getattr(field, "database_type", "") or plain[type(field).__name__]
