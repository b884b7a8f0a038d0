"""The executor of dry runs: migrations run in a transaction, recorded and rolled back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.core.management.commands.migrate import Command
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState
from psycopg import sql

from ....exceptions import DomainMigrationsError, RunStopped
from ...guard.held_locks import LOCK_STRENGTH
from ...guard.watch import Footprint
from ...sessions.connection import execute, fetch_all
from ...sessions.database_errors import LOCK_NOT_AVAILABLE
from ...sessions.timeouts import RetryPolicy
from ...sources.files import MigrationKey
from ..attempt_contexts import watch_nodes
from ..attempts import Attempt
from ..executor import DomainExecutor
from ..loader import DomainLoader, Plan
from ..migration_log import MigrationLog, recorded_keys
from ..observed_operations import operation_name
from ..results import PlannedMigration
from ..run_session import RunSession
from .effects import StatementRecorder, TableFile, files_by_oid, rewritten

ROLLED_BACK = "It was rolled back."
NOTHING_KEPT = f"{ROLLED_BACK} Correct the cause and run the command again."

DEFERRABLE_NOW = """
SELECT n.nspname, k.conname FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
WHERE k.condeferrable AND NOT k.condeferred AND has_schema_privilege(n.oid, 'USAGE')
"""


class TrialLog(MigrationLog):
    """A migration log that writes nothing, not even what would be rolled back.

    A row would use up an id of its table for good. The loader gets the migrations that count as
    applied instead. A dry run fakes no migration, and skips those without a transaction; a squash
    is recorded by the run that applies the last replaced migration.

    Attributes:
        footprint: the footprint of the latest migration.
    """

    def __init__(self, session: RunSession, loader: DomainLoader) -> None:
        self.session = session
        self.loader = loader
        self.footprint: Footprint = {}

    def for_session(self, session: RunSession, loader: DomainLoader) -> MigrationLog:
        return TrialLog(session, loader)

    def log_applied(self, attempt: Attempt, footprint: Footprint) -> None:
        """Keep the footprint, and let the loader know what is applied now."""
        attempt.note_transaction(self.session.check(f"Migration {attempt.migration}"))
        self.footprint = footprint
        for key in recorded_keys(self.loader, attempt.migration):
            if attempt.backwards:
                self.loader.applied_migrations.pop(key, None)
            else:
                self.loader.applied_migrations[key] = attempt.migration


class TrialExecutor:
    """Runs atomic migrations inside a transaction that the caller rolls back.

    It wraps a :class:`DomainExecutor` that writes to no history or journal, and that does not
    retry: the locks of the migrations before would be held during the pause.

    Arguments:
        session: the session of the run; its domain is the loader's.
        loader: has loaded the domain and core.

    Attributes:
        executor: runs the migrations.
        steps: the effects of each migration.
    """

    def __init__(self, session: RunSession, loader: DomainLoader) -> None:
        self.connection = session.connection
        self.loader = loader
        self.log = TrialLog(session, loader)
        self.recorder = StatementRecorder(session.connection)
        self.executor = DomainExecutor(
            session,
            loader,
            log=self.log,
            retries=RetryPolicy(retries=0),
            observe=self.recorder.recording,
            progress=self._on_progress,
        )
        self.steps: list[PlannedMigration] = []
        self._held: dict[str, str] = {}
        self._files: dict[int, TableFile] = {}

    def begin(self, after: TrialExecutor | None = None) -> None:
        """Remember the state of the database before the first migration.

        Arguments:
            after: what has run in the same transaction before.
        """
        self._files = files_by_oid(self.connection)
        session, guard = self.executor.session, self.executor.guard
        if not session.settings.values:
            session.settings.keep()
        guard.ignore_so_far()
        watch_nodes(session, guard)
        earlier = None if after is None else after.executor.guard.nodes
        if guard.nodes is not None and earlier is not None:
            guard.nodes.seen = earlier.seen

    def run(
        self, state: ProjectState, migration: Migration, *, backwards: bool = False
    ) -> ProjectState:
        """Run a migration, and add a step with its effects."""
        run = self.executor.unapply_migration if backwards else self.executor.apply_migration
        with self._without_kept_hint():
            return run(state, migration)

    def run_plan(self, plan: Plan, state: ProjectState) -> None:
        """Run a plan in one direction, and add a step for each migration."""
        if plan[0][1]:
            with self._without_kept_hint():
                self.executor.migrate([], plan=plan, state=state)
        else:
            for migration, _ in plan:
                state = self.run(state, migration)

    def _on_progress(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        """Add the step of a migration that has run, outside of its transaction and role."""
        if migration is None or action not in ("apply_success", "unapply_success"):
            return
        backwards, progress = action == "unapply_success", self.executor.progress
        ran = progress.reverted if backwards else progress.applied
        restore_constraint_timing(self.connection)
        with self._reading_shards():
            before, self._files = self._files, files_by_oid(self.connection)
            rewritten_rows = rewritten(self.connection, before, self._files)
        self.steps.append(
            PlannedMigration(
                key=MigrationKey.of(migration),
                backwards=backwards,
                operations=describe_operations(migration, backwards=backwards),
                sql=self.recorder.statements,
                locks=self._new_locks(self.log.footprint),
                rewritten=rewritten_rows,
                seconds=ran[-1].seconds,
            )
        )

    @contextmanager
    def _reading_shards(self) -> Iterator[None]:
        """Read on a cluster as the domain's role: its session has what it changed on the node.

        Constraints on the nodes are deferred again first.
        """
        session = self.executor.session
        if session.on_cluster is None:
            yield
            return
        with session.roles.as_domain_role():
            session.on_cluster.reset_constraints()
            yield

    def _new_locks(self, locks: Mapping[str, str]) -> dict[str, str]:
        """Return the locks that are stronger than those that earlier migrations took."""
        new = {
            relation: mode
            for relation, mode in locks.items()
            if LOCK_STRENGTH[mode] > LOCK_STRENGTH.get(self._held.get(relation, ""), -1)
        }
        self._held.update(new)
        return new

    @contextmanager
    def _without_kept_hint(self) -> Iterator[None]:
        """Replace the hint of a failure, which names migrations that were kept."""
        try:
            yield
        except DomainMigrationsError as exc:
            if exc.__cause__ is None:  # A refusal, with a hint about the file.
                raise
            message = exc.message
            blockers = self.executor.timeout_policy.blocker_clause()
            if exc.sqlstate == LOCK_NOT_AVAILABLE and blockers:
                message = f"{message.rstrip('.')}: {blockers}."
            hint = ROLLED_BACK if isinstance(exc, RunStopped) else NOTHING_KEPT
            error = type(exc)(message, hint=hint, sqlstate=exc.sqlstate)
            error.traceback = exc.traceback
            raise error from exc


def describe_operations(migration: Migration, *, backwards: bool) -> tuple[str, ...]:
    """Return descriptions of the operations, as Django's ``migrate --plan`` prints them.

    Code is called by its function's name here, too.
    """
    return tuple(
        Command.describe_operation(operation, backwards)[0].replace(
            operation.describe(), operation_name(operation, backwards=backwards), 1
        )
        for operation in migration.operations
    )


def restore_constraint_timing(connection: BaseDatabaseWrapper) -> None:
    """Reset constraints to deferred or immediate, as at the start of a transaction.

    A migration's deferred constraints are checked at its end. After that PostgreSQL treats all of
    them as immediate until the transaction ends, which in a real run is where the migration ends.
    """
    immediate = [sql.Identifier(*row) for row in fetch_all(connection, DEFERRABLE_NOW)]
    execute(connection, "SET CONSTRAINTS ALL DEFERRED")
    if immediate:
        names = sql.SQL(", ").join(immediate)
        execute(connection, sql.SQL("SET CONSTRAINTS {} IMMEDIATE").format(names))


@contextmanager
def rolled_back(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Roll back everything that the body does, whether it succeeds or not."""
    with transaction.atomic(using=connection.alias):
        try:
            yield
        finally:
            if connection.in_atomic_block:
                transaction.set_rollback(True, using=connection.alias)
