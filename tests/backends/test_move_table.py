"""AlterModelTable between schemas, from and to plain names."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from domain_migrations.backends.postgresql.names import parse_table_name
from tests.backends.cases.sequence import table
from tests.backends.catalogs import catalog
from tests.backends.conftest import THIRD, Place
from tests.support.catalog import execute, query, tables

INDEX = models.Index(fields=["size"], name="drug_size_idx")


def drug(db_table: str) -> list[Operation]:
    """A table with everything that goes along: keys from and to it, indexes, sequences."""
    return [
        table(lambda name: f'"units"."{name}"', "Unit"),
        table(
            lambda name: db_table,
            "Drug",
            {
                "code": models.SlugField(unique=True),
                "size": models.PositiveIntegerField(db_comment="in mg"),
                "unit": models.ForeignKey("Unit", models.CASCADE),
                "similar": models.ManyToManyField("self"),
            },
            indexes=[INDEX.clone()],
            db_table_comment="what is given",
        ),
        table(
            lambda name: f'"sales"."{name}"',
            "Sale",
            {"drug": models.ForeignKey("Drug", models.CASCADE)},
        ),
    ]


def places() -> dict[int, tuple[str, str]]:
    """Every relation's identity, and its schema and name."""
    return {
        oid: (schema, name)
        for schema, name, oid in query(
            "SELECT n.nspname, c.relname, c.oid::bigint FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'i', 'S') AND n.nspname !~ '^pg_'"
            " AND n.nspname <> 'information_schema'"
        )
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"inventory"."drug"', '"inventory"."medicine"'),
        ('"inventory"."drug"', '"pharmacy"."drug"'),
        ('"inventory"."drug"', '"pharmacy"."medicine"'),
        ('"inventory"."drug"', "medicine"),
        ('"inventory"."drug"', '"public"."medicine"'),
        ("medicine", '"inventory"."drug"'),
        ("medicine", '"inventory"."medicine"'),
        ("medicine", "remedy"),
    ],
)
def test_move_and_back(old: str, new: str, qualified: Place, plain: Place, third: Place) -> None:
    """What goes along keeps its identity; what has the same names elsewhere stays as it is."""
    decoy = table(lambda name: name, "Drug", {"code": models.SlugField(unique=True)})
    homonyms = [decoy, table(lambda name: name, "Medicine")]
    plain.run(homonyms[:1], ProjectState())
    third.run(homonyms, ProjectState())
    decoys = places()
    state = qualified.run(drug(old), ProjectState())
    created = {oid: place for oid, place in places().items() if oid not in decoys}
    move = migrations.AlterModelTable("Drug", new)

    for step, here in ((qualified.run, new), (qualified.revert, old)):
        step([move], state)

        now = places()
        assert set(now) == {*decoys, *created}
        assert {oid: now[oid] for oid in decoys} == decoys
        schema, name = parse_table_name(here)
        schema = schema or "public"
        assert sorted(place for oid, place in now.items() if oid in created and _is_table(oid)) == (
            sorted(
                [
                    ("sales", "sale"),
                    ("units", "unit"),
                    (schema, name),
                    (schema, f"{name}_similar"),
                ]
            )
        )
        assert {now[oid][0] for oid in created} == {"sales", "units", schema}
        # Identity columns still work, and so do the keys.
        execute(
            "INSERT INTO units.unit DEFAULT VALUES;"
            f"INSERT INTO {schema}.{name} (code, size, unit_id) SELECT 'a', 1, id FROM units.unit;"
            f"INSERT INTO sales.sale (drug_id) SELECT id FROM {schema}.{name}"
        )
        execute(f"DELETE FROM sales.sale; DELETE FROM {schema}.{name}; DELETE FROM units.unit")


def _is_table(oid: int) -> bool:
    return query("SELECT relkind = 'r' FROM pg_class WHERE oid = %s", oid) == [(True,)]


def test_move_when_both_intermediate_names_exist(qualified: Place, third: Place) -> None:
    """The target has a table of the old name."""
    third.run([table(lambda name: name, "Drug")], ProjectState())
    untouched = catalog(third.connection, THIRD)
    state = qualified.run(drug('"inventory"."drug"'), ProjectState())

    qualified.run([migrations.AlterModelTable("Drug", f'"{THIRD}"."medicine"')], state)

    assert {"drug", "medicine"} <= tables(THIRD)
    assert set(untouched) <= set(catalog(third.connection, THIRD))
    assert ("medicine", "drug_pkey1") in query(
        "SELECT tablename::text, indexname::text FROM pg_indexes WHERE schemaname = %s", THIRD
    )


def test_move_when_the_name_of_an_index_exists(qualified: Place, plain: Place) -> None:
    """Migrations know that index by its name, so it cannot have another one."""
    state = qualified.run(drug('"inventory"."drug"'), ProjectState())
    execute(f"CREATE TABLE public.other (id int); CREATE INDEX {INDEX.name} ON public.other (id)")
    before = catalog(qualified.connection, "inventory"), catalog(plain.connection, "public")

    with pytest.raises(ProgrammingError, match=r"drug_size_idx.* already exists in schema"):
        qualified.run([migrations.AlterModelTable("Drug", "medicine")], state)

    after = catalog(qualified.connection, "inventory"), catalog(plain.connection, "public")
    assert after == before


def test_other_spellings_of_the_same_table_are_no_move(qualified: Place) -> None:
    state = qualified.run(drug("drug"), ProjectState())
    before = catalog(qualified.connection, "public")
    with qualified.connection.schema_editor(collect_sql=True) as editor:
        model = state.apps.get_model("shop", "Drug")
        editor.alter_db_table(model, "drug", '"public"."drug"')
        editor.alter_db_table(model, '"public"."drug"', '"drug"')
    assert editor.collected_sql == []
    assert catalog(qualified.connection, "public") == before


def test_waiting_statements_follow_the_table(qualified: Place, plain: Place) -> None:
    """Indexes and keys of a new table are made at the end of the migration, wherever it is then."""
    plain.run([table(lambda name: name, "Drug")], ProjectState())
    untouched = catalog(plain.connection, "public")
    operations = [
        *drug('"inventory"."drug"'),
        migrations.AlterModelTable("Unit", '"pharmacy"."measure"'),
        migrations.AlterModelTable("Drug", '"pharmacy"."medicine"'),
        migrations.RenameField("Drug", "size", "amount"),
    ]

    qualified.run(operations, ProjectState())

    assert tables("inventory") == set()
    assert tables("units") == set()
    assert tables("pharmacy") == {"measure", "medicine", "medicine_similar"}
    keys = query(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'"
        " AND conrelid IN ('pharmacy.medicine'::regclass, 'sales.sale'::regclass) ORDER BY 1"
    )
    suffix = "DEFERRABLE INITIALLY DEFERRED"
    assert keys == [
        (f"FOREIGN KEY (drug_id) REFERENCES pharmacy.medicine(id) {suffix}",),
        (f"FOREIGN KEY (unit_id) REFERENCES pharmacy.measure(id) {suffix}",),
    ]
    assert query(
        "SELECT count(*) FROM pg_indexes WHERE schemaname = 'pharmacy' AND indexname = %s",
        INDEX.name,
    ) == [(1,)]
    assert catalog(plain.connection, "public") == untouched


def test_waiting_keys_survive_the_end_of_a_table_of_that_name_in_public(
    qualified: Place, plain: Place
) -> None:
    """The statement that makes the key names a table, and that is not the one in `public`."""
    state = qualified.run([table(lambda name: name, "Old", db_table="drug")], ProjectState())

    qualified.run([*drug('"inventory"."drug"'), migrations.DeleteModel("Old")], state)

    assert tables("public") == set()
    ((definition,),) = query(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'sales.sale'::regclass AND contype = 'f'"
    )
    assert definition.startswith("FOREIGN KEY (drug_id) REFERENCES inventory.drug(id)")


def test_sequence_of_a_serial_column_is_moved_too(qualified: Place) -> None:
    create = table(
        lambda name: '"inventory"."drug"', "Drug", key=models.AutoField(primary_key=True)
    )
    state = ProjectState()
    create.state_forwards("shop", state)
    execute("CREATE SCHEMA inventory; CREATE TABLE inventory.drug (id serial PRIMARY KEY)")

    qualified.run([migrations.AlterModelTable("Drug", '"pharmacy"."drug"')], state)

    assert query("SELECT pg_get_serial_sequence('pharmacy.drug', 'id')") == [
        ("pharmacy.drug_id_seq",)
    ]
    assert query(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'inventory'::regnamespace"
    ) == [(0,)]
