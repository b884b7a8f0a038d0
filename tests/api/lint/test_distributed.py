"""`lint_domain --engine citus`, on the SQL that tests/citus runs on a cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections

from domain_migrations.api.lint.distributed.distributed_rules import DISTRIBUTED_RULES, IDS
from domain_migrations.api.lint.linter import DomainLint
from domain_migrations.domains import get_domain
from tests.support.citus_cases import CASES, TRIGGERS
from tests.support.commands import ROOT, Result
from tests.support.temporary_migrations import TemporaryMigrations, without_migrations

Call = Callable[..., Result]

FIRST = """
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Ward", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.TextField()),
        ], options={"db_table": '"hr"."wards"'}),
        migrations.CreateModel("Thing", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("size", models.IntegerField(null=True)),
            ("note", models.TextField(null=True)),
            ("at", models.DateTimeField(null=True)),
            ("ward", models.ForeignKey("hr.Ward", models.CASCADE, null=True)),
        ], options={"db_table": '"hr"."things"'}),
    ]
"""
SECOND = """
class Migration(migrations.Migration):
    {says}
    dependencies = [("hr", "0001_initial")]
    operations = [{operations}]
"""
Found = list[dict[str, Any]]


@pytest.fixture(scope="module")
def hr(
    migrated_module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> TemporaryMigrations:
    return without_migrations(tmp_path_factory.mktemp("hr"))


@pytest.fixture
def found(hr: TemporaryMigrations, call: Call) -> Callable[..., Found]:
    """A function that lints operations, and returns the findings of the rules on Citus."""

    def lint(*operations: str, says: str = "", engine: str = "citus") -> Found:
        source = SECOND.format(operations=", ".join(operations), says=says)
        with hr.release({"0001_initial": FIRST, "0002_second": source}):
            result = call("lint_domain", "hr", "0002", "--engine", engine, "--format", "json")
        findings: Found = json.loads(result.stdout)["findings"]
        return [one for one in findings if "citus" in one["rule"] or "ignore" in one["rule"]]

    return lint


def of_sql(statements: tuple[str, ...]) -> list[str]:
    return [f'migrations.RunSQL([{sql!r}], "")' for sql in statements if sql != TRIGGERS]


def test_refused_and_working_sql(hr: TemporaryMigrations, call: Call) -> None:
    """One run lints them all, each in a migration of its own."""
    names, migrations = [], {"0001_initial": FIRST}
    for number, case in enumerate(CASES):
        for kind, sql in (("refused", case.refused), ("works", case.works)):
            operations = ", ".join(of_sql(sql))
            source = SECOND.format(operations=operations, says="")
            names.append(f"1{number:03}_{kind}")
            migrations[names[-1]] = source.replace("0001_initial", list(migrations)[-1])
    with hr.release(migrations):
        result = call("lint_domain", "hr", *names, "--engine", "citus", "--format", "json")

    reported: dict[str, set[str]] = {name: set() for name in names}
    for one in json.loads(result.stdout)["findings"]:
        if one["rule"].startswith("citus"):
            assert all(one[key] for key in ("message", "hint", "sql"))
            reported[one["name"]].add(one["rule"])
    assert reported == {
        name: {CASES[int(name[1:4])].rule} if name.endswith("refused") else set() for name in names
    }


def test_every_rule_has_a_case_and_is_documented() -> None:
    assert {case.rule for case in CASES} == IDS
    page = (ROOT / "docs/how-to/lint.md").read_text()
    assert {rule for rule in IDS if f"| `{rule}` |" not in page} == set()


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ('migrations.AddField("thing", "n", models.PositiveIntegerField(default=0))', []),
        ('migrations.AddField("thing", "n", models.IntegerField(null=True, unique=True))', []),
        ('migrations.AddField("thing", "other", models.ForeignKey("hr.Ward", models.CASCADE,'
         ' null=True, related_name="+"))', []),
        ('migrations.AlterField("thing", "id", models.AutoField(primary_key=True))',
         ["citus-identity"]),
        ('migrations.AlterField("thing", "size", models.BigIntegerField(null=True))', []),
        ('migrations.RunPython(print, print), migrations.AddField("thing", "n",'
         ' models.IntegerField(null=True))', ["citus-data-then-ddl"]),
        ('migrations.RunPython(print, print), migrations.CreateModel("Note", fields=[("id",'
         ' models.BigAutoField(primary_key=True))], options={"db_table": \'"hr"."notes"\'})', []),
    ],
)  # fmt: skip
def test_operations(found: Callable[..., Found], operation: str, expected: list[str]) -> None:
    assert sorted({one["rule"] for one in found(operation)}) == expected


def test_rules_of_citus_are_ignored_and_not_asked_for_without_it(
    found: Callable[..., Found],
) -> None:
    operation = of_sql(("ALTER TABLE hr.things RENAME CONSTRAINT things_size TO size_check",))
    says = 'lint_ignore = {"citus-rename-constraint": "hr is never distributed."}'

    assert [one["rule"] for one in found(*operation)] == ["citus-rename-constraint"]
    assert found(*operation, says=says) == []
    assert found(*operation, engine="postgresql") == []
    assert found(*operation, says=says, engine="postgresql") == []
    unused = [one["rule"] for one in found('migrations.RunSQL("", "")', says=says)]
    assert unused == ["unused-ignore"]


def test_domain_that_is_declared_as_distributed(migrated_module_database: str) -> None:
    connection, hr = connections["default"], get_domain("hr")
    distributed = replace(hr, is_distributed=True)

    assert DISTRIBUTED_RULES.keys() <= DomainLint(connection, distributed).rules.keys()
    for other in (DomainLint(connection, hr), DomainLint(connection, distributed, "postgresql")):
        assert DISTRIBUTED_RULES.keys().isdisjoint(other.rules)
