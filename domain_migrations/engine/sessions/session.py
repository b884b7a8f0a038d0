"""The locked database session of a run, on a connection of its own."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus

from ...domains import Domain
from ...exceptions import DatabaseUnavailable, MigrationFailed
from .advisory_locks import LockAttempt, LockKeys, session_query, wait_for_locks
from .connection import (
    LOST,
    Clock,
    check_backend_and_encoding,
    is_alive,
    translate_database_errors,
)
from .pooling import backend_pid, detect_pooling

SET = "SELECT set_config(%s, %s, false)"

SELECT_PID = sql.SQL("SELECT pg_backend_pid()")


@dataclass(frozen=True)
class ServerSession:
    """The server session that a run works in.

    Attributes:
        pid: the server process in which the session began.
    """

    connection: BaseDatabaseWrapper
    pid: int

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper) -> ServerSession:
        return cls(connection=connection, pid=backend_pid(connection))

    def assert_same(self, step: str = "A migration", also: sql.Composable | None = None) -> None:
        """Check that the connection is still the one that the session began with.

        Arguments:
            step: the step that ran last, as the beginning of a sentence.
            also: statements to send in the same round trip, in a transaction of the caller's.
                They have run when the check fails, so the error has to roll them back.

        Raises:
            MigrationFailed: the step closed the connection, and Django opened another one.
            DatabaseUnavailable: the server ended the connection.
        """
        try:
            same = self._is_same(also)
        except LOST as exc:
            if self._closed_by_us():
                raise lost_connection(step) from exc
            if is_alive(self.connection):
                raise
            raise DatabaseUnavailable(
                f"The connection to the database was lost: {exc}",
                hint="Run the command again: it continues where this run ended.",
            ) from exc
        if not same:
            raise lost_connection(step)

    def _is_same(self, also: sql.Composable | None) -> bool:
        (pid,) = self._query(SELECT_PID, also)
        return bool(pid == self.pid)

    def _query(self, query: sql.Composable, also: sql.Composable | None) -> tuple[Any, ...]:
        """Return the row of a query, which is sent together with other statements."""
        statements = [query] if also is None else [query, also]
        with self.connection.cursor() as cursor:
            cursor.execute(sql.SQL("; ").join(statements))
            row: tuple[Any, ...] = cursor.fetchone()
        return row

    def _closed_by_us(self) -> bool:
        return self.connection.connection is None or self.connection.closed_in_transaction


def lost_connection(step: str) -> MigrationFailed:
    """Return the error for a step that closed the run's connection."""
    return MigrationFailed(
        f"{step} closed the connection of the run, and so lost its lock: another run may have "
        "begun in the meantime.",
        hint="Remove connection.close(), connections.close_all() and close_old_connections() from "
        "it, and run the command again.",
    )


@dataclass(frozen=True)
class RunLock(ServerSession):
    """A session that holds the lock of a run."""

    key: int = 0

    def _is_same(self, also: sql.Composable | None) -> bool:
        pid, locked = self._query(session_query(self.key), also)
        if pid == self.pid and not locked:
            raise MigrationFailed(
                "The run lost its lock, though its connection is still the same.",
                hint="Remove DISCARD ALL and pg_advisory_unlock_all() from the migration.",
            )
        return bool(pid == self.pid)


@contextmanager
def acquire_run_lock(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    *,
    wait: float,
    report: Callable[[str], None],
    clock: Clock = time,
) -> Iterator[RunLock]:
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
        yield RunLock(connection=connection, pid=backend_pid(connection), key=keys.own)
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
) -> Iterator[RunLock]:
    """Yield the session of a run, on a connection of its own and with the domain's lock.

    Arguments:
        alias: of the database.
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
    if not _is_shared(shared):
        with _prepared(shared, application_name):
            yield shared
        return
    with own_connection(alias) as own, _prepared(own, application_name):
        yield own


@contextmanager
def own_connection(alias: str) -> Iterator[BaseDatabaseWrapper]:
    """Make ``connections[alias]`` of this thread a new connection, closed at the end.

    Inside a transaction the connection is kept.
    """
    shared = connections[alias]
    if shared.in_atomic_block:
        yield shared
        return
    own = plain_copy(shared)
    connections[alias] = own
    try:
        yield own
    finally:
        connections[alias] = shared
        own.close()


@contextmanager
def _prepared(connection: BaseDatabaseWrapper, application_name: str) -> Iterator[None]:
    connection.ensure_connection()
    detect_pooling(connection)
    with (
        _setting(connection, "application_name", lambda before: application_name),
        _setting(connection, "search_path", _public_first),
    ):
        yield


def _public_first(path: str) -> str:
    """Return the path on which core's names, which have no schema, are those of ``public``.

    With PostgreSQL's default, ``"$user", public``, core's tables would be created in a domain's
    schema with the name of the role. The rest of the path may have schemas of extensions.
    """
    return f"public, {path}" if path else "public"


@contextmanager
def _setting(
    connection: BaseDatabaseWrapper, name: str, value: Callable[[str], str]
) -> Iterator[None]:
    """Change a setting of the session; ``value`` gets the current one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        (before,) = cursor.fetchone()
        cursor.execute(SET, [name, value(before)])
    raw = connection.connection
    try:
        yield
    finally:
        # In a failed transaction, or on another connection, it cannot or need not be restored.
        idle = is_alive(connection) and raw.info.transaction_status == TransactionStatus.IDLE
        if connection.connection is raw and idle:
            with suppress(*LOST), connection.cursor() as cursor:
                cursor.execute(SET, [name, before])


def _is_shared(connection: BaseDatabaseWrapper) -> bool:
    settings = connection.settings_dict
    return bool(
        settings["OPTIONS"].get("pool")
        or not settings["AUTOCOMMIT"]
        or connection.allow_thread_sharing
    )


def plain_copy(connection: BaseDatabaseWrapper, **settings: Any) -> BaseDatabaseWrapper:
    """Return a wrapper with the same settings, but without a pool and with autocommit.

    Arguments:
        settings: of ``DATABASES``, instead of the connection's.
    """
    values = {**connection.settings_dict, "AUTOCOMMIT": True, **settings}
    values["OPTIONS"] = copy.copy(values["OPTIONS"])
    values["OPTIONS"].pop("pool", None)
    own = type(connection)(values, connection.alias)
    own.execute_wrappers = connection.execute_wrappers
    own.force_debug_cursor = connection.force_debug_cursor
    return own
