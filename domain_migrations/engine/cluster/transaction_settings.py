"""The settings that a transaction on a cluster begins with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..sql.literals import quote_literal

SETTINGS = {
    # Citus would make core's tables its own: their identities start again, and columns that core
    # adds later are missing on the nodes.
    "citus.enable_local_reference_table_foreign_keys": "off",
    # The triggers of a distributed schema are made on the node that has the table.
    "citus.enable_unsafe_triggers": "on",
}
"""What every transaction and session that migrates on a cluster sets."""

FORWARD = "citus.propagate_set_commands"


def transaction_statements(limits: Mapping[str, str]) -> Iterator[str]:
    """Yield the statements, to be sent one by one: Citus forwards the whole text that has one.

    Arguments:
        limits: timeouts, which have to hold on the nodes, too.
    """
    for name, value in SETTINGS.items():
        yield f"SET LOCAL {name} = {value}"
    if limits:
        yield f"SET LOCAL {FORWARD} = 'local'"
        for name, value in limits.items():
            yield f"SET LOCAL {name} = {quote_literal(value)}"
        yield f"SET LOCAL {FORWARD} TO DEFAULT"
