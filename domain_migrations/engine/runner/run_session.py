"""The session of one domain's run: its connection, lock, role, options and journal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from django.db import DatabaseError, ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now
from psycopg import sql

from ...domains import Domain
from ...exceptions import DomainMigrationsError, MigrationFailed, RunStopped
from ..history.existing_tables import existing_tables
from ..history.journal import Journal
from ..history.run_context import RunContext
from ..history.tables import ensure_history
from ..sessions.connection import is_alive, settings_sql
from ..sessions.database_errors import first_line, sqlstate_of
from ..sessions.kept_settings import ChangedSetting, KeptSettings
from ..sessions.outcomes import Outcome, TransactionMark
from ..sessions.roles import RoleSwitcher
from ..sessions.session import ServerSession, locked_session
from ..sql.query import run_sql
from .options import MigrateOptions
from .results import Reporter

if TYPE_CHECKING:
    from ..cluster.cluster import Cluster
    from ..cluster.coordinator_session import ClusterSession

CITUS_SETTING = "citus.propagate_set_commands"
"""A setting that a server has if it has loaded Citus."""


class RunSession:
    """Everything that one run of one domain works with.

    Arguments:
        connection: the connection that holds the lock and runs the migrations.
        lock: the session that holds the lock; None in a run that only reads.

    Attributes:
        journal: the domain's journal, as this run writes it.
        roles: switches to the domain's database role and back.
        settings: the settings that every migration begins with, once they are kept.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        domain: Domain,
        options: MigrateOptions | None = None,
        reporter: Reporter | None = None,
        context: RunContext | None = None,
        *,
        lock: ServerSession | None = None,
    ) -> None:
        self.connection = connection
        self.lock = lock
        self.domain = domain
        self.options = options or MigrateOptions()
        self.reporter = reporter or Reporter()
        self.journal = Journal(connection, domain, context or RunContext())
        self.roles = RoleSwitcher(connection, domain)
        self.settings = KeptSettings(connection)

    @classmethod
    @contextmanager
    def locked(
        cls,
        domain: Domain,
        options: MigrateOptions,
        reporter: Reporter,
        context: RunContext | None = None,
        *,
        command: str = "migrate_domain",
    ) -> Iterator[RunSession]:
        """Acquire the domain's lock on a connection of its own, and yield the run's session.

        Arguments:
            command: shown in ``pg_stat_activity``.

        Raises:
            DomainMigrationsError: see :func:`locked_session`.
        """
        with locked_session(
            options.database or domain.database,
            domain,
            wait=options.lock_wait_seconds,
            report=reporter.on_wait,
            command=command,
        ) as lock:
            yield cls(lock.connection, domain, options, reporter, context, lock=lock)

    def check(
        self, step: str, also: sql.Composable | None = None, counts: list[int] | None = None
    ) -> TransactionMark | None:
        """Check that the connection still holds the lock; see ``ServerSession.assert_same``."""
        return None if self.lock is None else self.lock.assert_same(step, also, counts)

    @cached_property
    def cluster(self) -> Cluster | None:
        """The Citus cluster of the database, read once; None on plain PostgreSQL."""
        from ..cluster.cluster import read_cluster

        return read_cluster(self.connection)

    @cached_property
    def on_cluster(self) -> ClusterSession | None:
        """What the statements of migrations need on a cluster; None on plain PostgreSQL.

        The kept settings show without another query whether the server has Citus.

        Raises:
            InvalidConfiguration: the database is one of a worker.
        """
        if (self.settings.values and CITUS_SETTING not in self.settings.values) or not self.cluster:
            return None
        from ..cluster.cluster import check_coordinator
        from ..cluster.coordinator_session import ClusterSession

        check_coordinator(self.connection, self.cluster)
        return ClusterSession(self.connection, self.cluster, self.domain)

    @property
    def is_distributed(self) -> bool:
        """Whether the domain's schema is distributed."""
        on_cluster = self.on_cluster
        return on_cluster is not None and on_cluster.cluster.is_distributed(self.domain.schema)

    @property
    def is_alive(self) -> bool:
        """Whether the connection is open, and still the one that holds the lock."""
        return is_alive(self.connection) if self.lock is None else self.lock.is_alive

    @property
    def is_lost(self) -> bool:
        """Whether the connection that holds the lock was lost."""
        return self.lock is not None and self.lock.is_lost

    def outcome(self, mark: TransactionMark | None) -> Outcome:
        """Return how a transaction of the session has ended; a savepoint's end is not asked."""
        if self.lock is None or mark is None or self.connection.in_atomic_block:
            return "rolled back"
        return self.lock.outcome(mark)

    def restore_settings(self, culprit: str) -> None:
        """Change settings back that code of the project has left changed, and report them.

        Arguments:
            culprit: the code that ran last, as the beginning of a sentence.

        Raises:
            MigrationFailed: the role may not change one of them back.
        """
        try:
            changed = self.settings.restore()
        except ProgrammingError as exc:
            raise MigrationFailed(
                f"{culprit} has changed settings of the session that cannot be changed back:"
                f" {first_line(exc).rstrip('.')}.",
                hint="Use SET LOCAL in it, and run the command again.",
                sqlstate=sqlstate_of(exc),
            ) from exc
        self._tell(culprit, changed)

    def restore_encoding(self, culprit: str) -> None:
        """Change the session's encoding back, before the engine reads from it, and report it."""
        self._tell(culprit, self.settings.restore_encoding())

    def _tell(self, culprit: str, changed: Sequence[ChangedSetting]) -> None:
        if changed:
            self.reporter.on_warning(
                f"Warning: {culprit} has changed settings of the session, which are changed back:"
                f" {', '.join(map(str, changed))}. SET LOCAL ends with the transaction."
            )

    def restore_role(self) -> None:
        """Act for the rest of the transaction as the role that its migration began with."""
        role = self.roles.current or self.settings.values.get("role", "none")
        statement = sql.SQL("SET LOCAL SESSION AUTHORIZATION DEFAULT; {}")
        # Not through Django's cursor, whose SQL a dry run shows as the migration's.
        run_sql(self.connection, statement.format(settings_sql({"role": role}, local=True)))


def ensure_engine_tables(session: RunSession) -> None:
    """Create the schema and the engine's tables in it, unless they exist.

    The seeds of tables that were dropped by hand are forgotten while the tables are missing:
    once the run has created them again, they look like tables that were seeded.
    """
    from ..history.seed_ledger import forget_dropped_tables
    from .domain_schema import ensure_domain_schema

    connection, domain = session.connection, session.domain
    existing = existing_tables(connection, domain.engine_tables)
    if not existing:
        ensure_domain_schema(session)
    with session.roles.as_domain_role():
        if domain.history_table not in existing:
            ensure_history(connection, domain)
        session.journal.open(exists=domain.journal_table in existing)
        if domain.seed_table in existing:
            forget_dropped_tables(connection, domain)


def catch_up_sequences(session: RunSession) -> None:
    """Let the engine's tables of a distributed domain number their rows after those they have.

    The sequences may lag where the coordinator of the cluster has ended: with a run, or just after
    one that has ended well.
    """
    if not session.is_distributed:
        return
    from ..cluster.sequence_positions import catch_up_sequences

    domain = session.domain
    own = (domain.history_table, domain.journal_table, domain.seed_table)
    with session.roles.as_domain_role():
        catch_up_sequences(session.connection, existing_tables(session.connection, own))


class RunLog:
    """A run's own two rows in the journal: its beginning and its end."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.started, self.clock = now(), time.monotonic()
        self.raw = journal.connection.connection
        self.has_begun = False

    def begin(self) -> None:
        """Record that the run has begun, unless that is recorded already."""
        if not self.has_begun:
            self.journal.write("running", "run", started=self.started)
            self.has_begun = True

    def end(self, exc: Exception | None = None) -> None:
        """Record that the run has ended, and its error; another session has no lock for it."""
        connection = self.journal.connection
        if self.has_begun and connection.connection is self.raw and is_alive(connection):
            error = ""
            if exc is not None:
                error = getattr(exc, "message", None) or first_line(exc)
            self.journal.write(
                "failed" if exc else "done",
                "run",
                started=self.started,
                seconds=time.monotonic() - self.clock,
                error=error,
                sqlstate=sqlstate_of(exc),
                details={"traceback": trace} if (trace := getattr(exc, "traceback", "")) else {},
            )


@contextmanager
def logged_run(journal: Journal) -> Iterator[RunLog]:
    """Record a run in the journal; it is done only after ``post_migrate`` and the hooks.

    Where the journal exists, the beginning is recorded immediately, else by ``begin()``.

    Raises:
        MigrationFailed: the body raised an error that is neither the engine's nor the database's.
    """
    log = RunLog(journal)
    if journal.exists():
        log.begin()
    try:
        yield log
    except (DomainMigrationsError, DatabaseError) as exc:
        log.end(exc)
        raise
    except KeyboardInterrupt as exc:
        stopped = RunStopped.by(
            exc,
            f'The run of the domain "{journal.domain.name}"',
            kept="What is applied is recorded. Run the command again: it continues from here.",
        )
        log.end(stopped)
        raise stopped from exc
    except BaseException as exc:  # the project's code may also end the process: SystemExit
        from .tracebacks import describe_exception, traceback_text

        failure = MigrationFailed(
            f"An unexpected error has ended the run: {describe_exception(exc)}.",
            hint="What is applied is recorded. Correct the cause, and run the command again.",
        )
        failure.traceback = traceback_text(exc)
        failure.__cause__ = exc
        log.end(failure)
        raise failure from exc
    log.end()
