"""Interrupted migrations: where they stopped, and whether a run may resume them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration

from ...domains import Domain
from ...exceptions import MigrationInterrupted, UnknownTarget
from ..history.journal_queries import JournalRow, latest_entries, read_entries
from ..sessions.connection import fetch_all
from ..sources.files import MigrationKey
from .failures import BUILT, DEFERRED, FINISHED
from .loader import DomainLoader, Plan

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


@dataclass(frozen=True)
class Interruption:
    """A migration that began without a transaction and was neither finished nor reverted.

    Attributes:
        finished: how many of its operations are known to have run; the next one may have run
            too, in whole or in part.
        entry: the latest row in the journal.
    """

    key: MigrationKey
    finished: int
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

    @property
    def deferred(self) -> tuple[str, ...]:
        """The SQL that the finished operations have left; its first statement may have run."""
        return tuple(self.entry.details.get(DEFERRED, ()))

    def safe_to_resume(self, migration: Migration) -> bool:
        """Return whether only concurrent index operations are left, which can be repeated.

        If no operation is left, the run must have died while only the history row was missing: it
        was neither refused by the guard nor in the middle of the deferred SQL.
        """
        operations = migration.operations
        order = operations[::-1] if self.backwards else operations
        left = order[self.finished :]
        if not left:
            return self.entry.status == "running" and not self.deferred
        return all(type(operation).__name__ in CONCURRENT_INDEX for operation in left)


def find_interruption(connection: BaseDatabaseWrapper, domain: Domain) -> Interruption | None:
    """Return the migration that was interrupted last, according to the domain's journal."""
    rows = read_entries(connection, domain)
    for key, entry in latest_entries(rows).items():
        if entry.status not in ("running", "failed"):
            continue
        own = [row for row in rows if (row.key, row.run) == (key, entry.run)]
        # An atomic migration that failed has left nothing, and has no row that says "running".
        if any(row.status == "running" for row in own):
            finished = max(row.details.get(FINISHED, 0) for row in own)
            return Interruption(key, finished, entry)
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
    found = find_interruption(connection, domain)
    if found is None:
        if resume:
            raise UnknownTarget(
                f'No migration of the domain "{domain.name}" was interrupted.',
                hint=f"See its state with: manage.py show_domains {domain.name}",
            )
        return None
    migration = loader.disk_migrations.get(found.key)
    if migration is None or not (resume or found.safe_to_resume(migration)):
        raise _interrupted_error(connection, domain, found, migration)
    return found


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
    total = len(migration.operations) if migration else 0
    action = "reverting" if interruption.backwards else "applying"
    begun = interruption.entry.started.isoformat(" ", "seconds")
    message = (
        f"A run that began at {begun} was interrupted while {action} {key}, which is not atomic."
        f" Operations recorded as finished: {interruption.finished} of {total}."
    )
    if interruption.deferred:
        message += f" SQL left to run after them: {'; '.join(interruption.deferred)}."
    if invalid:
        message += f" Invalid indexes: {', '.join(invalid)}."
    name = key if len(domain.app_labels) > 1 else key.name
    return MigrationInterrupted(
        message,
        hint=(
            f"To resume at {_next_step(interruption, total)}, run: manage.py repair_domain"
            f" {domain.name} --resume. If every change is already in the database, use"
            f" --mark-applied {name}; if none is, use --mark-unapplied {name}."
        ),
    )


def _next_step(interruption: Interruption, total: int) -> str:
    if interruption.finished < total:
        return f"operation {interruption.finished + 1}"
    return "the SQL after the operations" if interruption.deferred else "the history row"
