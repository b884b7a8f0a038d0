"""Errors of nodes as the coordinator passes them on, in the words of the domain's own objects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import DatabaseError, IntegrityError, OperationalError

SHARD_NUMBER = re.compile(r'(?P<name>"[^"\s]+?)_\d{6,}(?=")')
"""What Citus puts at the end of the names of shards, of their constraints and indexes."""

FROM_NODE = "while executing command on "
"""In the context of an error that a node has sent."""

NOT_COMMITTED = re.compile(
    r"could not (?:commit|prepare) transaction|failure on connection marked as essential"
    r"|failed to (?:commit|prepare) transaction"
)
"""What the coordinator says where a node has refused to commit; the reason is in a warning."""

UNREACHABLE = re.compile(
    r"(?:connection to the remote node|connection not open|the node) (?:\S+@)?(?P<address>\S+)"
    r"(?: does not answer| failed)(?:(?: with the following error)?: (?P<reason>[^\n]*))?"
)

CONSTRAINT_STATES = "23"
CONNECTION_FAILURE = "08006"


class NodeWarning(NamedTuple):
    """A warning that the coordinator passed on."""

    sqlstate: str
    message: str
    context: str

    @property
    def is_reason(self) -> bool:
        """Whether it is a node's error, and not what the coordinator says of it."""
        return FROM_NODE in self.context and not NOT_COMMITTED.search(self.message)


def without_shard_numbers(text: str) -> str:
    """Return a message of a node with the names of tables and constraints of the coordinator."""
    return SHARD_NUMBER.sub(r"\g<name>", text)


def unreachable_node(text: str) -> str:
    """Return the address of the node that does not answer, as an error says; empty for others."""
    found = UNREACHABLE.search(text)
    return found["address"] if found else ""


def explained(exc: BaseException, warnings: Sequence[NodeWarning]) -> BaseException:
    """Return an error that says what a node has refused; the same error if none did.

    Arguments:
        warnings: what the session was sent in its transaction.
    """
    diagnosis: Any = getattr(exc.__cause__, "diag", None)
    if not isinstance(exc, DatabaseError) or diagnosis is None:
        return exc
    message, state = str(diagnosis.message_primary or ""), str(diagnosis.sqlstate or "")
    if NOT_COMMITTED.search(message):
        reasons = [warning for warning in warnings if warning.is_reason]
        if not reasons:
            return exc
        message, state = reasons[-1].message, reasons[-1].sqlstate
    elif FROM_NODE not in str(diagnosis.context or "") and not UNREACHABLE.search(message):
        return exc
    kind: type[DatabaseError] = type(exc)
    if state.startswith(CONSTRAINT_STATES):
        kind = IntegrityError
    if found := UNREACHABLE.search(message):
        kind, state = OperationalError, CONNECTION_FAILURE
        reason = found["reason"] or "no reason was given"
        message = f"the node {found['address']} does not answer: {reason}"
    error: Any = kind(without_shard_numbers(message))
    error.sqlstate = state
    if found:
        error.retry_reason = f"the node {found['address']} does not answer"
    told: BaseException = error.with_traceback(exc.__traceback__)
    return told
