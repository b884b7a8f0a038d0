"""Idempotent operations in migration files, in squashed migrations and in `sqlmigrate`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connections, models
from django.db.migrations import (
    AddField,
    AlterField,
    CreateModel,
    DeleteModel,
    Migration,
    RemoveField,
    RemoveIndex,
    RenameField,
)
from django.db.migrations.operations.base import Operation
from django.db.migrations.optimizer import MigrationOptimizer
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from domain_migrations.engine.guard.operation_kinds import (
    DESTRUCTIVE,
    effective_class,
    is_additive,
    runs_custom_sql,
)
from domain_migrations.operations import (
    AddConstraintIfMissing,
    AddFieldIfMissing,
    AddIndexIfMissing,
    CreateModelIfMissing,
    RemoveFieldIfPresent,
)
from tests.support.catalog import execute, history, query
from tests.support.projects import Project, domain_app

ID = ("id", models.BigAutoField(primary_key=True))
OPTIONS = {"db_table": '"lab"."things"'}
THING = CreateModel("Thing", [ID], OPTIONS)
NOTED = CreateModel("Thing", [ID, ("note", models.TextField())], OPTIONS)
EVERY: dict[str, tuple[Operation, str, str]] = {
    "model": (
        CreateModelIfMissing("Thing", [ID], OPTIONS),
        "Create model Thing, if it is missing",
        "thing",
    ),
    "field": (
        AddFieldIfMissing("Thing", "note", models.TextField(default=""), preserve_default=False),
        "Add field note to Thing, if it is missing",
        "thing_note",
    ),
    "removal": (
        RemoveFieldIfPresent("Thing", "note"),
        "Remove field note from Thing, if it exists",
        "remove_thing_note",
    ),
    "index": (
        AddIndexIfMissing("Thing", models.Index(fields=["note"], name="note_idx")),
        "Create index note_idx on field(s) note of model Thing, if it is missing",
        "thing_note_idx",
    ),
    "constraint": (
        AddConstraintIfMissing("Thing", models.UniqueConstraint(fields=["note"], name="note_key")),
        "Create constraint note_key on model Thing, if it is missing",
        "thing_note_key",
    ),
}


@pytest.mark.parametrize("name", EVERY)
def test_a_file_has_the_operation_again(name: str) -> None:
    operation, description, fragment = EVERY[name]
    migration = Migration("0002_again", "lab")
    migration.operations = [operation]
    source = MigrationWriter(migration).as_string()
    assert "import domain_migrations.operations\n" in source
    assert f"domain_migrations.operations.{type(operation).__name__}(" in source
    space: dict[str, type[Migration]] = {}
    exec(source, space)  # noqa: S102 (what the engine has written)
    (again,) = space["Migration"].operations
    assert type(again) is type(operation)
    assert MigrationWriter(space["Migration"]("0002_again", "lab")).as_string() == source
    assert (again.describe(), again.migration_name_fragment) == (description, fragment)
    assert again.reversible


@pytest.mark.parametrize(
    "operations",
    [
        [NOTED, EVERY["field"][0]],
        [EVERY["model"][0], AddField("Thing", "note", models.TextField(null=True))],
        [EVERY["model"][0], EVERY["field"][0], EVERY["index"][0], EVERY["constraint"][0]],
        [EVERY["model"][0], DeleteModel("Thing")],
        [THING, EVERY["field"][0], RemoveField("Thing", "note")],
        [THING, EVERY["field"][0], AlterField("Thing", "note", models.IntegerField())],
        [THING, EVERY["field"][0], RenameField("Thing", "note", "remark")],
        [NOTED, EVERY["index"][0], RemoveIndex("Thing", "note_idx")],
        [NOTED, EVERY["removal"][0]],
        [THING, EVERY["removal"][0]],
        [NOTED, EVERY["index"][0], EVERY["index"][0]],
        [NOTED, EVERY["constraint"][0], EVERY["constraint"][0]],
    ],
    ids=str,
)
def test_squashed_means_the_same(operations: list[Operation]) -> None:
    """A conditional operation is not merged into a table that may be there already."""
    squashed = MigrationOptimizer().optimize(list(operations), "lab")
    assert _state(squashed) == _state(operations)
    for operation in operations:
        if type(operation).__module__ == "domain_migrations.operations":
            assert any(operation is kept for kept in squashed)


def test_removal_gives_way_to_the_model_s() -> None:
    delete = DeleteModel("Thing")
    assert MigrationOptimizer().optimize([EVERY["removal"][0], delete], "lab") == [delete]


def _state(operations: list[Operation]) -> ProjectState:
    state = ProjectState()
    for operation in operations:
        operation.state_forwards("lab", state)
    return state


@pytest.mark.parametrize("name", EVERY)
def test_the_guard_treats_it_as_the_plain_operation(name: str) -> None:
    operation = EVERY[name][0]
    assert effective_class(operation) is type(operation.wrapped)  # type: ignore[attr-defined]
    assert not runs_custom_sql(operation)
    assert is_additive(operation) == (not issubclass(effective_class(operation), DESTRUCTIVE))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("way", ["database_forwards", "database_backwards"])
def test_collected_sql_is_that_of_the_plain_one(module_database: str, name: str, way: str) -> None:
    """`sqlmigrate` runs nothing, so the database does not know what comes before."""
    operation = EVERY[name][0]
    before = ProjectState() if name == "model" else _state([NOTED if name != "field" else THING])
    after = before.clone()
    operation.state_forwards("lab", after)
    states = (before, after) if way == "database_forwards" else (after, before)
    collected = []
    for item in (operation, operation.wrapped):  # type: ignore[attr-defined]
        with connections["default"].schema_editor(collect_sql=True) as editor:
            getattr(item, way)("lab", editor, *states)
        collected.append(editor.collected_sql)
    assert collected[0] == collected[1] != []


MODEL = """
class Thing(models.Model):
    id = models.BigAutoField(primary_key=True)
    note = models.TextField(null=True)
    class Meta:
        db_table = '"lab"."things"'
        indexes = [models.Index(fields=["note"], name="note_idx")]
"""
FIRST = """
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))],
                                         {"db_table": '"lab"."things"'})]
"""
SECOND = """
from domain_migrations.operations import AddFieldIfMissing, AddIndexIfMissing
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [
        AddFieldIfMissing("Thing", "note", models.TextField(null=True)),
        AddFieldIfMissing("Thing", "note", models.TextField(null=True)),
        AddIndexIfMissing("Thing", models.Index(fields=["note"], name="note_idx")),
    ]
"""


def test_in_a_domain_s_migrations(project: Callable[..., Project]) -> None:
    lab = project(
        {
            "lab": domain_app(
                "lab", models=MODEL, migrations={"0001_initial": FIRST, "0002_note": SECOND}
            )
        }
    )
    assert lab.manage("migrate_domain", "lab", "0001", "--with-dependencies").returncode == 0
    execute("CREATE TABLE public.things (note text)")
    execute("ALTER TABLE lab.things ADD note integer")
    refused = lab.manage("migrate_domain", "lab")
    assert refused.returncode == 1
    assert (
        "Migration lab.0002_note failed at operation 1 of 3 (Add field note to Thing, if it is"
        " missing): The existing definition differs. The type of the column lab.things.note is"
        " integer; the migrations say text. It was rolled back."
    ) in refused.stderr
    assert history("lab.django_migrations_lab") == [("lab", "0001_initial")]

    execute("ALTER TABLE lab.things ALTER note TYPE text")
    assert lab.manage("migrate_domain", "lab").returncode == 0
    squashed = lab.manage("squashmigrations", "lab", "0002", "--noinput")
    assert squashed.returncode == 0, squashed.stderr
    written = (lab.path / "lab/migrations/0001_squashed_0002_note.py").read_text()
    assert written.count("AddFieldIfMissing(") == 2
    assert lab.manage("migrate_domain", "lab", "zero").returncode == 0
    assert query("SELECT to_regclass('lab.things')") == [(None,)]
    assert lab.manage("migrate_domain", "lab").returncode == 0
    assert query("SELECT to_regclass('lab.note_idx') IS NOT NULL") == [(True,)]
    verified = lab.manage("verify_domain", "lab", "--only", "drift,history")
    assert verified.returncode == 0, verified.stdout
