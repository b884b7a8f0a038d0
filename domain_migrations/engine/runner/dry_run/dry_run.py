"""Dry runs: a plan run in one transaction that is rolled back, with a round trip if asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connections
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from ....domains import CORE, Domain, get_domain
from ....exceptions import (
    DomainMigrationsError,
    MigrationFailed,
    MigrationIrreversible,
    UnknownTarget,
)
from ...boundary.planned_migrations import check_plan
from ...catalog.fingerprint import DatabaseFingerprint, fingerprint_differences, read_catalog
from ...history.status import DomainStatus, read_statuses
from ...history.tables import ensure_schema
from ...sessions.connection import schema_exists
from ...sessions.database_problems import translate_database_errors
from ...sessions.scratch_databases import clear_content_type_cache
from ...sessions.session import own_connection
from ...sources.files import MigrationKey
from ...sources.transfer_halves import half_in, halves_in
from ..adoption.inspected_schema import find_adoption
from ..adoption_results import ImportedHistory
from ..domain_schema import ensure_domain_schema
from ..interruptions import check_interrupted
from ..loader import Plan, load_domain
from ..observed_operations import operation_name
from ..options import MigrateOptions
from ..planner import make_plan
from ..project_state import in_run_order, project_state
from ..results import PlannedMigration, Reporter, SkippedMigration
from ..run_session import RunSession
from ..targets import graph_targets
from ..transfer.pair_plan import check_transfers
from .trial_executor import TrialExecutor, rolled_back

HOLDS_LOCKS = "Each lock is held from now until everything is rolled back at the end."
NOT_ATOMIC = "It is not atomic: its changes could not be rolled back."
COMES_AFTER = "It comes after {}, which is not atomic."
WRITE_REVERSE = "Correct its reverse; everything was rolled back."
MOST_NAMED = 10
"""Differences in the catalog that a message contains."""


class DryRun:
    """One domain's plan, run and rolled back.

    It calls no hooks, sends no ``pre_migrate`` or ``post_migrate``, and writes no row into a
    history or a journal. What code of a migration does outside of the database is not reverted,
    and values taken from a sequence are lost.

    Arguments:
        domain: the domain.
        options: with ``rehearse``, each migration is also reverted and applied again.
        reporter: gets a warning that locks are held.

    Attributes:
        plan: the plan, once it was made.
        steps: the effects of each migration that has run.
        not_rehearsed: the migrations that did not run or were not reverted, and the reasons.
        history: another tool's history that the run would bring into the journal.
    """

    def __init__(self, domain: Domain, options: MigrateOptions, reporter: Reporter) -> None:
        self.domain = domain
        self.options = options
        self.reporter = reporter
        self.applies_core_first = False
        self.plan: Plan = []
        self.steps: list[PlannedMigration] = []
        self.not_rehearsed: list[SkippedMigration] = []
        self.history: ImportedHistory | None = None

    def result_values(self) -> dict[str, Any]:
        """Return the values of the domain's result."""
        return {
            "steps": tuple(self.steps),
            "not_rehearsed": tuple(self.not_rehearsed),
            "history": self.history,
        }

    @contextmanager
    def session(self, alias: str, *, excludes_all: bool = False) -> Iterator[RunSession]:
        """Yield a session that rolls back, with the locks of a run, and core's if it comes first.

        Arguments:
            excludes_all: acquire core's lock also where nothing of core is pending.

        The connection is a new one, closed at the end, because a session keeps some things after
        a rollback, such as advisory locks that a migration acquires.
        """
        with ExitStack() as stack:
            if not connections[alias].in_atomic_block:
                stack.enter_context(own_connection(alias))
            core = get_domain(CORE)
            self.applies_core_first = self._applies_core_first(alias, core)
            if self.applies_core_first or excludes_all:
                stack.enter_context(RunSession.locked(core, self.options, self.reporter))
            run = RunSession.locked(self.domain, self.options, self.reporter)
            session = stack.enter_context(run)
            # Content types of the migrations are rolled back.
            stack.callback(clear_content_type_cache)
            stack.enter_context(rolled_back(session.connection))
            session.settings.keep()
            if session.is_distributed:
                # The transaction has one session on the node, of the role that first reads there.
                stack.enter_context(session.roles.as_domain_role())
                session.settings.keep()
            yield session

    def _applies_core_first(self, alias: str, core: Domain) -> bool:
        """Return whether core's pending migrations come first, as in the run."""
        includes_core = self.options.all_domains or self.options.with_dependencies
        same_database = alias == (self.options.database or core.database)
        if self.domain.is_core or not (includes_core and same_database):
            return False
        with translate_database_errors(alias):
            (status,) = read_statuses(connections[alias], [core])
        return bool(status.pending)

    def run(self, session: RunSession, status: DomainStatus) -> None:
        """Run the plan.

        Raises:
            DomainMigrationsError: see a run; ``steps`` has the migrations before the error.
            MigrationFailed: also if reverting a migration does not restore the catalog.
        """
        connection = session.connection
        core = self._apply_core(session)
        may_conflict = self.options.may_conflict
        loader = load_domain(connection, self.domain, may_conflict=may_conflict)
        trial = TrialExecutor(session, loader)
        if core is not None:
            trial.loader.applied_migrations.update(core.loader.applied_migrations)
            trial.loader.applied_migrations.update(_run_with_core(self.domain, core))
        check_interrupted(connection, trial.loader, resume=False)
        self.plan = in_run_order(trial.loader, make_plan(trial.executor, status))
        state = project_state(trial.loader)
        check_plan(self.plan, state, self.domain)
        if self.options.rehearse and self.plan and self.plan[0][1]:
            raise UnknownTarget(
                f"{self.plan[0][0]} is applied; --rehearse accepts only pending migrations.",
                hint="To try a rollback, use --dry-run.",
            )
        plan, self.not_rehearsed = _until_non_atomic(self.plan)
        if (waiting := trial.executor.waiting) is not None:
            reason = waiting.error.message
            skipped = [SkippedMigration(key, reason) for key in waiting.keys]
            self.not_rehearsed = [*self.not_rehearsed, *skipped]
        if core is not None and (missing := _pending_core_plan(core)):
            plan, self.not_rehearsed = [], _skipped_after(missing[0][0], self.plan)
        adoption = find_adoption(connection, loader, plan)
        self.history = adoption.shown_history
        trial.steps += adoption.steps()
        self.steps = trial.steps
        plan, state = adoption.rest_of(plan), adoption.state_after(state)
        if not plan:
            self._check_all_rehearsed()
            return
        self.reporter.on_warning(HOLDS_LOCKS)
        _ensure_schemas(trial, plan)
        trial.begin(after=core)
        if self.options.rehearse:
            self.not_rehearsed = [*check_round_trip(trial, plan, state), *self.not_rehearsed]
            self._check_all_rehearsed()
        else:
            trial.run_plan(plan, state)

    def _check_all_rehearsed(self) -> None:
        if self.options.rehearse and self.options.strict and self.not_rehearsed:
            key, reason = self.not_rehearsed[0]
            raise MigrationIrreversible(
                f"{key} was not rehearsed. {reason}",
                hint="Omit --strict if that is intended. Nothing was kept.",
            )

    def _apply_core(self, session: RunSession) -> TrialExecutor | None:
        """Apply core's pending migrations, up to the first that cannot be rolled back."""
        if not self.applies_core_first:
            return None
        core = get_domain(CORE)
        trial = TrialExecutor(
            RunSession(session.connection, core, self.options, self.reporter, lock=session.lock),
            load_domain(session.connection, core),
        )
        plan, _ = _until_non_atomic(_pending_core_plan(trial))
        if plan:
            _ensure_schemas(trial, plan)
            trial.begin()
            trial.run_plan(plan, project_state(trial.loader))
        return trial


def _run_with_core(domain: Domain, core: TrialExecutor) -> dict[tuple[str, str], Any]:
    """Return the domain's halves of transfers that have run together with core's halves."""
    applied = core.loader.applied_migrations
    halves = (half for label in domain.app_labels for half in halves_in(label))
    return {half.key: applied[half.partner] for half in halves if half.partner in applied}


def _ensure_schemas(trial: TrialExecutor, plan: Plan) -> None:
    """Create the schemas of the domain and of those with which the plan exchanges tables."""
    if not schema_exists(trial.connection, trial.loader.domain.schema):
        ensure_domain_schema(trial.executor.session)
    halves = (half_in(migration) for migration, _ in plan)
    for half in halves:
        if half is not None:
            ensure_schema(trial.connection, half.other_domain.schema)


def _pending_core_plan(core: TrialExecutor) -> Plan:
    targets = graph_targets(core.loader, get_domain(CORE), None)
    plan: Plan = core.executor.migration_plan(targets)
    waiting = check_transfers(core.connection, core.loader, plan)
    return plan if waiting is None else plan[: waiting.start]


def _until_non_atomic(plan: Plan) -> tuple[Plan, list[SkippedMigration]]:
    """Cut the plan before the first migration that could not be rolled back."""
    for index, (migration, _) in enumerate(plan):
        if not migration.atomic:
            skipped = SkippedMigration(MigrationKey.of(migration), NOT_ATOMIC)
            return plan[:index], [skipped, *_skipped_after(migration, plan[index + 1 :])]
    return plan, []


def _skipped_after(first: Migration, rest: Plan) -> list[SkippedMigration]:
    reason = COMES_AFTER.format(first)
    return [SkippedMigration(MigrationKey.of(migration), reason) for migration, _ in rest]


def check_round_trip(
    trial: TrialExecutor, plan: Plan, state: ProjectState
) -> list[SkippedMigration]:
    """Apply, revert and reapply each migration; return those that cannot be reverted.

    Irreversible migrations are applied, so that the following ones can be checked.

    Raises:
        MigrationFailed: reverting a migration does not restore the catalog, or applying it again
            has another result than the first time.
        DomainMigrationsError: a migration could not be applied or reverted.
    """
    irreversible: list[SkippedMigration] = []
    connection = trial.connection
    before = read_catalog(connection)
    for migration, _ in plan:
        start = state.clone()
        state = trial.run(state, migration)
        applied, count = read_catalog(connection), len(trial.steps)
        stuck = [
            f"operation {number} ({operation_name(operation, backwards=False)})"
            for number, operation in enumerate(migration.operations, start=1)
            if not operation.reversible
        ]
        if stuck:
            reason = f"It cannot be reverted: {', '.join(stuck)} has no reverse."
            irreversible.append(SkippedMigration(MigrationKey.of(migration), reason))
        else:
            with _failing_after(f"{migration} was applied, and then"):
                trial.run(start.clone(), migration, backwards=True)
            _expect(before, read_catalog(connection), f"Reverting {migration} does not restore")
            with _failing_after(f"{migration} was applied and reverted, and then"):
                trial.run(start, migration)
            _expect(applied, read_catalog(connection), f"Applied again, {migration} changes")
            del trial.steps[count:]  # A run would apply it once.
        before = applied
    return irreversible


@contextmanager
def _failing_after(phrase: str) -> Iterator[None]:
    """Begin the message of a failure with the steps that succeeded before."""
    try:
        yield
    except DomainMigrationsError as exc:
        message = f"{phrase}: {exc.message}"
        error = type(exc)(message, hint=exc.hint, sqlstate=exc.sqlstate)
        error.traceback = exc.traceback
        raise error from exc


def _expect(before: DatabaseFingerprint, after: DatabaseFingerprint, problem: str) -> None:
    found = fingerprint_differences(before, after)
    if found:
        more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        raise MigrationFailed(
            f"{problem} the catalog: {'; '.join(found[:MOST_NAMED])}{more}.", hint=WRITE_REVERSE
        )
