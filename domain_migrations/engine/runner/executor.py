"""Django's migration executor, with one transaction around all that a migration does.

Stock Django records a migration in a second transaction whenever there is deferred SQL, and
always when it is undone. Here the operations, the deferred SQL, the deferred constraints, the
footprint guard, the history row and the journal row commit together or not at all.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from django.contrib.contenttypes.management import RenameContentType
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.utils.timezone import now

from ...domains import Domain
from ...exceptions import BoundaryViolation, DomainMigrationsError
from ..guard.guard import BoundaryGuard
from ..history.journal import Direction, Journal
from ..history.recorder import DomainRecorder
from ..sessions.connection import is_alive
from ..sessions.roles import RoleSwitcher
from ..sessions.session import SessionCheck
from ..sessions.timeouts import LockPolicy
from ..sources.files import MigrationKey
from .failures import Position, migration_error
from .interruptions import BUILT, FINISHED, Interruption
from .loader import DomainLoader
from .operation_hooks import editor_without_savepoint, run_operations
from .project_state import project_state
from .recording import MigrationLog, migrations_in
from .results import AppliedMigration

PREVIOUS_STEP = "An earlier migration"
FORCE_CONSTRAINTS = "SET CONSTRAINTS ALL IMMEDIATE"

Progress = Callable[..., None]
"""Called as Django calls it: (action, migration, fake)."""


@dataclass
class RunProgress:
    """What an executor has done so far; still there when it was stopped by an error."""

    applied: list[AppliedMigration] = field(default_factory=list)
    reverted: list[AppliedMigration] = field(default_factory=list)


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
        traffic: LockPolicy,
        check_session: SessionCheck,
        progress: Progress | None = None,
    ) -> None:
        # Not super().__init__(): it would load every app of the project.
        self.connection = connection
        self.loader = loader
        self.recorder = DomainRecorder(connection, loader.domain)
        self.progress_callback = progress
        self.domain: Domain = loader.domain
        self.records = MigrationLog(self.recorder, journal, loader, check_session)
        self.traffic = traffic
        self.check_session = check_session
        self.guard = BoundaryGuard(connection, self.domain)
        self.identity = RoleSwitcher(connection, self.domain)
        self.outcome = RunProgress()
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
            self.records.log_faked(migration, "forwards")
            state = migration.mutate_state(state, preserve=False)
        else:
            state = self._run_with_retries(migration, state, "forwards")
        self.outcome.applied.extend(_timings(migration, started))
        self._report("apply_success", migration, fake)
        return state

    def unapply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False
    ) -> ProjectState:
        """Run a migration backwards; mirrors ``MigrationExecutor.unapply_migration``."""
        self._report("unapply_start", migration, fake)
        started = time.monotonic()
        if fake:
            self.records.log_faked(migration, "backwards")
        else:
            state = self._run_with_retries(migration, state, "backwards")
        self.outcome.reverted.extend(_timings(migration, started))
        self._report("unapply_success", migration, fake)
        return state

    def check_replacements(self) -> None:
        """Record squashed migrations of this domain whose replaced ones are all applied."""
        own = {
            key: migration
            for key, migration in self.loader.replacements.items()
            if key[0] in self.domain.app_labels
        }
        # Nearly never there are any, and a look at the histories costs more than all of this.
        applied: set[tuple[str, str]] = set(self.recorder.applied_migrations()) if own else set()
        for key, migration in own.items():
            if key not in applied and all(replaced in applied for replaced in migration.replaces):
                self.records.log_squash(migration)
                applied.add(key)

    def _run_with_retries(
        self, migration: Migration, state: ProjectState, direction: Direction
    ) -> ProjectState:
        attempt = 0
        while True:
            if not is_alive(self.connection):
                self.check_session(PREVIOUS_STEP)
            started, clock, position = now(), time.monotonic(), Position(migration, direction)
            try:
                if migration.atomic:
                    return self._run_atomic(migration, state, direction, started, position)
                return self._run_non_atomic(migration, state, direction, started, position)
            except DomainMigrationsError as exc:
                if not position.started:
                    raise
                failure = exc
            except Exception as exc:
                attempt += 1
                if self.traffic.should_retry(exc, attempt, migration):
                    # The failed operations have changed the state already.
                    state = self._state_before(migration)
                    continue
                blamed = self.traffic.blocker_clause()
                failure = migration_error(exc, position, self.outcome.applied, blamed=blamed)
                failure.__cause__ = exc
            self._report("failure", migration, False)
            # What was refused has run too, but it must not be passed over by going on behind it.
            kept = position.checked if isinstance(failure, BoundaryViolation) else position.executed
            left = {} if migration.atomic else {FINISHED: position.resumed_from + kept}
            if self.traffic.built:
                left[BUILT] = True
            self.records.log_failure(migration, direction, started, clock, failure, left)
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

        @contextmanager
        def around(operation: Operation) -> Iterator[None]:
            with self._role_for(operation):
                yield
            watch.after_operation(operation)
            position.done(operation)

        with (
            transaction.atomic(using=self.connection.alias),
            self.traffic.timeouts(lambda limit: self.check_session(PREVIOUS_STEP, also=limit)),
            self._as_domain_role(migration),
        ):
            position.started = True
            watch = self.guard.begin(migration, backwards=direction == "backwards")
            with editor_without_savepoint(self.connection) as editor:
                state = run_operations(migration, state, editor, direction, around)
                position.phase = "the deferred SQL"
            position.phase = "the deferred constraints"
            watch.run_final(FORCE_CONSTRAINTS)
            position.phase = "the footprint guard"
            footprint = watch.check()
            position.phase = "the history row"
            self.records.log_applied(migration, direction, started, clock, footprint)
        return state

    def _run_non_atomic(
        self,
        migration: Migration,
        state: ProjectState,
        direction: Direction,
        started: datetime.datetime,
        position: Position,
    ) -> ProjectState:
        clock = time.monotonic()
        interruption = self._interruption_of(migration, direction)
        finished = interruption.finished if interruption else 0

        @contextmanager
        def around(operation: Operation) -> Iterator[None]:
            with self._role_for(operation):
                yield
            position.executed += 1
            watch.after_operation(operation)
            self.traffic.begun = self.traffic.built = False
            position.done(operation)
            self.records.log_progress(migration, direction, started, finished + position.checked)

        self.check_session(PREVIOUS_STEP)
        position.started = True
        position.resumed_from = finished
        self.traffic.begun = interruption is not None and interruption.may_have_built
        with self.traffic.session_timeouts(migration), self._as_domain_role(migration):
            self.records.log_progress(migration, direction, started, finished)
            watch = self.guard.begin(migration, backwards=direction == "backwards")
            with self.connection.schema_editor(atomic=False) as editor:
                state = run_operations(migration, state, editor, direction, around, skip=finished)
                position.phase = "the deferred SQL"
            position.phase = "the footprint guard"
            footprint = watch.check()
            position.phase = "the history row"
            with transaction.atomic(using=self.connection.alias):
                self.records.log_applied(migration, direction, started, clock, footprint)
        return state

    def _as_domain_role(self, migration: Migration) -> AbstractContextManager[None]:
        """Act as the domain's role, unless the migration says that it writes core's rows."""
        if getattr(migration, "writes_core", False):
            return nullcontext()
        return self.identity.as_domain_role()

    def _role_for(self, operation: Operation) -> AbstractContextManager[None]:
        """Let what Django puts into a plan, the renaming of content types, write core's rows."""
        if isinstance(operation, RenameContentType):
            return self.identity.as_login_role()
        return nullcontext()

    def _interruption_of(self, migration: Migration, direction: Direction) -> Interruption | None:
        found = self.interruption
        return found if found and found.is_of(migration, direction) else None

    def _state_before(self, migration: Migration) -> ProjectState:
        """Return the project state that the migration starts from, built anew."""
        return self._state_of_applied(until=migration)

    def state_after_unapply(self) -> ProjectState:
        """Return the project state of what is still applied.

        Django's executor returns the state before the last migration that it undid, in which
        the models of other apps, undone in the same run, are still there.
        """
        return self._state_of_applied()

    def _state_of_applied(self, *, until: Migration | None = None) -> ProjectState:
        done = set(self.loader.applied_migrations)
        done |= {ran.key for ran in self.outcome.applied}
        done -= {ran.key for ran in self.outcome.reverted}
        return project_state(self.loader, done, until=until)

    def _report(self, action: str, migration: Migration, fake: bool) -> None:
        if self.progress_callback:
            self.progress_callback(action, migration, fake)


def _timings(migration: Migration, started: float) -> list[AppliedMigration]:
    parts = migrations_in(migration)
    seconds = (time.monotonic() - started) / len(parts)
    return [AppliedMigration(MigrationKey(part.app_label, part.name), seconds) for part in parts]
