"""`migrate_domain --dry-run`: everything runs, and everything is rolled back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from domain_migrations.engine.runner.dry_run.dry_run import HOLDS_LOCKS
from tests.support.catalog import execute, histories, query, schemas, snapshot
from tests.support.commands import Result
from tests.support.sessions import HR, advisory_locks, running, until

Call = Callable[..., Result]
Pending = Callable[..., None]

DECOYS = """
CREATE TABLE public.positions (id int PRIMARY KEY, code text);
INSERT INTO public.positions VALUES (1, 'decoy');
"""
SEQUENCES = "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2"


def positions(count: int) -> None:
    execute(DECOYS)
    execute(
        "INSERT INTO hr.positions (code, title_th, title_en, is_active)"
        " SELECT 'c' || n, 'ก', 'name', true FROM generate_series(1, %s) n",
        count,
    )


def everything() -> dict[str, Any]:
    """All that a dry run must leave as it is: catalogs, histories, rows, sequences."""
    return {
        "catalog": snapshot(),
        "histories": histories(),
        "journal": query("SELECT * FROM hr.django_migrations_hr_journal ORDER BY id"),
        "positions": query("SELECT * FROM hr.positions ORDER BY id"),
        "decoy": query("SELECT * FROM public.positions"),
        "sequences": query(SEQUENCES),
        "locks": advisory_locks(),
    }


def dry_run(call: Call, *arguments: str) -> tuple[dict[str, Any], Result]:
    result = call("migrate_domain", *arguments, "--dry-run", "--format=json")
    document = json.loads(result.stdout)
    assert document["format"] == 1
    return document["domains"][-1], result


def test_on_an_empty_database_nothing_exists_afterwards(scratch_database: str, call: Call) -> None:
    execute("CREATE TABLE public.employees (id int PRIMARY KEY)")
    before = snapshot()
    result = call("migrate_domain", "hr", "--with-dependencies", "--dry-run", "--format=json")
    core, hr = json.loads(result.stdout)["domains"]
    assert (result.exit_status, core["status"], hr["status"]) == (0, "planned", "planned")
    assert result.stderr == f"{HOLDS_LOCKS}\n" * 2
    assert {step["app"] for step in core["steps"]} > {"auth", "contenttypes", "core"}
    assert [step["name"] for step in hr["steps"]][:2] == ["0001_initial", "0002_leave"]
    assert core["not_rehearsed"] == []
    assert hr["not_rehearsed"][0]["name"] == "0006_index_employee_names"
    assert {"relation": "public.cost_centres", "mode": "ShareRowExclusiveLock"} in (
        hr["steps"][0]["locks"]
    )
    assert snapshot() == before
    assert schemas() == ["public"]
    assert query(SEQUENCES) == []
    assert advisory_locks() == 0


def test_a_domain_without_core_is_refused(scratch_database: str, call: Call) -> None:
    hr, result = dry_run(call, "hr")
    assert (result.exit_status, hr["status"], hr["steps"]) == (1, "refused", [])
    assert hr["error"]["code"] == "dependency_not_applied"
    assert schemas() == ["public"]


def test_all_includes_pending_core_migrations(pending: Pending, call: Call) -> None:
    pending(
        "core",
        f0101_new="""
        operations = [migrations.RunSQL("CREATE TABLE public.news (id int PRIMARY KEY)")]
    """,
    )
    pending(
        "hr",
        f0101_points="""
        run_first = ("core", "f0101_new")
        dependencies = [*dependencies, run_first]
        operations = [migrations.RunSQL("CREATE TABLE hr.readers (n int REFERENCES news)")]
    """,
    )
    execute("CREATE TABLE public.readers (n int)")
    before = snapshot(), histories(), query(SEQUENCES)
    result = call("migrate_domain", "--all", "--dry-run", "--format=json")
    assert (snapshot(), histories(), query(SEQUENCES)) == before
    domains = {found["domain"]: found for found in json.loads(result.stdout)["domains"]}
    assert (result.exit_status, advisory_locks()) == (0, 0), result.stderr
    assert {name: found["status"] for name, found in domains.items()} == {
        "core": "planned",
        "inventory": "unchanged",
        "hr": "planned",
        "finance": "unchanged",
    }
    assert [step["name"] for step in domains["hr"]["steps"]] == ["f0101_points"]
    assert domains["hr"]["steps"][0]["locks"] == [
        {"relation": "hr.readers", "mode": "AccessExclusiveLock"},
        {"relation": "public.news", "mode": "ShareRowExclusiveLock"},
    ]


def test_inside_a_transaction_nothing_of_it_is_lost(pending: Pending, call: Call) -> None:
    pending("hr", f0101_table="operations = [migrations.RunSQL('CREATE TABLE hr.made (n int)')]")
    with transaction.atomic():
        execute("CREATE TABLE public.made (n int)")
        hr, result = dry_run(call, "hr")
        assert (result.exit_status, hr["status"]) == (0, "planned"), result.stderr
        assert query("SELECT to_regclass('hr.made'), to_regclass('public.made')::text") == [
            (None, "made")
        ]
    assert query("SELECT to_regclass('public.made')::text") == [("made",)]


def test_reports_the_effects_of_each_migration(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_note="""
        operations = [
            migrations.AddField("position", "note", models.TextField(default="")),
        ]
        """,
        f0102_measure="""
        operations = [
            migrations.RunSQL(
                "ALTER TABLE hr.positions ALTER COLUMN is_active TYPE text",
                state_operations=[
                    migrations.AlterField("position", "is_active", models.TextField())
                ],
            ),
            migrations.RunPython(
                lambda apps, editor: apps.get_model("hr", "Position").objects.update(note="x")
            ),
        ]
        """,
        f0103_index="""
        atomic = False
        operations = []
        """,
        f0104_after="""
        operations = []
        """,
    )
    positions(120)
    before = everything()
    hr, result = dry_run(call, "hr")
    assert everything() == before
    assert hr["error"] is None
    seconds = [step.pop("seconds") for step in hr["steps"]]
    assert (result.exit_status, all(0 < each < 30 for each in seconds)) == (0, True)
    assert {key: hr[key] for key in ("status", "batch", "applied", "reverted", "error")} == {
        "status": "planned",
        "batch": None,
        "applied": [],
        "reverted": [],
        "error": None,
    }
    assert [key["name"] for key in hr["pending"]] == [
        "f0101_note",
        "f0102_measure",
        "f0103_index",
        "f0104_after",
    ]
    assert hr["not_rehearsed"] == [
        {
            "app": "hr",
            "name": "f0103_index",
            "reason": "It is not atomic: its changes could not be rolled back.",
        },
        {
            "app": "hr",
            "name": "f0104_after",
            "reason": "It comes after hr.f0103_index, which is not atomic.",
        },
    ]
    assert hr["steps"] == [
        {
            "app": "hr",
            "name": "f0101_note",
            "sql": [
                'ALTER TABLE "hr"."positions" ADD COLUMN "note" text DEFAULT \'\' NOT NULL;',
                'ALTER TABLE "hr"."positions" ALTER COLUMN "note" DROP DEFAULT;',
            ],
            "locks": [{"relation": "hr.positions", "mode": "AccessExclusiveLock"}],
            "rewritten": [],
        },
        {
            "app": "hr",
            "name": "f0102_measure",
            "sql": [
                "ALTER TABLE hr.positions ALTER COLUMN is_active TYPE text;",
                'UPDATE "hr"."positions" SET "note" = %s;',
            ],
            "locks": [],
            "rewritten": [{"relation": "hr.positions", "rows": 120}],
        },
    ]


def test_reverting_is_tried_too(migrated_database: str, call: Call) -> None:
    positions(3)
    before = everything()
    hr, result = dry_run(call, "hr", "zero")
    assert everything() == before
    assert (result.exit_status, hr["status"], hr["reverted"]) == (0, "planned", [])
    assert [step["name"] for step in hr["steps"]][-1] == "0007_periods_not_valid"
    assert hr["not_rehearsed"][0]["name"] == "0006_index_employee_names"
    hr, result = dry_run(call, "hr", "0011")
    assert everything() == before
    assert [step["name"] for step in hr["steps"]] == [
        "0013_alter_verbose_names",
        "0012_assignment_location",
    ]
    assert hr["steps"][0]["locks"] == []
    assert {"relation": "hr.assignments", "mode": "AccessExclusiveLock"} in hr["steps"][1]["locks"]


def test_locks_on_dropped_tables_are_reported(pending: Pending, call: Call) -> None:
    pending("hr", f0101_drop='operations = [migrations.DeleteModel("LeaveRequest")]')
    hr, _ = dry_run(call, "hr")
    locks = {lock["relation"]: lock["mode"] for lock in hr["steps"][0]["locks"]}
    assert locks["hr.leave_requests"] == "AccessExclusiveLock"
    assert locks["public.users"] == "AccessExclusiveLock"


def test_nothing_pending(migrated_database: str, call: Call) -> None:
    hr, result = dry_run(call, "hr")
    assert (hr["status"], hr["steps"], result.exit_status) == ("unchanged", [], 0)
    assert result.stderr == ""


def test_forces_deferred_constraints_between_migrations(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_breaks="""
        operations = [
            migrations.RunSQL(
                "INSERT INTO hr.leave_balances (id, employee_id, leave_type_id,"
                " year, entitled_days, used_days) VALUES (1, -1, -1, 2026, 1, 0)"
            )
        ]
        """,
        f0102_next="operations = []",
    )
    positions(1)
    before = everything()
    hr, result = dry_run(call, "hr")
    assert everything() == before
    assert (result.exit_status, hr["status"], hr["steps"]) == (1, "failed", [])
    error = hr["error"]
    assert error["message"].startswith(
        "Migration hr.f0101_breaks failed at the deferred constraints: insert or update on table"
    )
    assert (error["code"], error["sqlstate"]) == ("migration_failed", "23503")
    assert error["hint"] == "It was rolled back. Correct the cause and run the command again."


def test_a_stopped_dry_run_names_no_cause_to_correct(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_stops="""
        def stop(apps, editor):
            raise KeyboardInterrupt("SIGTERM")
        operations = [migrations.RunPython(stop)]
        """,
    )
    hr, result = dry_run(call, "hr")
    assert (result.exit_status, hr["error"]["code"]) == (1, "stopped")
    assert hr["error"]["hint"] == "It was rolled back."


def test_constraints_are_deferred_again_for_the_next_migration(
    pending: Pending, call: Call
) -> None:
    # Child before parent: fine in a transaction of its own, where the key is deferred.
    pending(
        "hr",
        f0101_first="""
        operations = [
            migrations.RunSQL("CREATE TABLE hr.a (id int PRIMARY KEY);"
                "CREATE TABLE hr.b (a int, n int,"
                " CONSTRAINT b_a FOREIGN KEY (a) REFERENCES hr.a (id)"
                "  DEFERRABLE INITIALLY DEFERRED,"
                " CONSTRAINT b_n UNIQUE (n) DEFERRABLE INITIALLY IMMEDIATE);"),
        ]
        """,
        f0102_child_first="""
        operations = [
            migrations.RunSQL("INSERT INTO hr.b VALUES (7, 1)"),
            migrations.RunSQL("INSERT INTO hr.a VALUES (7)"),
        ]
        """,
        f0103_not_deferred="operations = [migrations.RunSQL('INSERT INTO hr.b VALUES (7, 1)')]",
    )
    hr, _ = dry_run(call, "hr")
    assert [step["name"] for step in hr["steps"]] == ["f0101_first", "f0102_child_first"]
    assert hr["error"]["message"] == (
        "Migration hr.f0103_not_deferred failed at operation 1 of 1 (Raw SQL operation):"
        ' duplicate key value violates unique constraint "b_n".'
    )


def test_obeys_lock_timeout_and_does_not_try_again(
    pending: Pending, call: Call, postgres_server: Any, migrated_database: str
) -> None:
    pending(
        "hr",
        f0101_note="""
        operations = [migrations.AddField("position", "note", models.TextField(default=""))]
        """,
    )
    positions(1)
    before = everything()
    with postgres_server.connect(migrated_database, autocommit=False) as holder:
        holder.execute("SELECT FROM hr.positions")
        begun = time.monotonic()
        holder.execute("/* a report */ SELECT FROM hr.positions")
        hr, result = dry_run(call, "hr", "--lock-timeout=0.3")
        assert 0.3 <= time.monotonic() - begun < 10
        holder.rollback()
    assert (result.exit_status, hr["error"]["code"], hr["error"]["sqlstate"]) == (
        1,
        "timeout",
        "55P03",
    )
    assert ": canceling statement due to lock timeout: blocked by pid " in hr["error"]["message"]
    assert "/* a report */ SELECT FROM hr.positions" in hr["error"]["message"]
    assert everything() == before


def test_acquires_the_locks_of_a_run(pending: Pending, call: Call) -> None:
    pending("hr", f0101_nothing="operations = []")
    with running(HR) as [other]:
        hr, result = dry_run(call, "hr", "--lock-wait=0")
        assert (result.exit_status, hr["status"]) == (75, "busy")
        assert f"pid {other.pid} " in hr["error"]["message"]
    assert dry_run(call, "hr")[1].exit_status == 0


def test_a_later_migration_is_judged_by_its_own_changes(pending: Pending, call: Call) -> None:
    """What the first may do, point at core, takes the lock that the second may not."""
    pending(
        "hr",
        f0101_points="""
        operations = [
            migrations.AddField("position", "owner", models.ForeignKey(
                "core.User", models.CASCADE, null=True, related_name="+")),
            migrations.RunSQL("SELECT 1"),
        ]
        """,
        f0102_trespasses="""
        operations = [migrations.RunSQL("UPDATE finance.accounts SET name_en = name_en")]
        """,
    )
    hr, result = dry_run(call, "hr")
    assert [step["name"] for step in hr["steps"]] == ["f0101_points"]
    assert (result.exit_status, hr["error"]["code"]) == (1, "boundary")
    assert hr["error"]["message"] == (
        "Migration hr.f0102_trespasses is refused: its operation 1, RunSQL, took RowExclusiveLock"
        ' on finance.accounts, which belongs to the domain "finance".'
    )


@pytest.mark.parametrize(
    ("statement", "word"),
    [("COMMIT", "COMMIT"), ("SELECT 1; end work; SELECT 2", "END"), ("/* */ rollback", "ROLLBACK")],
)
def test_statements_that_end_the_transaction_are_refused(
    pending: Pending, call: Call, statement: str, word: str
) -> None:
    pending("hr", f0101_ends=f"operations = [migrations.RunSQL({statement!r})]")
    before = snapshot()
    hr, result = dry_run(call, "hr")
    assert result.exit_status == 1
    assert hr["error"]["message"].startswith("Migration hr.f0101_ends failed at operation 1 of 1 ")
    assert hr["error"]["message"].endswith(f": {word} would end the transaction of the run.")
    assert snapshot() == before


def test_session_locks_are_released(pending: Pending, call: Call) -> None:
    pending("hr", f0101_keeps="operations = [migrations.RunSQL('SELECT pg_advisory_lock(42)')]")
    assert dry_run(call, "hr")[1].exit_status == 0
    until(lambda: advisory_locks() == 0)


def test_text(pending: Pending, call: Call) -> None:
    pending(
        "hr",
        f0101_measure="""
        operations = [
            migrations.RunSQL("ALTER TABLE hr.positions ALTER COLUMN is_active TYPE text"),
        ]
        """,
        f0102_index="atomic = False",
    )
    positions(1)
    result = call("migrate_domain", "hr", "--dry-run")
    lines = [line for line in result.stdout.splitlines() if " s)" not in line]
    assert lines == [
        "Domain hr (schema hr):",
        "    Raw SQL operation -> ALTER TABLE hr.positions ALTER COLU…",
        "      ALTER TABLE hr.positions ALTER COLUMN is_active TYPE text;",
        "    locks hr.positions: AccessExclusiveLock",
        "    rewrites hr.positions: about 1 row",
        "  not rehearsed: hr.f0102_index. It is not atomic: its changes could not be rolled back.",
        "hr: 1 run and rolled back, 1 not rehearsed",
    ]
    assert result.stderr == f"{HOLDS_LOCKS}\n"
