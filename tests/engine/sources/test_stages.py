"""Stages: removals without one, and invalid ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.core.checks import ERROR, WARNING
from django.test import override_settings

from domain_migrations import checks
from domain_migrations.domains import get_domain
from domain_migrations.engine.snapshots.snapshot_file import snapshot_file
from domain_migrations.engine.sources.stages import invalid_stages, unstaged_removals

HEADER = "from django.db import migrations, models\n"
KEY = "inventory.0001_x"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations of the app `inventory`, for the time of a test."""
    package = tmp_path / "moved_migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return package


def found(folder: Path, operations: str, *, before: str = "", says: str = "") -> list[str]:
    source = f"{HEADER}{before}\nclass Migration(migrations.Migration):\n"
    (folder / "0001_x.py").write_text(f"{source}    {says}\n    operations = {operations}\n")
    with override_settings(
        MIGRATION_MODULES={"inventory": "moved_migrations"}, DOMAIN_MIGRATIONS=PAST
    ):
        removals = list(unstaged_removals())
    return [removal.description for removal in removals if str(removal.key) == KEY]


PAST = {"STAGES_REQUIRED_AFTER": dict.fromkeys(("core", "hr", "finance"), "0099")}
REMOVALS = {
    'migrations.RemoveField("drug", "note")': "removes the field drug.note",
    'migrations.RemoveField(model_name="drug", name="note")': "removes the field drug.note",
    'operations.RemoveFieldIfPresent("drug", "note")': "removes the field drug.note",
    'migrations.DeleteModel("Drug")': "deletes the model Drug",
    'migrations.RenameField("drug", "a", "b")': "renames the field drug.a",
    'migrations.RenameModel(old_name="Drug", new_name="B")': "renames the model Drug",
    'migrations.AlterModelTable("drug", "x")': "renames the table of drug",
    'TransferTable("drug", pair="hr.0002", tables={})': "moves the table of drug to another domain",
    'migrations.SeparateDatabaseAndState([migrations.DeleteModel("Drug")])': (
        "deletes the model Drug"
    ),
    'migrations.SeparateDatabaseAndState(database_operations=[RunSQL("drop view x")])': (
        "drops or renames something by SQL"
    ),
    'migrations.RunSQL("ALTER TABLE x DROP COLUMN y")': "drops or renames something by SQL",
    'migrations.RunSQL(["SELECT 1", ("ALTER TABLE x RENAME y TO z", None)])': (
        "drops or renames something by SQL"
    ),
    'migrations.RunSQL(sql="ALTER INDEX a RENAME TO b; ALTER TABLE a RENAME TO b")': (
        "drops or renames something by SQL"
    ),
    "migrations.RunSQL(SQL)": "drops or renames something by SQL",
    'migrations.CreateModel(NAME, []), migrations.RemoveField(OTHER, "note")': (
        "removes the field ?.note"
    ),
}


@pytest.mark.parametrize("operation", REMOVALS)
def test_found(folder: Path, operation: str) -> None:
    before = 'SQL = "DROP VIEW x"' if "(SQL)" in operation else ""
    assert found(folder, f"[{operation}]", before=before) == [REMOVALS[operation]]


@pytest.mark.parametrize(
    "operation",
    [
        'migrations.AddField("drug", "note", models.TextField(null=True))',
        'migrations.RemoveConstraint("drug", "x")',
        'migrations.RemoveIndex("drug", "x")',
        'migrations.RenameIndex("drug", new_name="x", old_name="y")',
        'migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Drug")])',
        'migrations.SeparateDatabaseAndState([], [migrations.DeleteModel("Drug")])',
        'migrations.RunSQL("CREATE VIEW x AS SELECT 1", reverse_sql="DROP VIEW x")',
        'migrations.RunSQL("DROP VIEW x; CREATE VIEW x AS SELECT 1")',
        'migrations.RunSQL("ALTER TABLE x RENAME CONSTRAINT a TO b; ALTER INDEX a RENAME TO b")',
        'migrations.RunSQL("ALTER TABLE x RENAME  CONSTRAINT a TO b")',
        "migrations.RunSQL(\"SET SCHEMA 'x'\")",
        'migrations.RunSQL("-- DROP TABLE x;\\nSELECT 1 /* ALTER TABLE x DROP note */")',
        "migrations.RunSQL(\"COMMENT ON TABLE x IS 'DROP TABLE; ALTER TABLE x DROP y'\")",
        'migrations.RunSQL("ALTER TABLE x ADD rename int, ALTER a DROP IDENTITY")',
        'migrations.RunSQL("CREATE FUNCTION f() RETURNS void AS $$ DROP TABLE x $$ LANGUAGE sql")',
        'migrations.RunSQL("DROP VIEW IF EXISTS hr.x; CREATE OR REPLACE VIEW hr.x AS SELECT 1")',
        'migrations.CreateModel("New", []), migrations.RenameField("new", "a", "b")',
    ],
)
def test_not_found(folder: Path, operation: str) -> None:
    assert found(folder, f"[{operation}]") == []


@pytest.mark.parametrize(
    "sql",
    [
        '"ALTER TABLE x DROP note"',
        "'ALTER TABLE IF EXISTS x ADD a int,  DROP  IF EXISTS \"note\"'",
        '"ALTER FOREIGN TABLE x DROP note"',
        '"DROP FOREIGN TABLE x"',
        '"ALTER TABLE x DROP CONSTRAINT a, DROP note"',
        '"ALTER TABLE x SET SCHEMA y"',
        '"alter view x set schema y"',
        '"DROP " + "TABLE x"',
        '["SELECT 1"] + ["DROP TABLE x"]',
        'f"ALTER TABLE {TABLE} DROP note"',
        '"DROP " + KIND + " x"',
        'f"DROP {KIND} x"',
        '"ALTER TABLE %s DROP note" % TABLE',
        '"ALTER TABLE {}.{} DROP note".format(SCHEMA, TABLE)',
        '"ALTER TABLE x DROP identity"',
        '"ALTER TABLE x ADD a int, DROP expression"',
        '"/* DROP VIEW x */ ALTER TABLE x -- no,\\n RENAME a TO b"',
        '"DROP VIEW a; CREATE VIEW b AS SELECT 1"',
        '"DO $$ BEGIN IF true THEN DROP TABLE x; END IF; END $$"',
        "\"DO $$ BEGIN EXECUTE 'DROP TABLE x'; END $$\"",
        '"ALTER TYPE x DROP ATTRIBUTE y"',
        'f"ALTER TABLE {SCHEMA}.{TABLE} RENAME TO b"',
    ],
)
def test_found__by_sql(folder: Path, sql: str) -> None:
    operations = f"[migrations.RunSQL({sql})]"
    assert found(folder, operations, before='KIND = "TABLE"') == [
        "drops or renames something by SQL"
    ]


@pytest.mark.parametrize(
    "what", ["CONSTRAINT a", "DEFAULT", "NOT NULL", "EXPRESSION IF EXISTS", "IDENTITY"]
)
def test_not_found__by_sql(folder: Path, what: str) -> None:
    column = "" if "CONSTRAINT" in what else "ALTER y"
    assert found(folder, f'[migrations.RunSQL("ALTER TABLE x {column} DROP  {what}")]') == []


@pytest.mark.parametrize("operations", ["[*OPS]", "OPS", "OPS + []", "[] + OPS"])
def test_found__operations_written_elsewhere_in_the_file(folder: Path, operations: str) -> None:
    before = 'OPS = [migrations.DeleteModel("Drug")]'
    assert found(folder, operations, before=before) == ["deletes the model Drug"]


@pytest.mark.parametrize(
    "says",
    ['stage = "after"', 'stage = "before"', 'stage: str = "after"', 'replaces = [("a", "b")]'],
)
def test_not_found__with_a_stage_or_squashed(folder: Path, says: str) -> None:
    assert found(folder, '[migrations.DeleteModel("Drug")]', says=says) == []


@pytest.mark.parametrize("until", ["0001_x", "0001", "0002_later"])
def test_not_found__up_to_the_configured_migration(
    folder: Path, monkeypatch: pytest.MonkeyPatch, until: str
) -> None:
    monkeypatch.setitem(PAST["STAGES_REQUIRED_AFTER"], "inventory", until)
    assert found(folder, '[migrations.DeleteModel("Drug")]') == []


def test_not_found__installed_packages() -> None:
    """Django's own content types remove a field."""
    with override_settings(DOMAIN_MIGRATIONS=PAST):
        assert {removal.key.app for removal in unstaged_removals()} == {"inventory"}


def test_w002(folder: Path) -> None:
    source = (
        'class Migration(migrations.Migration):\n operations = [migrations.DeleteModel("Drug")]'
    )
    (folder / "0001_x.py").write_text(HEADER + source)
    with override_settings(
        MIGRATION_MODULES={"inventory": "moved_migrations"}, DOMAIN_MIGRATIONS=PAST
    ):
        (warning,) = checks.check_stages(None)
        assert checks.check_stages([]) == []
    assert (warning.id, warning.level) == ("domain_migrations.W002", WARNING)
    assert warning.msg == (
        "The migration inventory.0001_x deletes the model Drug, and has no stage."
    )
    assert warning.hint == (
        'Add stage = "after" to its class Migration, so that it is applied when no running code'
        ' uses it any longer, or stage = "before" if no code uses it now. If it is applied'
        " everywhere already, leave it as it is, and name the last such migration in"
        ' DOMAIN_MIGRATIONS: "STAGES_REQUIRED_AFTER": {"inventory": "0001_x"}'
    )


def test_w002__once_for_an_app_with_many(folder: Path) -> None:
    for number in range(1, 5):
        operation = f'migrations.DeleteModel("Drug{number}")'
        source = f"class Migration(migrations.Migration):\n operations = [{operation}]"
        (folder / f"000{number}_x.py").write_text(HEADER + source)
    with override_settings(
        MIGRATION_MODULES={"inventory": "moved_migrations"}, DOMAIN_MIGRATIONS=PAST
    ):
        (warning,) = checks.check_stages(None)
    assert warning.id == "domain_migrations.W002"
    assert warning.msg == (
        "The app inventory has 4 migrations that remove or rename something, and have no stage:"
        " inventory.0001_x, inventory.0002_x, inventory.0003_x and 1 more."
    )
    assert '"STAGES_REQUIRED_AFTER": {"inventory": "0004_x"}' in warning.hint


def test_w002__not_of_migrations_that_are_applied(
    folder: Path, migrated_module_database: str
) -> None:
    source = (
        'class Migration(migrations.Migration):\n operations = [migrations.DeleteModel("Drug")]'
    )
    for name in ("0001_initial", "0099_later"):
        (folder / f"{name}.py").write_text(HEADER + source)
    with override_settings(
        MIGRATION_MODULES={"inventory": "moved_migrations"}, DOMAIN_MIGRATIONS=PAST
    ):
        first, second = (checks.check_stages(None, databases=on) for on in (None, ["default"]))
    assert [str(one.msg).split()[2] for one in (*first, *second)] == [
        "inventory.0001_initial",
        "inventory.0099_later",
        "inventory.0099_later",
    ]


def test_w002__without_a_database_not_of_migrations_in_the_snapshot(folder: Path) -> None:
    source = (
        'class Migration(migrations.Migration):\n operations = [migrations.DeleteModel("Drug")]'
    )
    for name in ("0001_initial", "0099_later"):
        (folder / f"{name}.py").write_text(HEADER + source)
    snapshot = snapshot_file(get_domain("inventory"))
    assert snapshot is not None
    shutil.copy(snapshot, folder)
    with override_settings(
        MIGRATION_MODULES={"inventory": "moved_migrations"}, DOMAIN_MIGRATIONS=PAST
    ):
        (warning,) = checks.check_stages(None)
        (folder / snapshot.name).write_text("-- format: 0\n")
        unreadable = checks.check_stages(None)
    assert str(warning.msg).startswith("The migration inventory.0099_later deletes")
    assert len(unreadable) == 2


@pytest.mark.parametrize(
    ("stage", "what"), [('"later"', "'later'"), ("None.x", "a computed value"), ("True", "True")]
)
def test_e023(folder: Path, stage: str, what: str) -> None:
    source = f"class Migration(migrations.Migration):\n    stage = {stage}\n    operations = []\n"
    (folder / "0001_x.py").write_text(HEADER + source)
    with override_settings(MIGRATION_MODULES={"inventory": "moved_migrations"}):
        (error,) = checks.check_stages(None)
    assert (error.id, error.level) == ("domain_migrations.E023", ERROR)
    assert (
        error.msg == f"The stage of inventory.0001_x is {what}, which is neither before nor after."
    )
    assert error.hint == (
        'Write stage = "before" or stage = "after" in its class Migration, as it stands here.'
    )


def test_this_project_declares_its_stages() -> None:
    assert checks.check_stages(None) == []
    assert list(invalid_stages(checks.get_domains()[0])) == []
