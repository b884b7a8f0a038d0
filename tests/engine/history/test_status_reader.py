"""The statuses that runs begin with, read with two queries for all domains of a database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.db.models.signals import post_migrate
from django.test.utils import CaptureQueriesContext

from domain_migrations.api.readiness import check_readiness
from tests.support import databases
from tests.support.catalog import execute, schemas, tables
from tests.support.commands import Result
from tests.support.servers import TestServer

Call = Callable[..., Result]


@pytest.fixture
def elsewhere(
    migrated_database: str, migrated_template: str, postgres_server: TestServer, settings: Any
) -> Iterator[str]:
    """The alias of a second database, which finance is said to live in."""
    with databases.scratch(postgres_server, template=migrated_template) as name:
        connections.settings["elsewhere"] = {**connections["default"].settings_dict, "NAME": name}
        settings.DOMAIN_MIGRATIONS = {"DATABASES": {"finance": "elsewhere"}}
        yield "elsewhere"
        connections["elsewhere"].close()
        del connections["elsewhere"], connections.settings["elsewhere"]


def check(call: Call, *names: str) -> tuple[Result, dict[str, str], int]:
    """What ``--check`` finds: the result, each domain's status, and how many queries it took."""
    return run(call, *(names or ["--all"]), "--check")


def run(call: Call, *arguments: str) -> tuple[Result, dict[str, str], int]:
    connections["default"].ensure_connection()  # Django sets its time zone then.
    with CaptureQueriesContext(connections["default"]) as queries:
        result = call("migrate_domain", *arguments, format="json")
    domains = json.loads(result.stdout)["domains"]
    return result, {domain["domain"]: domain["status"] for domain in domains}, len(queries)


@pytest.mark.parametrize("names", [(), ("hr",), ("core",)], ids=["all", "domain", "core"])
def test_two_queries(migrated_module_database: str, call: Call, names: tuple[str, ...]) -> None:
    result, statuses, count = check(call, *names)
    # One for the tables that exist, and one for the rows of histories and journals.
    assert count == 2
    assert (result.exit_status, set(statuses.values())) == (0, {"unchanged"})
    assert len(statuses) == (1 if names else 4)


@pytest.mark.parametrize("names", [(), ("hr",), ("core",)], ids=["all", "domain", "core"])
def test_two_queries__without_check(
    migrated_module_database: str, call: Call, names: tuple[str, ...]
) -> None:
    result, statuses, count = run(call, *(names or ["--all"]))
    assert (result.exit_status, set(statuses.values()), count) == (0, {"unchanged"}, 2)
    assert len(statuses) == (1 if names else 4)


def test_what_was_read_is_forgotten_when_a_domain_has_changed_something(
    migrated_database: str, call: Call
) -> None:
    """The run of hr, before which all statuses were read, makes a migration of finance pending."""

    def forget(**_: Any) -> None:
        execute("DELETE FROM finance.django_migrations_finance WHERE name LIKE '0013%'")

    assert call("migrate_domain", "hr", "0012", "--noinput").exit_status == 0
    post_migrate.connect(forget, sender=apps.get_app_config("hr"))
    try:
        result, statuses, _ = run(call, "--all")
    finally:
        post_migrate.disconnect(forget, sender=apps.get_app_config("hr"))
    assert statuses == {
        "core": "unchanged",
        "inventory": "unchanged",
        "hr": "migrated",
        "finance": "migrated",
    }
    assert result.exit_status == 0


def test_two_queries__for_each_database(elsewhere: str, call: Call) -> None:
    connections[elsewhere].ensure_connection()
    with CaptureQueriesContext(connections[elsewhere]) as queries:
        result, statuses, count = check(call)
    assert (result.exit_status, set(statuses.values()), count) == (0, {"unchanged"}, 2)
    assert len(queries) == 2
    with (
        CaptureQueriesContext(connections["default"]) as here,
        CaptureQueriesContext(connections[elsewhere]) as there,
    ):
        assert check_readiness().ready
    assert (len(here), len(there)) == (1, 1)


def test_two_queries__with_something_pending(migrated_database: str, call: Call) -> None:
    execute("DELETE FROM hr.django_migrations_hr WHERE name LIKE '0002%'")
    result, statuses, count = check(call)
    assert (result.exit_status, count) == (1, 2)
    assert statuses == {
        "core": "unchanged",
        "inventory": "unchanged",
        "hr": "pending",
        "finance": "unchanged",
    }


def test_on_an_empty_database(scratch_database: str, call: Call) -> None:
    result, statuses, _ = check(call)
    assert (result.exit_status, set(statuses.values())) == (1, {"pending"})
    assert (schemas(), tables("public")) == (["public"], set())


def test_a_table_that_cannot_be_read_is_its_own_domains_fault(
    migrated_database: str, call: Call
) -> None:
    execute("CREATE TABLE public.django_migrations_hr (id int, app text, name text, applied date)")
    execute("ALTER TABLE hr.django_migrations_hr DROP COLUMN name")
    result, statuses, _ = check(call)
    assert result.exit_status == 1
    assert statuses == {
        "core": "unchanged",
        "inventory": "unchanged",
        "hr": "refused",
        "finance": "unchanged",
    }
    assert json.loads(result.stdout)["domains"][2]["error"]["code"] == "changed_table"


def test_rows_of_a_domain_in_the_history_of_core_are_seen(
    migrated_database: str, call: Call
) -> None:
    execute(
        "INSERT INTO public.django_migrations (app, name, applied)"
        " SELECT app, name, applied FROM hr.django_migrations_hr;"
        " DELETE FROM hr.django_migrations_hr"
    )
    _, statuses, count = check(call)
    assert (statuses["hr"], statuses["finance"], count) == ("refused", "unchanged", 3)
