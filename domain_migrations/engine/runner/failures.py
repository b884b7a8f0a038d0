"""From an exception inside a migration to one that a person can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from ...domains import domain_of
from ...exceptions import (
    DomainMigrationsError,
    MigrationFailed,
)
from ..history.journal import Direction
from ..sessions.errors import (
    LOCK_NOT_HAD,
    failure_kind,
    primary_message,
    sqlstate_of,
)
from .results import Ran


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
    index: int = 0
    ran: int = 0
    skipped: int = 0
    place: str = ""
    begun: bool = False

    def done(self, operation: Operation) -> None:
        self.index += 1

    def __str__(self) -> str:
        if self.place:
            return self.place
        operations = self.migration.operations
        done = self.skipped + self.index
        number = len(operations) - done if self.direction == "backwards" else done + 1
        if not 1 <= number <= len(operations):
            return "its end"
        return f"operation {number} of {len(operations)} ({operations[number - 1].describe()})"


def failure_of(
    exc: Exception, position: Position, applied: Sequence[Ran], *, blamed: str = ""
) -> DomainMigrationsError:
    """Return the error of the contract for what stopped a migration.

    PostgreSQL's DETAIL is left out: it carries data of rows.

    Arguments:
        blamed: who held the lock that was not had, and what they run, as a clause. It goes into
            the hint, for what others run carries data of rows too, and the journal keeps the
            message.
    """
    state = sqlstate_of(exc)
    kind = failure_kind(state) or MigrationFailed
    migration = position.migration
    verb = "failed" if position.direction == "forwards" else "could not be undone: it failed"
    message = f"Migration {migration} {verb} at {position}: {primary_message(exc).rstrip('.')}."
    before = ", ".join(str(ran.key) for ran in applied) or "none"
    if migration.atomic:
        hint = (
            f"Nothing of it was kept. Applied before it in this run: {before}."
            " Correct the cause and run the command again; it goes on from here."
        )
    else:
        domain = domain_of(migration.app_label).name
        hint = (
            "It is not atomic: what its finished operations did was kept, and it is not"
            f" recorded. Applied before it in this run: {before}. Look at what is there,"
            f" then run: manage.py repair_domain {domain} --resume"
        )
    if state == LOCK_NOT_HAD and blamed:
        hint += f" It was {blamed.removeprefix(': ')}."
    return kind(message, hint=hint, sqlstate=state)
