"""Transactions of migrations, which the SQL of a migration must not end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus

from ..sessions.connection import roll_back_leftover
from ..sql.query import note_discards
from ..sql.transaction_control import (
    COMMIT,
    MAY_CONTROL,
    ROLLBACK,
    split_at_transactions,
    transaction_command,
)


class TransactionEnded(Exception):
    """An operation has ended the transaction of the run, or would have."""


class TransactionLeftOpen(Exception):
    """An operation of a migration without a transaction has not ended its own."""


def transaction_end(text: str) -> str | None:
    """Return the words of the first statement that would end a transaction, None without one."""
    if not MAY_CONTROL.search(text):
        return None
    commands = map(transaction_command, split_at_transactions(text))
    return next((command for command in commands if command in COMMIT | ROLLBACK), None)


@contextmanager
def transaction_kept(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Refuse, before it is sent, each statement in the block that would end the transaction.

    Raises:
        TransactionEnded: a statement would.
    """

    def check(execute: Callable[..., Any], statement: Any, *arguments: Any) -> Any:
        text = statement
        if isinstance(statement, sql.Composable):
            text = statement.as_string(connection.connection)
        if found := transaction_end(str(text)):
            raise TransactionEnded(f"{found} would end the transaction of the run")
        result = execute(statement, *arguments)
        note_discards(connection, str(text))
        return result

    with connection.execute_wrapper(check):
        yield


def check_transaction(connection: BaseDatabaseWrapper, *, atomic: bool) -> None:
    """Check that an operation has left the transaction as it was, as far as the client sees it.

    Arguments:
        atomic: whether its migration has a transaction.

    Raises:
        TransactionEnded: it has ended the transaction of its migration.
        TransactionLeftOpen: it has begun one, which was rolled back.
    """
    raw = connection.connection
    if not atomic:
        if roll_back_leftover(connection):
            raise TransactionLeftOpen("it left a transaction open, which was rolled back")
    elif raw is not None and raw.info.transaction_status == TransactionStatus.IDLE:
        raise TransactionEnded("it has ended the transaction of the run")


@contextmanager
def leaving_no_transaction(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Roll back a transaction that an operation has begun and in which it has failed."""
    try:
        yield
    except Exception:
        roll_back_leftover(connection)
        raise
