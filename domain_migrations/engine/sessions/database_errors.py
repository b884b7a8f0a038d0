"""Errors of the database: what their SQLSTATEs mean and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

from ...exceptions import (
    DatabaseUnavailable,
    DomainMigrationsError,
    InsufficientPrivilege,
    MigrationFailed,
    StatementTimeout,
)
from ..messages import printable, shortened

ENGINE_TABLES = ("django_migrations", "django_seeds")
"""The beginnings of the names of the engine's own tables."""

LOST = (OperationalError, InterfaceError)
"""Raised by Django when a connection is gone."""

INTEGRITY_CONSTRAINTS = "23"
UNIQUE_VIOLATION = "23505"
DEPENDENT_OBJECTS = "2BP01"
DEPENDENCIES = (DEPENDENT_OBJECTS, "0A000")
"""Of a type that a view depends on, feature_not_supported is raised."""
INSUFFICIENT_PRIVILEGE = "42501"
DUPLICATE_TABLE = "42P07"
"""A relation of any kind has the name."""

LOCK_NOT_AVAILABLE = "55P03"

OUT_OF_MEMORY = "53200"
"""Also where a transaction needs more locks than the server has place for."""

LIMITED_BY = {LOCK_NOT_AVAILABLE: "lock-timeout", "57014": "statement-timeout"}
"""The option that limits a statement."""

TIMEOUT_STATES = frozenset({*LIMITED_BY, "25P04"})
"""lock_not_available, query_canceled and transaction_timeout; PostgreSQL manual, appendix A."""

NOT_IN_TRANSACTION = frozenset({"25001", "2D000"})
"""active_sql_transaction, as of VACUUM, and invalid_transaction_termination, as of a procedure
that commits; PostgreSQL manual, appendix A."""

CONNECTION_STATES = ("08", "57P", "25P03")
"""The beginnings of SQLSTATEs with which the server ends a session or refuses to begin one:
connection exceptions, operator intervention and idle_in_transaction_session_timeout."""

RESOLUTION_UNKNOWN = "08007"
"""transaction_resolution_unknown: whether the transaction was committed is not known."""

LOST_SESSION = re.compile(
    r"(?:FATAL:\s+)?(?:terminating connection due to|server closed the connection"
    r"|connection not open|no connection to the server|could not (?:receive|send) data|SSL SYSCALL)"
)
"""What libpq says on the coordinator of a session with a node that has died.

The coordinator passes it on as its own internal error, while rows are copied without a context.
"""

SERVER_GONE = "postmaster was shut down"
"""What Citus says in a process of a server that has died, as an internal error."""

LONGEST_LINE = 1000
"""The number of characters of an exception's first line that messages keep."""

RUN_AGAIN = "Run the command again: it continues where this run ended."


class ConnectionLost(OperationalError):
    """The connection of a run was lost, and another one would not have the run's lock."""


def error_class_for(state: str | None) -> type[DomainMigrationsError] | None:
    """Return the error class for an SQLSTATE that a migration has not caused, else None."""
    if state == INSUFFICIENT_PRIVILEGE:
        return InsufficientPrivilege
    if state in TIMEOUT_STATES:
        return StatementTimeout
    if state is not None and state.startswith(CONNECTION_STATES):
        return DatabaseUnavailable
    return None


def kind_of(message: str) -> type[DomainMigrationsError]:
    """Return the error class for an error without a telling SQLSTATE, on an open connection.

    Citus passes on what the client library said of its own connection to a node that has died.
    """
    return DatabaseUnavailable if LOST_SESSION.match(message) else MigrationFailed


def first_line(exc: BaseException) -> str:
    """Return the first line of an error: PostgreSQL's primary message, without its DETAIL.

    That of a group continues with the class and the first line of each error in it.
    """
    exc = cause_of_loss(exc)
    current: BaseException | None = exc
    while current is not None:
        diagnosis = getattr(current, "diag", None)
        if diagnosis is not None and diagnosis.message_primary:
            return printable(str(diagnosis.message_primary))
        # Django's errors say what their cause says; one of the project has its own words.
        current = current.__cause__ if isinstance(current, DatabaseError | InterfaceError) else None
    text = text_of(exc).strip()
    line = printable(text.splitlines()[0]) if text else type(exc).__name__
    if len(line) > LONGEST_LINE:
        line = f"{line[:LONGEST_LINE]}…"
    if isinstance(exc, BaseExceptionGroup):
        line += (
            f": {shortened([f'{type(one).__name__}: {first_line(one)}' for one in _leaves(exc)])}"
        )
    return line


def first_part(line: str) -> str:
    """Return what comes before a line break in the server's own primary message."""
    return line.partition("\\n")[0].removesuffix(".")


def text_of(exc: BaseException) -> str:
    """Return ``str(exc)``, or Python's own words for an exception that has none to give."""
    try:
        return str(exc)
    except Exception:
        return "<exception str() failed>"


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for exc in group.exceptions:
        if isinstance(exc, BaseExceptionGroup):
            yield from _leaves(exc)
        else:
            yield exc


def refused_row(exc: BaseException) -> str:
    """Return what to do where one of the engine's tables takes no row any more, else ``""``."""
    diagnosis: Any = getattr(exc, "diag", None) or getattr(exc.__cause__, "diag", None)
    if diagnosis is None or not str(diagnosis.sqlstate).startswith(INTEGRITY_CONSTRAINTS):
        return ""
    if not str(diagnosis.table_name).startswith(ENGINE_TABLES):
        return ""
    table = f"{diagnosis.schema_name}.{diagnosis.table_name}"
    return (
        f"Someone has added a column or a constraint to {table}, or has taken a default from it:"
        " put it back, and run the command again."
    )


def used_numbers(exc: BaseException) -> str:
    """Return what to do if a sequence gives keys that its table has; "" for other errors."""
    diagnosis = getattr(exc, "diag", None) or getattr(exc.__cause__, "diag", None)
    if diagnosis is None or diagnosis.sqlstate != UNIQUE_VIOLATION:
        return ""
    if not str(diagnosis.constraint_name).endswith("_pkey"):
        return ""
    table = f"{diagnosis.schema_name}.{diagnosis.table_name}"
    statement = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table};"  # noqa: S608 (shown)
    return (
        f"The sequence of {table}.id gives numbers that its rows have, as where a server was"
        " replaced by logical replication, which leaves sequences out. Name the one in the column's"
        " default instead of pg_get_serial_sequence() where the column does not own it. Set it:"
        f" {statement}"
    )


def dependents(exc: BaseException) -> str:
    """Return which objects depend on the one that could not be dropped; "" for other errors."""
    return detail_of(exc, DEPENDENT_OBJECTS)


def detail_of(exc: BaseException, *states: str) -> str:
    """Return PostgreSQL's DETAIL about objects that depend on others; "" for other errors.

    Arguments:
        states: SQLSTATEs; those of such errors unless given.
    """
    diagnosis = getattr(exc, "diag", None) or getattr(exc.__cause__, "diag", None)
    if diagnosis is None or diagnosis.sqlstate not in (states or DEPENDENCIES):
        return ""
    return "; ".join(str(diagnosis.message_detail or "").splitlines())


def cause_of_loss(exc: BaseException) -> BaseException:
    """Return the error that a refused reconnection has replaced."""
    while isinstance(exc, ConnectionLost) and exc.__context__ is not None:
        exc = exc.__context__
    return exc


def sqlstate_of(exc: BaseException | None) -> str | None:
    """Return the SQLSTATE of an error, also if Django or a migration has wrapped it."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        state = getattr(exc, "sqlstate", None)
        if isinstance(state, str):
            return state
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    return None
