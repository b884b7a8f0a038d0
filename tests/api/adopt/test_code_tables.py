"""The tables of models through a history of migrations, and the edits that follow from them."""

from __future__ import annotations

from django.db import models
from django.db.migrations import (
    AddField,
    AlterModelTable,
    CreateModel,
    Migration,
    RenameModel,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation

from domain_migrations.api.adopt.code_tables import MigrationEdits, TableNames
from domain_migrations.api.adopt.migration_edits import OperationEdit

ID = ("id", models.BigAutoField(primary_key=True))
TAGS = ("tags", models.ManyToManyField("lab.Tag"))


def edits(
    *migrations: tuple[str, list[Operation]], names: TableNames | None = None
) -> dict[tuple[int | str, ...], OperationEdit]:
    """The edits of the last of the migrations, each of which depends on the one before it."""
    loaded, before = {}, None
    for name, operations in migrations:
        migration = Migration(name, "lab")
        migration.operations = operations
        migration.dependencies = [("lab", before)] if before else [("core", "0001_initial")]
        loaded[name] = migration
        before = name
    found = MigrationEdits("lab", loaded, names or TableNames("lab")).edits
    return found[migrations[-1][0]]


def test_default_and_given_names() -> None:
    found = edits(
        (
            "0001",
            [
                CreateModel("Sample", [ID, TAGS]),
                CreateModel("Old", [ID], {"db_table": "old"}),
                CreateModel("Px", [], {"proxy": True}),
                CreateModel("View", [ID], {"managed": False, "db_table": "v"}),
                CreateModel("There", [ID], {"db_table": '"lab"."there"'}),
            ],
        )
    )
    assert found == {
        (0,): OperationEdit("CreateModel", '"lab"."lab_sample"'),
        (1,): OperationEdit("CreateModel", '"lab"."old"'),
    }


def test_unmanaged_models_of_tables_that_move() -> None:
    view = CreateModel("View", [ID], {"managed": False, "db_table": "v"})
    names = TableNames("lab", {"v": "v"}, frozenset({"v"}))
    assert edits(("0001", [view]), names=names) == {(0,): OperationEdit("CreateModel", '"lab"."v"')}


def test_a_renamed_model_takes_its_table_along() -> None:
    created = ("0001", [CreateModel("Tag", [ID]), CreateModel("Old", [ID], {"db_table": "old"})])
    renames: list[Operation] = [RenameModel("Tag", "Label"), RenameModel("Old", "Older")]
    assert edits(created, ("0002", renames)) == {
        (0,): OperationEdit("RenameModel", then=("Label", '"lab"."lab_label"'))
    }
    back: list[Operation] = [AlterModelTable("Older", None), AlterModelTable("Label", "labels")]
    assert edits(created, ("0002", renames), ("0003", back)) == {
        (0,): OperationEdit("AlterModelTable", '"lab"."lab_older"'),
        (1,): OperationEdit("AlterModelTable", '"lab"."labels"'),
    }


def test_operations_within_others() -> None:
    separate = SeparateDatabaseAndState(
        database_operations=[CreateModel("A", [ID])],
        state_operations=[CreateModel("A", [ID]), AlterModelTable("A", "as")],
    )
    assert edits(("0001", [separate])) == {
        (0, "database_operations", 0): OperationEdit("CreateModel", '"lab"."lab_a"'),
        (0, "state_operations", 0): OperationEdit("CreateModel", '"lab"."lab_a"'),
        (0, "state_operations", 1): OperationEdit("AlterModelTable", '"lab"."as"'),
    }


def test_many_to_many_tables() -> None:
    """Django derives the name from the model's; it is only given where it would be another."""
    given = models.ManyToManyField("lab.Tag", db_table="given")
    own: list[Operation] = [
        CreateModel("Sample", [ID, TAGS, ("more", given)]),
        AddField("Sample", "others", models.ManyToManyField("lab.Tag")),
        AddField("Sample", "thirds", given),
    ]
    assert edits(("0001", own)) == {
        (0,): OperationEdit("CreateModel", '"lab"."lab_sample"', {"more": '"lab"."given"'}),
        (2,): OperationEdit("AddField", fields={"thirds": '"lab"."given"'}),
    }
    renamed = {"lab_sample": "samples", "lab_sample_tags": "sample_labels", "given": "given"}
    assert edits(("0001", own), names=TableNames("lab", renamed)) == {
        (0,): OperationEdit(
            "CreateModel",
            '"lab"."samples"',
            {"tags": '"lab"."sample_labels"', "more": '"lab"."given"'},
        ),
        (1,): OperationEdit("AddField", fields={"others": '"lab"."lab_sample_others"'}),
        (2,): OperationEdit("AddField", fields={"thirds": '"lab"."given"'}),
    }
