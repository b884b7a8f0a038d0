"""Transactions of a migration without one, each checked before its commit."""

from __future__ import annotations

import re
import threading
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
from ..sessions.database_errors import NOT_IN_TRANSACTION, sqlstate_of
from ..sql.query import note_discards
from ..sql.transaction_control import (
    BEGIN,
    COMMIT,
    ROLLBACK,
    split_at_transactions,
    transaction_command,
)

PASSIVE = frozenset({"_fetch_gen", "_scroll_gen", "_close_gen", "_set_autocommit_gen"})
"""What psycopg asks of the server for a cursor that is open, or for a setting of its own."""

ENDS_TRANSACTION = re.compile("_commit_gen|_tpc_")

CHANGES_ROWS = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH)\b[^;]*\Z", re.IGNORECASE)
"""One statement that may be repeated for many rows."""

MOST_KNOWN = 1000
"""The number of statements that are recognized; where the values are in the SQL, all differ."""

Check = Callable[[], bool]
"""Judges the open transaction, and returns whether it changed rows and nothing else."""


class ChangedMoreThanRows(Exception):
    """A transaction that can only be judged together with the catalogs from before it."""


class CheckedTransactions:
    """Gives each statement outside of a transaction one, and checks each transaction.

    psycopg's own cursors pass Django's by. They are checked within a transaction, and refused
    outside of one.

    Arguments:
        begin: called at the start of a transaction; returns the check to call before its commit.
        check_rows: the check of a statement that was run before with other values, which needs no
            such call. It raises ``ChangedMoreThanRows`` where the full check is needed.
        before_unseen: called with a statement that the server does not run in a transaction.
        refuse_direct: raises the error for psycopg's own cursors outside of a transaction.
    """

    begins_transactions = True
    """Each statement that runs in none gets one: who wraps Django's cursors, too, leaves that."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        begin: Callable[[], Check],
        check_rows: Check,
        before_unseen: Callable[[str], None],
        refuse_direct: Callable[[], None],
    ) -> None:
        self.connection = connection
        self.begin = begin
        self.check_rows = check_rows
        self.before_unseen = before_unseen
        self.refuse_direct = refuse_direct
        self.check: Check | None = None
        self._is_seen = False
        self._known: set[str] = set()
        self._changes_more: set[str] = set()

    @contextmanager
    def checked(self) -> Iterator[None]:
        """Check the transactions in the body; the one that is open at its end, too."""
        connection: Any = self.connection
        commit, rollback = connection.commit, connection.rollback

        def checked_commit() -> None:
            with self._seen():
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
            with connection.execute_wrapper(self._execute), self._direct_statements():
                yield
                with self._seen():
                    self._finish()
        except BaseException:
            if connection.get_autocommit() and is_alive(connection):
                connection.connection.rollback()  # What a statement of the operation has begun.
            raise
        finally:
            del connection.commit, connection.rollback

    @contextmanager
    def _direct_statements(self) -> Iterator[None]:
        """Judge what reaches the server past Django's cursors in the body."""
        self.connection.ensure_connection()  # An operation before may have closed it.
        raw: Any = self.connection.connection
        send, lock = raw.wait, raw.lock

        def wait(generator: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._is_seen:
                try:
                    self._before_direct(generator.__name__)
                except BaseException:
                    generator.close()
                    raise
            return send(generator, *args, **kwargs)

        # psycopg has no hook before a statement, and holds its lock meanwhile.
        raw.wait, raw.lock = wait, threading.RLock()
        try:
            yield
        finally:
            del raw.wait
            raw.lock = lock

    def _before_direct(self, name: str) -> None:
        """Begin the check of a transaction that psycopg is used in; refuse it outside of one."""
        status = self.connection.connection.info.transaction_status
        if name == "_rollback_gen":
            self.check = None
        elif name in PASSIVE or status == TransactionStatus.INERROR:
            return
        elif ENDS_TRANSACTION.match(name) or (
            status == TransactionStatus.IDLE and self.connection.get_autocommit()
        ):
            self.refuse_direct()
        elif self.check is None:
            raw: Any = self.connection.connection
            # Set when psycopg is about to enter a pipeline, in which no query has its rows.
            pipeline, raw._pipeline = raw._pipeline, None
            with self._seen():
                self.check = self.begin()
            raw._pipeline = pipeline

    @contextmanager
    def _seen(self) -> Iterator[None]:
        """Let the body send what it sends."""
        before, self._is_seen = self._is_seen, True
        try:
            yield
        finally:
            self._is_seen = before

    def _finish(self) -> None:
        check, self.check = self.check, None
        if check is not None and not check():
            # What it did is counted for some time, as if later transactions had done it.
            self._known.clear()

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
        with self._seen():
            return self._execute_seen(text, execute)

    def _execute_seen(self, text: str, execute: Callable[[], Any]) -> Any:
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
            self._known.clear()
            self.before_unseen(text)
            return run()
        if text in self._known:
            try:
                return self._execute_alone(run, self.check_rows)
            except ChangedMoreThanRows:
                # Rolled back; from now on it is judged like every other statement.
                self._known.discard(text)
                self._changes_more.add(text)
        try:
            if self._may_be_repeated(text):
                self._known.add(text)  # Unless it turns out to change more than rows.
            return self._execute_alone(run)
        except DatabaseError as exc:
            if sqlstate_of(exc) not in NOT_IN_TRANSACTION:
                raise
        self._known.clear()
        self.before_unseen(text)
        return run()

    def _may_be_repeated(self, text: str) -> bool:
        is_new = text not in self._changes_more and len(self._known) < MOST_KNOWN
        return is_new and CHANGES_ROWS.match(text) is not None

    def _execute_alone(self, run: Callable[[], Any], check: Check | None = None) -> Any:
        """Run a statement in a transaction of its own."""
        with transaction.atomic(using=self.connection.alias):
            self.check = check or self.begin()
            return run()

    def _execute_in_transaction(self, command: str, run: Callable[[], Any], *, failed: bool) -> Any:
        if command in ROLLBACK or failed:
            self.check = None
        elif command in COMMIT:
            self._finish()
        elif self.check is None:
            self.check = self.begin()
        return run()
