"""The locked database session of a run, on a connection of its own."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain
from ...exceptions import DatabaseUnavailable, MigrationFailed
from .advisory_locks import LockAttempt, LockKeys, session_query, wait_for_locks
from .connection import (
    as_text,
    execute,
    fetch_one,
    no_reconnection,
    remaining_counts,
    session_settings,
)
from .database_errors import LOST, RUN_AGAIN, first_line, sqlstate_of
from .database_problems import Clock, check_backend_and_encoding, translate_database_errors
from .keepalives import KEEPALIVES, watch_network
from .kept_settings import READABLE
from .outcomes import Outcome, TransactionMark, outcome_after_loss, outcome_in_session
from .pooling import backend_pid, detect_pooling


class ServerSession(NamedTuple):
    """The server session that a run works in, and the lock that it holds.

    Attributes:
        pid: the server process in which the session began.
        key: the key of the run's own lock.
        raw: psycopg's connection, which Django may replace.
    """

    connection: BaseDatabaseWrapper
    pid: int
    key: int
    raw: psycopg.Connection[Any]

    @property
    def is_alive(self) -> bool:
        """Whether the client considers the session open, without a query."""
        return self.connection.connection is self.raw and not self.raw.closed

    @property
    def is_lost(self) -> bool:
        """Whether the connection was closed, but not on purpose."""
        return self.raw.broken

    def outcome(self, mark: TransactionMark) -> Outcome:
        """Return how a transaction of the session has ended, as the server says."""
        if self.is_alive:
            return outcome_in_session(self.connection, mark)
        return outcome_after_loss(self.connection, mark)

    def assert_same(
        self, step: str, also: sql.Composable | None = None, counts: list[int] | None = None
    ) -> TransactionMark:
        """Return the open transaction, after a check of the session.

        The connection has to be still the one that the session began with, and locked.

        Arguments:
            step: the step that ran last, as the beginning of a sentence.
            also: statements to send in the same round trip, in a transaction of the caller's.
                They have run when the check fails, so the error has to roll them back.
            counts: gets how many rows each of these has written.

        Raises:
            MigrationFailed: the step closed the connection, and Django opened another one; or
                it released the lock.
            DatabaseUnavailable: the server ended the connection.
        """
        query: sql.Composable = session_query(self.key)
        if also is not None:
            query = sql.SQL("; ").join((query, also))
        closed = MigrationFailed(
            f"{step} closed the connection of the run, and so lost its lock: another run may have "
            "begun in the meantime.",
            hint="Remove connection.close(), connections.close_all() and close_old_connections()"
            " from it, and run the command again.",
        )
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(as_text(cursor, query))
                pid, locked, *mark = cursor.fetchone()
                if counts is not None:
                    counts += remaining_counts(cursor)
        except LOST as exc:
            if self.is_lost:
                raise DatabaseUnavailable(
                    f"The connection to the database was lost: {first_line(exc)}.",
                    hint=RUN_AGAIN,
                    sqlstate=sqlstate_of(exc),
                ) from exc
            if self.is_alive:
                raise
            raise closed from exc
        if pid != self.pid:
            raise closed
        if not locked:
            raise MigrationFailed(
                "The run lost its lock, though its connection is still the same.",
                hint="Remove DISCARD ALL and pg_advisory_unlock_all() from the migration.",
            )
        return TransactionMark(*mark)


@contextmanager
def acquire_run_lock(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    *,
    wait: float,
    report: Callable[[str], None],
    clock: Clock = time,
) -> Iterator[ServerSession]:
    """Hold the locks that exclude every run which conflicts with a run of the domain.

    A session that already holds the locks acquires them once more. Inside a transaction they
    are held until its end, and acquired immediately or not at all.

    Arguments:
        wait: how many seconds to retry; 0 makes one attempt.
        report: called with a message about the holders, immediately and every ten seconds.

    Raises:
        LockNotAvailable: another run held the lock for longer than ``wait``.
    """
    keys = LockKeys.of(connection, domain)
    attempt = LockAttempt(connection, domain, keys)
    try:
        wait_for_locks(attempt, wait=wait, report=report, clock=clock)
        pid = backend_pid(connection)
        yield ServerSession(connection, pid=pid, key=keys.own, raw=connection.connection)
    finally:
        attempt.release_all()


@contextmanager
def locked_session(
    alias: str,
    domain: Domain,
    *,
    wait: float,
    report: Callable[[str], None],
    command: str = "migrate_domain",
) -> Iterator[ServerSession]:
    """Yield the session of a run, on a connection of its own and with the domain's lock.

    Arguments:
        alias: the alias of the database.
        wait: how many seconds to wait for another run.
        report: called with a message about the runs that are waited for.
        command: shown in ``pg_stat_activity``.

    Raises:
        LockNotAvailable: another run held the lock for longer than ``wait``.
        DomainMigrationsError: the database cannot be used; see ``translate_database_errors``
            and ``check_backend_and_encoding``.
    """
    name = f"{command} {domain.name}"
    with (
        translate_database_errors(alias),
        dedicated_connection(alias, application_name=name) as connection,
    ):
        check_backend_and_encoding(connection)
        with acquire_run_lock(connection, domain, wait=wait, report=report) as lock:
            yield lock


@contextmanager
def dedicated_connection(
    alias: str = DEFAULT_DB_ALIAS, *, application_name: str = "migrate_domain"
) -> Iterator[BaseDatabaseWrapper]:
    """Make ``connections[alias]`` a connection that only this run uses, in the block.

    A connection from a pool, shared between threads or without autocommit is replaced by a plain
    one in this thread: Django's pool takes connections back without resetting their session, so
    a lock would stay on them. Inside a transaction, such as a test's, the connection is kept,
    because another one would not see the transaction's changes.

    Raises:
        PooledConnection: a pooler changes the server process between transactions.
        DatabaseUnavailable: the mode of a pooler could not be determined.
    """
    shared = connections[alias]
    if shared.in_atomic_block:
        yield shared
        return
    options = shared.settings_dict
    is_shared = (
        options["OPTIONS"].get("pool") or not options["AUTOCOMMIT"] or shared.allow_thread_sharing
    )
    with own_connection(alias) if is_shared else nullcontext(shared) as connection:
        connection.ensure_connection()
        detect_pooling(connection)
        (path,) = fetch_one(connection, "SHOW search_path")
        # With PostgreSQL's default, "$user", public, core's tables, which have no schema, would be
        # created in a domain's schema with the name of the role. The rest of the path may have
        # schemas of extensions.
        path = f"public, {path}" if path else "public"
        settings = {
            "application_name": application_name,
            "search_path": path,
            **KEEPALIVES,
            **READABLE,
        }
        watch_network(connection)
        if connection.connection.prepare_threshold is not None:
            # After DROP, ALTER or ROLLBACK, psycopg would deallocate the guard's statements, too.
            execute(connection, "DEALLOCATE ALL")
            connection.connection.prepare_threshold = None
        with session_settings(connection, settings), no_reconnection(connection):
            yield connection


@contextmanager
def own_connection(
    alias: str, source: BaseDatabaseWrapper | None = None, **settings: Any
) -> Iterator[BaseDatabaseWrapper]:
    """Make ``connections[alias]`` of this thread a new connection, closed at the end.

    Arguments:
        source: the connection whose settings to copy; the alias's own unless given.
        settings: as for :func:`plain_copy`.
    """
    shared = connections[alias]
    own = plain_copy(source or shared, **settings)
    own.alias = alias
    connections[alias] = own
    try:
        yield own
    finally:
        connections[alias] = shared
        own.close()


def plain_copy(connection: BaseDatabaseWrapper, **settings: Any) -> BaseDatabaseWrapper:
    """Return a wrapper with the same settings, but without a pool and with autocommit.

    Arguments:
        settings: values of ``DATABASES``, instead of the connection's.
    """
    values = {**connection.settings_dict, "AUTOCOMMIT": True, **settings}
    values["OPTIONS"] = copy.copy(values["OPTIONS"])
    values["OPTIONS"].pop("pool", None)
    own = type(connection)(values, connection.alias)
    own.execute_wrappers = connection.execute_wrappers
    own.force_debug_cursor = connection.force_debug_cursor
    return own
