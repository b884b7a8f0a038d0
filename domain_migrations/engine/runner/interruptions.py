"""Migrations without a transaction of their own that never came to their end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from ...exceptions import MigrationInterrupted, UnknownTarget
from ..history.journal import Direction
from ..history.journal_queries import JournalEntry, latest_entries, read_entries
from ..sources.files import MigrationKey
from .loader import DomainLoader

FINISHED = "finished"
"""In a journal row's details: how many operations a non-atomic migration has behind it."""

BUILT = "built"
"""In a failed row's details: the operation at hand had built its index concurrently."""

CONCURRENT_INDEX = frozenset({"AddIndexConcurrently", "RemoveIndexConcurrently"})
"""Operations that are safe to begin again: what they leave is an invalid index of their own."""

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
    """A migration that began without a transaction and is neither done nor undone.

    Attributes:
        finished: how many of its operations are known to have run; the one behind them may
            have run too, or a part of it.
    """

    key: MigrationKey
    backwards: bool
    finished: int
    entry: JournalEntry

    def is_of(self, migration: Migration, direction: Direction) -> bool:
        """Return whether this is what was interrupted, in the same direction."""
        key = migration.app_label, migration.name
        return key == tuple(self.key) and self.backwards == (direction == "backwards")

    @property
    def may_have_built(self) -> bool:
        """Whether the interrupted run may have built the index that comes next.

        It was killed, and the server went on by itself; or it failed right behind it.
        """
        return self.entry.status == "running" or bool(self.entry.details.get(BUILT))

    def remaining(self, migration: Migration) -> Sequence[Operation]:
        """Return the operations that are left, in the order in which the file has them."""
        operations = migration.operations
        if self.backwards:
            return operations[: len(operations) - self.finished]
        return operations[self.finished :]

    def safe_to_resume(self, migration: Migration) -> bool:
        """Only indexes built concurrently are left, and those can be begun again."""
        return all(
            type(operation).__name__ in CONCURRENT_INDEX for operation in self.remaining(migration)
        )


def find_interruption(entries: Iterable[JournalEntry]) -> Interruption | None:
    """Return the migration that was interrupted last, by what the journal says."""
    rows = list(entries)
    for (app, name), entry in latest_entries(rows).items():
        if entry.status not in ("running", "failed"):
            continue
        own = [row for row in rows if (row.app, row.name, row.run) == (app, name, entry.run)]
        begun = [row for row in own if row.status == "running"]
        if not begun:
            continue  # An atomic migration that failed has left nothing.
        return Interruption(
            MigrationKey(app, name),
            backwards=entry.direction == "backwards",
            finished=max(row.details.get(FINISHED, 0) for row in own),
            entry=entry,
        )
    return None


def refuse(
    connection: BaseDatabaseWrapper, loader: DomainLoader, interruption: Interruption
) -> MigrationInterrupted:
    """Return the error that says what state the migration is in, and what to run."""
    domain, key = loader.domain, interruption.key
    with connection.cursor() as cursor:
        cursor.execute(INVALID_INDEXES, [domain.schema])
        invalid = [name for (name,) in cursor.fetchall()]
    migration = loader.disk_migrations.get((key.app, key.name))
    total = len(migration.operations) if migration else 0
    doing = "undoing" if interruption.backwards else "applying"
    begun = interruption.entry.started.isoformat(" ", "seconds")
    message = (
        f"A run that began at {begun} was interrupted while {doing} {key}, which is not atomic:"
        f" {interruption.finished} of its {total} operations are known to be finished."
    )
    if invalid:
        message += f" Invalid indexes: {', '.join(invalid)}."
    name = f"{key.app}.{key.name}" if len(domain.app_labels) > 1 else key.name
    return MigrationInterrupted(
        message,
        hint=(
            f"To go on with its operation {interruption.finished + 1}:"
            f" manage.py repair_domain {domain.name} --resume. If all of it is there:"
            f" --mark-applied {name}; if none of it is: --mark-unapplied {name}."
        ),
    )


def check_interrupted(
    connection: BaseDatabaseWrapper, loader: DomainLoader, *, resume: bool
) -> Interruption | None:
    """Return the interrupted migration to go on with, None where there is none.

    Arguments:
        resume: a person has decided to go on; else only what is safe is gone on with.

    Raises:
        Interrupted: a person has to decide.
        UnknownTarget: there is nothing to resume.
    """
    domain = loader.domain
    found = find_interruption(read_entries(connection, domain))
    if found is None:
        if resume:
            raise UnknownTarget(
                f'No migration of the domain "{domain.name}" was interrupted.',
                hint=f"See where it stands with: manage.py show_domains {domain.name}",
            )
        return None
    migration = loader.disk_migrations.get((found.key.app, found.key.name))
    if migration is None or not (resume or found.safe_to_resume(migration)):
        raise refuse(connection, loader, found)
    return found
