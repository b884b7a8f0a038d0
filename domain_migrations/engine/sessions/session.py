"""The server session of a run: its own from beginning to end, and known to others by name."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

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


class SessionCheck(Protocol):
    """What :meth:`Session.assert_same` is to those who call it."""

    def __call__(self, step: str, also: sql.Composable | None = None) -> None: ...


@dataclass(frozen=True)
class Session:
    """The server session that a run works in.

    Attributes:
        pid: the server process that the session began with.
    """

    connection: BaseDatabaseWrapper
    pid: int

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper) -> Session:
        return cls(connection=connection, pid=backend_pid(connection))

    def assert_same(self, step: str = "A migration", also: sql.Composable | None = None) -> None:
        """Check that the connection is still the one that the session began with.

        Arguments:
            step: what ran last, as the beginning of a sentence.
            also: statements to send with the question, in a transaction of the caller's. They
                have run when it is answered, so an error has to roll that back.

        Raises:
            MigrationFailed: the step closed the connection; Django opened another one.
            ConnectionFailed: the server ended the connection.
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
                hint="Run the command again: it continues where this run was ended.",
            ) from exc
        if not same:
            raise lost_connection(step)

    def _is_same(self, also: sql.Composable | None) -> bool:
        (pid,) = self._answer(SELECT_PID, also)
        return bool(pid == self.pid)

    def _answer(self, question: sql.Composable, also: sql.Composable | None) -> tuple[Any, ...]:
        """Return the row that answers a question, which other statements may be sent with."""
        statements = [question] if also is None else [question, also]
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
        "begun meanwhile.",
        hint="Take connection.close(), connections.close_all() and close_old_connections() out "
        "of it, and run the command again.",
    )


@dataclass(frozen=True)
class RunLock(Session):
    """The session of a run, together with the lock that it must not lose."""

    key: int = 0

    def _is_same(self, also: sql.Composable | None) -> bool:
        pid, locked = self._answer(session_query(self.key), also)
        if pid == self.pid and not locked:
            raise MigrationFailed(
                "The run lost its lock, though its connection is still the same.",
                hint="Take DISCARD ALL and pg_advisory_unlock_all() out of the migration.",
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
    """Keep every run out that must not happen beside a run of the domain.

    A session that already has the locks gets them once more. Inside a transaction the locks
    last until its end, and there is no waiting for them.

    Arguments:
        wait: seconds to try for; with 0 there is one attempt.
        report: is told who has the lock, at once and then every ten seconds.

    Raises:
        LockBusy: another run had the lock for longer than ``wait``.
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
    """Make ``connections[alias]`` a connection that is this run's alone, for the duration.

    Where the settings ask for a pool, the connection is shared between threads, or it does
    not commit by itself, a plain one takes its place in this thread: Django's pool takes
    connections back without resetting their session, so a lock would stay on them. Inside a
    transaction (a test's, say) the connection is left as it is, because another one would
    not see what the transaction did.

    Raises:
        PooledConnection: a pooler changes the server process between transactions.
        ConnectionFailed: there is a pooler, and what it does could not be found out.
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

    Inside a transaction it stays the one that it is.
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

    With what PostgreSQL has, ``"$user", public``, the tables of core would be made in a domain's
    schema that has the name of the role. What is on the path behind ``public`` may be the
    schema of an extension.
    """
    return f"public, {path}" if path else "public"


@contextmanager
def _setting(
    connection: BaseDatabaseWrapper, name: str, value: Callable[[str], str]
) -> Iterator[None]:
    """Change a setting of the session; `value` gets the one that there is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        (before,) = cursor.fetchone()
        cursor.execute(SET, [name, value(before)])
    raw = connection.connection
    try:
        yield
    finally:
        # Inside a failed transaction, or on another connection, there is nothing to restore.
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
    """Return a wrapper with the same settings, but no pool and commits by itself.

    Arguments:
        settings: of ``DATABASES``, to have instead of the connection's.
    """
    values = {**connection.settings_dict, "AUTOCOMMIT": True, **settings}
    values["OPTIONS"] = copy.copy(values["OPTIONS"])
    values["OPTIONS"].pop("pool", None)
    own = type(connection)(values, connection.alias)
    own.execute_wrappers = connection.execute_wrappers
    own.force_debug_cursor = connection.force_debug_cursor
    return own
