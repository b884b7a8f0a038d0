"""The settings of transactions on a cluster."""

from __future__ import annotations

from domain_migrations.engine.cluster.transaction_settings import transaction_statements


def test_limits_are_forwarded_to_the_nodes__and_nothing_after_them() -> None:
    assert list(transaction_statements({"lock_timeout": "2000ms"})) == [
        "SET LOCAL citus.enable_local_reference_table_foreign_keys = off",
        "SET LOCAL citus.enable_unsafe_triggers = on",
        "SET LOCAL citus.propagate_set_commands = 'local'",
        "SET LOCAL lock_timeout = '2000ms'",
        "SET LOCAL citus.propagate_set_commands TO DEFAULT",
    ]


def test_no_limits() -> None:
    assert not any("propagate" in text for text in transaction_statements({}))
