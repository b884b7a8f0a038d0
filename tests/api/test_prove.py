"""Where a proof cannot be made: nothing is done, and a sentence says why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import connections
from django.db.backends.postgresql import base

from domain_migrations.api.prove import ProofResult, prove_domains
from domain_migrations.engine.runner.results import ErrorInfo
from domain_migrations.engine.sessions import scratch_databases as scratch
from domain_migrations.engine.sessions.scratch_databases import connections_redirected_to
from domain_migrations.exceptions import InsufficientPrivilege, InvalidConfiguration, UnknownDomain
from tests.support import catalog, databases
from tests.support.servers import TestServer

DATABASES = "SELECT datname FROM pg_database WHERE datname ~ %s"


def scratch_database_(purpose: str, *, template: str | None = None) -> AbstractContextManager[str]:
    """`scratch_database`, whose name a fixture has."""
    return scratch.scratch_database("default", purpose, template=template)


def ours(purpose: str) -> list[str]:
    """The scratch databases that this process made and has not dropped."""
    return [name for (name,) in catalog.query(DATABASES, f"^{purpose}.*_{os.getpid()}_")]


@pytest.fixture
def poor_role(scratch_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The default connection's role, which may not create databases."""
    role = f"poor_{os.getpid()}"
    catalog.execute(f"CREATE ROLE {role} LOGIN")
    with monkeypatch.context() as patch:
        connections["default"].close()
        patch.setitem(connections["default"].settings_dict, "USER", role)
        yield role
        connections["default"].close()
    catalog.execute(f"DROP ROLE {role}")


def test_a_role_that_may_not_create_databases(poor_role: str) -> None:
    with pytest.raises(InsufficientPrivilege) as raised:
        prove_domains(["hr"])

    assert raised.value.message == (
        f'The role "{poor_role}" may not create databases, and a scratch database is needed.'
    )
    assert raised.value.hint == (
        f'Run ALTER ROLE "{poor_role}" CREATEDB, or connect as a role that may.'
    )


def test_settings_that_lead_to_another_database(
    scratch_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        connections["default"].settings_dict, "OPTIONS", {"dbname": scratch_database}
    )
    before = catalog.snapshot()

    with pytest.raises(InvalidConfiguration) as raised:
        prove_domains(["hr"])

    assert raised.value.message.startswith(
        f'The database "default" connects to "{scratch_database}" instead of the scratch'
        ' database "prove_base_'
    )
    assert catalog.snapshot() == before
    assert ours("prove") == []


def test_a_later_session_proves_that_it_is_in_the_scratch_database(scratch_database: str) -> None:
    with scratch_database_("lost") as name, connections_redirected_to(name, "default"):
        connection = connections["default"]
        connection.close()
        connection.settings_dict["OPTIONS"]["dbname"] = scratch_database

        with pytest.raises(InvalidConfiguration, match="Nothing was run in it"):
            catalog.execute("CREATE TABLE public.things (id int)")

        assert connection.connection is None
    assert catalog.tables("public") == set()


@pytest.mark.usefixtures("scratch_database")
def test_a_database_of_that_name_without_the_mark_is_refused() -> None:
    with scratch_database_("unmarked") as name:
        catalog.execute(f"COMMENT ON DATABASE {name} IS NULL")
        with (
            pytest.raises(InvalidConfiguration, match=f'instead of the scratch database "{name}"'),
            connections_redirected_to(name, "default"),
        ):
            pass


def test_every_alias_leads_to_the_scratch_database(
    scratch_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = base.DatabaseWrapper({**connections["default"].settings_dict}, "stock")
    monkeypatch.setitem(connections.settings, "stock", stock.settings_dict)
    monkeypatch.setattr(connections._connections, "stock", stock, raising=False)

    with scratch_database_("all") as name, connections_redirected_to(name, "default"):
        found = {alias: connections[alias].settings_dict["NAME"] for alias in connections}
        with connections["stock"].cursor() as cursor:
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == (name,)

    assert set(found.values()) == {name}
    assert connections["stock"] is stock


def test_an_unknown_domain_is_refused_before_anything_is_created() -> None:
    with pytest.raises(UnknownDomain):
        prove_domains(["hr", "payroll"])


def test_a_scratch_database_is_dropped_after_an_error(scratch_database: str) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_in_a_scratch_database()

    assert catalog.query("SELECT current_database()") == [(scratch_database,)]
    assert ours("wreck") == []
    assert catalog.tables("public") == set()


def fail_in_a_scratch_database() -> None:
    with scratch_database_("wreck") as name, connections_redirected_to(name, "default"):
        assert catalog.query("SELECT current_database()") == [(name,)]
        catalog.execute("CREATE TABLE public.things (id int)")
        raise ZeroDivisionError


def test_a_scratch_database_is_a_copy_of_its_template(scratch_database: str) -> None:
    with scratch_database_("first") as first:
        with connections_redirected_to(first, "default"):
            catalog.execute("CREATE TABLE public.things (id int)")
        with (
            scratch_database_("second", template=first) as second,
            connections_redirected_to(second, "default"),
        ):
            assert catalog.tables("public") == {"things"}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"differences": ("one",)}, "a problem: one"),
        ({"differences": ("one", "two", "three")}, "a problem: one (and 2 more)"),
        ({"error": ErrorInfo("connection", "It is gone.", "")}, "a problem: It is gone."),
    ],
)
def test_a_result_shows_its_first_difference_or_its_error(
    found: dict[str, Any], message: str
) -> None:
    verdict = ProofResult(domain="hr", problem="a problem", **found)

    assert not verdict.is_proven
    assert verdict.message == message


def test_databases_of_killed_runs_are_dropped(
    scratch_database: str, postgres_server: TestServer, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"killed_{kind}_{os.getpid()}" for kind in ("dead", "alive", "used", "foreign")]
    dead, alive, used, foreign = names
    for name in names:
        databases.create(postgres_server, name)
        mark = scratch.MARK.format(name if name != foreign else dead)
        catalog.execute(f"COMMENT ON DATABASE {name} IS '{mark}'")
    try:
        with postgres_server.connect() as owner, postgres_server.connect(used):
            owner.execute(scratch.LOCK, [alive])
            with scratch_database_("prove_sweep"):
                pass
        left = {name for (name,) in catalog.query(DATABASES, "^killed_")}
        assert left == {alive, used, foreign}
        assert caplog.messages == [f'Dropped the scratch database "{dead}", which a run had left.']
    finally:
        for name in names:
            databases.drop(postgres_server, name)
