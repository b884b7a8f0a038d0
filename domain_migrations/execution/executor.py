"""Django's migration executor, with one transaction around all that a migration does.

Stock Django records a migration in a second transaction whenever there is deferred SQL, and
always when it is undone. Here the operations, the deferred SQL, the deferred constraints, the
footprint guard, the history row and the journal row commit together or not at all.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.utils.timezone import now

from ..boundary.footprint import Footprint, FootprintGuard
from ..domains import Domain
from ..exceptions import DomainMigrationsError
from ..history.checksum import checksum
from ..history.journal import Direction, Journal
from ..history.recorder import DomainRecorder
from .disk import migration_file
from .failures import Position, failure_of
from .interrupted import FINISHED, Interruption
from .loader import DomainLoader
from .results import MigrationKey, Ran
from .traffic import Traffic

Progress = Callable[..., None]
"""Called as Django calls it: (action, migration, fake)."""


@dataclass
class Outcome:
    """What an executor has done so far; still there when it was stopped by an error."""

    applied: list[Ran] = field(default_factory=list)
    reverted: list[Ran] = field(default_factory=list)


class DomainExecutor(MigrationExecutor):
    """Runs the migrations of one domain.

    Arguments:
        connection: the run's own connection, the one that holds the lock.
        loader: loads the domain and core.
        journal: open; gets a row for each migration.
        traffic: the timeouts and the retries.
        check_session: called before each migration and each history write; raises when the
            connection is no longer the session that holds the lock.
        progress: told what starts and what is done.
    """

    loader: DomainLoader

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        loader: DomainLoader,
        *,
        journal: Journal,
        traffic: Traffic,
        check_session: Callable[[str], None],
        progress: Progress | None = None,
    ) -> None:
        # Not super().__init__(): it would load every app of the project.
        self.connection = connection
        self.loader = loader
        self.recorder = DomainRecorder(connection)
        self.progress_callback = progress
        self.domain: Domain = loader.domain
        self.journal = journal
        self.traffic = traffic
        self.check_session = check_session
        self.guard = FootprintGuard(connection, self.domain)
        self.outcome = Outcome()
        self.interruption: Interruption | None = None

    def apply_migration(
        self,
        state: ProjectState,
        migration: Migration,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        """Run a migration forwards; mirrors ``MigrationExecutor.apply_migration``."""
        self._report("apply_start", migration, fake)
        if not fake and fake_initial:
            fake, state = self.detect_soft_applied(state, migration)
        started = time.monotonic()
        if fake:
            self._record_only(migration, "forwards")
            state = migration.mutate_state(state, preserve=False)
        else:
            state = self._run(migration, state, "forwards")
        self.outcome.applied.append(_ran(migration, started))
        self._report("apply_success", migration, fake)
        return state

    def unapply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False
    ) -> ProjectState:
        """Run a migration backwards; mirrors ``MigrationExecutor.unapply_migration``."""
        self._report("unapply_start", migration, fake)
        started = time.monotonic()
        if fake:
            self._record_only(migration, "backwards")
        else:
            state = self._run(migration, state, "backwards")
        self.outcome.reverted.append(_ran(migration, started))
        self._report("unapply_success", migration, fake)
        return state

    def check_replacements(self) -> None:
        """Record squashed migrations of this domain whose replaced ones are all applied."""
        applied = self.recorder.applied_migrations()
        for key, migration in self.loader.replacements.items():
            if key[0] not in self.domain.app_labels or key in applied:
                continue
            if all(replaced in applied for replaced in migration.replaces):
                self._record_only(migration, "forwards", keys=[key])
                applied[key] = migration

    def _run(self, migration: Migration, state: ProjectState, direction: Direction) -> ProjectState:
        attempt = 0
        while True:
            self.check_session("An earlier migration")
            started, clock, position = now(), time.monotonic(), Position(migration, direction)
            try:
                if migration.atomic:
                    return self._run_atomic(migration, state, direction, started, position)
                return self._run_non_atomic(migration, state, direction, started, position)
            except DomainMigrationsError as exc:
                failure = exc
            except Exception as exc:
                attempt += 1
                if self.traffic.retries(exc, attempt, migration):
                    # The failed operations have changed the state already.
                    state = self._state_before(migration, direction)
                    continue
                failure = failure_of(exc, position, self.outcome.applied)
                failure.__cause__ = exc
            self._report("failure", migration, False)
            self._journal_failure(migration, direction, started, clock, failure)
            raise failure

    def _run_atomic(
        self,
        migration: Migration,
        state: ProjectState,
        direction: Direction,
        started: datetime.datetime,
        position: Position,
    ) -> ProjectState:
        clock = time.monotonic()

        def after(operation: Operation) -> None:
            self.guard.after_operation(operation)
            position.done(operation)

        with transaction.atomic(using=self.connection.alias):
            self.guard.begin(migration)
            with self.traffic.timeouts(), self.connection.schema_editor(atomic=True) as editor:
                state = run_operations(migration, state, editor, direction, after)
                position.place = "the deferred SQL"
            position.place = "the deferred constraints"
            with self.connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            position.place = "the footprint guard"
            footprint = self.guard.check()
            position.place = "the history row"
            self._record(migration, direction, started, clock, footprint)
        return state

    def _run_non_atomic(
        self,
        migration: Migration,
        state: ProjectState,
        direction: Direction,
        started: datetime.datetime,
        position: Position,
    ) -> ProjectState:
        clock, finished = time.monotonic(), self._finished(migration, direction)

        def after(operation: Operation) -> None:
            self.guard.after_operation(operation)
            position.done(operation)
            self._journal_running(migration, direction, started, finished + position.index)

        self._journal_running(migration, direction, started, finished)
        position.skipped = finished
        self.guard.begin(migration)
        with self.traffic.session_timeouts(migration):
            with self.connection.schema_editor(atomic=False) as editor:
                state = run_operations(migration, state, editor, direction, after, skip=finished)
                position.place = "the deferred SQL"
            position.place = "the footprint guard"
            footprint = self.guard.check()
        position.place = "the history row"
        with transaction.atomic(using=self.connection.alias):
            self._record(migration, direction, started, clock, footprint)
        return state

    def _finished(self, migration: Migration, direction: Direction) -> int:
        """Return how many operations an interrupted run has finished, 0 for a fresh start."""
        found = self.interruption
        if found is None or (migration.app_label, migration.name) != tuple(found.key):
            return 0
        return found.finished if found.backwards == (direction == "backwards") else 0

    def _journal_running(
        self,
        migration: Migration,
        direction: Direction,
        started: datetime.datetime,
        finished: int,
    ) -> None:
        self._journal(migration, direction, "running", started, 0.0, details={FINISHED: finished})

    def _record(
        self,
        migration: Migration,
        direction: Direction,
        started: datetime.datetime,
        clock: float,
        footprint: Footprint,
    ) -> None:
        self.check_session(f"Migration {migration}")
        for app_label, name in history_keys(self.loader, migration, direction):
            self._write_history(app_label, name, direction)
        self._journal(
            migration,
            direction,
            "done",
            started,
            time.monotonic() - clock,
            footprint=footprint.locks,
        )

    def _record_only(
        self,
        migration: Migration,
        direction: Direction,
        keys: list[tuple[str, str]] | None = None,
    ) -> None:
        """Write the history without running anything, and say so in the journal."""
        self.check_session(f"Migration {migration}")
        with transaction.atomic(using=self.connection.alias):
            for app_label, name in keys or history_keys(self.loader, migration, direction):
                self._write_history(app_label, name, direction)
            self._journal(migration, direction, "faked", now(), 0.0)

    def _write_history(self, app_label: str, name: str, direction: Direction) -> None:
        if direction == "forwards":
            self.recorder.record_applied(app_label, name)
        else:
            self.recorder.record_unapplied(app_label, name)

    def _journal(
        self,
        migration: Migration,
        direction: Direction,
        status: Any,
        started: datetime.datetime,
        seconds: float,
        **values: Any,
    ) -> None:
        path = migration_file((migration.app_label, migration.name))
        self.journal.write(
            status,
            direction,
            app=migration.app_label,
            name=migration.name,
            started=started,
            seconds=seconds,
            checksum=checksum(path.read_bytes()) if path else "",
            **values,
        )

    def _journal_failure(
        self,
        migration: Migration,
        direction: Direction,
        started: datetime.datetime,
        clock: float,
        failure: DomainMigrationsError,
    ) -> None:
        if self.connection.connection is None or self.connection.connection.closed:
            return  # The session is gone; the next run finds what this one left.
        self._journal(
            migration,
            direction,
            "failed",
            started,
            time.monotonic() - clock,
            error=failure.message,
            sqlstate=failure.sqlstate,
        )

    def _state_before(self, migration: Migration, direction: Direction) -> ProjectState:
        """Return the project state that the migration starts from, built anew."""
        state = ProjectState(real_apps=self.loader.unmigrated_apps)
        nodes = self.loader.graph.nodes
        done = {nodes[key] for key in self.loader.applied_migrations if key in nodes}
        done |= {nodes[ran.key] for ran in self.outcome.applied if ran.key in nodes}
        done -= {nodes[ran.key] for ran in self.outcome.reverted if ran.key in nodes}
        for node, _ in self.migration_plan(self.loader.graph.leaf_nodes(), clean_start=True):
            if node == migration:
                break
            if node in done:
                node.mutate_state(state, preserve=False)
        return state

    def _report(self, action: str, migration: Migration, fake: bool) -> None:
        if self.progress_callback:
            self.progress_callback(action, migration, fake)


def run_operations(
    migration: Migration,
    state: ProjectState,
    editor: BaseDatabaseSchemaEditor,
    direction: Direction,
    after: Callable[[Operation], None],
    *,
    skip: int = 0,
) -> ProjectState:
    """Run a migration's operations, calling ``after`` behind each.

    The operations are wrapped for the time of the call, so that ``Migration.apply`` and
    ``unapply``, and what third parties made of them, run as they are.

    Arguments:
        skip: how many operations have run already, in the order of the direction.
    """
    operations = migration.operations
    if direction == "forwards":
        for operation in operations[:skip]:
            operation.state_forwards(migration.app_label, state)
        with _watched(migration, operations[skip:], after):
            return migration.apply(state, editor)
    with _watched(migration, operations[: len(operations) - skip], after):
        return migration.unapply(state, editor)


class _Watched:
    """An operation that tells when it has run, and is the operation in all else."""

    def __init__(self, operation: Operation, after: Callable[[Operation], None]) -> None:
        self._operation = operation
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operation, name)

    def database_forwards(self, *args: Any) -> None:
        self._operation.database_forwards(*args)
        self._after(self._operation)

    def database_backwards(self, *args: Any) -> None:
        self._operation.database_backwards(*args)
        self._after(self._operation)


@contextmanager
def _watched(
    migration: Migration, operations: Sequence[Operation], after: Callable[[Operation], None]
) -> Iterator[None]:
    everything = migration.operations
    migration.operations = [_Watched(operation, after) for operation in operations]  # type: ignore[misc]
    try:
        yield
    finally:
        migration.operations = everything


def history_keys(
    loader: DomainLoader, migration: Migration, direction: Direction
) -> Iterator[tuple[str, str]]:
    """Return the history rows that stand for a migration: its own and those it replaces."""
    for key in migration.replaces:
        inner = loader.disk_migrations.get(tuple(key))
        if inner is not None:
            yield from history_keys(loader, inner, direction)
        else:
            yield key[0], key[1]
    yield migration.app_label, migration.name


def _ran(migration: Migration, started: float) -> Ran:
    key = MigrationKey(migration.app_label, migration.name)
    return Ran(key, time.monotonic() - started)
