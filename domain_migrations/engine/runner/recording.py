"""What a run writes down of each migration: the history row and the journal row."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import DatabaseError, transaction
from django.db.migrations.migration import Migration
from django.utils.timezone import now
from psycopg import sql

from ...domains import Domain, get_domain_for
from ...exceptions import DomainMigrationsError, MigrationFailed
from ..guard.guard import Footprint
from ..history.journal import Direction, Journal, Status
from ..history.recorder import DomainRecorder
from ..history.seed_ledger import clear_ledger, forget_dropped_tables
from ..history.tables import delete_sql, ensure_history, insert_sql, read_histories
from ..sessions.connection import first_line, is_alive, sqlstate_of
from ..sessions.session import SessionCheck
from ..sources.checksum import checksum
from ..sources.files import MigrationKey, migration_file
from .interruptions import FINISHED
from .loader import DomainLoader

SNAPSHOT = "snapshot"
"""In a journal row's details: the file that the migration's effect was restored from."""

REPLACED = "replaced"
"""In a journal row's details: a squashed migration that stands for applied ones."""


class MigrationLog:
    """The history and the journal of one domain, as one run writes them.

    Arguments:
        recorder: writes the history of a snapshot.
        journal: open; gets a row for each migration.
        loader: knows which migrations a squashed one replaces.
        check_session: called before each write to the history; raises when the connection is
            no longer the session that holds the lock.
    """

    def __init__(
        self,
        recorder: DomainRecorder,
        journal: Journal,
        loader: DomainLoader,
        check_session: SessionCheck,
    ) -> None:
        self.recorder = recorder
        self.journal = journal
        self.loader = loader
        self.check_session = check_session
        self._ensured: set[Domain] = set()

    def log_applied(
        self,
        migration: Migration,
        direction: Direction,
        started: datetime.datetime,
        clock: float,
        footprint: Footprint,
    ) -> None:
        """Write both rows of a migration that has run, in the transaction that is open.

        A snapshot is recorded as the migrations that it contains, and the journal says so.
        """
        check = partial(self.check_session, f"Migration {migration}")
        if hasattr(migration, "checksums"):
            check()
            self._log_snapshot(migration, migration.checksums, started, clock, footprint)
            return
        rows = [self._history(key, direction) for key in recorded_keys(self.loader, migration)]
        seconds = time.monotonic() - clock
        rows.append(
            self._journal(migration, direction, "done", started, seconds, footprint=footprint.locks)
        )
        check(also=sql.SQL("; ").join(rows))
        if direction == "backwards":
            self._forget_seeds()

    def _log_snapshot(
        self,
        migration: Migration,
        checksums: Mapping[MigrationKey, str],
        started: datetime.datetime,
        clock: float,
        footprint: Footprint,
    ) -> None:
        """Write the rows of the migrations that a snapshot contains; it knows their checksums."""
        parts = migrations_in(migration)
        self.recorder.record_all_applied(
            key for part in parts for key in recorded_keys(self.loader, part)
        )
        self.journal.write_migrations(
            [(*key, digest) for key, digest in checksums.items()],
            started=started,
            seconds=(time.monotonic() - clock) / len(parts),
            footprint=footprint.locks,
            details={SNAPSHOT: migration.name},
        )

    def log_faked(self, migration: Migration, direction: Direction) -> None:
        """Write the history without anything having run, and say so in the journal."""
        self._recorded(migration, direction, list(recorded_keys(self.loader, migration)))

    def log_squash(self, migration: Migration) -> None:
        """Write that a squashed migration stands for those it replaces, which are applied."""
        self._recorded(migration, "forwards", [MigrationKey.of(migration)], {REPLACED: True})

    def log_progress(
        self,
        migration: Migration,
        direction: Direction,
        started: datetime.datetime,
        finished: int,
    ) -> None:
        """Note how far a migration without a transaction has come."""
        details = {FINISHED: finished}
        self._write(self._journal(migration, direction, "running", started, 0.0, details=details))

    def log_failure(
        self,
        migration: Migration,
        direction: Direction,
        started: datetime.datetime,
        clock: float,
        failure: DomainMigrationsError,
        left: Mapping[str, Any],
    ) -> None:
        """Note a failure after its rollback; where the session is gone, the next run finds it.

        Arguments:
            left: what a migration without a transaction has left, for the run that goes on.
        """
        if is_alive(self.journal.connection):
            self._write(
                self._journal(
                    migration,
                    direction,
                    "failed",
                    started,
                    time.monotonic() - clock,
                    details=left,
                    error=failure.message,
                    sqlstate=failure.sqlstate,
                )
            )

    def _recorded(
        self,
        migration: Migration,
        direction: Direction,
        keys: Sequence[MigrationKey],
        details: Mapping[str, Any] | None = None,
    ) -> None:
        rows = [self._history(key, direction) for key in keys]
        rows.append(self._journal(migration, direction, "faked", now(), 0.0, details=details))
        self.check_session(f"Migration {migration}")
        with transaction.atomic(using=self.journal.connection.alias):
            self._write(sql.SQL("; ").join(rows))

    def _forget_seeds(self) -> None:
        """Let seeds run again whose tables an undone migration has taken away."""
        connection, domain = self.journal.connection, self.journal.domain
        if read_histories(connection, [domain])[domain.name]:
            forget_dropped_tables(connection, domain)
        else:
            clear_ledger(connection, [domain])

    def _write(self, row: sql.Composable) -> None:
        with self.journal.connection.cursor() as cursor:
            cursor.execute(row)

    def _history(self, key: MigrationKey, direction: Direction) -> sql.Composable:
        domain = get_domain_for(key[0])
        if domain not in self._ensured:
            ensure_history(self.journal.connection, domain)
            self._ensured.add(domain)
        if direction == "forwards":
            return insert_sql(domain, *key)
        return delete_sql(domain, *key)

    def _journal(
        self,
        migration: Migration,
        direction: Direction,
        status: Status,
        started: datetime.datetime,
        seconds: float,
        *,
        footprint: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
        error: str = "",
        sqlstate: str | None = None,
    ) -> sql.Composable:
        path = migration_file(MigrationKey.of(migration))
        return self.journal.insert_sql(
            status,
            direction,
            app=migration.app_label,
            name=migration.name,
            started=started,
            seconds=seconds,
            checksum=checksum(path.read_bytes()) if path else "",
            footprint=footprint,
            details=details,
            error=error,
            sqlstate=sqlstate,
        )


def migrations_in(migration: Migration) -> Sequence[Migration]:
    """Return the migrations that a snapshot contains; any other migration is its own only part."""
    return getattr(migration, "contained", None) or (migration,)


def recorded_keys(loader: DomainLoader, migration: Migration) -> Iterator[MigrationKey]:
    """Return the history rows that stand for a migration: its own and those it replaces."""
    for key in migration.replaces:
        inner = loader.disk_migrations.get((key[0], key[1]))
        if inner is not None:
            yield from recorded_keys(loader, inner)
        else:
            yield MigrationKey(*key)
    yield MigrationKey.of(migration)


class RunLog:
    """A run's own rows in the journal.

    Arguments:
        journal: whose table need not be there yet.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.started, self.clock = now(), time.monotonic()
        self.begun = False

    def begin(self) -> None:
        """Note that the run has begun; once is enough."""
        if not self.begun:
            self.journal.write("running", "run", started=self.started)
            self.begun = True

    def end(self, exc: Exception | None = None) -> None:
        """Note that the run has ended, and by what error."""
        if self.begun and is_alive(self.journal.connection):
            self.journal.write(
                "failed" if exc else "done",
                "run",
                started=self.started,
                seconds=time.monotonic() - self.clock,
                error=getattr(exc, "message", None) or first_line(exc) if exc else "",
                sqlstate=sqlstate_of(exc),
            )


@contextmanager
def logged_run(journal: Journal) -> Iterator[RunLog]:
    """Frame a run in the journal: it is finished only behind ``post_migrate`` and the hooks.

    It is noted from its beginning where there is a journal; else from ``begin()``.

    Raises:
        MigrationFailed: a receiver of ``pre_migrate`` or ``post_migrate`` raised an error.
    """
    record = RunLog(journal)
    if journal.exists():
        record.begin()
    try:
        try:
            yield record
        except (DomainMigrationsError, DatabaseError):
            raise
        except Exception as exc:
            raise MigrationFailed(
                f"A receiver of pre_migrate or post_migrate failed: {first_line(exc)}",
                hint="What is applied is recorded; the next run sends the signal again.",
            ) from exc
    except Exception as exc:
        record.end(exc)
        raise
    record.end()
