"""Notes of `--plan` about locks on tables outside of the domain."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain_migrations.engine.runner.dry_run import plan_preview
from tests.support.catalog import execute, query, snapshot
from tests.support.commands import Result

Call = Callable[..., Result]
Pending = Callable[..., None]

KEYS = """
SELECT conname FROM pg_constraint
WHERE conrelid = 'hr.employees'::regclass AND confrelid = 'public.users'::regclass
"""


def plan(call: Call, *arguments: str) -> list[dict[str, Any]]:
    execute("CREATE TABLE IF NOT EXISTS public.employees (user_id int)")
    before = snapshot()
    result = call("migrate_domain", *arguments, "--plan", "--format=json")
    assert snapshot() == before
    steps: list[dict[str, Any]] = json.loads(result.stdout)["domains"][-1]["steps"]
    return steps


def locks(step: dict[str, Any]) -> dict[str, str]:
    return {lock["relation"]: lock["mode"] for lock in step["locks"]}


def test_sql_is_collected_only_where_it_is_wanted(
    scratch_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Collecting it renders the models before each of a project's hundreds of migrations."""
    original, collected = plan_preview._sql, list[tuple[str, ...]]()

    def collect(*args: Any) -> tuple[str, ...]:
        collected.append(original(*args))
        return collected[-1]

    monkeypatch.setattr(plan_preview, "_sql", collect)
    steps = plan(call, "core")
    assert len(collected) == len(steps) > 1
    text = call("migrate_domain", "core", "--plan").stdout
    assert "Create model User" in text
    assert len(collected) == len(steps)


def test_foreign_keys_to_core(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_added="""
        operations = [
            migrations.AddField("position", "owner", models.ForeignKey(
                "core.User", models.CASCADE, null=True, related_name="+")),
            migrations.AddField("position", "note", models.TextField(default="")),
        ]
        """,
        f0102_required="""
        operations = [
            migrations.AlterField("employee", "user", models.ForeignKey(
                "core.User", models.PROTECT, related_name="+")),
        ]
        """,
        f0103_dropped='operations = [migrations.RemoveField("position", "owner")]',
        f0104_sql="""
        operations = [migrations.RunSQL(
            "CREATE TABLE hr.x (c bigint REFERENCES cost_centres); DROP TABLE hr.x;")]
        """,
        f0105_nothing='operations = [migrations.RemoveField("position", "note")]',
    )
    steps = plan(call, "hr")
    assert [locks(step) for step in steps] == [
        {"public.users": "ShareRowExclusiveLock"},
        {"public.users": "AccessExclusiveLock"},
        {"public.users": "AccessExclusiveLock"},
        {"public.cost_centres": "AccessExclusiveLock"},
        {},
    ]
    ((key,),) = query(KEYS)
    text = call("migrate_domain", "hr", "--plan").stdout
    assert (
        f"    locks public.users (AccessExclusiveLock): drops the foreign key hr.employees.{key}"
        f" to it\n    locks public.users (ShareRowExclusiveLock): adds the foreign key"
        f" hr.employees.{key} to it\n"
    ) in text
    assert (
        "    locks public.cost_centres (ShareRowExclusiveLock): adds the foreign key of hr.x.c to"
        " it\n    locks public.cost_centres (AccessExclusiveLock): drops hr.x with the foreign key"
        " of hr.x.c to it\n"
    ) in text


def test_dropping_a_table_with_a_foreign_key_to_core(migrated_database: str, call: Call) -> None:
    steps = {step["name"]: locks(step) for step in plan(call, "hr", "zero")}
    assert steps["0001_initial"] == {
        "public.users": "AccessExclusiveLock",
        "public.cost_centres": "AccessExclusiveLock",
    }


def test_concurrent_statements_are_shown_unchanged(migrated_database: str, call: Call) -> None:
    steps = {step["name"]: step["sql"] for step in plan(call, "hr", "0005")}
    assert steps["0006_index_employee_names"] == [
        'DROP INDEX CONCURRENTLY IF EXISTS "hr"."employees_name_th_idx";'
    ]


def test_an_operation_that_bypasses_the_editor_writes_nothing(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_past="""
        class Past(migrations.RunSQL):
            def database_forwards(self, app_label, editor, before, after):
                with editor.connection.cursor() as cursor:
                    cursor.execute("CREATE TABLE hr.past (n int)")
        operations = [Past("")]
        """,
    )
    (step,) = plan(call, "hr")
    assert step["sql"] == [
        "-- Not shown, because an operation writes while its SQL is collected: cannot execute"
        " CREATE TABLE in a read-only transaction"
    ]


def test_an_operation_whose_sql_cannot_be_collected_is_named(pending: Pending, call: Call) -> None:
    """Such as the default of a field whose type the connection does not know yet."""
    pending(
        "hr",
        f0101_default="""
        from django.contrib.postgres.fields import HStoreField
        operations = [migrations.AddField("position", "labels", HStoreField(default=dict))]
        """,
    )
    (step,) = plan(call, "hr")
    assert step["sql"] == [
        "-- Cannot be shown until the preceding migrations are applied: cannot adapt type 'dict'"
        " using placeholder '%t' (format: TEXT)"
    ]
    found = json.loads(call("lint_domain", "hr", "--format=json").stdout)["findings"]
    assert any("cannot adapt type 'dict'" in finding["message"] for finding in found), found
