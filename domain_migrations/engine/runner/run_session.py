"""The session of one domain's run: its connection, lock, role, options and journal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now
from psycopg import sql

from ...domains import Domain
from ...exceptions import DomainMigrationsError, MigrationFailed
from ..history.journal import Journal, RunContext
from ..sessions.connection import first_line, is_alive, sqlstate_of
from ..sessions.roles import RoleSwitcher
from ..sessions.session import ServerSession, locked_session
from .options import MigrateOptions
from .results import Reporter


@dataclass(frozen=True, kw_only=True)
class RunSession:
    """Everything that one run of one domain works with, made where its lock is acquired.

    Attributes:
        connection: the connection that holds the lock and runs the migrations.
        journal: the domain's journal, as this run writes it.
        roles: switches to the domain's database role and back.
        lock: the locked session; None in a session that only reads.
    """

    domain: Domain
    options: MigrateOptions
    reporter: Reporter
    connection: BaseDatabaseWrapper
    journal: Journal
    roles: RoleSwitcher
    lock: ServerSession | None = None

    @classmethod
    def of(
        cls,
        lock: ServerSession | BaseDatabaseWrapper,
        domain: Domain,
        options: MigrateOptions | None = None,
        reporter: Reporter | None = None,
        context: RunContext | None = None,
    ) -> RunSession:
        """Return a session on a locked connection, or on one without a lock, to read only."""
        connection = lock.connection if isinstance(lock, ServerSession) else lock
        return cls(
            domain=domain,
            options=options or MigrateOptions(),
            reporter=reporter or Reporter(),
            connection=connection,
            journal=Journal(connection, domain, context or RunContext()),
            roles=RoleSwitcher(connection, domain),
            lock=lock if isinstance(lock, ServerSession) else None,
        )

    def for_domain(self, domain: Domain) -> RunSession:
        """Return the session of another domain, on the same connection and lock."""
        context = self.journal.context
        return self.of(self.lock or self.connection, domain, self.options, self.reporter, context)

    def check(self, step: str, also: sql.Composable | None = None) -> None:
        """Check that the connection still holds the lock; see :meth:`ServerSession.assert_same`."""
        if self.lock is not None:
            self.lock.assert_same(step, also)


@contextmanager
def open_session(
    alias: str,
    domain: Domain,
    options: MigrateOptions,
    reporter: Reporter,
    context: RunContext | None = None,
) -> Iterator[RunSession]:
    """Acquire the domain's lock on a connection of its own, and yield the session.

    Raises:
        DomainMigrationsError: see :func:`locked_session`.
    """
    wait, report = options.lock_wait_seconds, reporter.on_wait
    with locked_session(alias, domain, wait=wait, report=report) as lock:
        yield RunSession.of(lock, domain, options, reporter, context)


class RunLog:
    """A run's own two rows in the journal: its beginning and its end."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.started, self.clock = now(), time.monotonic()
        self.has_begun = False

    def begin(self) -> None:
        """Record that the run has begun, unless that is recorded already."""
        if not self.has_begun:
            self.journal.write("running", "run", started=self.started)
            self.has_begun = True

    def end(self, exc: Exception | None = None) -> None:
        """Record that the run has ended, and its error."""
        if self.has_begun and is_alive(self.journal.connection):
            self.journal.write(
                "failed" if exc else "done",
                "run",
                started=self.started,
                seconds=time.monotonic() - self.clock,
                error=getattr(exc, "message", None) or first_line(exc) if exc else "",
                sqlstate=sqlstate_of(exc),
            )


@contextmanager
def logged_run(journal: Journal) -> Iterator[RunLog]:
    """Record a run in the journal; it is done only after ``post_migrate`` and the hooks.

    Where the journal exists, the beginning is recorded immediately, else by ``begin()``.

    Raises:
        MigrationFailed: a receiver of ``pre_migrate`` or ``post_migrate`` raised an error.
    """
    log = RunLog(journal)
    if journal.exists():
        log.begin()
    try:
        try:
            yield log
        except (DomainMigrationsError, DatabaseError):
            raise
        except Exception as exc:
            raise MigrationFailed(
                f"A receiver of pre_migrate or post_migrate failed: {first_line(exc)}",
                hint="What is applied is recorded; the next run sends the signal again.",
            ) from exc
    except Exception as exc:
        log.end(exc)
        raise
    log.end()
