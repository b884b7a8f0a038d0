"""The rows that a run writes for each migration: in the history and in the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.migrations.migration import Migration
from psycopg import sql

from ...domains import Domain, get_domain_for
from ...exceptions import DomainMigrationsError
from ..catalog.unmanaged import name_of
from ..guard.created_objects import bounded
from ..guard.watch import Footprint
from ..history.journal import Direction, Status
from ..history.recorder import DomainRecorder
from ..history.seed_ledger import clear_ledger, forget_dropped_tables
from ..history.shapes import discarded_rows
from ..history.tables import (
    applied_keys_in,
    delete_sql,
    ensure_history,
    insert_sql,
    read_histories,
)
from ..sessions.connection import count_rows, execute
from ..sources.checksum import checksum_on_disk
from ..sources.files import MigrationKey
from .attempts import Attempt, Progress
from .loader import DomainLoader
from .run_progress import migrations_in
from .run_session import RunSession

SNAPSHOT = "snapshot"
"""In a journal row's details: the file that the migration's effect was restored from."""

CATALOG = "catalog"
"""In the details of an adopted migration's row: the migration whose catalog the schema has."""

REPLACED = "replaced"
"""In a journal row's details: a squashed migration that stands for applied ones."""


READ_WRITE = sql.SQL("SET LOCAL transaction_read_only = off")
"""Sent with a row, because an operation may have changed default_transaction_read_only."""


class MigrationLog:
    """The calls by which an executor has its migrations recorded; these record nothing.

    Attributes:
        writes: whether it writes to the history and to the journal.
    """

    writes = False

    def for_session(self, session: RunSession, loader: DomainLoader) -> MigrationLog:
        """Return a log of the same kind for another domain."""
        return self

    def log_applied(self, attempt: Attempt, footprint: Footprint) -> None:
        """Record a migration that has run, in the transaction that is open."""

    def log_faked(self, migration: Migration, direction: Direction) -> None:
        """Record a migration as applied or reverted although nothing has run."""

    def log_adopted(self, migration: Migration, catalog: MigrationKey) -> None:
        """Record a migration as applied because the schema is as it makes it.

        Arguments:
            catalog: the migration with the catalog that the schema has.
        """

    def log_squash(self, migration: Migration) -> None:
        """Record a squashed migration; those it replaces are applied."""

    def log_squashes(self, squashed: Iterable[Migration], applied: set[tuple[str, str]]) -> None:
        """Record those squashed migrations whose replaced ones are all applied."""
        for migration in squashed:
            key = migration.app_label, migration.name
            if key not in applied and applied.issuperset(migration.replaces):
                self.log_squash(migration)
                applied.add(key)

    def log_progress(self, attempt: Attempt, progress: Progress) -> None:
        """Record how far a migration without a transaction has come."""

    def log_failure(self, attempt: Attempt, failure: DomainMigrationsError) -> None:
        """Record a failure, after its rollback."""


class HistoryLog(MigrationLog):
    """The log that writes to the history and to the journal.

    Arguments:
        session: the run's; its journal is open.
        loader: knows which migrations a squashed one replaces.
    """

    writes = True

    def __init__(self, session: RunSession, loader: DomainLoader) -> None:
        self.session = session
        self.journal = session.journal
        self.loader = loader
        self._ensured: set[Domain] = set()

    def for_session(self, session: RunSession, loader: DomainLoader) -> MigrationLog:
        return HistoryLog(session, loader)

    def log_applied(self, attempt: Attempt, footprint: Footprint) -> None:
        """Record a migration, or those that a snapshot contains, which the journal then names."""
        migration, step = attempt.migration, f"Migration {attempt.migration}"
        if hasattr(migration, "checksums"):
            attempt.note_transaction(self.session.check(step))
            self._log_snapshot(attempt, migration.checksums, footprint)
            return
        keys = list(recorded_keys(self.loader, migration))
        rows = self._history_rows(keys, attempt.direction)
        details = {**bounded(list(attempt.created)), **attempt.details}
        rows.append(self._row("done", attempt, footprint=footprint, details=details))
        counts: list[int] = []
        attempt.note_transaction(self.session.check(step, sql.SQL("; ").join(rows), counts))
        self._check_written(counts, attempt.direction, keys)
        if attempt.backwards:
            self._forget_seeds()

    def log_faked(self, migration: Migration, direction: Direction) -> None:
        self._log_unexecuted(migration, direction, recorded_keys(self.loader, migration))

    def log_adopted(self, migration: Migration, catalog: MigrationKey) -> None:
        self._log_unexecuted(
            migration,
            "forwards",
            recorded_keys(self.loader, migration),
            status="adopted",
            details={CATALOG: str(catalog)},
        )

    def log_squash(self, migration: Migration) -> None:
        self._log_unexecuted(
            migration, "forwards", [MigrationKey.of(migration)], details={REPLACED: True}
        )

    def log_progress(self, attempt: Attempt, progress: Progress) -> None:
        row = self._row("running", attempt, seconds=0.0, details=progress.as_details())
        execute(self.session.connection, sql.SQL("; ").join((READ_WRITE, row)))

    def log_failure(self, attempt: Attempt, failure: DomainMigrationsError) -> None:
        """Record a failure; if the session is lost, the migration's last row says running."""
        if self.session.is_alive:
            row = self._row(
                "failed",
                attempt,
                details=attempt.unfinished_details(failure),
                error=failure.message,
                sqlstate=failure.sqlstate,
            )
            execute(self.session.connection, row)

    def _log_snapshot(
        self, attempt: Attempt, checksums: Mapping[MigrationKey, str], footprint: Footprint
    ) -> None:
        """Record the migrations that a snapshot contains, with the checksums in its file."""
        parts = migrations_in(attempt.migration)
        DomainRecorder(self.session.connection, self.session.domain).record_all_applied(
            key for part in parts for key in recorded_keys(self.loader, part)
        )
        *others, last = [(*key, digest) for key, digest in checksums.items()]
        created = bounded(_unmanaged(attempt))

        def insert(steps: list[tuple[str, str, str]], more: Mapping[str, Any]) -> sql.Composable:
            return self.journal.insert_all_sql(
                steps,
                "done",
                "forwards",
                started=attempt.started,
                seconds=attempt.seconds / len(parts),
                footprint=footprint,
                details={SNAPSHOT: attempt.migration.name, **more},
            )

        rows = [insert(others, {})] if others else []
        execute(self.session.connection, sql.SQL("; ").join([*rows, insert([last], created)]))

    def _log_unexecuted(
        self,
        migration: Migration,
        direction: Direction,
        keys: Iterable[MigrationKey],
        status: Status = "faked",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        keys = list(keys)
        rows = self._history_rows(keys, direction)
        attempt = Attempt(migration, direction)
        rows.append(self._row(status, attempt, seconds=0.0, details=details))
        self.session.check(f"Migration {migration}")
        with transaction.atomic(using=self.session.connection.alias):
            counts = count_rows(self.session.connection, sql.SQL("; ").join(rows))
            self._check_written(counts, direction, keys)

    def _check_written(
        self, counts: Sequence[int], direction: Direction, keys: Iterable[MigrationKey]
    ) -> None:
        """Check that the histories and the journal have kept what was written of a migration.

        Arguments:
            counts: of the rows that the statements have written, that of the journal last. A
                migration that was reverted may have had no row, or is a squashed one with rows of
                only some of those that it replaces.

        Raises:
            ChangedTable: a trigger or a rule has discarded a row, with which the migration would
                run again, or not run again.
        """
        *history, journal = counts or [1]
        for key, count in zip(keys, history, strict=False):
            table = get_domain_for(key.app).history_table
            if count == 0 and (
                direction == "forwards" or key in applied_keys_in(self.session.connection, table)
            ):
                raise discarded_rows(table)
        if not journal:
            raise discarded_rows(self.session.domain.journal_table)

    def _forget_seeds(self) -> None:
        """Let seeds run again if reverting a migration has dropped their tables."""
        connection, domain = self.session.connection, self.session.domain
        if read_histories(connection, [domain])[domain.name]:
            forget_dropped_tables(connection, domain)
        else:
            clear_ledger(connection, [domain])

    def _history_rows(
        self, keys: Iterable[MigrationKey], direction: Direction
    ) -> list[sql.Composable]:
        """Return the statements that add the migrations to their histories, or remove them."""
        change = insert_sql if direction == "forwards" else delete_sql
        rows: list[sql.Composable] = []
        for key in keys:
            domain = get_domain_for(key.app)
            if domain not in self._ensured:
                ensure_history(self.session.connection, domain)
                self._ensured.add(domain)
            rows.append(change(domain, *key))
        return rows

    def _row(self, status: Status, attempt: Attempt, **values: Any) -> sql.Composable:
        """Return the statement that appends a row to the journal."""
        key = MigrationKey.of(attempt.migration)
        return self.journal.insert_sql(
            status,
            attempt.direction,
            app=key.app,
            name=key.name,
            started=attempt.started,
            checksum=checksum_on_disk(key),
            **{"seconds": attempt.seconds, **values},
        )


def _unmanaged(attempt: Attempt) -> list[str]:
    """Return what a snapshot created and no model manages: the models' tables are known."""
    snapshot: Any = getattr(attempt.migration, "snapshot", None)
    names = {name_of(title) for title in snapshot.unmanaged} if snapshot else ()
    return [entry for entry in attempt.created if entry.partition(" ")[2] in names]


def recorded_keys(loader: DomainLoader, migration: Migration) -> Iterator[MigrationKey]:
    """Yield the history rows that stand for a migration: its own and those it replaces."""
    for key in migration.replaces:
        inner = loader.disk_migrations.get((key[0], key[1]))
        if inner is not None:
            yield from recorded_keys(loader, inner)
        else:
            yield MigrationKey(*key)
    yield MigrationKey.of(migration)
