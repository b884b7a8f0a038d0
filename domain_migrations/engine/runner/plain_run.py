"""A run by Django's own executor, whose plan may have migrations of every domain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from ...domains import CORE, Domain, get_domain, get_domain_for
from ...exceptions import DomainMigrationsError, MigrationInterrupted
from ..history.run_context import RunContext
from ..history.tables import applied_names
from ..sessions.database_problems import translate_database_errors
from ..sessions.session import ServerSession, acquire_run_lock
from ..sessions.timeouts import RetryPolicy
from ..sources.files import MigrationKey, adoption_file
from ..sources.transfer_halves import half_in
from .executor import DomainExecutor
from .interruptions import find_interruption
from .options import MigrateOptions
from .package_transactions import accept_transactions
from .results import Reporter
from .run_session import RunSession, ensure_engine_tables, logged_run

RUNNING = "_domain_migrations_run"
"""The attribute of an executor that is inside a run."""


@contextmanager
def plain_run(executor: MigrationExecutor) -> Iterator[PlainRun]:
    """Yield the run that the executor is in, or a new one.

    Raises:
        CommandError: the executor is a command's, and a migration failed or was refused.
        DomainMigrationsError: the same elsewhere.
    """
    if RUNNING in vars(executor):
        yield vars(executor)[RUNNING]
        return
    try:
        with ExitStack() as stack:
            vars(executor)[RUNNING] = PlainRun(executor, stack)
            stack.callback(vars(executor).pop, RUNNING)
            yield vars(executor)[RUNNING]
    except DomainMigrationsError as exc:
        if isinstance(getattr(executor.progress_callback, "__self__", None), BaseCommand):
            raise CommandError(exc.full_message, returncode=exc.exit_status) from exc
        raise


class PlainRun:
    """Runs each migration with an executor of its domain, and core's lock, which excludes all runs.

    Arguments:
        executor: makes the plan.
        stack: is closed at the end of the run.
    """

    def __init__(self, executor: MigrationExecutor, stack: ExitStack) -> None:
        self.executor = executor
        self.connection = connections[executor.connection.alias]
        self.stack = stack
        self.context = RunContext()
        self.domain_executors: dict[str, DomainExecutor] = {}
        self.moved: set[MigrationKey] = set()

    def apply_migration(
        self, state: ProjectState, migration: Migration, *args: Any, **kwargs: Any
    ) -> ProjectState:
        executor = self._executor_of(migration)
        if MigrationKey.of(migration) in self.moved:
            return migration.mutate_state(state, preserve=False)
        state = executor.apply_migration(state, migration, *args, **kwargs)
        self._leave_out_partner(migration)
        return state

    def unapply_migration(
        self, state: ProjectState, migration: Migration, *args: Any, **kwargs: Any
    ) -> ProjectState:
        executor = self._executor_of(migration)
        if MigrationKey.of(migration) in self.moved:
            return state
        state = executor.unapply_migration(state, migration, *args, **kwargs)
        self._leave_out_partner(migration)
        return state

    def _leave_out_partner(self, migration: Migration) -> None:
        """Leave out the other half of a transfer, which the plan has, too."""
        if (half := half_in(migration)) is not None:
            self.moved.add(half.partner)

    @cached_property
    def _lock(self) -> ServerSession:
        lock = acquire_run_lock(
            self.connection,
            get_domain(CORE),
            wait=MigrateOptions().lock_wait_seconds,
            report=Reporter().on_wait,
        )
        return self.stack.enter_context(lock)

    def _executor_of(self, migration: Migration) -> DomainExecutor:
        accept_transactions([migration])
        return self._domain_executor(get_domain_for(migration.app_label))

    def _domain_executor(self, domain: Domain) -> DomainExecutor:
        if domain.name not in self.domain_executors:
            session = RunSession(self.connection, domain, context=self.context, lock=self._lock)
            self._adopt(session)
            if (interrupted := find_interruption(self.connection, domain)) is not None:
                raise MigrationInterrupted(
                    f"{interrupted.key} was interrupted; only a run of its domain can resume it.",
                    hint=f"Run: manage.py migrate_domain {domain.name}",
                )
            ensure_engine_tables(session)
            self.stack.enter_context(logged_run(session.journal)).begin()
            self.domain_executors[domain.name] = DomainExecutor(
                session,
                self.executor.loader,  # type: ignore[arg-type]  # of all domains
                retries=RetryPolicy(retries=0),
                progress=self._report,
            )
            self.domain_executors[domain.name].find_partner = self._domain_executor
        return self.domain_executors[domain.name]

    def _adopt(self, session: RunSession) -> None:
        """Move what is declared first.

        The plan has the migrations whose rows move with it: Django has read the histories before.
        """
        if not any(map(adoption_file, session.domain.app_labels)):
            return
        from .adoption.adoption_run import AdoptionRun
        from .adoption.moves import pending_moves

        with translate_database_errors(self.connection.alias):
            moves = pending_moves(self.connection, session.domain)
        for move in moves:
            AdoptionRun(move, MigrateOptions(), Reporter(), self.context).run(session, retries=0)
            names = applied_names(self.connection, [session.domain])[session.domain.name]
            self.moved |= {key for key in names if key.app in move.adoption.apps}

    def _report(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """Call the executor's callback for the actions that Django has."""
        callback: Any = self.executor.progress_callback
        if callback is not None and action != "failure":
            callback(action, migration, fake)
