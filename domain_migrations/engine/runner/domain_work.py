"""The work of one domain's run: a preview, a dry run, or everything from the lock to the hooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ProjectState

from ...domains import CORE, Domain, get_domain
from ...exceptions import DomainMigrationsError
from ..history.extractions import refuse_during_extraction
from ..history.run_context import RunContext
from ..history.status import DomainStatus
from ..sessions.database_problems import translate_database_errors
from ..sessions.session import acquire_run_lock
from ..sources.files import MigrationKey
from ..sources.transfer_halves import half_of
from .loader import DomainLoader, Plan, applied_keys, load_domain, reverted_keys
from .migrate_signals import (
    create_tables,
    emit_post_migrate,
    emit_pre_migrate,
    emit_without_plan,
    only_signals_needed,
    unannounced_plan,
)
from .options import MigrateOptions
from .results import DomainResult, Reporter
from .results import Status as ResultStatus
from .run_checks import RunChecks
from .run_results import RunResults
from .run_session import RunSession, catch_up_sequences, ensure_engine_tables, logged_run

if TYPE_CHECKING:
    # What only a run with work to do needs is imported where it is used: most runs have none.
    from .adoption.adoption_run import AdoptionRun
    from .adoption.inspected_schema import SchemaAdoption
    from .executor import DomainExecutor
    from .snapshot_restore import SnapshotMigration


class DomainWork(NamedTuple):
    """Does what the status of a domain leaves to do, once a run has found that there is some.

    Attributes:
        context: the run that this is a part of.
    """

    checks: RunChecks
    results: RunResults
    context: RunContext

    @property
    def domain(self) -> Domain:
        return self.checks.domain

    @property
    def options(self) -> MigrateOptions:
        return self.checks.options

    @property
    def reporter(self) -> Reporter:
        return self.checks.reporter

    @property
    def alias(self) -> str:
        return self.checks.alias

    def run(self, status: DomainStatus) -> DomainResult:
        """Migrate, with the lock; what needs none is refused or confirmed before."""
        with translate_database_errors(self.alias):
            refuse_during_extraction(connections[self.alias], self.domain)
        confirmed = self._confirm(status)
        with self._locked_session(status) as session:
            return self._run_locked(session, status, confirmed)

    def _may_transfer(self, status: DomainStatus) -> bool:
        """Return whether the run may reach a migration that exchanges a table."""
        keys = list(status.pending)
        if self.options.has_explicit_target:
            keys += status.applied
        return any(half_of(key) is not None for key in keys)

    @contextmanager
    def _locked_session(self, status: DomainStatus) -> Iterator[RunSession]:
        """Acquire the domain's lock, and core's, which excludes all runs, if a table may move."""
        arguments = self.options, self.reporter, self.context
        domain = get_domain(CORE) if self._may_transfer(status) else self.domain
        with RunSession.locked(domain, *arguments) as session:
            if domain == self.domain:
                yield session
                return
            wait, report = self.options.lock_wait_seconds, self.reporter.on_wait
            with acquire_run_lock(session.connection, self.domain, wait=wait, report=report):
                yield RunSession(session.connection, self.domain, *arguments, lock=session.lock)

    def _begin(self, session: RunSession) -> DomainStatus:
        """Return the status to plan from; what has to be done before the plan is done here."""
        status = self.checks.read_status(session.connection)
        self.checks.check_history(status)
        return status

    def _loader(self, connection: BaseDatabaseWrapper) -> DomainLoader:
        return load_domain(connection, self.domain, may_conflict=self.options.may_conflict)

    def preview(self, status: DomainStatus) -> DomainResult:
        """Return the plan, without running it."""
        from .dry_run.plan_preview import preview
        from .interruptions import check_interruption
        from .run_plan import plan_before_lock

        word: ResultStatus
        with translate_database_errors(self.alias):
            connection = connections[self.alias]
            loader = self._loader(connection)
            plan = plan_before_lock(connection, loader, status, self.options, self.reporter)
            pending = applied_keys(plan)
            if self.options.check and plan:
                return self.results.of("pending", status, pending=pending)
            if not self.options.check:
                check_interruption(connection, loader, plan, resume=self.options.resume)
            adoption = self._adoption(connection, loader, plan)
            history = adoption.shown_history
            if self.options.check:
                word = "pending" if history is not None else "unchanged"
                return self.results.of(word, status, pending=pending, history=history)
            rest, made = adoption.rest_of(plan), adoption.migrations
            collect = self.options.collect_sql
            rest_steps = preview(connection, loader, rest, collect_sql=collect, made=made)
            steps = (*adoption.steps(), *rest_steps) if plan else ()
            word = "planned" if plan or history is not None else "unchanged"
            return self.results.of(word, status, pending=pending, steps=steps, history=history)

    def _adoption(
        self, connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan
    ) -> SchemaAdoption:
        """Return what the live schema makes unnecessary, if the schema was inspected."""
        from .adoption.inspected_schema import find_adoption

        return find_adoption(connection, loader, plan, fake=self.options.fake)

    def _confirm(self, status: DomainStatus) -> frozenset[MigrationKey]:
        """Ask for reverts while nobody waits for the lock; return what was confirmed."""
        if not (self.reporter.confirms_reverts and self.options.may_revert):
            return frozenset()
        from .run_plan import confirm_before_lock

        with translate_database_errors(self.alias):
            connection = connections[self.alias]
            loader = self._loader(connection)
            return confirm_before_lock(connection, loader, status, self.options, self.reporter)

    def dry_run(self, status: DomainStatus, moves: Sequence[AdoptionRun] = ()) -> DomainResult:
        """Run the plan, after the moves, and roll it back."""
        from .dry_run.dry_run import DryRun

        dry_run = DryRun(self.domain, self.options, self.reporter)
        try:
            excludes_all = bool(moves) or self._may_transfer(status)
            with dry_run.session(self.alias, excludes_all=excludes_all) as session:
                tried = tuple(move for run in moves if (move := run.run(session, retries=0)))
                status = self._begin(session)
                dry_run.run(session, status)
        except DomainMigrationsError as exc:
            return self.results.failed(exc, status, **dry_run.result_values())
        is_work = dry_run.plan or tried or dry_run.history is not None
        word: ResultStatus = "planned" if is_work else "unchanged"
        pending = applied_keys(dry_run.plan)
        values = dry_run.result_values()
        return self.results.of(word, status, pending=pending, adoptions=tried, **values)

    def _run_locked(
        self, session: RunSession, status: DomainStatus, confirmed: frozenset[MigrationKey]
    ) -> DomainResult:
        """Plan and migrate; another run may have done the work while this one waited."""
        try:
            status = self._begin(session)
            imports = self.checks.imports_history(session.connection)
            if self.checks.nothing_to_do(status) and not imports:
                return self.results.of("unchanged", status)
            with translate_database_errors(self.alias):
                is_latest = self.checks.is_latest(status) and not imports
                if is_latest and only_signals_needed(session, status):
                    emit_without_plan(session)
                    return self.results.of("unchanged", status)
        except DomainMigrationsError as exc:
            return self.results.failed(exc, status)
        return self._plan_and_migrate(session, status, confirmed)

    def _plan_and_migrate(
        self, session: RunSession, status: DomainStatus, confirmed: frozenset[MigrationKey]
    ) -> DomainResult:
        from ..boundary.planned_migrations import check_plan
        from .executor import DomainExecutor
        from .interruptions import check_interrupted, check_resumed
        from .losses import confirm_reverts
        from .planner import make_plan
        from .project_state import in_run_order, project_state
        from .snapshot_restore import choose_snapshot

        connection = session.connection
        try:
            with translate_database_errors(self.alias):
                refuse_during_extraction(connection, self.domain)
                loader = self._loader(connection)
                interruption = check_interrupted(connection, loader, resume=self.options.resume)
                executor = DomainExecutor(session, loader, interruption=interruption)
                plan = make_plan(executor, status)
                check_resumed(connection, loader, interruption, plan)
                adoption = self._adoption(connection, loader, plan)
                # Migrations of the other stage leave nothing to do in this one.
                done = status.up_to_date if self.options.stage is None else status.is_consistent
                state = project_state(loader)
                has_work = plan or adoption.history or self.options.run_syncdb
                if done and not has_work:
                    if self.options.signals:
                        emit_pre_migrate(session, plan, state.apps)
                        emit_post_migrate(session, plan, state)
                    return self.results.of("unchanged", status)
                check_plan(in_run_order(loader, plan), state, self.domain)
                asks = self.reporter.confirms_reverts and self.options.may_revert
                if asks and not reverted_keys(plan) <= confirmed:
                    confirm_reverts(self.reporter, connection, loader, plan)
                snapshot = choose_snapshot(executor, plan)
        except DomainMigrationsError as exc:
            return self.results.failed(exc, status)
        return self._migrate(executor, status, plan, state, adoption, snapshot)

    def _migrate(
        self,
        executor: DomainExecutor,
        status: DomainStatus,
        plan: Plan,
        state: ProjectState,
        adoption: SchemaAdoption,
        snapshot: SnapshotMigration | None,
    ) -> DomainResult:
        """Run the plan, with the hooks, the signals and the run's rows in the journal."""
        from .hooks.dispatch import HookDispatcher
        from .snapshot_restore import restore_snapshot
        from .transfer.partner_ends import end_partners

        session, progress, options = executor.session, executor.progress, self.options
        unannounced = unannounced_plan(session.connection, executor.loader, status)
        # An earlier run that did not end still has to call the hooks after the run.
        enabled = bool(plan) or status.last_run not in (None, "done")
        hooks = HookDispatcher(session, plan, enabled)

        def failed(exc: DomainMigrationsError) -> DomainResult:
            return self.results.failed(exc, status, progress, batch=session.journal.batch)

        try:
            with translate_database_errors(self.alias):
                session.settings.keep()  # They show whether the server has Citus.
                catch_up_sequences(session)
            with (
                hooks.failure_hooks(failed),
                translate_database_errors(self.alias),
                logged_run(session.journal) as log,
            ):
                hooks.before(self.results.of("planned", status))
                ensure_engine_tables(session)
                log.begin()
                hooks.write()
                emit_pre_migrate(session, plan, state.apps)
                session.restore_settings("A hook before the run, or a receiver of pre_migrate,")
                if options.run_syncdb:
                    create_tables(session, executor.loader.unmigrated_apps)
                rest, state = adoption.record(executor, plan, state)
                rest, state = restore_snapshot(executor, snapshot, rest, state)
                state = executor.migrate([], rest, state, options.fake, options.fake_initial)
                if reverted_keys(plan[-1:]):
                    state = executor.applied_state()
                emit_post_migrate(session, [*unannounced, *plan], state)
                end_partners(executor)
                session.restore_settings("A receiver of post_migrate")
                status = self.checks.read_status(session.connection)
                word: ResultStatus = "migrated" if plan or adoption.history else "unchanged"
                batch = session.journal.batch if plan else None
                history = adoption.shown_history
                result = self.results.of(word, status, progress, batch=batch, history=history)
                hooks.after(result)
        except DomainMigrationsError as exc:
            return failed(exc)
        return failed(executor.waiting.error) if executor.waiting is not None else result
