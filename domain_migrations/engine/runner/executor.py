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
from ..guard.guard import FootprintGuard
from ..history.journal import Direction, Journal
from ..history.recorder import DomainRecorder
from ..sessions.roles import Identity
from ..sessions.session import SessionCheck, is_alive
from ..sessions.timeouts import Traffic
from ..sources.files import MigrationKey
from .failures import Position, failure_of
from .interruptions import BUILT, FINISHED, Interruption
from .loader import DomainLoader
from .operation_hooks import editor_without_savepoint, run_operations
from .project_state import state_of
from .recording import Records, contained_in
from .results import Ran

EARLIER = "An earlier migration"
FORCE_CONSTRAINTS = "SET CONSTRAINTS ALL IMMEDIATE"

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
        check_session: SessionCheck,
        progress: Progress | None = None,
    ) -> None:
        # Not super().__init__(): it would load every app of the project.
        self.connection = connection
        self.loader = loader
        self.recorder = DomainRecorder(connection, loader.domain)
        self.progress_callback = progress
        self.domain: Domain = loader.domain
        self.records = Records(self.recorder, journal, loader, check_session)
        self.traffic = traffic
        self.check_session = check_session
        self.guard = FootprintGuard(connection, self.domain)
        self.identity = Identity(connection, self.domain)
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
            self.records.faked(migration, "forwards")
            state = migration.mutate_state(state, preserve=False)
        else:
            state = self._run(migration, state, "forwards")
        self.outcome.applied.extend(_ran(migration, started))
        self._report("apply_success", migration, fake)
        return state

    def unapply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False
    ) -> ProjectState:
        """Run a migration backwards; mirrors ``MigrationExecutor.unapply_migration``."""
        self._report("unapply_start", migration, fake)
        started = time.monotonic()
        if fake:
            self.records.faked(migration, "backwards")
        else:
            state = self._run(migration, state, "backwards")
        self.outcome.reverted.extend(_ran(migration, started))
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
                self.records.replaced(migration)
                applied.add(key)

    def _run(self, migration: Migration, state: ProjectState, direction: Direction) -> ProjectState:
        attempt = 0
        while True:
            if not is_alive(self.connection):
                self.check_session(EARLIER)
            started, clock, position = now(), time.monotonic(), Position(migration, direction)
            try:
                if migration.atomic:
                    return self._run_atomic(migration, state, direction, started, position)
                return self._run_non_atomic(migration, state, direction, started, position)
            except DomainMigrationsError as exc:
                if not position.begun:
                    raise
                failure = exc
            except Exception as exc:
                attempt += 1
                if self.traffic.retries(exc, attempt, migration):
                    # The failed operations have changed the state already.
                    state = self._state_before(migration)
                    continue
                blamed = self.traffic.blamed()
                failure = failure_of(exc, position, self.outcome.applied, blamed=blamed)
                failure.__cause__ = exc
            self._report("failure", migration, False)
            # What was refused has run too, but it must not be passed over by going on behind it.
            kept = position.index if isinstance(failure, BoundaryViolation) else position.ran
            left = {} if migration.atomic else {FINISHED: position.skipped + kept}
            if self.traffic.built:
                left[BUILT] = True
            self.records.failed(migration, direction, started, clock, failure, left)
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
        def watch(operation: Operation) -> Iterator[None]:
            with self._identity_for(operation):
                yield
            self.guard.after_operation(operation)
            position.done(operation)

        with (
            transaction.atomic(using=self.connection.alias),
            self.traffic.timeouts(lambda limit: self.check_session(EARLIER, also=limit)),
            self._acting(migration),
        ):
            position.begun = True
            self.guard.begin(migration, backwards=direction == "backwards")
            with editor_without_savepoint(self.connection) as editor:
                state = run_operations(migration, state, editor, direction, watch)
                position.place = "the deferred SQL"
            position.place = "the deferred constraints"
            self.guard.run_last(FORCE_CONSTRAINTS)
            position.place = "the footprint guard"
            footprint = self.guard.check()
            position.place = "the history row"
            self.records.done(migration, direction, started, clock, footprint)
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
        def watch(operation: Operation) -> Iterator[None]:
            with self._identity_for(operation):
                yield
            position.ran += 1
            self.guard.after_operation(operation)
            self.traffic.begun = self.traffic.built = False
            position.done(operation)
            self.records.running(migration, direction, started, finished + position.index)

        self.check_session(EARLIER)
        position.begun = True
        position.skipped = finished
        self.traffic.begun = interruption is not None and interruption.may_have_built
        with self.traffic.session_timeouts(migration), self._acting(migration):
            self.records.running(migration, direction, started, finished)
            self.guard.begin(migration, backwards=direction == "backwards")
            with self.connection.schema_editor(atomic=False) as editor:
                state = run_operations(migration, state, editor, direction, watch, skip=finished)
                position.place = "the deferred SQL"
            position.place = "the footprint guard"
            footprint = self.guard.check()
            position.place = "the history row"
            with transaction.atomic(using=self.connection.alias):
                self.records.done(migration, direction, started, clock, footprint)
        return state

    def _acting(self, migration: Migration) -> AbstractContextManager[None]:
        """Act as the domain's role, unless the migration says that it writes core's rows."""
        if getattr(migration, "writes_core", False):
            return nullcontext()
        return self.identity.domain()

    def _identity_for(self, operation: Operation) -> AbstractContextManager[None]:
        """Let what Django puts into a plan, the renaming of content types, write core's rows."""
        if isinstance(operation, RenameContentType):
            return self.identity.connecting()
        return nullcontext()

    def _interruption_of(self, migration: Migration, direction: Direction) -> Interruption | None:
        found = self.interruption
        return found if found and found.is_of(migration, direction) else None

    def _state_before(self, migration: Migration) -> ProjectState:
        """Return the project state that the migration starts from, built anew."""
        return self._state_of_applied(until=migration)

    def state_after_undo(self) -> ProjectState:
        """Return the project state of what is still applied.

        Django's executor returns the state before the last migration that it undid, in which
        the models of other apps, undone in the same run, are still there.
        """
        return self._state_of_applied()

    def _state_of_applied(self, *, until: Migration | None = None) -> ProjectState:
        done = set(self.loader.applied_migrations)
        done |= {ran.key for ran in self.outcome.applied}
        done -= {ran.key for ran in self.outcome.reverted}
        return state_of(self.loader, done, until=until)

    def _report(self, action: str, migration: Migration, fake: bool) -> None:
        if self.progress_callback:
            self.progress_callback(action, migration, fake)


def _ran(migration: Migration, started: float) -> list[Ran]:
    parts = contained_in(migration)
    seconds = (time.monotonic() - started) / len(parts)
    return [Ran(MigrationKey(part.app_label, part.name), seconds) for part in parts]
