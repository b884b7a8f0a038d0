"""The schema editor where comparing catalogs is not enough: rows, privileges, SQL, deferred checks.

`test_cases` checks that every operation leaves the right catalog.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.postgres.operations import CreateCollation, RemoveCollation
from django.db import (
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    connections,
    migrations,
    models,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ProjectState

from domain_migrations.backends.postgresql.names import format_table_name, quote
from tests.backends.cases.sequence import table
from tests.backends.conftest import Place
from tests.support.catalog import execute, query, schemas, tables
from tests.support.servers import TestServer

DRUG = '"inventory"."drug"'


def drug(**fields: models.Field) -> migrations.CreateModel:
    return table(lambda name: f'"inventory"."{name}"', "Drug", fields)


def test_dropped_index_is_not_the_one_in_public(qualified: Place) -> None:
    """Row 4: without the schema, the index of the same name in `public` would be dropped."""
    state = qualified.run([drug(size=models.IntegerField(db_index=True))], ProjectState())
    ((name,),) = query(
        "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'inventory' AND indexname <> %s",
        "drug_pkey",
    )
    execute(f"CREATE TABLE public.drug (size int); CREATE INDEX {name} ON public.drug (size)")

    qualified.run([migrations.AlterField("Drug", "size", models.IntegerField())], state)

    assert query("SELECT schemaname::text FROM pg_indexes WHERE indexname = %s", name) == [
        ("public",)
    ]


def test_foreign_key_is_dropped_while_its_checks_are_pending(qualified: Place) -> None:
    """Row 8: the constraint is set immediate under its own schema's name."""
    unit = models.ForeignKey("Unit", models.CASCADE)
    state = qualified.run(
        [table(lambda name: '"units"."unit"', "Unit"), drug(unit=unit)], ProjectState()
    )
    ((name,),) = query("SELECT conname::text FROM pg_constraint WHERE contype = 'f'")
    execute(
        "CREATE TABLE public.unit (id int PRIMARY KEY);"
        f'CREATE TABLE public.drug (unit_id int CONSTRAINT "{name}" REFERENCES public.unit'
        " DEFERRABLE INITIALLY DEFERRED)"
    )

    with transaction.atomic():
        execute("INSERT INTO units.unit (id) VALUES (7)")
        execute("INSERT INTO inventory.drug (unit_id) VALUES (7)")
        execute("INSERT INTO public.drug (unit_id) VALUES (8)")
        qualified.run([migrations.RemoveField("Drug", "unit")], state)
        # The check of the key in `public` has not been forced: it may still be satisfied.
        execute("INSERT INTO public.unit (id) VALUES (8)")

    assert query("SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f'") == [
        ("drug",)
    ]


def test_foreign_key_is_dropped_while_its_checks_are_pending__violated(qualified: Place) -> None:
    unit = models.ForeignKey("Unit", models.CASCADE)
    state = qualified.run(
        [table(lambda name: '"units"."unit"', "Unit"), drug(unit=unit)], ProjectState()
    )
    with transaction.atomic():
        execute("INSERT INTO inventory.drug (unit_id) VALUES (7)")
        with pytest.raises(IntegrityError):
            qualified.run([migrations.RemoveField("Drug", "unit")], state)
        transaction.set_rollback(True)
    assert query("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == [(1,)]


def test_removing_unique_ends_its_enforcement(qualified: Place) -> None:
    """Row 3: stock Django reports OK and leaves the constraint where it is."""
    state = qualified.run([drug(code=models.CharField(max_length=9, unique=True))], ProjectState())
    execute("INSERT INTO inventory.drug (code) VALUES ('a')")
    qualified.run([migrations.AlterField("Drug", "code", models.CharField(max_length=9))], state)
    execute("INSERT INTO inventory.drug (code) VALUES ('a')")


def test_foreign_key_is_repointed(qualified: Place) -> None:
    """Row 7: stock Django keeps the old key and adds the new one."""
    keys = [table(lambda name: f'"units"."{name}"', name) for name in ("Old", "New")]
    old = drug(unit=models.ForeignKey("Old", models.CASCADE))
    state = qualified.run([*keys, old], ProjectState())
    qualified.run(
        [migrations.AlterField("Drug", "unit", models.ForeignKey("New", models.CASCADE))], state
    )
    assert query("SELECT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'") == [
        ("units.new",)
    ]


def test_missing_schema_is_created_for_its_first_table(qualified: Place) -> None:
    assert "inventory" not in schemas()
    state = qualified.run([drug()], ProjectState())
    assert tables("inventory") == {"drug"}
    qualified.revert([drug()], ProjectState())
    assert "inventory" in schemas()
    qualified.run([drug()], ProjectState())
    assert state.models.keys() == {("shop", "drug")}


def test_existing_schema_needs_no_privilege_on_the_database(qualified: Place) -> None:
    """Row 11: `CREATE SCHEMA IF NOT EXISTS` would need it."""
    role = f"builder_{connections['default'].settings_dict['NAME']}"
    execute(
        f'CREATE ROLE "{role}"; CREATE SCHEMA inventory; CREATE SCHEMA units;'
        f'GRANT CREATE, USAGE ON SCHEMA inventory, units TO "{role}"; SET ROLE "{role}"'
    )
    try:
        state = qualified.run([drug()], ProjectState())
        qualified.run([migrations.AlterModelTable("Drug", '"units"."drug"')], state)
        with pytest.raises(ProgrammingError, match="permission denied for database"):
            qualified.run([migrations.AlterModelTable("Drug", '"other"."drug"')], state)
        assert tables("units") == {"drug"}
    finally:
        execute(f'RESET ROLE; DROP OWNED BY "{role}"; DROP ROLE "{role}"')


def test_collected_sql_creates_nothing(qualified: Place) -> None:
    with qualified.connection.schema_editor(collect_sql=True) as editor:
        migration = migrations.Migration("0001_initial", "shop")
        migration.operations = [drug(), migrations.AlterModelTable("Drug", '"units"."drug"')]
        migration.apply(ProjectState(), editor, collect_sql=True)
    assert "inventory" not in schemas()
    statements = [line for line in editor.collected_sql if not line.startswith("--")]
    assert statements == [
        'CREATE SCHEMA IF NOT EXISTS "inventory";',
        'CREATE TABLE "inventory"."drug" ("id" bigint NOT NULL PRIMARY KEY'
        " GENERATED BY DEFAULT AS IDENTITY);",
        'CREATE SCHEMA IF NOT EXISTS "units";',
        'ALTER TABLE "inventory"."drug" SET SCHEMA "units";',
    ]


def test_no_sql_differs_for_plain_tables(
    qualified: Place, plain: Place, stock: Callable[..., BaseDatabaseWrapper]
) -> None:
    """Statement by statement, what stock Django would run."""
    create = table(
        lambda name: name,
        "Drug",
        {
            "code": models.CharField(max_length=9, unique=True),
            "similar": models.ForeignKey("Drug", models.CASCADE, null=True),
            "tags": models.ManyToManyField("Drug"),
        },
        indexes=[models.Index(fields=["code"], name="code_idx")],
        unique_together={("code", "similar")},
    )
    state = plain.run([create], ProjectState())
    changes = [
        migrations.AlterField("Drug", "code", models.IntegerField()),
        migrations.AlterField("Drug", "similar", models.IntegerField(db_column="similar_id")),
        migrations.RenameIndex("Drug", "other_idx", "code_idx"),
        migrations.RemoveIndex("Drug", "other_idx"),
        migrations.AlterUniqueTogether("Drug", set()),
        migrations.AlterModelTable("Drug", "medicine"),
        migrations.DeleteModel("Drug"),
    ]
    for operations, before in (([create], ProjectState()), (changes, state)):
        collected = []
        for connection in (plain.connection, qualified.connection):
            migration = migrations.Migration("0001_initial", "shop")
            migration.operations = operations
            with connection.schema_editor(collect_sql=True) as editor:
                migration.apply(before.clone(), editor, collect_sql=True)
            collected.append(editor.collected_sql)
        assert collected[0] == collected[1]


def test_collation_of_a_schema(qualified: Place) -> None:
    """A `_like` index is made wherever the collation is."""
    _run_with_collation(qualified, {"locale": "C"}, deterministic=True)


@pytest.mark.parametrize("deterministic", [True, False])
def test_collation_of_a_schema__and_its_opposite_in_public(
    deterministic: bool, qualified: Place, postgres_server: TestServer
) -> None:
    """Only a deterministic collation allows a `_like` index."""
    options = {"locale": "th", "provider": "icu"}
    try:
        execute(
            "CREATE COLLATION public.thai (provider = icu, locale = 'th', deterministic ="
            f" {not deterministic})"
        )
    except NotSupportedError:
        # The packaged server is built without ICU; Debian's is not.
        assert postgres_server.kind == "embedded"
        return
    _run_with_collation(qualified, options, deterministic=deterministic)
    collations = "SELECT collnamespace::regnamespace::text FROM pg_collation WHERE collname = %s"
    assert query(collations, "thai") == [("public",)]


def _run_with_collation(qualified: Place, options: dict[str, str], *, deterministic: bool) -> None:
    name = '"inventory"."thai"'
    collation = {"name": name, "deterministic": deterministic, **options}
    code = models.CharField(max_length=9, unique=True, db_collation=name)
    execute("CREATE SCHEMA inventory")

    state = qualified.run([CreateCollation(**collation), drug(code=code)], ProjectState())

    likes = query("SELECT schemaname::text FROM pg_indexes WHERE indexname ~ '_like$'")
    assert likes == [("inventory",)] * deterministic
    assert query(
        "SELECT n.nspname::text FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation"
        " JOIN pg_namespace n ON n.oid = c.collnamespace"
        " WHERE a.attrelid = 'inventory.drug'::regclass AND a.attname = 'code'"
    ) == [("inventory",)]
    qualified.run([migrations.DeleteModel("Drug"), RemoveCollation(**collation)], state)


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ('in"ventory', 'dr"ug'),
        ('inventory"', '"drug"'),
        ('in"', "drug"),
        ('a"."b', 'c"."d'),
        ("inventory", 'x"' * 31),
        ("Schema.With Space", "é" * 15),
        ("s" * 63, "t" * 63),
    ],
)
def test_names_with_quotes(schema: str, name: str, qualified: Place) -> None:
    """Index names are derived from them, and shortened."""
    db_table = format_table_name(schema, name)
    fields = {
        "code": models.CharField(max_length=9, unique=True),
        "size": models.PositiveIntegerField(db_index=True),
    }
    operations = [
        table(lambda _: db_table, "Drug", fields, unique_together={("code", "size")}),
        table(
            lambda _: format_table_name(schema, "sale"),
            "Sale",
            {"drug": models.ForeignKey("Drug", models.CASCADE)},
        ),
    ]
    state = qualified.run(operations, ProjectState())
    changes = [
        migrations.AddField(
            "Sale", "other", models.ForeignKey("Drug", models.CASCADE, "+", null=True)
        ),
        migrations.AddField(
            "Drug", "same", models.OneToOneField("Drug", models.CASCADE, null=True)
        ),
        migrations.AlterField("Drug", "code", models.CharField(max_length=9)),
        migrations.AlterField("Drug", "size", models.IntegerField()),
        migrations.AlterField("Sale", "drug", models.BigIntegerField(db_column="drug_id")),
        migrations.AlterUniqueTogether("Drug", set()),
        migrations.AlterField("Drug", "id", models.IntegerField(primary_key=True)),
    ]

    state = qualified.run(changes, state)

    left = query(
        "SELECT contype::text, conrelid::regclass::text ~ 'sale' FROM pg_constraint"
        " WHERE connamespace = %s::regnamespace AND contype <> 'n' ORDER BY 1, 2, conname",
        quote(schema),
    )
    assert left == [("f", False), ("f", True), ("p", False), ("p", True), ("u", False)]
    qualified.run([migrations.DeleteModel("Sale"), migrations.DeleteModel("Drug")], state)
    assert schemas().count(schema) == 1


def test_a_name_that_is_none(qualified: Place) -> None:
    with pytest.raises(ValueError, match=r"'inventory\.\"drug\"' is not a table's name"):
        qualified.run([table(lambda _: 'inventory."drug"', "Drug")], ProjectState())


def key_of(table: str) -> list[str]:
    rows = query(
        "SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (number, at)"
        " JOIN pg_attribute a ON a.attnum = k.number WHERE a.attrelid = i.indrelid"
        " AND i.indisprimary AND i.indrelid = %s::regclass ORDER BY k.at",
        table,
    )
    return [name for (name,) in rows]


def line(*key: str, **fields: models.Field) -> list[migrations.CreateModel]:
    """A table with that composite key, and one of the same name in `public`."""
    named = [*fields.items(), *([("pk", models.CompositePrimaryKey(*key))] if key else [])]
    return [migrations.CreateModel("Line", named, {"db_table": '"inventory"."line"'})]


def number(**options: object) -> models.Field:
    return models.IntegerField(default=0, **options)


KEY_CHANGES = {
    "another column": (
        line("a", "b", a=number(), b=number(), c=number()),
        [migrations.AlterField("Line", "pk", models.CompositePrimaryKey("a", "c"))],
        (["a", "b"], ["a", "c"]),
    ),
    "another order": (
        line("a", "b", a=number(), b=number()),
        [migrations.AlterField("Line", "pk", models.CompositePrimaryKey("b", "a"))],
        (["a", "b"], ["b", "a"]),
    ),
    "a new column first": (
        line("a", "b", a=number(), b=number()),
        [
            migrations.AddField("Line", "c", number(db_column="third")),
            migrations.AlterField("Line", "pk", models.CompositePrimaryKey("a", "b", "c")),
        ],
        (["a", "b"], ["a", "b", "third"]),
    ),
    "a column less": (
        line("a", "b", "c", a=number(), b=number(), c=number()),
        [
            migrations.RemoveField("Line", "c"),
            migrations.AlterField("Line", "pk", models.CompositePrimaryKey("a", "b")),
        ],
        (["a", "b", "c"], ["a", "b"]),
    ),
    "instead of an id": (
        line(id=models.BigAutoField(primary_key=True), a=number(), b=number()),
        [
            migrations.RemoveField("Line", "id"),
            migrations.AddField("Line", "pk", models.CompositePrimaryKey("a", "b")),
        ],
        (["id"], ["a", "b"]),
    ),
    "beside an id": (
        line(id=models.BigAutoField(primary_key=True), a=number()),
        [
            migrations.AlterField("Line", "id", models.BigIntegerField()),
            migrations.AddField("Line", "pk", models.CompositePrimaryKey("id", "a")),
        ],
        (["id"], ["id", "a"]),
    ),
    "an id instead": (
        line("a", "b", a=number(), b=number()),
        [
            migrations.RemoveField("Line", "pk"),
            migrations.AddField("Line", "id", models.BigAutoField(primary_key=True)),
        ],
        (["a", "b"], ["id"]),
    ),
    "one of its columns instead": (
        line("a", "b", a=number(), b=number()),
        [
            migrations.RemoveField("Line", "pk"),
            migrations.AlterField("Line", "a", models.IntegerField(primary_key=True)),
        ],
        (["a", "b"], ["a"]),
    ),
    "a column of another name": (
        line("a", "b", a=number(), b=number()),
        [migrations.RenameField("Line", "b", "z")],
        (["a", "b"], ["a", "z"]),
    ),
}


@pytest.mark.parametrize("change", KEY_CHANGES)
def test_a_composite_primary_key_is_changed_and_restored(qualified: Place, change: str) -> None:
    before, then, (old, new) = KEY_CHANGES[change]
    execute("CREATE TABLE public.line (id int CONSTRAINT line_pkey PRIMARY KEY)")
    state = qualified.run(before, ProjectState())
    assert key_of("inventory.line") == old
    qualified.run(then, state)
    assert key_of("inventory.line") == new
    qualified.revert(then, state)
    assert key_of("inventory.line") == old
    qualified.run(then, state)
    assert key_of("inventory.line") == new
    assert key_of("public.line") == ["id"]
