"""Errors of nodes as the coordinator passes them on, in the words of the domain's own objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import psycopg
from django.db import DatabaseError, IntegrityError, OperationalError, utils

from ..sessions.database_errors import LOST_SESSION, RESOLUTION_UNKNOWN
from ..sessions.rejections import refuses_login

SHARD_NUMBER = re.compile(r'(?P<name>"[^"\s]+?)_(?P<number>\d{6,})(?=")')
"""What Citus puts at the end of the names of shards, of their constraints and indexes."""

FindShards = Callable[[Collection[int]], Collection[int]]
"""Returns which of some numbers are those of shards."""

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

EXECUTING = re.compile(rf"{FROM_NODE}(?P<address>\S+)")

ESSENTIAL = re.compile(
    r"(?:failure on connection marked as essential:|failed to prepare transaction .* on host)"
    r" (?P<address>\S+)"
)
UNDECIDED = re.compile(r"could not commit transaction")
"""A transaction that one node alone has written is committed there first, and it may have been."""

CONSTRAINT_STATES = "23"
ENDED_STATES = ("08", "57P")
"""Connection exceptions and operator intervention: the node shuts down, or has lost a session."""

INTERNAL_ERROR = "XX000"
CONNECTION_FAILURE = "08006"
LOGIN_REFUSED = "28000"


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


def is_lost_node(message: str, state: str) -> bool:
    """Return whether an error on an open connection is one of a node that was lost.

    Arguments:
        message: the primary message, or its beginning.
    """
    if state.startswith(ENDED_STATES) or UNREACHABLE.search(message):
        return True
    return state in ("", INTERNAL_ERROR) and bool(
        LOST_SESSION.match(message) or ESSENTIAL.search(message)
    )


def explained(
    exc: BaseException,
    warnings: Sequence[NodeWarning],
    find_shards: FindShards = lambda numbers: (),
) -> BaseException:
    """Return an error that says what a node has refused; the same error if none did.

    Arguments:
        warnings: what the session was sent in its transaction.
        find_shards: is asked where nothing else says whether a name is that of a shard: the
            coordinator's own copy of a reference table has refused something.
    """
    # One of psycopg's own comes from a cursor that a migration has used past Django's.
    cause: Any = exc if isinstance(exc, psycopg.Error) else exc.__cause__
    diagnosis: Any = getattr(cause, "diag", None)
    if not isinstance(exc, DatabaseError | psycopg.Error) or diagnosis is None:
        return exc
    message, state, context = (
        str(value or "")
        for value in (diagnosis.message_primary, diagnosis.sqlstate, diagnosis.context)
    )
    is_undecided = bool(UNDECIDED.search(message))
    if NOT_COMMITTED.search(message):
        reasons = [warning for warning in warnings if warning.is_reason]
        if not reasons:
            return exc
        state, message, context = reasons[-1]
    elif not (
        FROM_NODE in context
        or UNREACHABLE.search(message)
        # The coordinator's own sessions end with a state that says so, and what a node says of
        # copied rows comes without a context.
        or (state == INTERNAL_ERROR and is_lost_node(message, state))
        or _names_shard(message, state, find_shards)
    ):
        return exc
    kind = _kind_of(exc)
    if state.startswith(CONSTRAINT_STATES):
        kind = IntegrityError
    address, reason = _unreachable(message, context, state)
    is_refused = not is_undecided and refuses_login(reason)
    if address:
        kind, state = OperationalError, RESOLUTION_UNKNOWN if is_undecided else CONNECTION_FAILURE
        message = f"the node {address} does not answer: {reason}"
    if is_refused:
        state, message = LOGIN_REFUSED, f"the node {address} does not let the session in: {reason}"
    error: Any = kind(without_shard_numbers(message))
    error.sqlstate = state
    if address and not (is_undecided or is_refused):
        error.retry_reason = f"the node {address} does not answer"
    told: BaseException = error.with_traceback(exc.__traceback__)
    return told


def _names_shard(message: str, state: str, find_shards: FindShards) -> bool:
    numbers = {int(found["number"]) for found in SHARD_NUMBER.finditer(message)}
    return bool(numbers) and (state == INTERNAL_ERROR or bool(find_shards(numbers)))


def _kind_of(exc: BaseException) -> type[DatabaseError]:
    """Return the class that Django gives the error."""
    if isinstance(exc, DatabaseError):
        return type(exc)
    names = (base.__name__ for base in type(exc).__mro__)
    return next((getattr(utils, name) for name in names if hasattr(utils, name)), DatabaseError)


def _unreachable(message: str, context: str, state: str) -> tuple[str, str]:
    """Return the address of a node that ended or refused a session, and why; both may be empty."""
    if found := UNREACHABLE.search(message):
        return found["address"], found["reason"] or "no reason was given"
    if is_lost_node(message, state):
        found = EXECUTING.search(context)
        reason = message.removeprefix("FATAL:").strip().partition("\n")[0]
        return found["address"] if found else "with the tables", reason
    return "", ""
