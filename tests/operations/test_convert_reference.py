"""Foreign keys that become references and back, in the catalog, in states and in migrations."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps as installed
from django.core.management import load_command_class
from django.db import connections, models
from django.db.migrations import AddField, AddIndex, AlterField, CreateModel, Migration, RemoveField
from django.db.migrations.operations.base import Operation
from django.db.migrations.optimizer import MigrationOptimizer
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter
from django.db.models import F, Index, Q
from django.db.models.functions import Lower

from domain_migrations.engine.guard.operation_kinds import drops_dependents, runs_custom_sql
from domain_migrations.fields import DomainReference
from domain_migrations.management.commands import makemigrations
from domain_migrations.operations import (
    ConvertToForeignKey,
    ConvertToReference,
    DanglingReferences,
)
from tests.operations.conftest import Lab
from tests.support.catalog import execute, query

KEY = models.ForeignKey("lab.Ward", models.CASCADE, null=True, related_name="+")
UNIQUE_KEY = models.OneToOneField("lab.Ward", models.CASCADE, null=True)
TO_REFERENCE = ConvertToReference("Thing", "ward")
PARTS = """
SELECT conname, contype::text FROM pg_constraint WHERE conrelid = 'lab.things'::regclass
UNION ALL
SELECT indexrelid::regclass::text, 'i' FROM pg_index WHERE indrelid = 'lab.things'::regclass
ORDER BY 2, 1
"""


@pytest.fixture
def keyed(lab: Lab) -> Lab:
    """`lab` with a thing that is in a ward, and an index on the key and another field."""
    lab.keep(
        AddField("Thing", "ward", KEY),
        AddIndex("Thing", Index(fields=["code", "-ward"], name="things_ward_code")),
    )
    execute(
        "INSERT INTO lab.wards DEFAULT VALUES;"
        "INSERT INTO lab.things (code, ward_id) SELECT 'a', id FROM lab.wards"
    )
    return lab


def test_to_reference_and_back(keyed: Lab) -> None:
    before, schema, decoys = query(PARTS), keyed.schema, keyed.decoys
    after = keyed.run(TO_REFERENCE)
    assert sorted(set(before) - set(query(PARTS))) == [row for row in before if row[1] == "f"]
    assert query("SELECT code, ward_id FROM lab.things") == [("a", 1)]
    field: Any = after.models["lab", "thing"].fields["ward_id"]
    assert field.deconstruct()[2:] == (
        ["lab.Ward"],
        {"id_field": field.id_field, "db_index": True, "null": True},
    )
    assert type(field.id_field) is models.BigIntegerField
    (index,) = after.models["lab", "thing"].options["indexes"]
    assert index.fields == ["code", "-ward_id"]
    assert after.apps.get_model("lab", "thing").objects.get().ward_id == 1

    keyed.revert(TO_REFERENCE)
    assert (keyed.schema, keyed.decoys) == (schema, decoys)


def test_the_index_goes_without_db_index(keyed: Lab) -> None:
    reference = DomainReference("lab.Ward", id_field=models.BigIntegerField(), null=True)
    before = query(PARTS)
    keyed.run(ConvertToReference("thing", "ward", reference))
    gone = {kind for name, kind in set(before) - set(query(PARTS))}
    assert gone == {"f", "i"}
    assert ("lab.things_ward_code", "i") in query(PARTS)


def test_a_one_to_one_stays_unique(lab: Lab) -> None:
    lab.keep(AddField("Thing", "ward", UNIQUE_KEY))
    before = query(PARTS)
    state = lab.run(TO_REFERENCE)
    assert [kind for _, kind in before] == ["f", *(kind for _, kind in query(PARTS))]
    assert state.models["lab", "thing"].fields["ward_id"].unique


@pytest.mark.parametrize("rows", [1, 7])
def test_rows_without_their_target_are_refused(keyed: Lab, rows: int) -> None:
    keyed.keep(TO_REFERENCE)
    execute(
        "INSERT INTO lab.things (code, ward_id)"
        f" SELECT 'b', 100 + n FROM generate_series(1, {rows}) n"
    )
    schema = keyed.schema
    said = {
        1: "1 row of lab.things refers to rows that lab.wards does not have: ward_id 101. Correct",
        7: "7 rows of lab.things refer to rows that lab.wards does not have:"
        " ward_id 101, 102, 103, 104, 105 and 2 more. Correct",
    }
    with pytest.raises(DanglingReferences, match=said[rows]):
        keyed.run(ConvertToForeignKey("Thing", "ward_id", KEY))
    assert keyed.schema == schema


def test_to_foreign_key_is_what_django_makes(keyed: Lab) -> None:
    schema = keyed.schema
    keyed.keep(TO_REFERENCE)
    state = keyed.run(ConvertToForeignKey("Thing", "ward_id", KEY))
    assert keyed.schema == schema
    assert state.models["lab", "thing"].options["indexes"][0].fields == ["code", "-ward"]
    assert state.relations["lab", "ward"]["lab", "thing"]["ward"]


@pytest.mark.parametrize(
    ("field", "part"),
    [
        (DomainReference("lab.Ward", id_field=models.TextField(), null=True), "type"),
        (DomainReference("lab.Ward", id_field=models.BigIntegerField(), db_column="w"), "column"),
    ],
)
def test_another_column_or_type_is_refused(keyed: Lab, field: DomainReference, part: str) -> None:
    with pytest.raises(ValueError, match=f"Thing.ward would change the {part} from"):
        keyed.run(ConvertToReference("Thing", "ward", field))


def test_keys_of_other_columns_than_the_primary_one_are_refused(lab: Lab) -> None:
    lab.keep(AddField("Ward", "code", models.TextField(unique=True)))
    lab.keep(
        AddField(
            "Thing",
            "ward",
            models.ForeignKey("lab.Ward", models.CASCADE, to_field="code", null=True),
        )
    )
    with pytest.raises(ValueError, match=r"lab\.Thing\.ward holds the code of lab\.ward"):
        lab.run_state(TO_REFERENCE)
    with pytest.raises(ValueError, match=r"lab\.Thing\.code is not a foreign key"):
        lab.run_state(ConvertToReference("Thing", "code"))


def test_conditions_and_expressions_follow() -> None:
    constraints = [
        models.CheckConstraint(
            condition=Q(ward__gt=1) & ~Q(ward__isnull=True) | Q(code="ward", n=F("ward")), name="c"
        ),
        models.UniqueConstraint(Lower("code"), F("ward").desc(), name="u"),
        models.UniqueConstraint(
            fields=["ward"], include=["code"], condition=Q(code="ward"), name="v"
        ),
    ]
    options = {"constraints": constraints, "unique_together": {("ward", "code")}}
    state = _state({"ward": KEY}, **options)
    TO_REFERENCE.state_forwards("lab", state)
    thing = state.models["lab", "thing"].options
    assert [tuple(names) for names in thing["unique_together"]] == [("ward_id", "code")]
    assert thing["constraints"] == [
        models.CheckConstraint(
            condition=Q(ward_id__gt=1) & ~Q(ward_id__isnull=True) | Q(code="ward", n=F("ward_id")),
            name="c",
        ),
        models.UniqueConstraint(Lower("code"), F("ward_id").desc(), name="u"),
        models.UniqueConstraint(
            fields=["ward_id"], include=["code"], condition=Q(code="ward"), name="v"
        ),
    ]


def _state(fields: dict[str, Any], **options: Any) -> ProjectState:
    state = ProjectState()
    number = ("id", models.BigAutoField(primary_key=True))
    for operation in (
        CreateModel("Ward", [number]),
        CreateModel(
            "Thing",
            [number, ("code", models.TextField()), ("n", models.IntegerField()), *fields.items()],
            options,
        ),
    ):
        operation.state_forwards("lab", state)
    return state


REFERENCE = DomainReference("lab.Ward", id_field=models.BigIntegerField(), null=True, db_index=True)


@pytest.mark.parametrize(
    ("before", "after", "written"),
    [
        ({"ward": KEY}, {"ward_id": REFERENCE}, ConvertToReference("Thing", "ward", REFERENCE)),
        (
            {"ward": models.ForeignKey("lab.Ward", models.CASCADE, null=True, db_column="w")},
            {
                "seen": DomainReference(
                    "lab.Ward", id_field=models.BigIntegerField(), null=True, db_column="w"
                )
            },
            ConvertToReference(
                "Thing",
                "ward",
                DomainReference(
                    "lab.Ward", id_field=models.BigIntegerField(), null=True, db_column="w"
                ),
                "seen",
            ),
        ),
        ({"ward_id": REFERENCE}, {"ward": KEY}, ConvertToForeignKey("Thing", "ward_id", KEY)),
    ],
    ids=["to-reference", "other-name", "to-foreign-key"],
)
def test_makemigrations_writes_the_conversion(
    before: dict[str, Any], after: dict[str, Any], written: Operation
) -> None:
    (operation,) = _detected(before, after)
    assert operation.deconstruct()[0] == written.deconstruct()[0]
    assert (
        MigrationWriter(_migration(operation)).as_string().partition("class ")[2]
        == (MigrationWriter(_migration(written)).as_string().partition("class ")[2])
    )


def test_makemigrations_writes_the_conversion__other_columns_are_added() -> None:
    added = DomainReference("lab.Ward", id_field=models.BigIntegerField(), null=True)
    kinds = [type(operation) for operation in _detected({"ward": KEY}, {"place_id": added})]
    assert kinds == [RemoveField, AddField]


def test_makemigrations_writes_the_conversion__what_else_changes_follows() -> None:
    needed = DomainReference("lab.Ward", id_field=models.BigIntegerField(), db_index=True)
    convert, alter = _detected({"ward": KEY}, {"ward_id": needed})
    assert type(convert) is ConvertToReference
    assert convert.field is not None
    assert convert.field.null
    assert type(alter) is AlterField


def _detected(before: dict[str, Any], after: dict[str, Any]) -> list[Operation]:
    detector = load_command_class("domain_migrations", "makemigrations").autodetector(  # type: ignore[attr-defined]
        _state(before), _state(after), MigrationQuestioner({"ask_rename": False})
    )
    (migration,) = detector._detect_changes()["lab"]
    operations: list[Operation] = migration.operations
    return operations


def _migration(operation: Operation) -> Migration:
    migration = Migration("0002_convert", "lab")
    migration.operations = [operation]
    return migration


def test_makemigrations_extends_the_command_of_another_app() -> None:
    from django_linear_migrations.management.commands import makemigrations as linear

    assert installed.is_installed("django_linear_migrations")
    assert issubclass(makemigrations.Command, linear.Command)
    assert makemigrations.Command.autodetector.__mro__[2] is linear.Command.autodetector


@pytest.mark.parametrize(
    ("operation", "description", "fragment"),
    [
        (
            TO_REFERENCE,
            "Convert the foreign key ward of Thing to the reference ward_id",
            "thing_ward_to_reference",
        ),
        (
            ConvertToForeignKey("Thing", "ward_id", KEY),
            "Convert the reference ward_id of Thing to the foreign key ward",
            "thing_ward_id_to_foreign_key",
        ),
    ],
)
def test_a_file_has_the_operation_again(
    operation: Operation, description: str, fragment: str
) -> None:
    source = MigrationWriter(_migration(operation)).as_string()
    space: dict[str, type[Migration]] = {}
    exec(source, space)  # noqa: S102 (what the engine has written)
    (again,) = space["Migration"].operations
    assert MigrationWriter(_migration(again)).as_string() == source
    assert (again.describe(), again.migration_name_fragment) == (description, fragment)
    assert again.reversible
    assert drops_dependents(again)
    assert not runs_custom_sql(again)


def test_squashing_keeps_it_between_what_concerns_either_name() -> None:
    number = ("id", models.BigAutoField(primary_key=True))
    operations: list[Operation] = [
        CreateModel("Thing", [number]),
        AddField("Thing", "ward", KEY),
        TO_REFERENCE,
        AlterField("Thing", "ward_id", REFERENCE),
        RemoveField("Thing", "ward_id"),
    ]
    squashed = MigrationOptimizer().optimize(list(operations), "lab")
    assert [type(operation) for operation in squashed] == [
        CreateModel,
        ConvertToReference,
        RemoveField,
    ]


def test_sql_is_collected(keyed: Lab) -> None:
    after = keyed.run_state(TO_REFERENCE)
    with connections["default"].schema_editor(collect_sql=True) as editor:
        TO_REFERENCE.database_backwards("lab", editor, after, keyed.state)
    assert any("ADD CONSTRAINT" in statement for statement in editor.collected_sql)
