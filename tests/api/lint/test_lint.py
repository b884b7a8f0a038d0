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
    'migrations.RunSQL("DROP SCHEMA hr CASCADE", "")': [("error", "ban-drop-schema")],
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


def test_a_new_composite_key_blocks_the_table(found: Callable[..., Any]) -> None:
    findings = found(
        'migrations.AlterField("thing", "id", models.BigIntegerField())',
        'migrations.AddField("thing", "pk", models.CompositePrimaryKey("id", "size"))',
    )
    statement = 'ALTER TABLE "hr"."things" ADD PRIMARY KEY ("id", "size");'
    assert ("adding-serial-primary-key-field", statement) in [
        (finding["rule"], finding["sql"]) for finding in findings
    ]


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


DROPS = "ALTER TABLE hr.things DROP COLUMN note;"
STRINGS = {
    f"CREATE TABLE hr.t (a bigint); {DROPS}": [("error", "ban-drop-column")],
    f"SELECT 1; {DROPS} SELECT 2": [("error", "ban-drop-column")],
    "ALTER TABLE hr.t DROP a; CREATE TABLE hr.t (a bigint)": [("error", "ban-drop-column")],
    "CREATE TABLE hr.t (a bigint); ALTER TABLE hr.t DROP a; CREATE INDEX i ON hr.t (a)": [],
    "CREATE TABLE hr.t (a bigint); ALTER TABLE hr.t RENAME TO s; CREATE INDEX i ON hr.s (a)": [],
    "CREATE TABLE hr.t (a bigint); DROP TABLE hr.t": [],
    "CREATE UNLOGGED TABLE hr.t AS SELECT 1 AS a; CREATE INDEX i ON hr.t (a)": [],
    "SELECT 1 AS a INTO hr.t; CREATE INDEX i ON hr.t (a)": [],
    "CREATE TABLE IF NOT EXISTS hr.t (a bigint); CREATE INDEX i ON hr.t (a)": [],
    "CREATE TABLE IF NOT EXISTS hr.things (a bigint); CREATE INDEX i ON hr.things (size)": [
        ("error", "require-concurrent-index-creation")
    ],
    "CREATE TABLE IF NOT EXISTS hr.things (a bigint); ALTER TABLE hr.things DROP note": [
        ("error", "ban-drop-column")
    ],
    "DROP TABLE hr.things; CREATE TABLE hr.things (a int); ALTER TABLE hr.things DROP a": [
        ("error", "ban-drop-table"),
        ("error", "ban-drop-column"),
    ],
    "DROP TABLE hr.things; CREATE TABLE hr.things (a int); CREATE INDEX i ON hr.things (a)": [
        ("error", "ban-drop-table"),
        ("error", "require-concurrent-index-creation"),
    ],
    "ALTER TABLE hr.things RENAME TO old; CREATE TABLE hr.things (a int);"
    "CREATE INDEX i ON hr.things (a)": [
        ("error", "renaming-table"),
        ("error", "require-concurrent-index-creation"),
    ],
    f"-- CREATE TABLE hr.things (a int);\n{DROPS}": [("error", "ban-drop-column")],
    f"SELECT 'CREATE TABLE hr.things;'; {DROPS}": [("error", "ban-drop-column")],
    "SELECT 1; -- the end": [],
    "CREATE TABLE hr.t (a int); UPDATE hr.t SET a = 1; CREATE INDEX i ON hr.things (size)": [
        ("error", "data-with-ddl"),
        ("error", "require-concurrent-index-creation"),
    ],
    "ALTER TABLE hr.things ADD a uuid, ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES users (id)": [
        ("error", "core-foreign-key-not-valid")
    ],
    "ALTER TABLE hr.things ADD a uuid; SELECT 'REFERENCES users'": [],
}


@pytest.mark.parametrize("sql", STRINGS)
def test_each_statement_of_a_string_is_read(found: Callable[..., Any], sql: str) -> None:
    assert rules(found(f"migrations.RunSQL({sql!r}, '')")) == STRINGS[sql]


def test_a_table_of_an_earlier_migration_is_not_new(hr: TemporaryMigrations, call: Call) -> None:
    """Also where the database is empty, and a model does not show the table."""
    make = "CREATE TABLE hr.old (a bigint); CREATE DOMAIN hr.even AS int CHECK (value % 2 = 0)"
    again = "CREATE TABLE IF NOT EXISTS hr.old (a bigint); CREATE INDEX i ON hr.old (a)"
    typed = "ALTER TABLE hr.old ADD b hr.even; ALTER TABLE hr.old ADD c hr.unknown"
    second = SECOND.format(operations=f'migrations.RunSQL("{make}", "")', says="", imports="")
    third = SECOND.format(
        operations=f'migrations.RunSQL("{again}", ""), migrations.RunSQL("{typed}", "")',
        says="",
        imports="",
    ).replace("0001_initial", "0002_second", 1)
    files = {"0001_initial": CREATE, "0002_second": second, "0003_third": third}
    with hr.release(files):
        result = call("lint_domain", "hr", "0003", "--format", "json")
    assert sorted(rules(json.loads(result.stdout)["findings"])) == [
        ("error", "require-concurrent-index-creation"),
        ("error", "table-rewrite"),
        ("warning", "unread-sql"),
    ]


CONCURRENT = "ban-concurrent-index-creation-in-transaction"
BUILD, DROP = "CREATE INDEX CONCURRENTLY i ON hr.things (size)", "DROP INDEX CONCURRENTLY hr.i"
REFUSED = {
    repr(BUILD): [CONCURRENT],
    repr(DROP): ["refused-in-transaction"],
    repr("VACUUM hr.things"): ["refused-in-transaction"],
    repr([BUILD, DROP]): [CONCURRENT, "refused-in-transaction"],
    repr(["CREATE TABLE hr.p (a int) PARTITION BY LIST (a)", "REINDEX TABLE hr.p"]): [
        "refused-in-transaction"
    ],
    repr("ALTER SYSTEM SET work_mem = '4MB'"): ["refused-in-transaction"],
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_a_transaction_refuses(found: Callable[..., Any], sql: str) -> None:
    operation = f"migrations.RunSQL({sql}, '')"
    assert rules(found(operation)) == [("error", rule) for rule in REFUSED[sql]]
    assert rules(found(operation, says="atomic = False")) == []


def test_a_string_of_several_statements_is_a_transaction(found: Callable[..., Any]) -> None:
    operation = f'migrations.RunSQL("{BUILD}; {DROP}", "")'
    (first, second) = found(operation, says="atomic = False")
    assert (first["level"], first["rule"]) == ("error", CONCURRENT)
    assert first["message"] == (
        "PostgreSQL refuses CREATE INDEX CONCURRENTLY in a string with other statements, which is a"
        " transaction."
    )
    assert first["hint"] == (
        "Write atomic = False in the migration, and give this statement a string of its own."
    )
    assert second["rule"] == "refused-in-transaction"


def test_operations_that_refuse_a_transaction(found: Callable[..., Any]) -> None:
    operation = 'AddIndexConcurrently("thing", models.Index(fields=["size"], name="i"))'
    (finding,) = found(operation, imports=CONCURRENTLY)
    assert (finding["level"], finding["rule"]) == ("error", "refused-in-transaction")
    assert "set atomic = False on the migration" in finding["message"]


ADD_VALUE = "ALTER TYPE hr.kind ADD VALUE IF NOT EXISTS 'b' AFTER 'a'"
NEW_VALUE = "new-enum-value-in-transaction"
VALUES = {
    f"{ADD_VALUE}; ALTER TABLE hr.things ALTER note SET DEFAULT 'b'": [NEW_VALUE],
    f"{ADD_VALUE}; ALTER TYPE hr.kind ADD VALUE 'c' AFTER 'b'; SELECT 'd'": [],
    f"CREATE TYPE hr.kind AS ENUM ('a'); {ADD_VALUE}; SELECT 'b'::hr.kind": [],
    ADD_VALUE: [],
}


@pytest.mark.parametrize("sql", VALUES)
def test_a_new_value_of_an_enum(found: Callable[..., Any], sql: str) -> None:
    operation = f'migrations.RunSQL("{sql}", "")'
    strings = f"migrations.RunSQL({sql.split('; ')!r}, '')"
    assert [finding["rule"] for finding in found(operation)] == VALUES[sql]
    assert [finding["rule"] for finding in found(strings)] == VALUES[sql]
    assert [finding["rule"] for finding in found(strings, says="atomic = False")] == []


BLOCKING = {
    "ALTER TABLE hr.things SET UNLOGGED": "table-rewrite",
    "ALTER TABLE hr.things SET ACCESS METHOD heap": "table-rewrite",
    "CLUSTER hr.things USING things_pkey": "table-rewrite",
    "ALTER TABLE hr.things ADD c int, ADD even hr.even": "table-rewrite",
    "ALTER TABLE hr.things ADD number bigserial": "table-rewrite",
    "ALTER TABLE hr.things ADD half int GENERATED ALWAYS AS (size / 2) VIRTUAL": None,
    "ALTER TABLE hr.things ADD size2 int CHECK (size2 > 0)": "table-read",
    "ALTER TABLE hr.parts ATTACH PARTITION hr.things FOR VALUES IN (1)": "table-read",
    "ALTER TABLE hr.parts DETACH PARTITION hr.things": "require-concurrent-partition-detach",
    "ALTER TABLE hr.things ADD a int NULL, ADD b geometry(Point, 4326)": "unread-sql",
    "TRUNCATE ONLY hr.things": "truncate",
    "LOCK TABLE hr.things": "exclusive-lock",
    "SELECT count(*) INTO hr.kept FROM hr.things; LOCK TABLE hr.kept": None,
    "CREATE TABLE view (id int); LOCK TABLE view": None,
    "LOCK hr.things IN ACCESS SHARE MODE": None,
    "REFRESH MATERIALIZED VIEW hr.sums": "exclusive-lock",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY hr.sums": None,
    "REINDEX TABLE hr.things": "require-concurrent-reindex",
    "DO $$ BEGIN DROP TABLE hr.things; END $$": "unread-sql",
    "CALL hr.clean()": "unread-sql",
    "ALTER TABLE hr.things ADD tags text[], ADD span tstzrange": None,
}


@pytest.mark.parametrize("sql", BLOCKING)
def test_statements_that_block_or_are_not_read(found: Callable[..., Any], sql: str) -> None:
    domain = "CREATE DOMAIN hr.even AS hr.some; CREATE DOMAIN hr.some AS int NOT NULL"
    make = f"migrations.RunSQL({domain!r}, '')"
    findings = found(make, f"migrations.RunSQL({sql!r}, '')")
    others = {"ban-create-domain-with-constraint", "data-with-ddl", "prefer-identity"}
    rule = BLOCKING[sql]
    assert {one["rule"] for one in findings} - others == ({rule} if rule else set())


PARTS = """
class Odd(models.BaseConstraint):
    def constraint_sql(self, model, editor):
        return None

class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Part", fields=[
        ("id", models.BigAutoField(primary_key=True)),
        ("code", models.CharField(max_length=20, db_index=True)),
        ("name", models.CharField(max_length=20)),
        ("label", models.CharField(max_length=20)),
        ("price", models.DecimalField(max_digits=8, decimal_places=2)),
        ("bought", models.DateTimeField()),
        ("first", models.CharField(max_length=20)),
        ("second", models.CharField(max_length=20)),
    ], options={"db_table": '"hr"."parts"', "constraints": [
        Odd(name="odd"),
        models.CheckConstraint(condition=~models.Q(name="x"), name="named"),
        models.CheckConstraint(
            condition=models.lookups.GreaterThan(models.functions.Length("second"), 2), name="long"
        ),
    ], "unique_together": {("name", "first")}, "indexes": [
        models.Index(models.functions.Lower("label"), name="lower"),
    ]})]
"""


def alter(what: str) -> str:
    return f"migrations.RunSQL({f'ALTER TABLE {what}'!r}, '')"


REWRITTEN, CHECKED, BUILT = "is rewritten", "check constraints read", "indexes are built again"
TYPE_CHANGES = {
    'migrations.AlterField("part", "code", models.CharField(max_length=50))': None,
    'migrations.AlterField("part", "code", models.CharField(max_length=10))': REWRITTEN,
    'migrations.AlterField("part", "code", models.CharField(max_length=20, unique=True))': None,
    'migrations.AlterField("part", "price", models.DecimalField(max_digits=9, decimal_places=2))': (
        None
    ),
    'migrations.AlterField("part", "price", models.DecimalField(max_digits=9, decimal_places=3))': (
        REWRITTEN
    ),
    'migrations.AlterField("part", "price", models.FloatField())': REWRITTEN,
    'migrations.AlterField("part", "name", models.TextField())': CHECKED,
    'migrations.AlterField("part", "label", models.CharField(max_length=50))': BUILT,
    alter("hr.parts ALTER price TYPE numeric, ALTER code TYPE text"): None,
    alter("hr.parts ALTER code TYPE text USING upper(code)"): REWRITTEN,
    alter('hr.parts ALTER code TYPE text USING ("code"::text)'): None,
    alter("hr.parts ALTER code TYPE text USING CAST(code AS text)"): None,
    alter('hr.parts ALTER code TYPE text COLLATE "C"'): BUILT,
    alter("hr.parts ALTER bought TYPE timestamp"): None,
    alter("hr.other ALTER code TYPE text"): REWRITTEN,
    alter("hr.parts ALTER name TYPE varchar(9), ALTER code TYPE varchar(20)"): REWRITTEN,
    alter("hr.parts ALTER first TYPE bpchar"): BUILT,
    alter("hr.parts ALTER second TYPE text"): CHECKED,
}


@pytest.mark.parametrize("operation", TYPE_CHANGES)
def test_changes_of_types_are_judged_by_both_types(
    hr: TemporaryMigrations, call: Call, operation: str
) -> None:
    second = SECOND.format(operations=operation, says="", imports="")
    with hr.release({"0001_initial": PARTS, "0002_second": second}):
        result = call("lint_domain", "hr", "0002", "--format", "json")
    findings = [
        finding
        for finding in json.loads(result.stdout)["findings"]
        if finding["rule"] == "changing-column-type"
    ]
    said = TYPE_CHANGES[operation]
    assert all(finding["level"] == "error" for finding in findings)
    assert bool(findings) == bool(said)
    assert all(str(said) in finding["message"] for finding in findings)


def test_a_change_of_a_type_is_reported_in_full(hr: TemporaryMigrations, call: Call) -> None:
    operation = 'migrations.AlterField("part", "code", models.CharField(max_length=10))'
    second = SECOND.format(operations=operation, says="", imports="")
    with hr.release({"0001_initial": PARTS, "0002_second": second}):
        result = call("lint_domain", "hr", "0002", "--format", "json")
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["message"] == (
        "The type of hr.parts.code changes from varchar(20) to varchar(10): hr.parts is rewritten"
        " while nobody can read or write it."
    )


def test_vacuum_full_rewrites(found: Callable[..., Any]) -> None:
    vacuum = 'migrations.RunSQL("VACUUM (ANALYZE, FULL) hr.things", "")'
    assert rules(found(vacuum, says="atomic = False")) == [("error", "table-rewrite")]


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
        ' Run: pip install "squawk-cli>=2.60"\n',
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
