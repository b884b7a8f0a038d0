"""Interrupted migrations: where they stopped, and whether a run may resume them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration

from ...domains import Domain
from ...exceptions import MigrationInterrupted, UnknownTarget
from ..history.journal_queries import JournalRow, entries_with_running_rows, latest_entries
from ..messages import local_time, printable
from ..sessions.connection import fetch_all
from ..sources.files import MigrationKey
from .attempts import BUILT, FINISHED, Progress
from .loader import DomainLoader, Plan
from .observed_operations import own_operations
from .package_transactions import give_up_transaction

CONCURRENT_INDEX = frozenset({"AddIndexConcurrently", "RemoveIndexConcurrently"})
"""Operations that are safe to repeat: all that they leave is an invalid index of their own."""

UNFINISHED = ("running", "failed")
"""The statuses of a migration's rows in the journal after which it is not ended."""

INVALID_INDEXES = """
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND n.nspname = %s
ORDER BY 1
"""


@dataclass(frozen=True)
class Interruption:
    """A migration that began without a transaction and was neither finished nor reverted.

    Attributes:
        progress: the operations that are known to have run, and the SQL that they have left. The
            next operation, or the first statement of the SQL, may have run too, even in part.
        entry: the latest row in the journal.
    """

    key: MigrationKey
    progress: Progress
    entry: JournalRow

    @property
    def backwards(self) -> bool:
        return self.entry.direction == "backwards"

    @property
    def may_have_built(self) -> bool:
        """Whether the interrupted run may have built the index of the next operation.

        Either it was killed, and the server continued; or it failed right after building it.
        """
        return self.entry.status == "running" or bool(self.entry.details.get(BUILT))

    def safe_to_resume(self, migration: Migration) -> bool:
        """Return whether only concurrent index operations are left, which can be repeated.

        If no operation is left, the run must have died while only the history row was missing: it
        was neither refused by the guard nor in the middle of the deferred SQL.
        """
        operations = own_operations(migration)
        order = operations[::-1] if self.backwards else operations
        left = order[self.progress.finished :]
        if not left:
            return self.entry.status == "running" and not self.progress.deferred
        return all(type(operation).__name__ in CONCURRENT_INDEX for operation in left)


def find_interruption(connection: BaseDatabaseWrapper, domain: Domain) -> Interruption | None:
    """Return the migration that was interrupted last, according to the domain's journal."""
    rows = entries_with_running_rows(connection, domain)
    for entry in sorted(latest_entries(rows).values(), key=lambda row: row.id, reverse=True):
        if entry.status not in UNFINISHED:
            continue
        own = [row for row in rows if row.key == entry.key]
        ended = max((row.id for row in own if row.status not in UNFINISHED), default=0)
        own = [row for row in own if row.id > ended]
        # An atomic migration that failed has left nothing, and has no row that says "running". A
        # run that failed before it resumed a migration has none either, but an earlier run has.
        if any(row.status == "running" for row in own):
            progressed = (row.details for row in reversed(own) if FINISHED in row.details)
            progress = Progress.of_details(next(progressed, {}))
            return Interruption(entry.key, progress, entry)
    return None


def find_to_resume(connection: BaseDatabaseWrapper, domain: Domain) -> Interruption:
    """Return the migration that was interrupted last, which a person wants to resume.

    Raises:
        UnknownTarget: no migration was interrupted, so none can be resumed.
    """
    found = find_interruption(connection, domain)
    if found is None:
        raise UnknownTarget(
            f'No migration of the domain "{domain.name}" was interrupted.',
            hint=f"See its state with: manage.py show_domains {domain.name}",
        )
    return found


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
    found = (find_to_resume if resume else find_interruption)(connection, domain)
    if found is None:
        return None
    migration = loader.disk_migrations.get(found.key)
    if migration is not None:
        give_up_transaction(migration)  # It has run without one.
    if migration is None or migration.atomic or not (resume or found.safe_to_resume(migration)):
        raise _interrupted_error(connection, domain, found, migration)
    return found


def check_interruption(
    connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan, *, resume: bool
) -> None:
    """Check that a run of the plan would deal with what was interrupted.

    Raises:
        MigrationInterrupted: a person has to decide.
        UnknownTarget: no migration was interrupted, so none can be resumed.
    """
    check_resumed(connection, loader, check_interrupted(connection, loader, resume=resume), plan)


def check_resumed(
    connection: BaseDatabaseWrapper,
    loader: DomainLoader,
    interruption: Interruption | None,
    plan: Plan,
) -> None:
    """Check that the plan resumes the interrupted migration, in the direction in which it ran.

    Otherwise the run would leave it halfway, and end as if all were well.

    Raises:
        MigrationInterrupted: the plan does not.
    """
    planned = {(MigrationKey.of(migration), backwards) for migration, backwards in plan}
    if interruption and (interruption.key, interruption.backwards) not in planned:
        migration = loader.disk_migrations.get(interruption.key)
        raise _interrupted_error(connection, loader.domain, interruption, migration)


def _interrupted_error(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    interruption: Interruption,
    migration: Migration | None,
) -> MigrationInterrupted:
    """Return the error that describes the state of the migration, and what to run."""
    key = interruption.key
    invalid = [name for (name,) in fetch_all(connection, INVALID_INDEXES, [domain.schema])]
    done, deferred, _ = interruption.progress
    total = len(own_operations(migration)) if migration else 0
    action = "reverting" if interruption.backwards else "applying"
    begun = local_time(interruption.entry.started)
    message = (
        f"A run that began at {begun} was interrupted while {action} {key}, which is not atomic."
        f" Operations recorded as finished: {done} of {total}."
    )
    if deferred:
        message += f" SQL left to run after them: {'; '.join(deferred)}."
    if invalid:
        message += f" Invalid indexes: {', '.join(invalid)}."
    if migration is None:
        resume = "To resume it, deploy the code that has its file"
    elif migration.atomic:
        resume = "It has become atomic since: to resume it, write atomic = False again"
    else:
        step = "the SQL after the operations" if deferred else "the history row"
        if done < total:
            step = f"operation {done + 1}"
        resume = f"To resume at {step}, run: manage.py repair_domain {domain.name} --resume"
    name = str(key) if len(domain.app_labels) > 1 else printable(key.name)
    return MigrationInterrupted(
        message,
        hint=f"{resume}. If every change is already in the database, use --mark-applied {name}; if"
        f" none is, use --mark-unapplied {name}.",
    )
