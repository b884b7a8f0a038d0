"""One domain's part of a run, from the first look at the database to the last hook."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now

from ..boundary.models import check_models
from ..boundary.plan import check_plan
from ..domains import Domain
from ..exceptions import (
    ConnectionFailed,
    DomainMigrationsError,
    InvalidConfiguration,
    LockBusy,
    MigrationFailed,
    PrivilegeMissing,
    StatementTimeout,
    UnknownTarget,
)
from ..history.context import RunContext
from ..history.journal import Journal, read_entries
from ..history.tables import ensure_history, ensure_schema
from .batches import last_batches, rollback_plan
from .connection import database_errors
from .emit import emit_post_migrate, emit_pre_migrate
from .exclusive import exclusive
from .executor import DomainExecutor, Outcome
from .interrupted import Interruption, find_interruption, refuse
from .loader import DomainLoader, load
from .locks import HeldLock
from .options import MigrateOptions
from .planner import (
    ZERO,
    Plan,
    check_core_zero,
    check_dependants,
    check_reversible,
    graph_targets,
    own_part,
)
from .preview import preview
from .reporter import Reporter
from .results import DomainResult, Error, MigrationKey
from .status import DomainStatus, read_statuses
from .syncdb import create_tables
from .traffic import Traffic

FAILURES = (MigrationFailed, ConnectionFailed, PrivilegeMissing, StatementTimeout)
"""Errors of the world; all others are refusals of ours."""


class DomainRun:
    """Brings one domain of one database to where the options say.

    Arguments:
        domain: the domain.
        options: what was asked for.
        context: the run this is a part of.
        reporter: told what happens.
        resume: go on with the migration that was interrupted, and do nothing else.
    """

    def __init__(
        self,
        domain: Domain,
        options: MigrateOptions,
        context: RunContext,
        reporter: Reporter,
        *,
        resume: bool = False,
    ) -> None:
        self.domain = domain
        self.options = options
        self.context = context
        self.reporter = reporter
        self.resume = resume
        self.alias = options.database or domain.database
        self.outcome = Outcome()
        self.batch: int | None = None
        self.unknown: tuple[MigrationKey, ...] = ()
        self.pending: tuple[MigrationKey, ...] = ()

    def result(self) -> DomainResult:
        """Run, and return what came of it; errors of ours are in the result, not raised."""
        started = time.monotonic()
        try:
            result = self._run()
        except DomainMigrationsError as exc:
            result = self._failed(exc)
        return result.with_seconds(time.monotonic() - started)

    def _run(self) -> DomainResult:
        self.reporter.domain(self.domain)
        check_models(self.domain)
        with database_errors(self.alias):
            status = self._look(connections[self.alias])
        if self._nothing_to_do(status):
            return self._result("unchanged")
        if self.options.check and self.options.target is None:
            return self._result("pending" if status.pending else "unchanged")
        if self.options.looks_only:
            return self._preview()
        with exclusive(
            self.alias,
            self.domain,
            wait=self.options.seconds_for_lock,
            reporter=self.reporter,
        ) as lock:
            # Another run may have done the work while this one waited.
            status = self._look(lock.connection)
            if self._nothing_to_do(status):
                return self._result("unchanged")
            return self._migrate(lock, status)

    def _look(self, connection: BaseDatabaseWrapper) -> DomainStatus:
        (status,) = read_statuses(connection, [self.domain])
        self.unknown, self.pending = status.unknown, status.pending
        if status.unknown and self.options.strict:
            raise UnknownTarget(
                f'The history of the domain "{self.domain.name}" has migrations that are not on'
                f" disk: {', '.join(map(str, status.unknown))}.",
                hint="Deploy the code that has them, or leave --strict out.",
            )
        lost = sorted(set(status.misplaced) & set(status.pending))
        if lost:
            raise _misplaced(self.domain, lost)
        return status

    def _nothing_to_do(self, status: DomainStatus) -> bool:
        options = self.options
        asked = options.target is not None or options.rollback is not None or options.run_syncdb
        return status.up_to_date and not asked and not self.resume

    def _plan(self, connection: BaseDatabaseWrapper, executor: DomainExecutor) -> Plan:
        if self.resume and executor.interruption is not None:
            key, back = executor.interruption.key, executor.interruption.backwards
            plan = [(executor.loader.graph.nodes[key], back)]
        elif self.options.rollback is not None:
            plan = self._rollback_plan(connection, executor.loader)
        else:
            targets = graph_targets(
                executor.loader, self.domain, self.options.target, self.options.app_label
            )
            plan = executor.migration_plan(targets)
        if self.options.looks_only and (self.options.all_domains or self.options.with_dependencies):
            plan = [step for step in plan if step[0].app_label in self.domain.app_labels]
        plan = own_part(plan, self.domain)
        if self.domain.is_core:
            statuses = read_statuses(connection)
            if self.options.target == ZERO and self.options.app_label is None:
                check_core_zero(statuses)
            check_dependants(plan, statuses)
        check_reversible(plan)
        return plan

    def _interruption(
        self, connection: BaseDatabaseWrapper, loader: DomainLoader
    ) -> Interruption | None:
        """Return the interrupted migration that may be resumed; refuse where a person decides."""
        found = find_interruption(read_entries(connection, self.domain))
        if found is None:
            if self.resume:
                raise UnknownTarget(
                    f'No migration of the domain "{self.domain.name}" was interrupted.',
                    hint=f"See where it stands with: manage.py show_domains {self.domain.name}",
                )
            return None
        migration = loader.disk_migrations.get((found.key.app, found.key.name))
        if migration is None or not (self.resume or found.safe_to_resume(migration)):
            raise refuse(connection, loader, found)
        return found

    def _rollback_plan(self, connection: BaseDatabaseWrapper, loader: DomainLoader) -> Plan:
        (status,) = read_statuses(connection, [self.domain])
        applied = [(row.app, row.name) for row in status.rows]
        wanted = last_batches(
            read_entries(connection, self.domain), applied, self.options.rollback or 0
        )
        return rollback_plan(loader, wanted)

    def _executor(
        self, connection: BaseDatabaseWrapper, check_session: Callable[[str], None]
    ) -> DomainExecutor:
        executor = DomainExecutor(
            connection,
            load(connection, self.domain),
            journal=Journal(connection, self.domain, self.context),
            traffic=Traffic(connection, self.options, report=self.reporter.note),
            check_session=check_session,
            progress=self.reporter.progress,
        )
        self.outcome = executor.outcome
        return executor

    def _preview(self) -> DomainResult:
        with database_errors(self.alias):
            connection = connections[self.alias]
            executor = self._executor(connection, lambda _: None)
            plan = self._plan(connection, executor)
            state = executor._create_project_state(with_applied_migrations=True)
            check_plan(plan, state, self.domain)
            self.pending = tuple(
                MigrationKey(migration.app_label, migration.name)
                for migration, backwards in plan
                if not backwards
            )
            if self.options.check:
                return self._result("pending" if plan else "unchanged")
            if not plan:
                return self._result("unchanged", steps=())
            return self._result("planned", steps=preview(connection, executor.loader, plan))

    def _migrate(self, lock: HeldLock, status: DomainStatus) -> DomainResult:
        connection = lock.connection
        executor = self._executor(connection, lock.assert_same)
        executor.interruption = self._interruption(connection, executor.loader)
        plan = self._plan(connection, executor)
        asked = self.options.target is not None or self.options.rollback is not None
        if asked and not plan and status.up_to_date:
            return self._result("unchanged")
        state = executor._create_project_state(with_applied_migrations=True)
        check_plan(plan, state, self.domain)
        self._prepare(connection, executor.journal)
        with self._journalled(executor.journal):
            emit_pre_migrate(connection, self.domain, self.options, plan, state)
            if self.options.run_syncdb:
                self._sync(connection, executor.loader)
            state = executor.migrate(
                [],
                plan=plan,
                state=state,
                fake=self.options.fake,
                fake_initial=self.options.fake_initial,
            )
            emit_post_migrate(connection, self.domain, self.options, plan, state)
        self.pending = self._look(connection).pending
        changed = bool(plan)
        self.batch = executor.journal.batch if changed else None
        return self._result("migrated" if changed else "unchanged")

    def _prepare(self, connection: BaseDatabaseWrapper, journal: Journal) -> None:
        """Make the schema before anything in it is touched, then the tables of ours."""
        ensure_schema(connection, self.domain.schema)
        ensure_history(connection, self.domain)
        journal.open()

    def _sync(self, connection: BaseDatabaseWrapper, loader: DomainLoader) -> None:
        labels = [label for label in self.domain.app_labels if label in loader.unmigrated_apps]
        for table in create_tables(connection, self.domain, labels):
            self.reporter.note(f"Created table {table}")

    @contextmanager
    def _journalled(self, journal: Journal) -> Iterator[None]:
        """Frame the run in the journal: it is finished only with ``post_migrate``."""
        started, clock = now(), time.monotonic()
        journal.write("running", "run", started=started)
        try:
            yield
        except Exception as exc:
            error: Any = exc
            if not isinstance(exc, DomainMigrationsError):
                error = MigrationFailed(
                    f"A receiver of pre_migrate or post_migrate failed: {exc}",
                    hint="The migrations are recorded; the next run sends the signal again.",
                )
            if journal.connection.connection and not journal.connection.connection.closed:
                journal.write(
                    "failed",
                    "run",
                    started=started,
                    seconds=time.monotonic() - clock,
                    error=error.message,
                    sqlstate=error.sqlstate,
                )
            if error is exc or isinstance(exc, DatabaseError):
                raise
            raise error from exc
        journal.write("done", "run", started=started, seconds=time.monotonic() - clock)

    def _result(self, status: Any, **values: Any) -> DomainResult:
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
        if isinstance(exc, LockBusy):
            status = "busy"
        elif changed or isinstance(exc, FAILURES):
            status = "failed"
        else:
            status = "refused"
        done = {ran.key for ran in self.outcome.applied}
        self.pending = tuple(key for key in self.pending if key not in done)
        return self._result(status, error=Error.of(exc))


def _misplaced(domain: Domain, lost: list[MigrationKey]) -> DomainMigrationsError:
    labels = ", ".join(f"'{label}'" for label in domain.app_labels)
    return InvalidConfiguration(
        f"public.django_migrations records {lost[0]}"
        + (f" and {len(lost) - 1} more" if len(lost) > 1 else "")
        + f', which belong in {domain.history_table}; the domain "{domain.name}" would be'
        " migrated a second time.",
        hint=(
            f"Move the rows: INSERT INTO {domain.history_table} (app, name, applied) SELECT app,"
            f" name, applied FROM public.django_migrations WHERE app IN ({labels}) ORDER BY id;"
            " then delete them from public.django_migrations."
        ),
    )
