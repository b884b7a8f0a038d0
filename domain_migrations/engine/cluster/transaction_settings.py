"""The settings that a transaction on a cluster begins with."""

from __future__ import annotations

from collections.abc import Mapping

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


def settings_of_transaction(limits: Mapping[str, str]) -> dict[str, str]:
    """Return what the coordinator's transaction sets before ``forwarded_limits``."""
    return {**SETTINGS, **({FORWARD: "local"} if limits else {})}


def forwarded_limits(limits: Mapping[str, str]) -> str:
    """Return the statements that set the timeouts on the nodes, too; empty without any.

    Citus forwards the whole text that a ``SET LOCAL`` is in, as long as the last statement of this
    one does not end that.
    """
    if not limits:
        return ""
    each = [f"SET LOCAL {name} = {quote_literal(value)}" for name, value in limits.items()]
    return "; ".join([*each, f"SET LOCAL {FORWARD} TO DEFAULT"])
