"""Attempts to run a migration, and how far they have come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.migrations.migration import Migration
from django.utils.timezone import now

from ...exceptions import BoundaryViolation, DomainMigrationsError
from ..guard.created_objects import Start
from ..history.journal import Direction
from ..sessions.outcomes import TransactionMark
from ..sessions.timeouts import IndexBuild
from .kept_transactions import TransactionEnded
from .observed_operations import operation_name, own_operations

FINISHED = "finished"
"""In a journal row's details: the number of finished operations of a non-atomic migration."""

DEFERRED = "deferred"
"""In the same details: the SQL that its finished operations have left to run at its end."""

BUILT = "built"
"""In a failed row's details: the operation that failed had built its index concurrently."""

TRACEBACK = "traceback"
"""In a failed row's details: the traceback of the exception."""


START = "start"
"""In the same details: the point where the migration began, from which its objects are found."""


class Progress(NamedTuple):
    """How far a migration has come, an interrupted run of it included.

    Attributes:
        finished: the number of its operations that have run.
        deferred: the SQL that they have left to run after the last operation.
        start: the point where the migration began, if it has custom SQL.
    """

    finished: int = 0
    deferred: tuple[str, ...] = ()
    start: Start | None = None

    def as_details(self) -> dict[str, Any]:
        """Return the details of a journal row."""
        deferred = {DEFERRED: list(self.deferred)} if self.deferred else {}
        start = {START: list(self.start)} if self.start else {}
        return {FINISHED: self.finished, **deferred, **start}

    @classmethod
    def of_details(cls, details: Mapping[str, Any]) -> Progress:
        """Return the progress in a row's details; what cannot be one counts as none."""
        finished, deferred = details.get(FINISHED), details.get(DEFERRED)
        return cls(
            max(finished, 0) if isinstance(finished, int) else 0,
            tuple(map(str, deferred)) if isinstance(deferred, list) else (),
            Start.of(details.get(START)),
        )


NOTHING = Progress()

COMMIT = "COMMIT"
HISTORY_ROW = "the history row"
"""The phase in which a migration, or the rows that record it, are committed."""


@dataclass
class Attempt:
    """One attempt to run a migration, and how far it has come.

    Attributes:
        started: when it started.
        checked: the operations that have run and that the guard has checked.
        executed: the operations that have run.
        in_transaction: whether all of it runs in one transaction.
        phase: what runs after the operations; empty before.
        has_begun: whether the session was checked; until then nothing has been done.
        mark: the transaction of the migration, or of the rows that record it; None before.
        index: the index that the current operation builds concurrently, if it does.
        created: the objects that its custom SQL created, once it has ended.
        details: more to be recorded in the journal.
        count_others: counts what else its transaction has run, once that is committed.
    """

    migration: Migration
    direction: Direction
    started: datetime = field(default_factory=now)
    clock: float = field(default_factory=time.monotonic)
    checked: Progress = NOTHING
    executed: Progress = NOTHING
    in_transaction: bool = False
    phase: str = ""
    has_begun: bool = False
    mark: TransactionMark | None = None
    index: IndexBuild = field(default_factory=IndexBuild)
    created: Sequence[str] = ()
    details: dict[str, Any] = field(default_factory=dict)
    count_others: Callable[[], None] = lambda: None

    @property
    def backwards(self) -> bool:
        return self.direction == "backwards"

    @property
    def seconds(self) -> float:
        """The seconds since the attempt started."""
        return time.monotonic() - self.clock

    def note_transaction(self, mark: TransactionMark | None) -> None:
        """Note the transaction that is open.

        Raises:
            TransactionEnded: it is another one than that in which the migration began.
        """
        if self.migration.atomic and self.mark and mark and self.mark.xid != mark.xid:
            raise TransactionEnded("an operation has ended the transaction of the run")
        self.mark = mark

    def unfinished_details(self, failure: DomainMigrationsError) -> dict[str, Any]:
        """Return what a failed migration has left, and its traceback, for the journal."""
        trace = {TRACEBACK: failure.traceback} if failure.traceback else {}
        if self.migration.atomic:
            return trace
        # A refused operation has run, but a resumed migration must start at it, not after it.
        refused = isinstance(failure, BoundaryViolation)
        left = (self.checked if refused else self.executed).as_details()
        if self.index.was_built:
            left[BUILT] = True
        return {**left, **trace}

    def __str__(self) -> str:
        """Return the phrase that names the step which is running."""
        if self.phase:
            return self.phase
        operations = own_operations(self.migration)
        done = self.checked.finished
        number = len(operations) - done if self.backwards else done + 1
        if not 1 <= number <= len(operations):
            return "its end"
        name = operation_name(operations[number - 1], backwards=self.backwards)
        return f"operation {number} of {len(operations)} ({name})"
