"""One domain's part of a run, from the first look at the database to the last hook."""

from __future__ import annotations

import time
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...exceptions import (
    DatabaseUnavailable,
    DomainMigrationsError,
    InsufficientPrivilege,
    LockNotAvailable,
    MigrationFailed,
    StatementTimeout,
    UnknownTarget,
)
from ..boundary.installed_models import refuse_model_problems
from ..boundary.planned_migrations import check_plan
from ..history.journal import Journal, RunContext
from ..history.seed_ledger import forget_dropped_tables
from ..history.status import (
    BulkStatusReader,
    DomainStatus,
    check_not_in_core_history,
    read_statuses,
)
from ..history.tables import ensure_history, ensure_schema
from ..sessions.connection import translate_database_errors, wait_for_database
from ..sessions.session import RunLock, SessionCheck, locked_session
from ..sessions.timeouts import LockPolicy
from ..sources.files import MigrationKey, migrations_on_disk
from .dry_run.dry_run import DryRun
from .dry_run.plan_preview import preview
from .edited_migrations import check_checksums
from .executor import DomainExecutor, RunProgress
from .hooks.dispatch import AfterHookFailed, HookDispatcher
from .interruptions import check_interrupted
from .loader import DomainLoader, load_domain
from .migrate_signals import emit_post_migrate, emit_pre_migrate, emit_without_plan
from .options import MigrateOptions
from .plan import applied_keys
from .planner import make_plan
from .project_state import applied_project_state
from .recording import logged_run
from .reporter import Reporter
from .results import DomainResult, ErrorInfo, Status
from .snapshot_restore import choose_snapshot, restore_snapshot
from .syncdb import create_tables, models_without_table

INFRASTRUCTURE_ERRORS = (
    *(MigrationFailed, DatabaseUnavailable, InsufficientPrivilege, StatementTimeout),
    AfterHookFailed,
)
"""Errors of the world; all others are refusals of ours."""


class DomainRun:
    """Brings one domain of one database to where the options say.

    Arguments:
        domain: the domain.
        options: what was asked for.
        context: the run this is a part of.
        reporter: told what happens.
        glance: where to see what is pending, when nothing else is asked.
    """

    def __init__(
        self,
        domain: Domain,
        options: MigrateOptions,
        context: RunContext,
        reporter: Reporter,
        glance: BulkStatusReader | None = None,
    ) -> None:
        self.domain = domain
        self.options = options
        self.context = context
        self.reporter = reporter
        self.glance = glance
        self.alias = options.database or domain.database
        self.outcome = RunProgress()
        self.batch: int | None = None
        self.unknown: tuple[MigrationKey, ...] = ()
        self.pending: tuple[MigrationKey, ...] = ()
        self.dry_run: DryRun | None = None

    def run(self) -> DomainResult:
        """Run, and return what came of it; errors of ours are in the result, not raised."""
        started = time.monotonic()
        try:
            result = self._run_locked()
        except DomainMigrationsError as exc:
            result = self._failed(exc)
        return result.with_seconds(time.monotonic() - started)

    def _run_locked(self) -> DomainResult:
        self.reporter.on_domain_start(self.domain)
        refuse_model_problems(self.domain)
        wait_for_database(self.alias, self.options.wait_for_db, report=self.reporter.on_wait)
        with translate_database_errors(self.alias):
            status = self._read_status(connections[self.alias])
            self._check_files(status)
        if self._nothing_to_do(status):
            return self._result("unchanged")
        if self.options.only_checks_pending:
            return self._result("pending" if status.pending else "unchanged")
        if self.options.is_read_only:
            return self._preview()
        if self.options.is_dry_run:
            return self._dry_run()
        with locked_session(
            self.alias,
            self.domain,
            wait=self.options.lock_wait_seconds,
            report=self.reporter.on_wait,
        ) as lock:
            # Another run may have done the work while this one waited.
            status = self._read_status(lock.connection)
            if self._nothing_to_do(status):
                return self._result("unchanged")
            return self._migrate(lock, status)

    def _read_status(self, connection: BaseDatabaseWrapper) -> DomainStatus:
        if self.glance is not None:
            status = self.glance.status(connection, self.domain)
        else:
            (status,) = read_statuses(connection, [self.domain])
        self.unknown, self.pending = status.unknown, status.pending
        if status.unknown and self.options.strict:
            raise UnknownTarget(
                f'The history of the domain "{self.domain.name}" has migrations that are not on'
                f" disk: {', '.join(map(str, status.unknown))}.",
                hint="Deploy the code that has them, or leave --strict out.",
            )
        check_not_in_core_history(status)
        return status

    def _check_files(self, status: DomainStatus) -> None:
        """Look for edited migrations, unless it would cost more than all else there is to do."""
        options = self.options
        if options.strict or not (options.check or self._is_latest(status)):
            connection = connections[self.alias]
            check_checksums(connection, status, self.reporter, strict=options.strict)

    def _is_latest(self, status: DomainStatus) -> bool:
        return status.up_to_date and not self.options.has_explicit_target

    def _nothing_to_do(self, status: DomainStatus) -> bool:
        return self._is_latest(status) and not self.options.run_syncdb

    def _only_signals_needed(self, connection: BaseDatabaseWrapper, status: DomainStatus) -> bool:
        """Return whether Django's receivers are all that is to be called.

        The test runner asks for ``run_syncdb`` and finds what earlier tests have left, perhaps
        without the rows that receivers of ``post_migrate`` make.
        """
        if not (status.rows and self._is_latest(status)):
            return False
        labels = [label for label in self.domain.app_labels if not migrations_on_disk([label])]
        return not models_without_table(connection, labels)

    def _executor(
        self, connection: BaseDatabaseWrapper, check_session: SessionCheck
    ) -> DomainExecutor:
        executor = DomainExecutor(
            connection,
            load_domain(connection, self.domain),
            journal=Journal(connection, self.domain, self.context),
            traffic=LockPolicy(
                connection,
                report=self.reporter.on_note,
                lock_timeout=self.options.lock_timeout,
                statement_timeout=self.options.statement_timeout,
            ),
            check_session=check_session,
            progress=self.reporter.progress,
        )
        self.outcome = executor.outcome
        return executor

    def _preview(self) -> DomainResult:
        with translate_database_errors(self.alias):
            connection = connections[self.alias]
            executor = self._executor(connection, lambda step, also=None: None)
            plan = make_plan(connection, executor, self.options)
            check_plan(plan, applied_project_state(executor.loader), self.domain)
            self.pending = applied_keys(plan)
            if self.options.check:
                return self._result("pending" if plan else "unchanged")
            if not plan:
                return self._result("unchanged")
            return self._result("planned", steps=preview(connection, executor.loader, plan))

    def _dry_run(self) -> DomainResult:
        self.dry_run = DryRun(self.domain, self.options, self.reporter)
        with self.dry_run.locks(self.alias) as lock:
            self._read_status(lock.connection)
            self.dry_run.run(lock)
        self.pending = applied_keys(self.dry_run.plan)
        return self._result("planned" if self.dry_run.plan else "unchanged")

    def _migrate(self, lock: RunLock, status: DomainStatus) -> DomainResult:
        connection, options = lock.connection, self.options
        if self._only_signals_needed(connection, status):
            emit_without_plan(connection, self.domain, options)
            return self._result("unchanged")
        executor = self._executor(connection, lock.assert_same)
        executor.interruption = check_interrupted(
            connection, executor.loader, resume=options.resume
        )
        plan = make_plan(connection, executor, options)
        # What waits for the other stage leaves nothing to do in this one.
        done = status.up_to_date if options.stage is None else status.is_consistent
        if not plan and done and not options.run_syncdb:
            return self._result("unchanged")
        state = applied_project_state(executor.loader)
        check_plan(plan, state, self.domain)
        snapshot = choose_snapshot(executor, plan, options, self.reporter)
        journal = executor.records.journal
        # An earlier run that did not get to its end still owes the hooks behind it.
        due = bool(plan) or status.last_run not in (None, "done")
        hooks = HookDispatcher(self.domain, lock, journal, options, self.reporter, plan, due)
        with (
            hooks.failure_hooks(self._failed),
            translate_database_errors(self.alias),
            logged_run(journal) as record,
        ):
            hooks.before(self._result("planned"))
            self._ensure_engine_tables(executor, journal)
            record.begin()
            self.batch = journal.batch if plan else None
            hooks.write()
            emit_pre_migrate(connection, self.domain, options, plan, state)
            if options.run_syncdb:
                self._create_unmigrated_tables(connection, executor.loader)
            left, state = restore_snapshot(executor, snapshot, plan, state, options, self.reporter)
            state = executor.migrate(
                [], plan=left, state=state, fake=options.fake, fake_initial=options.fake_initial
            )
            if plan and plan[-1][1]:
                state = executor.state_after_unapply()
            emit_post_migrate(connection, self.domain, options, plan, state)
            self.pending = self._read_status(connection).pending
            result = self._result("migrated" if plan else "unchanged")
            hooks.after(result)
        return result

    def _ensure_engine_tables(self, executor: DomainExecutor, journal: Journal) -> None:
        """Make the schema before anything in it is touched, then the tables of ours.

        The seeds of tables that were dropped by hand are forgotten while the tables are missing:
        once the run has made them anew, nobody can tell that they are empty.
        """
        ensure_schema(executor.connection, self.domain.schema)
        with executor.identity.as_domain_role():
            ensure_history(executor.connection, self.domain)
            journal.open()
            forget_dropped_tables(executor.connection, self.domain)

    def _create_unmigrated_tables(
        self, connection: BaseDatabaseWrapper, loader: DomainLoader
    ) -> None:
        labels = [label for label in self.domain.app_labels if label in loader.unmigrated_apps]
        for table in create_tables(connection, self.domain, labels):
            self.reporter.on_note(f"Created table {table}")

    def _result(self, status: Status, **values: Any) -> DomainResult:
        if self.options.wants_steps:
            values.setdefault("steps", tuple(self.dry_run.steps if self.dry_run else ()))
        if self.dry_run:
            values["not_rehearsed"] = tuple(self.dry_run.not_rehearsed)
        return DomainResult.of(
            self.domain,
            status,
            batch=self.batch,
            applied=tuple(self.outcome.applied),
            reverted=tuple(self.outcome.reverted),
            pending=self.pending,
            unknown=self.unknown,
            **values,
        )

    def _failed(self, exc: DomainMigrationsError) -> DomainResult:
        changed = self.outcome.applied or self.outcome.reverted
        if isinstance(exc, LockNotAvailable):
            status: Status = "busy"
        elif changed or isinstance(exc, INFRASTRUCTURE_ERRORS):
            status = "failed"
        else:
            status = "refused"
        if not changed:
            self.batch = None
        done = {ran.key for ran in self.outcome.applied}
        self.pending = tuple(key for key in self.pending if key not in done)
        return self._result(status, error=ErrorInfo.of(exc))
