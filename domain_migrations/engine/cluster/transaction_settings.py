"""The settings that a transaction on a cluster begins with, and forwards to the nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..sessions.timeouts import TimeoutPolicy
from ..sql.query import run_sql
from .lock_waits import find_blockers

SETTINGS = {
    # Citus would make core's tables its own: their identities start again, and columns that core
    # adds later are missing on the nodes.
    "citus.enable_local_reference_table_foreign_keys": "off",
    # The triggers of a distributed schema are made on the node that has the table.
    "citus.enable_unsafe_triggers": "on",
}
"""What every transaction and session that migrates on a cluster sets, on the coordinator."""

FORWARD = sql.Identifier("citus", "propagate_set_commands")

LIMITS = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"


def forwarding(values: Mapping[str, str]) -> sql.Composed:
    """Return what sets values in the open transaction, on the coordinator and on the nodes.

    Citus sends each node the whole text that a ``SET LOCAL`` is in, before anything else that the
    transaction does there. So it is one text, and the transaction's other statements are none of
    it.
    """
    each = [sql.SQL("SET LOCAL {} = {}").format(_name(name), values[name]) for name in values]
    return sql.SQL("; ").join(
        [
            sql.SQL("SET LOCAL {} = 'local'").format(FORWARD),
            *each,
            sql.SQL("SET LOCAL {} TO DEFAULT").format(FORWARD),
        ]
    )


def set_on_all_nodes(connection: BaseDatabaseWrapper, values: Mapping[str, str]) -> None:
    """Set values in the open transaction, on the coordinator and on the nodes."""
    if values:
        run_sql(connection, forwarding(values))


def join_cluster(policy: TimeoutPolicy) -> None:
    """Give each transaction that the policy limits its settings, and its limits on the nodes, too.

    Whoever blocks it is looked for on all nodes.
    """
    policy.prepare_for_cluster(
        SETTINGS, lambda: set_on_all_nodes(policy.connection, policy.limits), find_blockers
    )


@contextmanager
def limits_forwarded(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let the limits of the session hold on the nodes, too, in the transactions of the block.

    Citus forwards a setting of transactions only. Those that psycopg begins itself are not seen.
    """
    set_autocommit = connection.set_autocommit

    def begin_with_limits(autocommit: bool, *args: Any, **kwargs: Any) -> None:
        set_autocommit(autocommit, *args, **kwargs)
        if not autocommit:
            try:
                [[(lock, statement)]] = run_sql(connection, LIMITS)
                set_on_all_nodes(connection, {"lock_timeout": lock, "statement_timeout": statement})
            except BaseException:
                connection.rollback()
                set_autocommit(True)
                raise

    _replace(connection, begin_with_limits)  # Django has no hook at the beginning.
    try:
        yield
    finally:
        del connection.set_autocommit


def _replace(connection: Any, begin: Callable[..., None]) -> None:
    connection.set_autocommit = begin


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))
