"""A database connection: queries, the session's settings, and what is known without a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus

from .database_errors import LOST, ConnectionLost


def fetch_all(
    connection: BaseDatabaseWrapper, query: Any, params: Any = None
) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(as_text(cursor, query), params)
        return list(cursor.fetchall())


def fetch_one(connection: BaseDatabaseWrapper, query: Any, params: Any = None) -> Any:
    """Return the first row of a query, None if it has no rows."""
    with connection.cursor() as cursor:
        cursor.execute(as_text(cursor, query), params)
        return cursor.fetchone()


def execute(connection: BaseDatabaseWrapper, statement: Any, params: Any = None) -> None:
    """Execute a statement."""
    with connection.cursor() as cursor:
        cursor.execute(as_text(cursor, statement), params)


def count_rows(connection: BaseDatabaseWrapper, statements: Any) -> list[int]:
    """Execute statements in one round trip, and return how many rows each has written."""
    with connection.cursor() as cursor:
        cursor.execute(as_text(cursor, statements))
        return [cursor.rowcount, *remaining_counts(cursor)]


def remaining_counts(cursor: CursorWrapper) -> Iterator[int]:
    """Yield how many rows each of the statements has written that follow the cursor's result."""
    while cursor.nextset():
        yield cursor.rowcount


def as_text(cursor: CursorWrapper, statement: Any) -> str:
    """Return a statement as a string, which packages that wrap Django's cursors expect."""
    if isinstance(statement, sql.Composable):
        return statement.as_string(cursor.connection)
    return str(statement)


def schema_exists(connection: BaseDatabaseWrapper, schema: str) -> bool:
    """Return whether the schema exists."""
    query = "SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s"
    return fetch_one(connection, query, [schema]) is not None


def settings_sql(values: Mapping[str, str], *, local: bool) -> sql.Composed:
    """Return the statement that changes settings, of the transaction only if ``local``."""
    settings = [
        sql.SQL("set_config({}, {}, {})").format(name, value, local)
        for name, value in values.items()
    ]
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join(settings))


@contextmanager
def session_settings(connection: BaseDatabaseWrapper, values: Mapping[str, str]) -> Iterator[None]:
    """Change settings of the session in the block."""
    if not values:
        yield
        return
    current = "SELECT n, current_setting(n) FROM unnest(%s::text[]) AS n"
    before = dict(fetch_all(connection, current, [list(values)]))
    execute(connection, settings_sql(values, local=False))
    raw = connection.connection
    try:
        yield
    finally:
        # In a failed transaction, or on another connection, they cannot or need not be restored.
        failed = raw.info.transaction_status == TransactionStatus.INERROR
        if connection.connection is raw and is_alive(connection) and not failed:
            with suppress(*LOST):
                execute(connection, settings_sql(before, local=False))


def is_alive(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the client considers the connection open, without a query."""
    raw = connection.connection
    return raw is not None and not raw.closed


def can_query(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the connection is open, and in no transaction that has failed."""
    usable = (TransactionStatus.IDLE, TransactionStatus.INTRANS)
    raw = connection.connection
    return is_alive(connection) and raw.info.transaction_status in usable


def is_alone(connection: BaseDatabaseWrapper) -> bool:
    """Return whether a statement would run outside of any transaction, without a query."""
    if not connection.get_autocommit() or connection.in_atomic_block:
        return False
    return bool(connection.connection.info.transaction_status == TransactionStatus.IDLE)


def has_lost(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the connection was lost, without a query: closed, but not on purpose."""
    raw = connection.connection
    return raw is not None and raw.broken


@contextmanager
def no_reconnection(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Keep Django from replacing the connection in the block after it was lost.

    It would do so silently, at the end of the transaction in which the connection was lost. A
    connection that was closed on purpose is replaced as always.
    """
    raw = connection.connection

    def connect() -> None:
        if raw.broken:
            raise ConnectionLost("The connection was lost.")
        type(connection).connect(connection)

    connection.connect = connect  # type: ignore[method-assign]
    try:
        yield
    finally:
        allow_reconnection(connection)
        if raw.broken:
            connection.close()


def allow_reconnection(connection: BaseDatabaseWrapper) -> None:
    """Let Django connect again; the lock of the run is lost."""
    vars(connection).pop("connect", None)


def roll_back_leftover(connection: BaseDatabaseWrapper) -> bool:
    """Roll back a transaction that SQL has begun past Django; return whether there was one."""
    raw = connection.connection
    if connection.in_atomic_block or raw is None or raw.closed:
        return False
    idle = raw.info.transaction_status == TransactionStatus.IDLE
    if idle and connection.get_autocommit():
        return False
    raw.rollback()
    connection.set_autocommit(True)
    return True
