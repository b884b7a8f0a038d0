"""`seed_domain --all`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.catalog import HISTORIES, execute, query
from tests.support.commands import Result

Call = Callable[..., Result]


def test_every_domain_is_seeded_core_first(migrated_database: str, call: Call) -> None:
    result = call("seed_domain", "--all")
    assert (result.exit_status, result.stderr) == (0, "")
    summaries = [line.split(":")[0] for line in result.stdout.splitlines() if line[0] != " "]
    assert summaries == list(HISTORIES)
    assert query("SELECT count(*) > 0 FROM hr.positions") == [(True,)]
    again = json.loads(call("seed_domain", "--all", "--format", "json").stdout)
    assert again["format"] == 1
    assert [(each["domain"], each["status"]) for each in again["domains"]] == [
        (name, "unchanged") for name in HISTORIES
    ]


@pytest.mark.parametrize(
    ("broken", "seeded"),
    [("hr", ["core", "inventory", "hr", "finance"]), ("core", ["core"])],
)
def test_a_domain_that_fails_stops_the_others_only_if_it_is_core(
    migrated_database: str, call: Call, broken: str, seeded: list[str]
) -> None:
    table = HISTORIES[broken]
    execute(f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})")
    result = call("seed_domain", "--all", "--format", "json")
    found = {each["domain"]: each["status"] for each in json.loads(result.stdout)["domains"]}
    assert (result.exit_status, list(found)) == (1, seeded)
    assert [name for name, status in found.items() if status == "refused"] == [broken]


@pytest.mark.parametrize("arguments", [[], ["hr", "--all"], ["--all", "--only", "001"]])
def test_usage_errors(postgres_server: object, call: Call, arguments: list[str]) -> None:
    assert call("seed_domain", *arguments).exit_status == 2
