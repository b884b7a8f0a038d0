"""Failed and interrupted migrations: how far they came, and the errors that report them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.utils.timezone import now

from ...domains import get_domain_for
from ...exceptions import (
    BoundaryViolation,
    DomainMigrationsError,
    MigrationFailed,
    MigrationInterrupted,
    UnknownTarget,
)
from ..history.journal import Direction
from ..history.journal_queries import JournalRow, latest_entries, read_entries
from ..sessions.connection import LOCK_NOT_AVAILABLE, error_class_for, first_line, sqlstate_of
from ..sessions.timeouts import IndexBuild
from ..sources.files import MigrationKey
from .loader import DomainLoader
from .results import AppliedMigration

FINISHED = "finished"
"""In a journal row's details: the number of finished operations of a non-atomic migration."""

BUILT = "built"
"""In a failed row's details: the operation that failed had built its index concurrently."""

CONCURRENT_INDEX = frozenset({"AddIndexConcurrently", "RemoveIndexConcurrently"})
"""Operations that are safe to repeat: all that they leave is an invalid index of their own."""

INVALID_INDEXES = """
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND n.nspname = %s
ORDER BY 1
"""


@dataclass
class Attempt:
    """One attempt to run a migration, and how far it has come.

    Attributes:
        started: when it started.
        checked: operations that have run and that the guard has checked.
        executed: operations that have run.
        resumed_from: operations that an interrupted run had finished.
        phase: what runs after the operations; empty before.
        has_begun: whether the session was checked; until then nothing has been done.
        index: the index that the current operation builds concurrently, if it does.
    """

    migration: Migration
    direction: Direction
    started: datetime = field(default_factory=now)
    clock: float = field(default_factory=time.monotonic)
    checked: int = 0
    executed: int = 0
    resumed_from: int = 0
    phase: str = ""
    has_begun: bool = False
    index: IndexBuild = field(default_factory=IndexBuild)

    @property
    def backwards(self) -> bool:
        return self.direction == "backwards"

    @property
    def seconds(self) -> float:
        """The seconds since the attempt started."""
        return time.monotonic() - self.clock

    @property
    def finished(self) -> int:
        """The number of finished operations, those of an interrupted run included."""
        return self.resumed_from + self.checked

    def unfinished_details(self, failure: DomainMigrationsError) -> dict[str, Any]:
        """Return what a failed migration without a transaction has left, for the journal."""
        if self.migration.atomic:
            return {}
        # A refused operation has run, but a resumed migration must start at it, not after it.
        done = self.checked if isinstance(failure, BoundaryViolation) else self.executed
        left: dict[str, Any] = {FINISHED: self.resumed_from + done}
        if self.index.was_built:
            left[BUILT] = True
        return left

    def __str__(self) -> str:
        """Return the phrase that names the step which is running."""
        if self.phase:
            return self.phase
        operations = self.migration.operations
        number = len(operations) - self.finished if self.backwards else self.finished + 1
        if not 1 <= number <= len(operations):
            return "its end"
        return f"operation {number} of {len(operations)} ({operations[number - 1].describe()})"


def migration_error(
    exc: Exception, attempt: Attempt, applied: Sequence[AppliedMigration], *, blockers: str = ""
) -> DomainMigrationsError:
    """Return the engine's error for the exception that stopped a migration.

    PostgreSQL's DETAIL is left out, because it contains data of rows.

    Arguments:
        blockers: the sessions that held the lock, as a clause. It goes into the hint: queries
            contain data of rows too, and the journal keeps the message.
    """
    state = sqlstate_of(exc)
    kind = error_class_for(state) or MigrationFailed
    migration = attempt.migration
    verb = "could not be reverted: it failed" if attempt.backwards else "failed"
    message = f"Migration {migration} {verb} at {attempt}: {first_line(exc).rstrip('.')}."
    before = ", ".join(str(ran.key) for ran in applied) or "none"
    if migration.atomic:
        hint = (
            f"It was rolled back. Applied before it in this run: {before}."
            " Correct the cause and run the command again; it continues from here."
        )
    else:
        domain = get_domain_for(migration.app_label).name
        hint = (
            "It is not atomic: the changes of its finished operations were kept, and it is not"
            f" recorded. Applied before it in this run: {before}. Check the database,"
            f" then run: manage.py repair_domain {domain} --resume"
        )
    if state == LOCK_NOT_AVAILABLE and blockers:
        hint += f" It was {blockers.removeprefix(': ')}."
    return kind(message, hint=hint, sqlstate=state)


@dataclass(frozen=True)
class Interruption:
    """A migration that began without a transaction and was neither finished nor reverted.

    Attributes:
        finished: how many of its operations are known to have run; the next one may have run
            too, in whole or in part.
    """

    key: MigrationKey
    backwards: bool
    finished: int
    entry: JournalRow

    def matches(self, attempt: Attempt) -> bool:
        """Return whether the attempt is at this migration, in the same direction."""
        same = MigrationKey.of(attempt.migration) == self.key
        return same and self.backwards == attempt.backwards

    @property
    def may_have_built(self) -> bool:
        """Whether the interrupted run may have built the index of the next operation.

        Either it was killed, and the server continued; or it failed right after building it.
        """
        return self.entry.status == "running" or bool(self.entry.details.get(BUILT))

    def remaining(self, migration: Migration) -> Sequence[Operation]:
        """Return the operations that are left, in the order of the file."""
        operations = migration.operations
        if self.backwards:
            return operations[: len(operations) - self.finished]
        return operations[self.finished :]

    def safe_to_resume(self, migration: Migration) -> bool:
        """Return whether only concurrent index operations are left, which can be repeated."""
        return all(
            type(operation).__name__ in CONCURRENT_INDEX for operation in self.remaining(migration)
        )


def find_interruption(entries: Iterable[JournalRow]) -> Interruption | None:
    """Return the migration that was interrupted last, according to the journal."""
    rows = list(entries)
    for (app, name), entry in latest_entries(rows).items():
        if entry.status not in ("running", "failed"):
            continue
        own = [row for row in rows if (row.app, row.name, row.run) == (app, name, entry.run)]
        if all(row.status != "running" for row in own):
            continue  # An atomic migration that failed has left nothing.
        return Interruption(
            MigrationKey(app, name),
            backwards=entry.direction == "backwards",
            finished=max(row.details.get(FINISHED, 0) for row in own),
            entry=entry,
        )
    return None


def check_interrupted(
    connection: BaseDatabaseWrapper, loader: DomainLoader, *, resume: bool
) -> Interruption | None:
    """Return the interrupted migration to resume, None where none was interrupted.

    Arguments:
        resume: whether a person has decided to resume; else only what is safe is resumed.

    Raises:
        MigrationInterrupted: a person has to decide.
        UnknownTarget: no migration was interrupted, so none can be resumed.
    """
    domain = loader.domain
    found = find_interruption(read_entries(connection, domain))
    if found is None:
        if resume:
            raise UnknownTarget(
                f'No migration of the domain "{domain.name}" was interrupted.',
                hint=f"See its state with: manage.py show_domains {domain.name}",
            )
        return None
    migration = loader.disk_migrations.get((found.key.app, found.key.name))
    if migration is None or not (resume or found.safe_to_resume(migration)):
        raise _interrupted_error(connection, loader, found)
    return found


def _interrupted_error(
    connection: BaseDatabaseWrapper, loader: DomainLoader, interruption: Interruption
) -> MigrationInterrupted:
    """Return the error that describes the state of the migration, and what to run."""
    domain, key = loader.domain, interruption.key
    with connection.cursor() as cursor:
        cursor.execute(INVALID_INDEXES, [domain.schema])
        invalid = [name for (name,) in cursor.fetchall()]
    migration = loader.disk_migrations.get((key.app, key.name))
    total = len(migration.operations) if migration else 0
    action = "reverting" if interruption.backwards else "applying"
    begun = interruption.entry.started.isoformat(" ", "seconds")
    message = (
        f"A run that began at {begun} was interrupted while {action} {key}, which is not atomic."
        f" Operations recorded as finished: {interruption.finished} of {total}."
    )
    if invalid:
        message += f" Invalid indexes: {', '.join(invalid)}."
    name = f"{key.app}.{key.name}" if len(domain.app_labels) > 1 else key.name
    return MigrationInterrupted(
        message,
        hint=(
            f"To resume at operation {interruption.finished + 1}, run: manage.py repair_domain"
            f" {domain.name} --resume. If every change is already in the database, use"
            f" --mark-applied {name}; if none is, use --mark-unapplied {name}."
        ),
    )
