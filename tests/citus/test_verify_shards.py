"""What verify_domain finds of shards that were changed by hand on their nodes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import override_settings

from domain_migrations.api.verify import copied_rows
from tests.support import cluster
from tests.support.catalog import execute
from tests.support.cluster import CitusServers
from tests.support.commands import Result
from tests.support.distributed import distribute, node_down, node_of

pytestmark = pytest.mark.citus

COST_CENTRE = """
INSERT INTO public.cost_centres (code, name_en, name_th, is_active)
VALUES ('BYHAND', 'n', 'ก', true)
"""
Call = Callable[..., Result]
OnNode = Callable[..., str]


@pytest.fixture(scope="module", autouse=True)
def distributed(citus_cluster: CitusServers, django_db_blocker: Any) -> Iterator[None]:
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.MIGRATED):
        distribute("inventory", "hr")
        yield


@pytest.fixture
def on_shard(citus_cluster: CitusServers) -> OnNode:
    """`on_shard(table, *statements)`: run them on its node, {} is the shard; its name."""

    def run(table: str, *statements: str, schema: str = "hr") -> str:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT shard_name(logicalrelid, shardid, false) FROM pg_dist_shard"
                " WHERE logicalrelid = %s::regclass",
                [table],
            )
            (shard,) = cursor.fetchone()
        node = next(each for each in citus_cluster.workers if each.address == node_of(schema))
        with node.connect(connections["default"].settings_dict["NAME"]) as session:
            session.execute("SET citus.enable_manual_changes_to_shards = on")
            for statement in statements:
                session.execute(statement.replace("{}", shard))
        return str(shard)

    return run


def verify(call: Call, *arguments: str) -> dict[str, str]:
    """Id and message of the findings about shards."""
    output = call("verify_domain", *arguments, "--only", "drift", "--format", "json").stdout
    findings = json.loads(output)["findings"]
    return {each["id"]: each["message"] for each in findings if each["id"].startswith("D08")}


def test_shards_of_the_sample_agree(call: Call) -> None:
    assert verify(call) == {}


@pytest.mark.parametrize(
    ("change", "back", "number", "says"),
    [
        (
            "ALTER TABLE {} ALTER COLUMN title_en TYPE text",
            "ALTER TABLE {} ALTER COLUMN title_en TYPE varchar(200)",
            "D082",
            "has the column title_en as text NOT NULL, and hr.positions as character varying(200)",
        ),
        (
            "ALTER TABLE {} ALTER COLUMN is_active SET DEFAULT false",
            "ALTER TABLE {} ALTER COLUMN is_active DROP DEFAULT",
            "D082",
            "has the column is_active as boolean DEFAULT false NOT NULL, and",
        ),
        (
            "ALTER TABLE {} ALTER COLUMN is_active DROP NOT NULL",
            "ALTER TABLE {} ALTER COLUMN is_active SET NOT NULL",
            "D082",
            "has the column is_active as boolean, and hr.positions as boolean NOT NULL",
        ),
        (
            "ALTER TABLE {} ADD CONSTRAINT by_hand CHECK (code <> 'x')",
            "ALTER TABLE {} DROP CONSTRAINT by_hand",
            "D083",
            "which hr.positions has not: CHECK (((code)::text <> 'x'::text))",
        ),
        (
            "CREATE INDEX by_hand ON {} (title_en)",
            "DROP INDEX hr.by_hand",
            "D084",
            "has the index by_hand, which hr.positions has not: CREATE INDEX ON hr.positions USING",
        ),
        (
            "CREATE TRIGGER by_hand BEFORE UPDATE ON {} FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "DROP TRIGGER by_hand ON {}",
            "D085",
            "has the trigger by_hand, which hr.positions has not",
        ),
        (
            "CREATE POLICY by_hand ON {} USING (is_active)",
            "DROP POLICY by_hand ON {}",
            "D086",
            "has the policy by_hand, which hr.positions has not: PERMISSIVE FOR ALL TO PUBLIC",
        ),
        (
            "ALTER TABLE {} ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE {} DISABLE ROW LEVEL SECURITY",
            "D086",
            "has the setting ROW LEVEL SECURITY as ENABLED, and hr.positions as DISABLED",
        ),
    ],
    ids=["type", "default", "nullable", "check", "index", "trigger", "policy", "row security"],
)
def test_change_of_a_shard(
    call: Call, on_shard: OnNode, change: str, back: str, number: str, says: str
) -> None:
    host, port = node_of("hr")
    shard = on_shard("hr.positions", change)
    try:
        found = verify(call, "hr")
    finally:
        on_shard("hr.positions", back)

    assert list(found) == [number]
    assert found[number].startswith(f"The shard {shard} on the node {host}:{port} ")
    assert says in found[number]
    assert verify(call, "hr") == {}


def test_what_is_accepted_is_reported_again_when_it_changes(
    call: Call, on_shard: OnNode, tmp_path: Path
) -> None:
    accepted = tmp_path / "accepted.json"
    on_shard("hr.leave_types", "CREATE INDEX by_hand ON {} (name_en)")
    try:
        with override_settings(DOMAIN_MIGRATIONS={"VERIFY_BASELINE": str(accepted)}):
            call("verify_domain", "hr", "--write-baseline")
            (entry,) = json.loads(accepted.read_text())["accepted"]
            before = verify(call, "hr")
            on_shard(
                "hr.leave_types", "DROP INDEX hr.by_hand", "CREATE INDEX by_hand ON {} (name_th)"
            )
            changed = verify(call, "hr")
    finally:
        on_shard("hr.leave_types", "DROP INDEX hr.by_hand")

    assert (entry["id"], entry["object"]) == ("D084", "hr.leave_types.by_hand")
    assert before == {}
    assert "(name_th)" in changed["D084"]


def test_what_citus_makes_of_tables(call: Call) -> None:
    """Only the policy is another one: the others do the same on shards."""
    for statement in (
        "SET citus.enable_unsafe_triggers = on",
        "ALTER TABLE hr.leave_types ADD CONSTRAINT once CHECK (name_en <> 'x') NOT VALID",
        "CREATE TRIGGER none BEFORE TRUNCATE ON hr.leave_types"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE POLICY own ON hr.leave_types AS RESTRICTIVE USING (name_en <> 'x')",
    ):
        execute(statement)
    try:
        found = verify(call, "hr")
    finally:
        execute("DROP POLICY own ON hr.leave_types")
        execute("DROP TRIGGER none ON hr.leave_types")
        execute("ALTER TABLE hr.leave_types DROP CONSTRAINT once")
    assert list(found) == ["D086"]
    assert "has the policy own as PERMISSIVE FOR ALL TO PUBLIC USING" in found["D086"]
    assert "and hr.leave_types as RESTRICTIVE FOR ALL" in found["D086"]


def test_lost_column_constraint_and_table(call: Call, on_shard: OnNode) -> None:
    on_shard("hr.leave_types", "ALTER TABLE {} DROP COLUMN name_th")
    on_shard(
        "hr.leave_balances",
        "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE {} DROP CONSTRAINT %I', conname)"
        " FROM pg_constraint WHERE conrelid = '{}'::regclass AND contype = 'f' LIMIT 1); END $$",
    )
    shard = on_shard("hr.leave_requests", "DROP TABLE {} CASCADE")

    result = call("verify_domain", "hr", "--only", "drift", "--repair-sql")
    found = verify(call, "hr")

    assert set(found) == {"D081", "D082", "D083"}
    assert found["D081"].startswith(f"The shard {shard} on ")
    assert "lacks the column name_th: " in found["D082"]
    assert "lacks the constraint " in found["D083"]
    assert result.exit_status == 1
    assert result.stdout.count("\n-- D08") == 3
    assert "-- Not repaired by SQL:" in result.stdout


def test_copy_of_a_reference_table_on_one_node(call: Call, on_shard: OnNode) -> None:
    on_shard("public.users", "ALTER TABLE {} ADD COLUMN by_hand int")
    try:
        found = verify(call, "core")
    finally:
        on_shard("public.users", "ALTER TABLE {} DROP COLUMN by_hand")

    host, port = node_of("hr")
    assert list(found) == ["D082"]
    assert (
        f"on the node {host}:{port} has the column by_hand, which public.users has not"
        in found["D082"]
    )


@pytest.mark.parametrize(
    ("change", "fewer"),
    [
        ("DELETE FROM {} WHERE code = 'BYHAND'", 1),
        ("UPDATE {} SET name_en = 'other' WHERE code = 'BYHAND'", 0),
    ],
    ids=["fewer", "other values"],
)
def test_rows_of_one_copy_of_a_reference_table(
    call: Call, on_shard: OnNode, monkeypatch: pytest.MonkeyPatch, change: str, fewer: int
) -> None:
    monkeypatch.setattr(copied_rows, "PAUSE", 0.1)
    execute(COST_CENTRE)
    try:
        before = verify(call, "core")
        on_shard("public.cost_centres", change)
        found = verify(call, "core")
    finally:
        execute("DELETE FROM public.cost_centres WHERE code = 'BYHAND'")

    assert (before, list(found)) == ({}, ["D087"])
    assert found["D087"].startswith("The copies of public.cost_centres have other rows on one ")
    counts = sorted(int(count) for count in re.findall(r"(\d+) on ", found["D087"]))
    assert counts == [counts[-1] - fewer, counts[-1], counts[-1]]
    assert found["D087"].endswith(", with other values.") == (not fewer)
    assert verify(call, "core") == {}


def test_node_that_does_not_answer(call: Call) -> None:
    execute("CREATE TABLE inventory.by_hand (id int)")
    try:
        with node_down("hr") as address:
            result = call("verify_domain", "inventory", "hr", "--format", "json")
    finally:
        execute("DROP TABLE inventory.by_hand")

    shown = json.loads(result.stdout)
    assert [each["id"] for each in shown["findings"]] == ["L002"]
    (lost,) = shown["unreachable"]
    assert (lost["domain"], lost["error"]["code"]) == ("hr", "node")
    assert address in lost["error"]["message"]
    assert result.exit_status == 75


def test_core_where_a_copy_is_on_a_node_that_does_not_answer(call: Call) -> None:
    with node_down("hr") as address:
        result = call("verify_domain", "core", "--only", "drift,leftover")

    assert f'Shards of the domain "core" are on the node {address}, which does not' in str(
        result.error
    )
    assert result.exit_status == 75
