"""Parts of domain_migrations.engine.sessions.errors."""

from __future__ import annotations

from ...exceptions import (
    DatabaseUnavailable,
    DomainMigrationsError,
    InsufficientPrivilege,
    StatementTimeout,
)

PRIVILEGE_STATES = frozenset({"42501"})


LOCK_NOT_AVAILABLE = "55P03"


TIMEOUT_STATES = frozenset({LOCK_NOT_AVAILABLE, "57014"})
"""lock_not_available and query_canceled; PostgreSQL manual, appendix A."""


CONNECTION_CLASSES = ("08", "57P")
"""Connection exceptions and operator intervention; PostgreSQL manual, appendix A."""


def error_class_for(state: str | None) -> type[DomainMigrationsError] | None:
    """Return the error for what the database says by a code of the world around it."""
    if state in PRIVILEGE_STATES:
        return InsufficientPrivilege
    if state in TIMEOUT_STATES:
        return StatementTimeout
    if state is not None and state.startswith(CONNECTION_CLASSES):
        return DatabaseUnavailable
    return None


def first_line(exc: BaseException) -> str:
    """Return the first line of an error: PostgreSQL's primary message, without its DETAIL."""
    current: BaseException | None = exc
    while current is not None:
        diagnosis = getattr(current, "diag", None)
        if diagnosis is not None and diagnosis.message_primary:
            return str(diagnosis.message_primary)
        current = current.__cause__
    text = str(exc).strip()
    return text.splitlines()[0] if text else type(exc).__name__


def sqlstate_of(exc: BaseException | None) -> str | None:
    """Return PostgreSQL's code for an error, however Django or a migration wrapped it."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        state = getattr(exc, "sqlstate", None)
        if isinstance(state, str):
            return state
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    return None
