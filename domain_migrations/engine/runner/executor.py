"""Django's migration executor, with one transaction around all that a migration does.

Stock Django records a migration in a second transaction whenever there is deferred SQL, and
always when it is reverted. Here the operations, the deferred SQL, the deferred constraints, the
boundary guard, the history row and the journal row commit together or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState
from psycopg import sql

from ...exceptions import DomainMigrationsError
from ..guard.guard import BoundaryGuard
from ..guard.operation_kinds import runs_custom_sql
from ..guard.watch import FORCE_CONSTRAINTS, MigrationWatch
from ..history.journal import Direction
from ..history.recorder import DomainRecorder
from ..sessions.connection import is_alive
from ..sessions.timeouts import RetryPolicy, TimeoutPolicy
from ..sources.files import MigrationKey
from ..sources.transfer_halves import Half, half_in
from . import attempt_contexts
from .attempt_operations import AttemptOperations
from .attempts import COMMIT, HISTORY_ROW, Attempt
from .failures import lost_commit_error, migration_error, view_advice
from .interruptions import Interruption
from .kept_transactions import TransactionEnded, leaving_no_transaction, transaction_kept
from .loader import DomainLoader
from .migration_log import HistoryLog, MigrationLog
from .observed_operations import editor_without_savepoint
from .package_transactions import give_up_transaction, warning_about
from .project_state import BulkRenderState, project_state
from .run_progress import RunProgress
from .run_session import RunSession
from .stops import stopped_at_commit, stopped_migration
from .transfer.pair_run import PairRun, log_faked_pair, partner_executor
from .transfer.pair_state import state_after_both

if TYPE_CHECKING:
    from ...domains import Domain
    from .transfer.pair_plan import WaitingPlan

PREVIOUS_STEP = "An earlier migration"


class DomainExecutor(MigrationExecutor):
    """Runs the migrations of one domain.

    Arguments:
        session: the run's session; its journal is open unless ``log`` does without it.
        loader: has loaded the domain and core.
        interruption: the interrupted migration that this run resumes.
        log: records the migrations, by default in the history and the journal.
        retries: how often to retry after a lock timeout; the setting's policy by default.
        observe: a context for the operations of each migration, as the domain's role.
        progress: called with action, migration and fake, as by Django; the reporter's by default.

    Attributes:
        partners: the executors of domains with which this one has exchanged tables.
        find_partner: returns such an executor, where the run has one for each domain.
        waiting: what is left out of the plan, once there is one, because it cannot run yet.
    """

    loader: DomainLoader

    def __init__(
        self,
        session: RunSession,
        loader: DomainLoader,
        *,
        interruption: Interruption | None = None,
        log: MigrationLog | None = None,
        retries: RetryPolicy | None = None,
        observe: attempt_contexts.Observer | None = None,
        progress: Callable[..., None] | None = None,
    ) -> None:
        # Not super().__init__(): it would load every app of the project.
        self.session = session
        self.connection = session.connection
        self.loader = loader
        self.domain = session.domain
        self.recorder = DomainRecorder(self.connection, self.domain)
        self.report = progress or session.reporter.progress
        self.progress_callback = self.report  # type: ignore[assignment]
        self.interruption = interruption
        self.log = log or HistoryLog(session, loader)
        self.observe = observe
        self.guard = BoundaryGuard(self.connection, self.domain)
        self.timeout_policy = TimeoutPolicy(
            self.connection,
            report=session.reporter.on_note,
            lock_timeout=session.options.lock_timeout,
            statement_timeout=session.options.statement_timeout,
            retries=retries,
        )
        self.progress = RunProgress()
        self.partners: dict[str, DomainExecutor] = {}
        self.find_partner: Callable[[Domain], DomainExecutor] | None = None
        self.waiting: WaitingPlan | None = None

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:
        """Return the state that the plan of a revert begins with."""
        if with_applied_migrations:
            return project_state(self.loader)
        return BulkRenderState(real_apps=self.loader.unmigrated_apps)

    def apply_migration(
        self,
        state: ProjectState,
        migration: Migration,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        """Run a migration forwards; mirrors ``MigrationExecutor.apply_migration``."""
        self.report("apply_start", migration, fake)
        if not fake and fake_initial:
            fake, state = self.detect_soft_applied(state, migration)
        started = time.monotonic()
        if fake:
            half = self._log_faked(migration, "forwards")
            if half is not None:
                state = state_after_both(self.loader, half, state)
            else:
                state = migration.mutate_state(state, preserve=False)
        else:
            state = self._run_with_retries(migration, state, "forwards")
        self.progress.count(migration, started, backwards=False)
        self.report("apply_success", migration, fake)
        self._restore_settings(migration)
        return state

    def unapply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False
    ) -> ProjectState:
        """Run a migration backwards; mirrors ``MigrationExecutor.unapply_migration``."""
        self.report("unapply_start", migration, fake)
        started = time.monotonic()
        if fake:
            self._log_faked(migration, "backwards")
        else:
            state = self._run_with_retries(migration, state, "backwards")
        self.progress.count(migration, started, backwards=True)
        self.report("unapply_success", migration, fake)
        self._restore_settings(migration)
        return state

    def _log_faked(self, migration: Migration, direction: Direction) -> Half | None:
        """Record a migration as applied or reverted, and the other half, too, of what it is one."""
        half = half_in(migration)
        if half is not None:
            log_faked_pair(self, migration, half, direction)
        else:
            self.log.log_faked(migration, direction)
        return half

    def check_replacements(self) -> None:
        """Record squashed migrations of this domain whose replaced ones are all applied."""
        replacements = self.loader.replacements.items()
        own = [each for key, each in replacements if key[0] in self.domain.app_labels]
        if own:  # Few domains have any, and reading the histories is expensive.
            self.log.log_squashes(own, set(self.recorder.applied_migrations()))

    def applied_state(self, *, until: Migration | None = None) -> ProjectState:
        """Return the project state of what is applied now, up to the migration ``until``.

        After reverting, Django's executor returns the state before the last migration that it
        reverted, which still has the models of other apps that were reverted in the same run.
        """
        applied = set(self.loader.applied_migrations)
        applied |= {ran.key for ran in self.progress.applied}
        applied -= {ran.key for ran in self.progress.reverted}
        return project_state(self.loader, applied, until=until)

    def _run_with_retries(
        self, migration: Migration, state: ProjectState, direction: Direction
    ) -> ProjectState:
        """Run a migration, again after each lock timeout; record its failure."""
        run = self._run_atomic if migration.atomic else self._run_non_atomic
        attempt_contexts.join_cluster(self.session, self.timeout_policy, self.guard)
        attempts = 0
        while True:
            if not is_alive(self.connection):
                self.session.check(PREVIOUS_STEP)
            in_transaction = migration.atomic or self.connection.in_atomic_block
            attempt = Attempt(migration, direction, in_transaction=in_transaction)
            try:
                return run(attempt, state)
            except DomainMigrationsError as exc:
                if not attempt.has_begun:
                    raise
                failure = exc
            except KeyboardInterrupt as exc:
                failure = self._stopped(exc, attempt)
                failure.__cause__ = exc
            except BaseException as exc:  # a migration may also end the process: SystemExit
                outcome = self.session.outcome(attempt.mark)
                if attempt.phase == COMMIT and outcome == "committed":
                    self._count_committed(attempt)
                    raise lost_commit_error(exc, attempt) from exc
                attempts += 1
                told = attempt_contexts.explained(self.session, exc)
                if outcome == "rolled back" and self.timeout_policy.pause_before_retry(
                    told, attempts, migration
                ):
                    # The failed operations have changed the state already.
                    state = self.applied_state(until=migration)
                    continue
                ends = isinstance(exc, TransactionEnded) and outcome == "rolled back"
                if ends and give_up_transaction(migration):
                    state, run = self.applied_state(until=migration), self._run_non_atomic
                    continue
                blockers = self.timeout_policy.blocker_clause()
                advice = attempt_contexts.cluster_advice(self.session, told)
                failure = migration_error(
                    told,
                    attempt,
                    self.progress.applied,
                    blockers=blockers,
                    outcome=outcome,
                    lost=self.session.is_lost,
                    advice=advice or view_advice(self.connection, exc, migration),
                )
                failure.__cause__ = exc
            self.report("failure", migration, False)
            if self.session.is_alive:
                self._restore_settings(migration)
            self.log.log_failure(attempt, failure)
            raise failure

    def _stopped(self, exc: KeyboardInterrupt, attempt: Attempt) -> DomainMigrationsError:
        """Return the error for a migration that a signal has stopped.

        Raises:
            RunStopped: its commit had been sent already, and it is recorded.
        """
        if attempt.phase == COMMIT and self.session.outcome(attempt.mark) == "committed":
            self._count_committed(attempt)
            raise stopped_at_commit(exc, attempt) from exc
        return stopped_migration(exc, attempt, self.progress.applied)

    def _count_committed(self, attempt: Attempt) -> None:
        """Count a migration that was committed before the connection was lost."""
        migration, backwards = attempt.migration, attempt.backwards
        attempt.count_others()
        self.progress.count(migration, attempt.clock, backwards=backwards)
        self.report("unapply_success" if backwards else "apply_success", migration, False)

    def _run_atomic(self, attempt: Attempt, state: ProjectState) -> ProjectState:
        """Run a migration in a transaction."""

        def begin(limit: sql.Composable) -> None:
            attempt.note_transaction(self.session.check(PREVIOUS_STEP, also=limit))

        pair = self._pair(attempt)
        guard = pair.guard if pair is not None else self.guard
        with (
            transaction.atomic(using=self.connection.alias),
            self.timeout_policy.timeouts(begin),
            attempt_contexts.on_cluster(self.session, attempt.migration),
            attempt_contexts.as_domain_role(self.session, attempt.migration, self.observe),
        ):
            attempt.has_begun = True
            watch = guard.begin(attempt.migration, backwards=attempt.backwards)
            with (
                transaction_kept(self.connection),
                editor_without_savepoint(self.connection) as editor,
            ):
                operations = AttemptOperations(self.session, self.log, attempt, watch, editor)
                state = operations.run(state) if pair is None else pair.run(operations, state)
                attempt.phase = "the deferred SQL"
            if any(map(runs_custom_sql, attempt.migration.operations)):
                self.session.restore_role()
            attempt.phase = "the deferred constraints"
            watch.run_final(FORCE_CONSTRAINTS)
            self._check_and_log(attempt, watch, pair)
        if pair is not None:
            self.guard.last_point = guard.last_point
            pair.end()
        return state

    def _pair(self, attempt: Attempt) -> PairRun | None:
        """Return the run of a transfer, None where the migration has no other half."""
        half = half_in(attempt.migration)
        return None if half is None else PairRun(self, attempt, half, partner_executor(self, half))

    def _run_non_atomic(self, attempt: Attempt, state: ProjectState) -> ProjectState:
        """Run a migration without a transaction, from the operation where one was interrupted."""
        migration, interruption = attempt.migration, self.interruption
        here = MigrationKey.of(migration), attempt.backwards
        self.session.check(PREVIOUS_STEP)
        if warning := warning_about(migration):
            self.session.reporter.on_warning(warning)
        attempt.has_begun = True
        if interruption is not None and (interruption.key, interruption.backwards) == here:
            attempt.checked = attempt.executed = interruption.progress
            attempt.index.was_started = interruption.may_have_built
        with (
            self.timeout_policy.session_timeouts(migration, attempt.index),
            attempt_contexts.on_cluster(self.session, migration),
            attempt_contexts.as_domain_role(self.session, migration, self.observe),
        ):
            watch = self.guard.begin(migration, backwards=attempt.backwards)
            if attempt.checked.start is None:
                attempt.executed = attempt.checked = attempt.checked._replace(start=watch.start)
            self.log.log_progress(attempt, attempt.checked)
            with self.connection.schema_editor(atomic=False) as editor:
                editor.deferred_sql.extend(attempt.checked.deferred)
                operations = AttemptOperations(self.session, self.log, attempt, watch, editor)
                with leaving_no_transaction(self.connection):
                    state = operations.run(state)
                attempt.phase = "the deferred SQL"
                operations.run_deferred()
        self._restore_settings(migration)
        with attempt_contexts.as_domain_role(self.session, migration, self.observe):
            self._check_and_log(attempt, watch)
        return state

    def _restore_settings(self, migration: Migration) -> None:
        """Let the next migration begin with the settings that the run began with."""
        if any(map(runs_custom_sql, migration.operations)):
            self.session.restore_settings(f"Migration {migration}")

    def _check_and_log(
        self, attempt: Attempt, watch: MigrationWatch, pair: PairRun | None = None
    ) -> None:
        attempt.phase = "the boundary guard"
        footprint = watch.check()
        if not attempt.backwards:
            attempt.created = watch.created(attempt.checked.start)
        for warning in watch.warnings:
            self.session.reporter.on_warning(warning)
        attempt.phase = HISTORY_ROW
        with transaction.atomic(using=self.connection.alias, savepoint=False):
            if pair is not None:
                pair.move_seed_records()
                pair.log_applied(footprint)
            self.log.log_applied(attempt, footprint)
            attempt.phase = COMMIT
