"""`lint_domain` on migrations of the domain hr, which are written for each test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from domain_migrations.api.lint import squawk
from tests.support.catalog import execute, histories, schemas, snapshot, tables
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations, without_migrations

Call = Callable[..., Result]

CREATE = """
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
        ("size", models.BigIntegerField(default=0)),
        ("note", models.TextField(default="")),
    ], options={"db_table": '"hr"."things"'})]
"""
SECOND = """
{imports}
class Migration(migrations.Migration):
    {says}
    dependencies = [("hr", "0001_initial"), ("core", "0001_initial")]
    operations = [
        {operations}
    ]
"""


@pytest.fixture(scope="module")
def hr(
    migrated_module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> TemporaryMigrations:
    return without_migrations(tmp_path_factory.mktemp("hr"))


@pytest.fixture
def found(hr: TemporaryMigrations, call: Call) -> Callable[..., list[dict[str, Any]]]:
    """A function that lints a second migration with these operations."""

    def lint(*operations: str, says: str = "", imports: str = "") -> list[dict[str, Any]]:
        source = SECOND.format(
            operations=",\n        ".join(operations), says=says, imports=imports
        )
        with hr.release({"0001_initial": CREATE, "0002_second": source}):
            result = call("lint_domain", "hr", "0002", "--format", "json")
        answer = json.loads(result.stdout)
        assert answer["format"] == 1
        keys = {"rule", "level", "domain", "app", "name", "sql", "message", "hint"}
        assert all(set(finding) == keys for finding in answer["findings"])
        errors = [finding for finding in answer["findings"] if finding["level"] == "error"]
        assert result.exit_status == (1 if errors else 0), result.stderr
        assert all(finding["hint"] for finding in answer["findings"])
        return answer["findings"]

    return lint


def rules(findings: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(finding["level"], finding["rule"]) for finding in findings]


CONCURRENTLY = "from django.contrib.postgres.operations import AddIndexConcurrently"
OPERATIONS = {
    'migrations.RemoveField("thing", "note")': [("error", "ban-drop-column")],
    'migrations.DeleteModel("Thing")': [("error", "ban-drop-table")],
    'migrations.RenameField("thing", "note", "remark")': [("error", "renaming-column")],
    'migrations.AlterModelTable("thing", \'"hr"."objects"\')': [("error", "renaming-table")],
    'migrations.AlterField("thing", "size", models.IntegerField())': [
        ("error", "changing-column-type")
    ],
    'migrations.AddIndex("thing", models.Index(fields=["size"], name="i"))': [
        ("error", "require-concurrent-index-creation")
    ],
    'migrations.AddConstraint("thing", models.CheckConstraint(condition=models.Q(size__gt=0),'
    ' name="c"))': [("error", "constraint-missing-not-valid")],
    'migrations.AddField("thing", "width", models.BigIntegerField(null=True))': [],
    'migrations.AddField("thing", "width", models.BigIntegerField(db_default=1))': [],
    'migrations.AddField("thing", "width", models.BigIntegerField(default=1))': [
        ("error", "required-column-without-default")
    ],
    'migrations.RunSQL("SELEC 1", "")': [("warning", "syntax-error")],
    'migrations.RunSQL(["-- squawk-ignore ban-drop-column\\nALTER TABLE hr.things DROP note"],'
    ' "")': [("error", "ban-drop-column")],
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation(found: Callable[..., Any], operation: str) -> None:
    assert rules(found(operation)) == OPERATIONS[operation]


def test_a_finding_is_reported_in_full(hr: TemporaryMigrations, call: Call) -> None:
    operation = 'migrations.AddIndex("thing", models.Index(fields=["size"], name="i"))'
    source = SECOND.format(
        operations='migrations.RunSQL("SELECT 1", ""),\n' + operation, says="", imports=""
    )
    with hr.release({"0001_initial": CREATE, "0002_second": source}):
        (finding,) = json.loads(call("lint_domain", "hr", "--format", "json").stdout)["findings"]
        text = call("lint_domain", "hr", "--no-color")
    assert finding == {
        "rule": "require-concurrent-index-creation",
        "level": "error",
        "domain": "hr",
        "app": "hr",
        "name": "0002_second",
        "sql": 'CREATE INDEX "i" ON "hr"."things" ("size");',
        "message": "During normal index creation, table updates are blocked, but reads are still"
        " allowed.",
        "hint": "Use AddIndexConcurrently in a migration with atomic = False.",
    }
    assert text.stdout == (
        "hr.0002_second:9: error: require-concurrent-index-creation\n"
        f"    {finding['sql']}\n    {finding['message']}\n    {finding['hint']}\n"
    )
    assert (text.exit_status, text.stderr) == (1, "CommandError: 1 error.\n")


def test_tables_created_by_the_same_migration_are_not_in_use(found: Callable[..., Any]) -> None:
    create = """migrations.CreateModel("Part", fields=[
        ("id", models.BigAutoField(primary_key=True)), ("size", models.BigIntegerField()),
        ("user", models.ForeignKey("core.User", models.PROTECT)),
        ("thing", models.ForeignKey("hr.Thing", models.PROTECT)),
    ], options={"db_table": '"hr"."parts"'})"""
    index = 'migrations.AddIndex("part", models.Index(fields=["size"], name="i"))'
    fill = "migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)"
    assert rules(found(create, index, fill)) == []
    assert rules(found(create, index, says="atomic = False")) == []


def test_statements_that_fail_on_a_new_table_too(found: Callable[..., Any]) -> None:
    sql = ["CREATE TABLE hr.t (a bigint)", "CREATE INDEX CONCURRENTLY i ON hr.t (a)"]
    assert rules(found(f"migrations.RunSQL({sql!r}, '')")) == [
        ("error", "ban-concurrent-index-creation-in-transaction")
    ]


@pytest.mark.parametrize("operation", ["RemoveField('thing', 'note')", "DeleteModel('Thing')"])
def test_a_migration_after_the_new_code_may_remove_things(
    found: Callable[..., Any], operation: str
) -> None:
    assert found(f"migrations.{operation}", says='stage = "after"') == []


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("migrations.RunPython(print)", "RunPython"),
        ('migrations.RunSQL("SELECT 1")', "RunSQL"),
        ('migrations.SeparateDatabaseAndState([migrations.RunSQL("SELECT 1")])', "RunSQL"),
    ],
)
def test_missing_reverse(found: Callable[..., Any], operation: str, name: str) -> None:
    (finding,) = found(operation)
    argument = "reverse_code" if name == "RunPython" else "reverse_sql"
    assert (finding["level"], finding["rule"]) == ("error", "missing-reverse")
    assert finding["message"] == (
        f"Operation 1, {name}, is irreversible: the migration cannot be unapplied."
    )
    assert finding["hint"] == f"Give it {argument}; {name}.noop where there is nothing to reverse."


WIDTH = 'migrations.AddField("thing", "width", models.BigIntegerField(null=True))'
MIXED = {
    "migrations.RunPython(print, print)": "by Python, ",
    'migrations.RunSQL("UPDATE hr.things SET size = 1", "")': ", ",
    "migrations.RunSQL(\"WITH x AS (SELECT 1) INSERT INTO hr.things (size) SELECT 1\", '')": ", ",
    "migrations.SeparateDatabaseAndState([migrations.RunPython(print, print)])": "by Python, ",
}


@pytest.mark.parametrize("operation", MIXED)
def test_data_with_ddl(found: Callable[..., Any], operation: str) -> None:
    (finding,) = found(WIDTH, operation)
    assert (finding["level"], finding["rule"]) == ("error", "data-with-ddl")
    said = f"Operation 2 changes rows {MIXED[operation]}".replace(" , ", ", ")
    assert finding["message"] == (f"{said}and the lock on hr.things is held until they are done.")
    assert rules(found(operation)) == []
    assert rules(found(WIDTH, operation, says="atomic = False")) == []


def test_data_with_ddl__in_a_new_table(found: Callable[..., Any]) -> None:
    create = """migrations.CreateModel("Part", fields=[("id", models.BigAutoField(primary_key=True))
    ], options={"db_table": '"hr"."parts"'})"""
    (finding,) = found(create, "migrations.RunPython(print, print)")
    assert (finding["level"], finding["rule"]) == ("warning", "data-with-ddl")
    assert finding["message"] == (
        "Operation 2 changes rows by Python, in the transaction that changes the schema."
    )


def test_core_foreign_key(found: Callable[..., Any]) -> None:
    key = 'models.ForeignKey("core.User", models.PROTECT, null=True, db_index=False)'
    (finding,) = found(f'migrations.AddField("thing", "user", {key})')
    assert (finding["level"], finding["rule"]) == ("error", "core-foreign-key-not-valid")
    assert finding["message"] == (
        "A foreign key to public.users of core reads all of hr.things while nobody can write to"
        " public.users."
    )
    assert 'ALTER TABLE "hr"."things" ADD COLUMN "user_id" uuid' in finding["sql"]


def test_core_foreign_key__not_valid(found: Callable[..., Any]) -> None:
    key = 'models.ForeignKey("core.User", models.PROTECT, null=True, db_index=False,'
    add = (
        "ALTER TABLE hr.things ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES"
        " public.users (id) NOT VALID"
    )
    operations = [
        f'migrations.AddField("thing", "user", {key} db_constraint=False))',
        f'migrations.RunSQL("{add}", "")',
    ]
    assert found(*operations) == []


def test_index_built_concurrently(found: Callable[..., Any]) -> None:
    operation = 'AddIndexConcurrently("thing", models.Index(fields=["size"], name="i"))'
    assert found(operation, says="atomic = False", imports=CONCURRENTLY) == []


REMOVE = 'migrations.RemoveField("thing", "note")'


def test_ignored_with_a_reason(found: Callable[..., Any]) -> None:
    assert found(REMOVE, says='lint_ignore = {"ban-drop-column": "Never released."}') == []


@pytest.mark.parametrize("reason", ['""', '" "', "None", "True"])
def test_ignored_without_a_reason(found: Callable[..., Any], reason: str) -> None:
    findings = found(REMOVE, says=f'lint_ignore = {{"ban-drop-column": {reason}}}')
    assert rules(findings) == [("error", "ban-drop-column"), ("error", "ignore-without-reason")]
    assert findings[1]["message"] == 'lint_ignore has no reason for "ban-drop-column".'


def test_ignored_without_reasons(found: Callable[..., Any]) -> None:
    findings = found(REMOVE, says='lint_ignore = ["ban-drop-column"]')
    assert rules(findings) == [("error", "ban-drop-column"), ("error", "ignore-without-reason")]
    assert findings[1]["message"] == "lint_ignore is not a dictionary of rules and reasons."


@pytest.mark.parametrize("rule", ["ban-drop-colum", "", "-h", "ban-drop-column,x"])
def test_ignore_of_an_unknown_rule(found: Callable[..., Any], rule: str) -> None:
    (finding,) = found(WIDTH, says=f'lint_ignore = {{"{rule}": "It is safe."}}')
    assert (finding["level"], finding["rule"]) == ("error", "ignore-of-unknown-rule")
    assert finding["message"] == f'lint_ignore names an unknown rule: "{rule}".'


def test_ignore_that_finds_nothing(found: Callable[..., Any]) -> None:
    (finding,) = found(WIDTH, says='lint_ignore = {"missing-reverse": "It is safe."}')
    assert (finding["level"], finding["rule"]) == ("warning", "unused-ignore")


def test_a_syntax_error_hides_no_other_finding(found: Callable[..., Any]) -> None:
    sql = 'migrations.RunSQL(["SELEC\\n1", "ALTER TABLE hr.things DROP note", "NONSENSE;"], "")'
    assert rules(found(sql)) == [
        ("warning", "syntax-error"),
        ("error", "ban-drop-column"),
        ("warning", "syntax-error"),
    ]


@pytest.fixture
def nothing_written(hr: TemporaryMigrations) -> Iterator[None]:
    before = (snapshot(), histories())
    yield
    assert (snapshot(), histories()) == before


def test_writes_that_bypass_the_schema_editor_are_prevented(
    nothing_written: None, found: Callable[..., Any]
) -> None:
    code = """
def write(apps, editor):
    editor.connection.cursor().execute("CREATE TABLE public.pwned (id int)")
"""
    inner = "migrations.SeparateDatabaseAndState([migrations.RunPython(write, write)])"
    assert ("warning", "unknown-sql") in rules(found(WIDTH, inner, imports=code))
    assert "pwned" not in tables("public")


def test_pending_only(hr: TemporaryMigrations, call: Call) -> None:
    source = SECOND.format(operations=REMOVE, says="", imports="")
    with hr.release({"0001_initial": CREATE, "0002_second": source}):
        assert call("lint_domain").exit_status == 1
        assert call("lint_domain", "core").stdout == "Nothing found.\n"
        assert call("migrate_domain", "hr").exit_status == 0
        try:
            assert call("lint_domain", "hr").stdout == "Nothing found.\n"
            assert call("lint_domain", "hr", "0002").exit_status == 1
        finally:
            execute("DROP SCHEMA hr CASCADE")


SQUASHED = """
class Migration(migrations.Migration):
    initial = True
    replaces = [("hr", "0001_initial"), ("hr", "0002_second")]
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
    ], options={"db_table": '"hr"."things"'})]
"""


def test_squashed_migrations(hr: TemporaryMigrations, call: Call) -> None:
    source = SECOND.format(operations=REMOVE, says="", imports="")
    files = {"0001_initial": CREATE, "0002_second": source, "0001_squashed": SQUASHED}
    with hr.release(files):
        assert call("lint_domain", "hr").stdout == "Nothing found.\n"
        assert call("lint_domain", "hr", "0001_squashed").stdout == "Nothing found.\n"
        assert "ban-drop-column" in call("lint_domain", "hr", "0002").stdout


def test_on_an_empty_database(scratch_database: str, tmp_path: Path, call: Call) -> None:
    source = SECOND.format(operations=REMOVE, says="", imports="")
    with TemporaryMigrations(tmp_path).release({"0001_initial": CREATE, "0002_second": source}):
        result = call("lint_domain", "hr", "--format", "json")
    findings = json.loads(result.stdout)["findings"]
    assert rules(findings) == [("error", "ban-drop-column")]
    assert schemas() == ["public"]
    assert tables("public") == set()


def test_unknown_names(migrated_module_database: str, call: Call) -> None:
    assert call("lint_domain", "hrr").stderr.startswith('CommandError: There is no domain "hrr".')
    assert call("lint_domain", "finance", "0999").stderr.startswith(
        'CommandError: No migration of the domain "finance" begins with "0999".'
    )


def test_without_squawk(
    migrated_module_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(squawk.shutil, "which", lambda *_, **__: None)
    result = call("lint_domain")
    assert (result.exit_status, result.stderr) == (
        1,
        "CommandError: The program squawk, which reads the SQL, is not installed."
        ' Run: pip install "django-domain-migrations[lint]"\n',
    )


def test_a_configuration_file_in_the_folder_is_not_read(
    hr: TemporaryMigrations,
    found: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / ".squawk.toml").write_text('excluded_rules = ["ban-drop-column"]\n')
    monkeypatch.chdir(tmp_path)
    assert rules(found(REMOVE)) == [("error", "ban-drop-column")]


def test_every_rule_that_is_named_exists(hr: TemporaryMigrations) -> None:
    program = squawk.Squawk(connections["default"].pg_version)
    named = squawk.IGNORED_RULES | squawk.DESTRUCTIVE_RULES | squawk.ERRORS | set(squawk.HINTS)
    named -= {squawk.SYNTAX_ERROR}
    assert [rule for rule in sorted(named) if not program.knows(rule)] == []
