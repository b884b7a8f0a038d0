"""Transactions of a migration without one, each checked before its commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus

from ..sessions.concurrent_indexes import is_concurrent
from ..sessions.connection import is_alive
from ..sessions.database_errors import sqlstate_of
from ..sql.query import note_discards
from ..sql.transaction_control import (
    BEGIN,
    COMMIT,
    ROLLBACK,
    split_at_transactions,
    transaction_command,
)

NOT_IN_TRANSACTION = frozenset({"25001", "2D000"})
"""active_sql_transaction, as of VACUUM, and invalid_transaction_termination, as of a procedure
that commits; PostgreSQL manual, appendix A."""

Check = Callable[[], None]


class CheckedTransactions:
    """Gives each statement outside of a transaction one, and checks each transaction.

    Arguments:
        begin: called at the start of a transaction; returns the check to call before its commit.
        before_unseen: called with a statement that the server does not run in a transaction.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        begin: Callable[[], Check],
        before_unseen: Callable[[str], None],
    ) -> None:
        self.connection = connection
        self.begin = begin
        self.before_unseen = before_unseen
        self.check: Check | None = None

    @contextmanager
    def checked(self) -> Iterator[None]:
        """Check the transactions in the body; the one that is open at its end, too."""
        connection: Any = self.connection
        commit, rollback = connection.commit, connection.rollback

        def checked_commit() -> None:
            try:
                self._finish()
            except BaseException:
                rollback()
                raise
            commit()

        def forgetting_rollback() -> None:
            self.check = None
            rollback()

        # Django has no hook before a commit.
        connection.commit, connection.rollback = checked_commit, forgetting_rollback
        try:
            with connection.execute_wrapper(self._execute):
                yield
                self._finish()
        except BaseException:
            if connection.get_autocommit() and is_alive(connection):
                connection.connection.rollback()  # What a statement of the operation has begun.
            raise
        finally:
            del connection.commit, connection.rollback

    def _finish(self) -> None:
        check, self.check = self.check, None
        if check is not None:
            check()

    def _execute(
        self, execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: Any
    ) -> Any:
        text = statement
        if isinstance(statement, sql.Composable):
            text = statement.as_string(self.connection.connection)
        if params is not None or many:
            run = partial(execute, statement, params, many, context)
            return self._execute_one(str(text), run)
        result = None
        for part in split_at_transactions(str(text)):
            one = statement if part == text else part
            result = self._execute_one(part, partial(execute, one, None, False, context))
        return result

    def _execute_one(self, text: str, execute: Callable[[], Any]) -> Any:
        def run() -> Any:
            result = execute()
            note_discards(self.connection, text)
            return result

        command = transaction_command(text)
        status = self.connection.connection.info.transaction_status
        if status != TransactionStatus.IDLE or not self.connection.get_autocommit():
            return self._execute_in_transaction(
                command, run, failed=status == TransactionStatus.INERROR
            )
        if command in BEGIN | COMMIT | ROLLBACK:
            return run()
        if is_concurrent(text):
            self.before_unseen(text)
            return run()
        try:
            with transaction.atomic(using=self.connection.alias):
                self.check = self.begin()
                return run()
        except DatabaseError as exc:
            if sqlstate_of(exc) not in NOT_IN_TRANSACTION:
                raise
        self.before_unseen(text)
        return run()

    def _execute_in_transaction(self, command: str, run: Callable[[], Any], *, failed: bool) -> Any:
        if command in ROLLBACK or failed:
            self.check = None
        elif command in COMMIT:
            self._finish()
        elif self.check is None:
            self.check = self.begin()
        return run()
