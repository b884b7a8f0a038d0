"""Names that packages derive from the name of a qualified table."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connections
from django.db.backends.utils import truncate_name

from tests.backends.conftest import Place
from tests.support.catalog import execute, query, tables

DRUGS = '"inventory"."drugs"'


@pytest.fixture
def drugs(empty_schemas: None) -> None:
    execute(f"CREATE SCHEMA inventory; CREATE TABLE {DRUGS} (id int, size int CHECK (size > 0))")


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        (f"{DRUGS}_2024", '"inventory"."drugs_2024"'),
        (f"old_{DRUGS}", '"inventory"."old_drugs"'),
        (f"old_{DRUGS}_2024", '"inventory"."old_drugs_2024"'),
        ('"in""v"."dr""ugs"_x', '"in""v"."dr""ugs_x"'),
        (f"{DRUGS[1:-1]}_2024", '"inventory"."drugs_2024"'),
        (truncate_name(f"{DRUGS}_2024", 9), f'"{truncate_name(f"{DRUGS}_2024", 9)}"'),
        (DRUGS, DRUGS),
        ("drugs", '"drugs"'),
    ],
)
def test_a_derived_name_keeps_the_schema(name: str, quoted: str) -> None:
    assert connections["default"].ops.quote_name(name) == quoted


@pytest.mark.parametrize(
    "derive",
    [
        lambda quote: quote(f"{DRUGS}_x"),
        lambda quote: quote(f"x_{DRUGS}"),
        lambda quote: quote(quote(DRUGS) + "_x"),
        lambda quote: f"{DRUGS}_x",
        lambda quote: f"x_{DRUGS}",
        lambda quote: f'"{DRUGS}_x"',
        lambda quote: quote(DRUGS.split(".")[-1] + "_x"),
        lambda quote: quote(truncate_name(f"{DRUGS}_{'x' * 60}", 63)),
        lambda quote: quote(DRUGS[1:-1] + "_x"),
    ],
)
def test_a_derived_table_is_never_in_public(drugs: None, derive: object) -> None:
    """Either the schema is kept, or the server rejects the name."""
    name = derive(connections["default"].ops.quote_name)  # type: ignore[operator]
    try:
        execute(f"CREATE TABLE {name} (LIKE {DRUGS})")
    except ProgrammingError:
        assert tables("inventory") == {"drugs"}
    else:
        assert len(tables("inventory")) == 2
    assert tables("public") == set()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX {} ON {}  (id)",
        "CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} (id)",
        "ALTER TABLE {1} ADD CONSTRAINT {0} CHECK (id > 0)",
        "ALTER TABLE {1} RENAME CONSTRAINT drugs_size_check TO {0}",
        "ALTER TABLE {1} RENAME TO {0}",
        "CREATE TRIGGER {} BEFORE UPDATE ON {} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ],
)
def test_the_editor_leaves_out_a_schema_that_is_the_tables_anyway(
    drugs: None, statement: str
) -> None:
    connection = connections["default"]
    quote = connection.ops.quote_name
    with connection.schema_editor() as editor:
        editor.execute(statement.format(quote(f"{DRUGS}_x"), quote(DRUGS)))
    assert query(
        "SELECT relname::text FROM pg_class WHERE relname = 'drugs_x' UNION"
        " SELECT conname::text FROM pg_constraint WHERE conname = 'drugs_x' UNION"
        " SELECT tgname::text FROM pg_trigger WHERE tgname = 'drugs_x'"
    ) == [("drugs_x",)]


def test_the_editor_leaves_other_texts_as_they_are(drugs: None) -> None:
    text = '\'CREATE INDEX "a"."b" ON "a"."c"\''
    with connections["default"].schema_editor() as editor:
        editor.execute(f"COMMENT ON TABLE {DRUGS} IS {text}")
    assert query("SELECT obj_description(%s::regclass)", DRUGS) == [(text[1:-1],)]


def test_a_partition_that_psqlextra_names(drugs: None, qualified: Place) -> None:
    """As its schema editor does, whose tables then are where the partitioned table is."""
    schema = pytest.importorskip("psqlextra.backend.schema")
    execute("CREATE TABLE inventory.sales (at date) PARTITION BY RANGE (at)")

    class Sale:
        class _meta:  # noqa: N801
            db_table = '"inventory"."sales"'

    editor = schema.PostgresSchemaEditor.__new__(schema.PostgresSchemaEditor)
    name = editor.create_partition_table_name(Sale, "2024")
    quoted = connections["default"].ops.quote_name(name)
    execute(f"CREATE TABLE {quoted} PARTITION OF inventory.sales DEFAULT")
    assert tables("inventory") == {"drugs", "sales", "sales_2024"}
