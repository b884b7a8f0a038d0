"""Core keys that change their type, and the columns of domains that reference them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain_migrations.engine.runner.core_key_types import HINT
from tests.support.catalog import execute, histories, query, snapshot
from tests.support.commands import Result

Call = Callable[..., Result]
Pending = Callable[..., None]

KEEPS = "models.BigAutoField(primary_key=True, serialize=False)"
NARROWS = "models.AutoField(primary_key=True, serialize=False)"
TYPES = """
SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_constraint k
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey)
WHERE k.contype = 'f' AND k.confrelid = %s::regclass ORDER BY 1, 2
"""
REFERENCES = (
    "finance.invoices.cost_centre_id (bigint), finance.journal_lines.cost_centre_id (bigint),"
    " hr.employees.cost_centre_id (bigint), inventory.departments.cost_centre_id (bigint)"
)


def migrate(call: Call, *arguments: str) -> tuple[dict[str, Any], Result]:
    result = call("migrate_domain", "core", *arguments, "--format=json")
    (core,) = json.loads(result.stdout)["domains"]
    return core, result


def alters(field: str, kind: str = "migrations.AlterField", model: str = "costcentre") -> str:
    return f"""
import domain_migrations.operations as ours
operations = [{kind}({model!r}, "id", {field})]
"""


def use_a_cost_centre() -> None:
    """A row of core with a key, one of a domain that holds it, and decoys of both."""
    execute("CREATE TABLE public.departments (cost_centre_id bigint)")
    execute("INSERT INTO public.departments VALUES (7)")
    execute(
        "INSERT INTO public.cost_centres (id, code, name_en, name_th, is_active)"
        " VALUES (7, 'C', 'n', 'ก', true)"
    )
    execute(
        "INSERT INTO inventory.departments (code, name, is_active, cost_centre_id)"
        " VALUES ('D', 'n', true, 7)"
    )


@pytest.mark.parametrize("mode", [[], ["--plan"], ["--dry-run"]])
def test_a_key_that_changes_its_type_is_refused_before_anything_runs(
    pending: Pending, call: Call, mode: list[str]
) -> None:
    pending("core", f0101_before="operations = []", f0102_narrows=alters(NARROWS))
    before = snapshot(), histories()
    core, result = migrate(call, *mode)
    assert (snapshot(), histories()) == before
    assert (result.exit_status, core["status"], core["applied"]) == (1, "refused", [])
    assert core["error"] == {
        "code": "boundary",
        "message": "Migration core.f0102_narrows is refused: its operation 1, AlterField, changes"
        " public.cost_centres.id from bigint to integer, but not the columns of domains"
        f" that reference it: {REFERENCES}.",
        "hint": HINT,
        "sqlstate": None,
    }


@pytest.mark.parametrize(
    "body",
    [
        "operations = [migrations.RunSQL('ALTER TABLE cost_centres ALTER id TYPE int')]",
        "operations = [migrations.RunSQL([('ALTER TABLE public.cost_centres ALTER COLUMN id"
        " SET DATA TYPE varchar(9) USING id::text', None)])]",
        "operations = [migrations.SeparateDatabaseAndState(database_operations="
        f"[migrations.AlterField('costcentre', 'id', {NARROWS})])]",
    ],
)
def test_so_is_one_in_sql_or_inside_another_operation(
    pending: Pending, call: Call, body: str
) -> None:
    pending("core", f0101_changes=body)
    core, result = migrate(call)
    assert (result.exit_status, core["error"]["code"]) == (1, "boundary")
    assert REFERENCES in core["error"]["message"]


def test_the_guard_finds_changes_that_the_text_hides(pending: Pending, call: Call) -> None:
    pending(
        "core",
        f0101_hidden="""
        def narrow(apps, editor):
            editor.execute("ALTER TABLE public.cost_centres ALTER id TYPE integer")
        operations = [migrations.RunPython(narrow)]
        """,
    )
    before = snapshot(), histories()
    core, result = migrate(call)
    assert (snapshot(), histories()) == before
    assert (result.exit_status, core["error"]["code"]) == (1, "boundary")
    assert core["error"]["message"].endswith(
        ", and left it behind: cost_centre_id (bigint) refers to id (integer)."
    )
    assert "AlterReferencedKey" in core["error"]["hint"]


@pytest.mark.parametrize(
    "body",
    [
        alters(KEEPS),
        "operations = [migrations.AlterField('costcentre', 'code', models.TextField())]",
        "operations = [migrations.RunSQL('ALTER TABLE cost_centres ALTER id TYPE int8')]",
    ],
)
def test_changes_that_keep_the_type_of_a_key_are_allowed(
    pending: Pending, call: Call, body: str
) -> None:
    pending("core", f0101_harmless=body)
    core, result = migrate(call)
    assert (result.exit_status, core["status"]) == (0, "migrated"), result.stderr


def test_the_operation_changes_both_ends_and_back(pending: Pending, call: Call) -> None:
    use_a_cost_centre()
    pending("core", f0101_narrows=alters(NARROWS, "ours.AlterReferencedKey"))
    core, result = migrate(call)
    assert (result.exit_status, core["error"]["message"]) == (
        1,
        "Migration core.f0101_narrows failed at operation 1 of 1 (Alter field id on costcentre, and"
        " the domains' columns that reference it): Views depend on the columns: hr.current_staff"
        " reads hr.employees.cost_centre_id. Drop them in a migration of their domain, and create"
        " them again after this one.",
    )
    execute("DROP VIEW hr.current_staff")
    before, decoy = snapshot(), query("SELECT * FROM public.departments")
    assert {kind for _, _, kind in query(TYPES, "public.cost_centres")} == {"bigint"}

    plan, _ = migrate(call, "--plan")
    assert {"relation": "hr.employees", "mode": "AccessExclusiveLock"} in plan["steps"][0]["locks"]
    rehearsed, result = migrate(call, "--rehearse")
    assert (result.exit_status, rehearsed["status"]) == (0, "planned"), result.stderr
    assert snapshot() == before

    core, result = migrate(call)
    assert (result.exit_status, core["status"]) == (0, "migrated"), result.stderr
    assert query(TYPES, "public.cost_centres") == [
        ("finance.invoices", "cost_centre_id", "integer"),
        ("finance.journal_lines", "cost_centre_id", "integer"),
        ("hr.employees", "cost_centre_id", "integer"),
        ("inventory.departments", "cost_centre_id", "integer"),
    ]
    assert query("SELECT cost_centre_id FROM inventory.departments") == [(7,)]
    assert query("SELECT * FROM public.departments") == decoy

    core, result = migrate(call, "core.0006")
    assert (result.exit_status, core["status"]) == (0, "migrated"), result.stderr
    assert snapshot() == before


def test_the_operation_changes_a_key_to_a_type_of_another_kind(
    pending: Pending, call: Call
) -> None:
    pending(
        "core",
        f0101_text=alters(
            "models.CharField(max_length=36, primary_key=True, serialize=False)",
            "ours.AlterReferencedKey",
            "user",
        ),
    )
    before = len(query(TYPES, "public.users"))
    core, result = migrate(call)
    assert (result.exit_status, core["status"]) == (0, "migrated"), result.stderr
    found = query(TYPES, "public.users")
    assert len(found) == before
    assert {kind for _, _, kind in found} == {"character varying(36)"}


def test_the_operation_stands_alone(pending: Pending, call: Call) -> None:
    pending(
        "core",
        f0101_both=f"""
        import domain_migrations.operations as ours
        operations = [
            ours.AlterReferencedKey("costcentre", "id", {NARROWS}),
            migrations.RunSQL("UPDATE hr.positions SET code = code"),
        ]
        """,
    )
    core, result = migrate(call)
    assert (result.exit_status, core["error"]["message"]) == (
        1,
        "Migration core.f0101_both is refused: AlterReferencedKey is not its only operation.",
    )
