"""The settings of transactions on a cluster."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connections, transaction

from domain_migrations.engine.cluster.transaction_settings import (
    forwarding,
    join_cluster,
    limits_forwarded,
    set_on_all_nodes,
)
from domain_migrations.engine.sessions.timeouts import TimeoutPolicy
from tests.support.catalog import execute, query

LIMITS = {"lock_timeout": "2000ms", "statement_timeout": "0ms"}
SHOW = (
    "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),"
    " current_setting('citus.enable_unsafe_triggers', true),"
    " current_setting('citus.propagate_set_commands', true)"
)


def test_one_text_sets_and_forwards__and_nothing_after_it() -> None:
    """Citus forwards the whole text of a SET LOCAL."""
    assert forwarding({**LIMITS, "citus.x": "it's"}).as_string() == (
        """SET LOCAL "citus"."propagate_set_commands" = 'local';"""
        """ SET LOCAL "lock_timeout" = '2000ms'; SET LOCAL "statement_timeout" = '0ms';"""
        """ SET LOCAL "citus"."x" = 'it''s';"""
        """ SET LOCAL "citus"."propagate_set_commands" TO DEFAULT"""
    )


def test_nothing_to_set(scratch_database: str) -> None:
    connection = connections["default"]
    connection.ensure_connection()
    connection.set_autocommit(False)
    set_on_all_nodes(connection, {})
    assert connection.connection.info.transaction_status.name == "IDLE"


def test_every_transaction_of_a_policy_has_settings_and_limits(scratch_database: str) -> None:
    policy = TimeoutPolicy(
        connections["default"], report=print, lock_timeout=2, statement_timeout=60
    )
    forwarded = []
    join_cluster(policy)
    forward, policy.forward = policy.forward, lambda: (forwarded.append(True), forward())[0]
    for _ in range(2):
        with transaction.atomic(), policy.timeouts():
            assert query(SHOW)[0][:3] == ("2s", "1min", "on")
    assert forwarded == [True, True]


def test_each_transaction_of_a_migration_without_one_gets_the_limits_of_the_session(
    scratch_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(
        "domain_migrations.engine.cluster.transaction_settings.set_on_all_nodes",
        lambda _, values: seen.append(values),
    )
    connection = connections["default"]
    execute("SET lock_timeout = '7s'")
    with limits_forwarded(connection):
        execute("SET statement_timeout = '8s'")  # What a migration has changed holds.
        assert seen == []
        with transaction.atomic():
            assert len(seen) == 1
        with transaction.atomic(), transaction.atomic():
            pass
    with transaction.atomic():
        pass
    assert seen == [{"lock_timeout": "7s", "statement_timeout": "8s"}] * 2


def test_transaction_that_cannot_be_limited_does_not_begin(
    scratch_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "domain_migrations.engine.cluster.transaction_settings"
    monkeypatch.setattr(f"{module}.LIMITS", "SELECT 1 / 0")
    connection = connections["default"]
    with limits_forwarded(connection):
        with pytest.raises(DatabaseError), transaction.atomic():
            raise AssertionError("unreachable")
        assert connection.get_autocommit()
        assert query("SELECT 1") == [(1,)]
