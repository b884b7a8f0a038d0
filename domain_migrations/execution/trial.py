"""Running migrations in a transaction that will be rolled back, and reporting what they did."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.management.commands.migrate import Command
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState
from psycopg import sql

from ..boundary.footprint import Footprint
from ..boundary.held import STRENGTH
from ..exceptions import DomainMigrationsError
from ..files import MigrationKey
from ..history.context import RunContext
from ..history.journal import Direction, Journal
from .executor import DomainExecutor
from .failures import LOCK_NOT_HAD
from .loader import DomainLoader
from .locks import HeldLock
from .options import MigrateOptions
from .recording import Recorder
from .records import Key, Records, history_keys
from .reporter import Reporter
from .results import Step
from .rewritten import read_files, rewritten
from .traffic import RetryPolicy, Traffic

NOTHING_KEPT = "Nothing was kept. Correct the cause and run the command again."

DEFERRABLE_NOW = """
SELECT n.nspname, k.conname FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
WHERE k.condeferrable AND NOT k.condeferred AND has_schema_privilege(n.oid, 'USAGE')
"""


class _Unrecorded(Records):
    """Writes nothing, not even what would be rolled back: ids of the tables would be lost.

    The loader is told instead what counts as applied.
    """

    footprint: Footprint = Footprint()

    def done(
        self,
        migration: Migration,
        direction: Direction,
        started: datetime.datetime,
        clock: float,
        footprint: Footprint,
    ) -> None:
        self.check_session(f"Migration {migration}")
        self.footprint = footprint
        for key in history_keys(self.loader, migration):
            if direction == "forwards":
                self.loader.applied_migrations[key] = migration
            else:
                self.loader.applied_migrations.pop(key, None)

    def faked(
        self, migration: Migration, direction: Direction, keys: list[Key] | None = None
    ) -> None:
        """A squashed migration is recorded by the run that applies the last one of it."""

    def failed(
        self,
        migration: Migration,
        direction: Direction,
        started: datetime.datetime,
        clock: float,
        failure: DomainMigrationsError,
        left: Mapping[str, Any],
    ) -> None:
        """Nothing has happened."""


class TrialExecutor(DomainExecutor):
    """Runs atomic migrations inside a transaction that the caller rolls back.

    Nothing is written to the history and the journal, and nothing is tried again: that would
    keep the locks of the migrations before.

    Arguments:
        lock: of the run, on its own connection.
        loader: loads the domain and core.
        options: the timeouts.
        reporter: told what happens.

    Attributes:
        steps: what each migration did.
    """

    def __init__(
        self, lock: HeldLock, loader: DomainLoader, options: MigrateOptions, reporter: Reporter
    ) -> None:
        journal = Journal(lock.connection, loader.domain, RunContext())
        traffic = Traffic(lock.connection, options, report=reporter.note)
        traffic.policy = RetryPolicy(retries=0)
        super().__init__(
            lock.connection,
            loader,
            journal=journal,
            traffic=traffic,
            check_session=lock.assert_same,
        )
        self.unrecorded = _Unrecorded(self.records.recorder, journal, loader, lock.assert_same)
        self.records = self.unrecorded
        self.recording = Recorder(lock.connection)
        self.steps: list[Step] = []
        self.held: dict[str, str] = {}

    def begin(self) -> None:
        """Remember the database as it is when the first migration begins."""
        self.files = read_files(self.connection)
        self.guard.pass_over()

    def apply_migration(
        self,
        state: ProjectState,
        migration: Migration,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        """Run a migration forwards, and note what it did."""
        with self._failing_for_nothing():
            state = super().apply_migration(state, migration)
        self._note(migration, backwards=False, seconds=self.outcome.applied[-1].seconds)
        return state

    def unapply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False
    ) -> ProjectState:
        """Run a migration backwards, and note what it did."""
        with self._failing_for_nothing():
            state = super().unapply_migration(state, migration)
        self._note(migration, backwards=True, seconds=self.outcome.reverted[-1].seconds)
        return state

    def _note(self, migration: Migration, *, backwards: bool, seconds: float) -> None:
        restore_deferral(self.connection)
        before, self.files = self.files, read_files(self.connection)
        self.steps.append(
            Step(
                key=MigrationKey(migration.app_label, migration.name),
                backwards=backwards,
                operations=in_words(migration, backwards=backwards),
                sql=self.recording.statements,
                locks=self._added(self.unrecorded.footprint.locks),
                rewritten=rewritten(self.connection, before, self.files),
                seconds=seconds,
            )
        )

    def _added(self, locks: Mapping[str, str]) -> dict[str, str]:
        """Return the locks that are stronger than what earlier migrations took."""
        added = {
            relation: mode
            for relation, mode in locks.items()
            if STRENGTH[mode] > STRENGTH.get(self.held.get(relation, ""), -1)
        }
        self.held.update(added)
        return added

    @contextmanager
    def _acting(self, migration: Migration) -> Iterator[None]:
        with super()._acting(migration), self.recording.recording(migration):
            yield

    @contextmanager
    def _failing_for_nothing(self) -> Iterator[None]:
        """Take out of a failure what it says of migrations that were kept."""
        try:
            yield
        except DomainMigrationsError as exc:
            if exc.__cause__ is None:  # A refusal, whose hint is about the file.
                raise
            message = exc.message
            if exc.sqlstate == LOCK_NOT_HAD:
                message = f"{message.rstrip('.')}{self.traffic.blamed()}."
            raise type(exc)(message, hint=NOTHING_KEPT, sqlstate=exc.sqlstate) from exc


def in_words(migration: Migration, *, backwards: bool) -> tuple[str, ...]:
    """Return a migration's operations as ``migrate --plan`` of Django tells them."""
    return tuple(
        Command.describe_operation(operation, backwards)[0] for operation in migration.operations
    )


def restore_deferral(connection: BaseDatabaseWrapper) -> None:
    """Let constraints be deferred, or not, as they are at the start of a transaction.

    A migration's deferred constraints are forced at its end. PostgreSQL then checks all of them
    at once until the end of the transaction, which in a real run is the end of the migration.
    """
    with connection.cursor() as cursor:
        cursor.execute(DEFERRABLE_NOW)
        at_once = sql.SQL(", ").join(sql.Identifier(*row) for row in cursor.fetchall())
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        if at_once.as_string(connection.connection):
            cursor.execute(sql.SQL("SET CONSTRAINTS {} IMMEDIATE").format(at_once))


@contextmanager
def rolled_back(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Roll back all that the body does, whether it succeeds or not."""
    with transaction.atomic(using=connection.alias):
        try:
            yield
        finally:
            if connection.in_atomic_block:
                transaction.set_rollback(True, using=connection.alias)
