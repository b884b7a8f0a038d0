"""From an exception inside a migration to one that a person can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from ...domains import get_domain_for
from ...exceptions import (
    DomainMigrationsError,
    MigrationFailed,
)
from ..history.journal import Direction
from ..sessions.connection import LOCK_NOT_AVAILABLE, error_class_for, first_line, sqlstate_of
from .results import AppliedMigration


@dataclass
class Position:
    """How far into a migration an executor is.

    Attributes:
        index: operations that have run and were looked at by the guard.
        ran: operations that have run.
        skipped: operations that an interrupted run has behind it.
        begun: whether the session was found to be the run's; before, nothing was done.
    """

    migration: Migration
    direction: Direction
    checked: int = 0
    executed: int = 0
    resumed_from: int = 0
    phase: str = ""
    started: bool = False

    def done(self, operation: Operation) -> None:
        self.checked += 1

    def __str__(self) -> str:
        if self.phase:
            return self.phase
        operations = self.migration.operations
        done = self.resumed_from + self.checked
        number = len(operations) - done if self.direction == "backwards" else done + 1
        if not 1 <= number <= len(operations):
            return "its end"
        return f"operation {number} of {len(operations)} ({operations[number - 1].describe()})"


def migration_error(
    exc: Exception, position: Position, applied: Sequence[AppliedMigration], *, blamed: str = ""
) -> DomainMigrationsError:
    """Return the error of the contract for what stopped a migration.

    PostgreSQL's DETAIL is left out: it carries data of rows.

    Arguments:
        blamed: who held the lock that was not had, and what they run, as a clause. It goes into
            the hint, for what others run carries data of rows too, and the journal keeps the
            message.
    """
    state = sqlstate_of(exc)
    kind = error_class_for(state) or MigrationFailed
    migration = position.migration
    verb = "failed" if position.direction == "forwards" else "could not be undone: it failed"
    message = f"Migration {migration} {verb} at {position}: {first_line(exc).rstrip('.')}."
    before = ", ".join(str(ran.key) for ran in applied) or "none"
    if migration.atomic:
        hint = (
            f"Nothing of it was kept. Applied before it in this run: {before}."
            " Correct the cause and run the command again; it goes on from here."
        )
    else:
        domain = get_domain_for(migration.app_label).name
        hint = (
            "It is not atomic: what its finished operations did was kept, and it is not"
            f" recorded. Applied before it in this run: {before}. Look at what is there,"
            f" then run: manage.py repair_domain {domain} --resume"
        )
    if state == LOCK_NOT_AVAILABLE and blamed:
        hint += f" It was {blamed.removeprefix(': ')}."
    return kind(message, hint=hint, sqlstate=state)
