"""The pause of a cut-over: its deadline, and the locks that hold the writers."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.errors import DeadlockDetected, LockNotAvailable

from ...engine.sessions.connection import execute, settings_sql
from ...exceptions import ExtractionRefused
from .sides import Table

ATTEMPT = 0.5
"""Seconds that one table's lock is waited for: less than ``deadlock_timeout``, so that no writer
that holds one table and wants another is chosen as the victim of a deadlock."""

REST = 0.2
"""Seconds between two attempts, in which writers that wait go first."""

SPARE = 2000
"""Milliseconds that the command has to end a pause itself before the server ends its session."""

LOCK = "LOCK TABLE ONLY {} IN SHARE ROW EXCLUSIVE MODE"


class Pause:
    """The time in which nobody can write.

    Arguments:
        seconds: the longest that it may last.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.began = 0.0
        self.lasted = 0.0
        self.parts: dict[str, float] = {}
        self._mark = 0.0

    def begin(self) -> None:
        self.began = self._mark = time.monotonic()

    @property
    def deadline(self) -> float:
        return self.began + self.seconds

    @property
    def left(self) -> float:
        return self.deadline - time.monotonic()

    def check(self, step: str) -> None:
        """Note that a step has ended.

        Raises:
            ExtractionRefused: the pause has lasted too long.
        """
        self.note(step)
        if self.left < 0:
            raise too_slow(step, self.seconds)

    def note(self, step: str) -> None:
        """Note that a step has ended, however long it took."""
        moment = time.monotonic()
        self.parts[step] = moment - self._mark
        self._mark = moment

    def end(self) -> None:
        self.lasted = time.monotonic() - self.began


def too_slow(step: str, seconds: float) -> ExtractionRefused:
    """Return the error for a step that has outlasted the pause."""
    return ExtractionRefused(
        f"The pause of {seconds:g} s was over before this had ended: {step}. Everything was put"
        " back, and the source is open.",
        hint="Try again when less is written, or allow more with --max-pause.",
    )


def transactions_open(patience: float) -> ExtractionRefused:
    """Return the error for transactions that a replication slot waits for."""
    return ExtractionRefused(
        f"Transactions are open for longer than {patience:g} s, and have to end first.",
        hint="End the long transactions that pg_stat_activity shows, and try again.",
    )


def lock_tables(
    connection: BaseDatabaseWrapper, tables: Sequence[Table], pause: Pause, *, patience: float
) -> None:
    """Begin a transaction that holds all writers, and leave it open.

    Whoever is writing ends its transaction first. Until all tables are locked, the locks are
    given back every half second, so that nobody waits longer than that for a long transaction.

    Arguments:
        patience: how many seconds to try.

    Raises:
        ExtractionRefused: a transaction held a table for longer.
    """
    names = sql.SQL(", ONLY ").join(table.identifier for table in tables)
    until = time.monotonic() + patience
    while True:
        transaction.set_autocommit(False, using=connection.alias)
        pause.begin()
        try:
            execute(connection, settings_sql(_limits(pause), local=True))
            execute(connection, sql.SQL(LOCK).format(names))
        except OperationalError as exc:
            end_transaction(connection, commit=False)
            if not isinstance(exc.__cause__, LockNotAvailable | DeadlockDetected):
                raise
            if time.monotonic() > until:
                raise ExtractionRefused(
                    f"Transactions kept the tables locked for {patience:g} s; the source is open.",
                    hint="End the long transactions that pg_stat_activity shows, and try again.",
                ) from exc
            time.sleep(REST)
        else:
            pause.check("locking the tables")
            return


def _limits(pause: Pause) -> dict[str, str]:
    """Return the settings by which the server itself ends the pause, even if the command hangs."""
    limit = max(int(pause.seconds * 1000), 1)
    return {
        "lock_timeout": f"{max(int(min(ATTEMPT, pause.seconds) * 1000), 1)}ms",
        "statement_timeout": f"{limit}ms",
        "idle_in_transaction_session_timeout": f"{limit + SPARE}ms",
    }


def end_transaction(connection: BaseDatabaseWrapper, *, commit: bool) -> None:
    """End the transaction that :func:`lock_tables` has begun; a lost connection has ended it."""
    try:
        if commit:
            transaction.commit(using=connection.alias)
        elif connection.connection is not None and not connection.connection.closed:
            transaction.rollback(using=connection.alias)
    finally:
        if connection.connection is not None and not connection.connection.closed:
            transaction.set_autocommit(True, using=connection.alias)
