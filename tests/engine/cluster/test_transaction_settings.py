"""The settings of transactions on a cluster."""

from __future__ import annotations

from domain_migrations.engine.cluster.transaction_settings import (
    forwarded_limits,
    settings_of_transaction,
)

LIMITS = {"lock_timeout": "2000ms", "statement_timeout": "0ms"}


def test_limits_are_forwarded_to_the_nodes__and_nothing_after_them() -> None:
    assert settings_of_transaction(LIMITS) == {
        "citus.enable_local_reference_table_foreign_keys": "off",
        "citus.enable_unsafe_triggers": "on",
        "citus.propagate_set_commands": "local",
    }
    assert forwarded_limits(LIMITS) == (
        "SET LOCAL lock_timeout = '2000ms'; SET LOCAL statement_timeout = '0ms';"
        " SET LOCAL citus.propagate_set_commands TO DEFAULT"
    )


def test_no_limits() -> None:
    assert "citus.propagate_set_commands" not in settings_of_transaction({})
    assert forwarded_limits({}) == ""
