"""`migrate_domain --rehearse`: pending migrations applied, reverted and applied again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.support.catalog import execute, histories, snapshot
from tests.support.commands import Result
from tests.support.sessions import advisory_locks

Call = Callable[..., Result]
Pending = Callable[..., None]

RESTORES = """
operations = [
    migrations.AddField("position", "note", models.TextField(default="")),
    migrations.AddField("position", "owner", models.ForeignKey(
        "core.User", models.CASCADE, null=True, related_name="+")),
]
"""


def rehearse(call: Call, *arguments: str) -> tuple[dict[str, Any], Result]:
    execute("CREATE TABLE IF NOT EXISTS public.positions (id int PRIMARY KEY, note text)")
    before = snapshot(), histories(), advisory_locks()
    result = call("migrate_domain", *arguments, "--rehearse", "--format=json")
    assert (snapshot(), histories(), advisory_locks()) == before
    return json.loads(result.stdout)["domains"][-1], result


def test_reverting_that_restores(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_note=RESTORES,
        f0102_drop="""
    operations = [migrations.RemoveField("position", "note")]
    """,
    )
    hr, result = rehearse(call, "hr")
    assert (result.exit_status, hr["status"], hr["error"]) == (0, "planned", None)
    assert [step["name"] for step in hr["steps"]] == ["f0101_note", "f0102_drop"]
    assert hr["steps"][0]["locks"] == [
        {"relation": "hr.positions", "mode": "AccessExclusiveLock"},
        {"relation": "public.users", "mode": "ShareRowExclusiveLock"},
    ]
    assert (hr["not_rehearsed"], hr["applied"]) == ([], [])
    text = call("migrate_domain", "hr", "--rehearse").stdout
    assert text.endswith("hr: 2 applied, reverted, reapplied and rolled back\n")


def test_reverting_that_leaves_objects(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_note=RESTORES,
        f0102_view="""
    operations = [
        migrations.RunSQL(
            "CREATE INDEX positions_note ON hr.positions (note);"
            " COMMENT ON TABLE hr.positions IS 'noted'",
            "DROP INDEX hr.positions_note",
        )
    ]
    """,
    )
    hr, result = rehearse(call, "hr")
    assert (result.exit_status, hr["status"]) == (1, "failed")
    assert hr["error"] == {
        "code": "migration_failed",
        "message": "Reverting hr.f0102_view does not restore the catalog: table hr.positions"
        " differs: nothing / comment 'noted'.",
        "hint": "Correct its reverse; everything was rolled back.",
        "sqlstate": None,
    }
    assert hr["error"]["message"] in result.stderr


def test_reverting_that_fails(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_breaks="""
    operations = [migrations.RunSQL("CREATE TABLE hr.a ()", "DROP TABLE hr.b")]
    """,
    )
    hr, result = rehearse(call, "hr")
    assert (result.exit_status, hr["status"]) == (1, "failed")
    assert hr["error"]["message"] == (
        "hr.f0101_breaks was applied, and then: Migration hr.f0101_breaks could not be reverted: it"
        ' failed at operation 1 of 1 (Raw SQL operation): table "b" does not exist.'
    )


def test_applied_again_it_is_something_else(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_counts="""
    times = []
    def make(apps, editor, times=times):
        times.append(1)
        editor.execute(f"CREATE TABLE hr.made (n{len(times)} int)")
    operations = [
        migrations.RunPython(make, lambda apps, editor: editor.execute("DROP TABLE hr.made"))
    ]
    """,
    )
    hr, result = rehearse(call, "hr")
    assert result.exit_status == 1
    assert hr["error"]["message"] == (
        "Applied again, hr.f0101_counts changes the catalog: column hr.made.n1: missing;"
        " column hr.made.n2: added."
    )


def test_irreversible_migrations_are_listed(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_one_way='operations = [migrations.RunSQL("CREATE TABLE hr.kept (n int)")]',
        f0102_on_top="""
        operations = [
            migrations.RunSQL("ALTER TABLE hr.kept ADD x int", "ALTER TABLE hr.kept DROP x")
        ]
        """,
        f0103_index="atomic = False",
    )
    hr, result = rehearse(call, "hr")
    assert (result.exit_status, hr["status"]) == (0, "planned")
    assert [step["name"] for step in hr["steps"]] == ["f0101_one_way", "f0102_on_top"]
    assert hr["not_rehearsed"] == [
        {
            "app": "hr",
            "name": "f0101_one_way",
            "reason": "It cannot be reverted: operation 1 (Raw SQL operation) has no reverse.",
        },
        {
            "app": "hr",
            "name": "f0103_index",
            "reason": "It is not atomic: its changes could not be rolled back.",
        },
    ]


def test_code_is_called_by_its_functions_name(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_code="""
        def fill(apps, editor):
            pass
        operations = [
            migrations.RunPython(fill, migrations.RunPython.noop),
            migrations.RunPython(fill),
        ]
        """,
    )
    plan = call("migrate_domain", "hr", plan=True)
    assert plan.stdout.count("    RunPython fill\n") == 2
    hr, _ = rehearse(call, "hr")
    (skipped,) = hr["not_rehearsed"]
    assert skipped["reason"] == (
        "It cannot be reverted: operation 2 (RunPython fill) has no reverse."
    )
    assert call("migrate_domain", "hr").exit_status == 0
    undone = call("migrate_domain", "hr", rollback=1, interactive=False)
    assert "These cannot be reverted: hr.f0101_code (RunPython fill)." in undone.stderr


def test_irreversible_migration_is_not_counted_as_reverted(pending: Pending, call: Call) -> None:
    pending("hr", f0101_one_way='operations = [migrations.RunSQL("SELECT 1")]')
    text = call("migrate_domain", "hr", rehearse=True)
    assert text.exit_status == 0
    assert text.stdout.endswith("hr: 1 applied and rolled back, 1 not rehearsed\n")
    strict = call("migrate_domain", "hr", rehearse=True, strict=True)
    assert strict.exit_status == 1
    assert (
        "hr.f0101_one_way was not rehearsed. It cannot be reverted: operation 1 (Raw SQL operation)"
        " has no reverse. Omit --strict if that is intended."
    ) in strict.stderr


def test_strict_rehearsal_refuses_what_is_not_atomic(pending: Pending, call: Call) -> None:
    pending("hr", f0101_index="atomic = False")
    assert call("migrate_domain", "hr", rehearse=True).exit_status == 0
    hr, result = rehearse(call, "hr", "--strict")
    assert (result.exit_status, hr["status"], hr["error"]["code"]) == (1, "refused", "irreversible")


def test_applied_migrations_cannot_be_rehearsed(migrated_database: str, call: Call) -> None:
    hr, result = rehearse(call, "hr", "0011")
    assert (result.exit_status, hr["status"]) == (1, "refused")
    assert hr["error"]["message"] == (
        "hr.0013_alter_verbose_names is applied; --rehearse accepts only pending migrations."
    )
    result = call("migrate_domain", "hr", "--rehearse", "--rollback")
    assert result.exit_status == 2
    assert "--rehearse cannot be used with --rollback; use --dry-run" in result.stderr
