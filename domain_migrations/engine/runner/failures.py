"""The failures of runs and of their migrations, as errors and statuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration

from ...domains import get_domain_for
from ...exceptions import (
    DatabaseUnavailable,
    DistributionFailed,
    DomainMigrationsError,
    InsufficientPrivilege,
    LockNotAvailable,
    MigrationFailed,
    NodeUnavailable,
    RunStopped,
    SeedFailed,
    StatementTimeout,
)
from ..catalog.compat_views import advice_about_views
from ..sessions.connection import is_alive
from ..sessions.database_errors import (
    DUPLICATE_TABLE,
    LOCK_NOT_AVAILABLE,
    OUT_OF_MEMORY,
    RESOLUTION_UNKNOWN,
    RUN_AGAIN,
    dependents,
    detail_of,
    error_class_for,
    first_line,
    refused_row,
    sqlstate_of,
    used_numbers,
)
from ..sessions.outcomes import Outcome
from ..sessions.timeouts import retry_reason
from .attempts import COMMIT, HISTORY_ROW, Attempt
from .hooks.dispatch import AfterHookFailed
from .kept_transactions import TransactionEnded
from .results import AppliedMigration
from .tracebacks import describe_exception, migration_file, traceback_text

LOCK_TABLE = "out of shared memory"
"""What PostgreSQL says where a transaction needs more locks than the server has place for."""

FAILURES = (
    MigrationFailed,
    DatabaseUnavailable,
    NodeUnavailable,
    InsufficientPrivilege,
    StatementTimeout,
    AfterHookFailed,
    RunStopped,
    SeedFailed,
    DistributionFailed,
)
"""Errors of the database and of user code; with all others the engine refuses to run."""


def failure_status(
    exc: DomainMigrationsError, *, changed: bool
) -> Literal["busy", "failed", "refused"]:
    """Return the status of a run that an error has ended.

    Arguments:
        changed: whether the run had changed something before.
    """
    if isinstance(exc, LockNotAvailable):
        return "busy"
    return "failed" if changed or isinstance(exc, FAILURES) else "refused"


def migration_error(
    exc: BaseException,
    attempt: Attempt,
    applied: Sequence[AppliedMigration],
    *,
    blockers: str = "",
    outcome: Outcome = "rolled back",
    lost: bool = False,
    advice: str = "",
) -> DomainMigrationsError:
    """Return the engine's error for the exception that stopped a migration.

    PostgreSQL's DETAIL is left out, because it contains data of rows, except the names of objects
    that depend on one which was to be dropped.

    Arguments:
        blockers: the sessions that held the lock, as a clause. It goes into the hint: queries
            contain data of rows too, and the journal keeps the message.
        outcome: of the transaction that the migration began last.
        lost: whether the connection was lost.
        advice: what to do, where the exception alone does not say it.
    """
    state = sqlstate_of(exc)
    kind = error_class_for(state) or (DatabaseUnavailable if lost else MigrationFailed)
    if state == RESOLUTION_UNKNOWN and outcome == "rolled back":
        outcome = "unknown"  # On the coordinator, but a node has committed on its own.
    is_of_node = retry_reason(exc) or state == RESOLUTION_UNKNOWN
    if kind is DatabaseUnavailable and is_of_node and not lost:
        kind = NodeUnavailable  # The database itself has reported it.
    verb = "could not be reverted: it failed" if attempt.backwards else "failed"
    place = describe_exception(exc, file=migration_file(attempt.migration))
    reason = ": ".join(filter(None, (place, dependents(exc))))
    if lost:
        reason = f"the connection to the database was lost: {reason}"
    message = f"Migration {attempt.migration} {verb} at {attempt}: {reason}."
    before = ", ".join(str(ran.key) for ran in applied) or "none"
    hint = f"{_kept(attempt, outcome, lost=lost)} Applied before it in this run: {before}."
    hint += f" {advice or _advice(exc, attempt, outcome, lost=lost)}"
    if state == LOCK_NOT_AVAILABLE and blockers:
        hint += f" It was {blockers}."
    error = kind(message, hint=hint, sqlstate=state)
    error.traceback = traceback_text(exc)
    return error


def lost_commit_error(exc: BaseException, attempt: Attempt) -> DomainMigrationsError:
    """Return the error for a connection that was lost after the server had committed."""
    done = "reverted" if attempt.backwards else "applied"
    return DatabaseUnavailable(
        f"The connection to the database was lost while migration {attempt.migration} was being"
        f" committed: {first_line(exc).rstrip('.')}.",
        hint=f"It was committed: the migration is {done} and recorded. {RUN_AGAIN}",
        sqlstate=sqlstate_of(exc),
    )


def _kept(attempt: Attempt, outcome: Outcome, *, lost: bool) -> str:
    """Return the sentence that says what the server has kept of a migration."""
    atomic = attempt.migration.atomic
    if outcome == "committed" and atomic:
        return (
            "The transaction was committed before that: what ran until then was kept, and the"
            " migration is not recorded."
        )
    if outcome == "in progress":
        open_still = "is still open on the server" if lost else "was prepared"
        return f"Its transaction {open_still}, so it is not known yet whether anything was kept."
    if outcome == "unknown" and (attempt.phase == COMMIT or not lost):
        return "It is not known whether anything of it was kept."
    if not atomic:
        return "It is not atomic: what it had committed was kept, and it is not recorded."
    return "It was not committed." if outcome == "unknown" else "It was rolled back."


def _advice(exc: BaseException, attempt: Attempt, outcome: Outcome, *, lost: bool) -> str:
    migration = attempt.migration
    domain = get_domain_for(migration.app_label).name
    if isinstance(exc, TransactionEnded):
        check = "" if outcome == "rolled back" else "Check the database, and undo what was kept. "
        return (
            f"{check}Remove BEGIN, COMMIT and ROLLBACK from the migration, or write atomic = False"
            " in it, and run the command again."
        )
    if lost and outcome in ("in progress", "unknown"):
        return (
            f"Look when the server answers: manage.py show_domains {domain}. The next run reads"
            " there what is applied."
        )
    if not migration.atomic:
        return f"Check the database, then run: manage.py repair_domain {domain} --resume"
    if outcome != "rolled back":
        return "Check the database before the command is run again."
    if attempt.phase == HISTORY_ROW and (advice := used_numbers(exc) or refused_row(exc)):
        return advice
    cause = "Run" if lost else "Correct the cause and run"
    if sqlstate_of(exc) == OUT_OF_MEMORY and LOCK_TABLE in first_line(exc):
        cause = (
            "A transaction locks every table, index and sequence that it creates or drops: set"
            " max_locks_per_transaction of the server higher, restart it, and run"
        )
    if dependents(exc):
        cause = "Drop what depends on it in an operation before this one, and run"
    return f"{cause} the command again; it continues from here."


def view_advice(connection: BaseDatabaseWrapper, exc: BaseException, migration: Migration) -> str:
    """Return what to do if a view under a moved table's old name was in the way."""
    if not is_alive(connection) or connection.in_atomic_block:
        return ""
    schema = get_domain_for(migration.app_label).schema
    text = first_line(exc) if sqlstate_of(exc) == DUPLICATE_TABLE else detail_of(exc)
    return advice_about_views(connection, schema, text)
