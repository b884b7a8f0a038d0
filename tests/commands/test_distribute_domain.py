"""`distribute_domain` where there is no cluster: what is refused, and how."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.commands import Result

Call = Callable[..., Result]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Name either one DOMAIN or more, or --all."),
        (("hr", "--all"), "Name either one DOMAIN or more, or --all."),
        (("hr", "--lock-wait=-1"), "--lock-wait takes seconds, 0 or more."),
        (("--move=a:1",), "--move takes the name of one DOMAIN."),
        (("hr", "finance", "--move=a:1"), "--move takes the name of one DOMAIN."),
        (("hr", "--balance"), "--balance takes no DOMAIN: Citus says which it would move."),
        (("--check", "--balance"), "--check and --balance exclude each other."),
        (("hr", "--block-writes"), "--block-writes is for --move and --balance."),
    ],
    ids=["none", "both", "time", "no name", "two names", "balance", "two steps", "writes"],
)
def test_usage(arguments: tuple[str, ...], message: str, call: Call) -> None:
    result = call("distribute_domain", *arguments)
    assert (result.exit_status, result.stderr) == (2, f"CommandError: {message}\n")


def test_plain_database(migrated_module_database: str, call: Call) -> None:
    result = call("distribute_domain", "hr")
    assert result.exit_status == 1
    assert result.stderr == (
        'CommandError: The database "default" does not belong to a cluster: the extension citus is'
        " not installed in it. On every node, run CREATE EXTENSION citus; then, on the coordinator,"
        " citus_set_coordinator_host() and citus_add_node().\n"
    )


def test_core(call: Call) -> None:
    result = call("distribute_domain", "core", "--format", "json")
    assert result.exit_status == 1
    printed = json.loads(result.stdout)
    assert (printed["status"], printed["error"]["code"]) == ("refused", "distribution_refused")
    assert "Core is not distributed: its tables become reference tables" in result.stderr


def test_unknown_domain(call: Call) -> None:
    result = call("distribute_domain", "nowhere", "--dry-run")
    assert result.exit_status == 2
    assert 'There is no domain "nowhere".' in result.stderr


def test_domains_of_several_databases(call: Call, settings: object) -> None:
    moved = {**settings.DOMAIN_MIGRATIONS, "DATABASES": {"hr": "other"}}
    settings.DOMAIN_MIGRATIONS = moved
    result = call("distribute_domain", "hr", "inventory")
    assert result.exit_status == 1
    assert "The domains are in several databases: default, other." in result.stderr


def test_check_of_a_plain_database(migrated_module_database: str, call: Call) -> None:
    result = call("distribute_domain", "--check")
    assert (result.exit_status, result.stderr) == (1, "CommandError: 1 obstacle.\n")
    assert result.stdout.startswith(
        'all domains: The extension citus is not installed in the database "default".'
        " [no_extension]\n    On every node: CREATE EXTENSION citus;\n"
    )
    assert "What comes next" not in result.stdout


def test_check_as_json(migrated_module_database: str, call: Call) -> None:
    result = call("distribute_domain", "hr", "--check", "--format", "json")
    found = json.loads(result.stdout)
    assert result.exit_status == 1
    assert (found["format"], found["database"], found["domains"]) == (1, "default", ["hr"])
    assert [each["id"] for each in found["obstacles"]] == ["no_extension"]
    assert found["bytes"] > 0
    assert found["core_bytes"] > 0


@pytest.mark.parametrize("arguments", [("hr", "--move", "a:1"), ("--balance",)])
def test_moves_in_a_plain_database(
    migrated_module_database: str, call: Call, arguments: tuple[str, ...]
) -> None:
    result = call("distribute_domain", *arguments, "--format", "json")
    assert result.exit_status == 1
    printed = json.loads(result.stdout)
    assert (printed["status"], printed["moves"]) == ("failed", [])
    assert printed["error"]["code"] == "distribution_refused"
