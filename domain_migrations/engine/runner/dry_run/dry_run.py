"""Running what a plan holds for real, in one transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from django.db import connections
from django.db.migrations.migration import Migration

from ....domains import CORE, Domain, get_domain
from ....exceptions import UnknownTarget
from ...boundary.planned_migrations import check_plan
from ...history.status import read_statuses
from ...history.tables import ensure_schema
from ...sessions.connection import translate_database_errors
from ...sessions.scratch_databases import clear_content_type_cache
from ...sessions.session import RunLock, locked_session, own_connection
from ...sources.files import MigrationKey
from ..interruptions import check_interrupted
from ..loader import load_domain
from ..options import MigrateOptions
from ..plan import Plan
from ..planner import make_plan
from ..project_state import applied_project_state
from ..reporter import Reporter
from ..results import PlannedMigration, SkippedInDryRun
from ..targets import graph_targets
from .round_trip import check_round_trip
from .trial_executor import RolledBackExecutor, rolled_back

HOLDS_LOCKS = "Each lock that is taken now is held until all is rolled back at the end."
NOT_ATOMIC = "It is not atomic: what it does could not be rolled back."
COMES_AFTER = "It comes after {}, which is not atomic."


class DryRun:
    """One domain's plan, run and rolled back.

    There are no hooks, no ``pre_migrate`` and ``post_migrate``, and no row in a history or a
    journal. What code of a migration does outside the database is not undone, nor are the
    values given back that it takes from a sequence.

    Arguments:
        domain: the domain.
        options: what was asked for; with ``rehearse`` each migration is undone and applied
            again as well.
        reporter: warned that locks are held.

    Attributes:
        plan: what was asked for, once it is known.
        steps: what each migration did that has run.
        not_rehearsed: what did not run, or was not undone, and why.
    """

    def __init__(self, domain: Domain, options: MigrateOptions, reporter: Reporter) -> None:
        self.domain = domain
        self.options = options
        self.reporter = reporter
        self.applies_core_first = False
        self.plan: Plan = []
        self.steps: list[PlannedMigration] = []
        self.not_rehearsed: list[SkippedInDryRun] = []

    @contextmanager
    def locks(self, alias: str) -> Iterator[RunLock]:
        """Take the locks that a run takes; core's as well where its migrations come first.

        The connection is a new one, closed at the end: what a session keeps beyond a rollback,
        such as advisory locks that a migration takes, goes with it.
        """
        wait, report = self.options.lock_wait_seconds, self.reporter.on_wait
        with ExitStack() as stack:
            stack.enter_context(own_connection(alias))
            core = get_domain(CORE)
            self.applies_core_first = self._core_first(alias, core)
            if self.applies_core_first:
                stack.enter_context(locked_session(alias, core, wait=wait, report=report))
            lock = locked_session(alias, self.domain, wait=wait, report=report)
            yield stack.enter_context(lock)

    def _core_first(self, alias: str, core: Domain) -> bool:
        """Return whether core's pending migrations have to be there, as they will be in the run."""
        asked = self.options.all_domains or self.options.with_dependencies
        if not asked or self.domain.is_core or alias != (self.options.database or core.database):
            return False
        with translate_database_errors(alias):
            (status,) = read_statuses(connections[alias], [core])
        return bool(status.pending)

    def run(self, lock: RunLock) -> None:
        """Run the plan and roll it back.

        Raises:
            DomainMigrationsError: what a run would raise; ``steps`` has what came before.
            MigrationFailed: also that an undo does not restore what was before.
        """
        with rolled_back(lock.connection):
            try:
                self._run(lock)
            finally:
                clear_content_type_cache()  # Those that a migration has made are gone.

    def _run(self, lock: RunLock) -> None:
        connection = lock.connection
        core = self._apply_core(lock)
        executor = self._executor(lock, self.domain)
        if core is not None:
            executor.loader.applied_migrations.update(core.loader.applied_migrations)
        check_interrupted(connection, executor.loader, resume=False)
        self.plan = make_plan(connection, executor, self.options)
        state = applied_project_state(executor.loader)
        check_plan(self.plan, state, self.domain)
        if self.options.rehearse:
            _check_forwards(self.plan)
        plan, self.not_rehearsed = _until_non_atomic(self.plan)
        if core is not None and (waits := self._pending_core_plan(lock, core)):
            plan, self.not_rehearsed = [], _skipped_after(waits[0][0], [m for m, _ in self.plan])
        if not plan:
            return
        self.reporter.warning(HOLDS_LOCKS)
        ensure_schema(connection, self.domain.schema)
        self.steps = executor.steps
        executor.begin()
        if self.options.rehearse:
            self.not_rehearsed = [*check_round_trip(executor, plan, state), *self.not_rehearsed]
        elif plan[0][1]:
            executor.migrate([], plan=plan, state=state)
        else:
            for migration, _ in plan:
                state = executor.apply_migration(state, migration)

    def _executor(self, lock: RunLock, domain: Domain) -> RolledBackExecutor:
        return RolledBackExecutor(
            lock, load_domain(lock.connection, domain), self.options, self.reporter
        )

    def _apply_core(self, lock: RunLock) -> RolledBackExecutor | None:
        """Apply what core lacks, as far as it can be rolled back."""
        if not self.applies_core_first:
            return None
        executor = self._executor(lock, get_domain(CORE))
        plan, _ = _until_non_atomic(self._pending_core_plan(lock, executor))
        if plan:
            state = applied_project_state(executor.loader)
            executor.begin()
            for migration, _ in plan:
                state = executor.apply_migration(state, migration)
        return executor

    def _pending_core_plan(self, lock: RunLock, executor: RolledBackExecutor) -> Plan:
        plan: Plan = executor.migration_plan(graph_targets(executor.loader, get_domain(CORE), None))
        return plan


def _until_non_atomic(plan: Plan) -> tuple[Plan, list[SkippedInDryRun]]:
    """Cut the plan before the first migration that could not be rolled back."""
    for index, (migration, _) in enumerate(plan):
        if not migration.atomic:
            rest = [later for later, _ in plan[index + 1 :]]
            return plan[:index], [
                (MigrationKey.of(migration), NOT_ATOMIC),
                *_skipped_after(migration, rest),
            ]
    return plan, []


def _skipped_after(first: Migration, rest: Sequence[Migration]) -> list[SkippedInDryRun]:
    return [(MigrationKey.of(migration), COMES_AFTER.format(first)) for migration in rest]


def _check_forwards(plan: Plan) -> None:
    if plan and plan[0][1]:
        raise UnknownTarget(
            f"{plan[0][0]} is applied; --rehearse is about migrations that are pending.",
            hint="To try what undoing it would do, use --dry-run.",
        )
