"""The switch of a domain from one side to the other, in a bounded pause, and back in the same way.

All tables are locked against writers in one transaction, which lasts until the last change has
arrived and every row was compared. A command that is killed in it leaves the first side as it was.
Its commit closes the first side with a fence; only then is the other side opened.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from django.db import DatabaseError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled

from ...domains import QualifiedName
from ...engine.messages import shortened
from ...engine.sessions.connection import execute, fetch_one, settings_sql
from ...engine.sessions.database_errors import first_line
from ...exceptions import ExtractionRefused
from .catalog_mark import catalog_mark
from .database_origins import extra_session
from .fence import Trigger, fenced_tables, raise_fence, remove_fence, set_triggers
from .pause import Pause, end_transaction, lock_tables, too_slow, transactions_open
from .publications import advance_slot
from .row_checksums import prepare_session
from .row_comparison import RowComparison
from .sequence_values import copy_sequences
from .sides import Table, read_tables, stored
from .subscriptions import await_stop, enable, flush_applied, read_lag

POLL = 0.01
LEAST_TO_OPEN = 1.0
"""Seconds in which the new side may be opened, however little is left of the pause."""
OPENING = "200ms"
"""How long a lock of the new side is waited for."""
CAUGHT_UP = 1_000_000
"""Bytes of lag that are few enough to begin the pause."""

MARK = """
SELECT pg_catalog.pg_logical_emit_message(true, 'domain_migrations', 'cut-over')
"""
INSERTED = "SELECT pg_catalog.pg_current_wal_insert_lsn()::text"
ARRIVED = """
SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_catalog.pg_replication_slots WHERE slot_name = %s
"""


@dataclass(frozen=True)
class Switched:
    """A switch that was made.

    Attributes:
        pause: seconds in which nobody could write.
        parts: the seconds of each step of the pause.
        rows: the number of rows that were compared.
    """

    pause: float
    parts: dict[str, float]
    rows: int
    tables: int
    sequences: int


@dataclass
class Switch:
    """Closes one side and opens the other.

    Attributes:
        old, new: the connections to the two sides.
        feed: the slot and the subscription that bring changes from the old side to the new.
        back: the slot on the new side for the way back; empty if there is none.
        triggers: those that are off on the new side while rows arrive.
        writable: the table that the old side keeps open: the journal.
        message: the old side's answer to writes, once it is closed.
        uncompared: tables that differ between the sides on purpose.
        record: records the moment of closing, in its transaction.
        record_back: records that the old side was opened again, in the transaction that does.
    """

    schema: str
    old: BaseDatabaseWrapper
    new: BaseDatabaseWrapper
    feed: str
    back: str
    triggers: tuple[Trigger, ...]
    writable: str
    message: str
    record: Callable[[], None]
    record_back: Callable[[], None]
    report: Callable[[str], None]
    uncompared: frozenset[QualifiedName] = frozenset()

    def run(self, *, mark: str, max_pause: float, patience: float) -> Switched:
        """Make the switch, or put everything back.

        Arguments:
            mark: of the old side's catalog when it was compared with the new side's.

        Raises:
            ExtractionRefused: a step did not end in time, or rows or definitions differ.
        """
        pause = Pause(max_pause)
        tables = read_tables(self.old, self.schema)
        with ExitStack() as stack:
            watcher = stack.enter_context(extra_session(self.old.alias))
            reader = stack.enter_context(extra_session(self.new.alias))
            for session in (watcher, reader):
                prepare_session(session)
            self._await_lag(patience)
            rows = self._compare_before(watcher, reader, patience)
            self._await_lag(patience)
            rows.refresh()
            try:
                lock_tables(self.old, tables, pause, patience=patience)
                self._await_arrival(watcher, pause)
                sequences = copy_sequences(watcher, self.new, self.schema)
                pause.check("copying the sequences")
                differing = rows.during()
                pause.check("comparing the rows")
                if differing:
                    raise ExtractionRefused(
                        f"The rows of {len(differing)} tables differ: {shortened(differing)}."
                        " Everything was put back.",
                        hint="Something has written to the copy. Give it up with abort, and start"
                        " again.",
                    )
                if catalog_mark(watcher, self.schema) != mark:
                    raise ExtractionRefused(
                        f'The schema "{self.schema}" was changed in "{self.old.alias}" while rows'
                        " were compared. Everything was put back.",
                        hint="Run it again: it compares the schemas, too.",
                    )
                self._stop_feed(pause)
                self._close(tables)
                pause.check("closing the old side")
            except BaseException as exc:
                end_transaction(self.old, commit=False)
                self._resume_feed()
                if isinstance(exc, DatabaseError) and pause.left < 0:
                    raise too_slow("a statement", max_pause) from exc
                raise
            end_transaction(self.old, commit=True)
        self._open_or_put_back(pause)
        return Switched(pause.lasted, pause.parts, rows.rows, len(stored(tables)), sequences)

    def _await_lag(self, patience: float) -> None:
        until = time.monotonic() + patience
        while True:
            lag = read_lag(self.old, self.feed)
            if lag is not None and lag.active and lag.bytes <= CAUGHT_UP:
                return
            if time.monotonic() > until:
                amount = (
                    "nobody receives" if lag is None or not lag.active else f"{lag.bytes} bytes"
                )
                raise ExtractionRefused(
                    f"The copy has not caught up within {patience:g} s: {amount}.",
                    hint="See status, and the log of the receiving server.",
                )
            time.sleep(0.1)

    def _compare_before(
        self, watcher: BaseDatabaseWrapper, reader: BaseDatabaseWrapper, patience: float
    ) -> RowComparison:
        """Compare all rows while writers write; what they write from now on is known."""
        limit = settings_sql(
            {"statement_timeout": f"{max(int(patience * 1000), 1)}ms"}, local=False
        )
        execute(watcher, limit)
        try:
            rows = RowComparison(watcher, reader, self.schema, self.feed, self.uncompared)
        except OperationalError as exc:
            if isinstance(exc.__cause__, QueryCanceled):
                raise transactions_open(patience) from exc
            raise
        # Its commits write out what others have committed with synchronous_commit = off.
        settings = {"statement_timeout": "0", "synchronous_commit": "on"}
        execute(watcher, settings_sql(settings, local=False))
        rows.before(self.report)
        return rows

    def _await_arrival(self, watcher: BaseDatabaseWrapper, pause: Pause) -> None:
        """Wait until the new side has written all that was written here before the locks."""
        (position,) = fetch_one(watcher, INSERTED)
        while True:
            # It is written out with all that was committed before, and each one makes the receiver
            # confirm what it has written.
            fetch_one(watcher, MARK)
            flush_applied(self.new, self.feed)
            row = fetch_one(watcher, ARRIVED, [position, self.feed])
            if row is not None and row[0]:
                break
            if pause.left < 0:
                pause.check("waiting for the last changes")
            time.sleep(POLL)
        pause.check("waiting for the last changes")

    def _stop_feed(self, pause: Pause) -> None:
        """Stop receiving, and let the way back begin now."""
        enable(self.new, self.feed, on=False)
        await_stop(self.new, self.feed, pause.deadline)
        pause.check("stopping the copy")
        if self.back:
            advance_slot(self.new, self.back)
            pause.check("marking the way back")

    def _resume_feed(self) -> None:
        """Let the copy continue, unless the new side is not there to be asked."""
        with suppress(DatabaseError):
            enable(self.new, self.feed, on=True)

    def _open_or_put_back(self, pause: Pause) -> None:
        """Open the new side in time; where it does not answer, the old side is opened again.

        Raises:
            ExtractionRefused: the new side was not opened, or nobody knows.
        """
        try:
            self.open(pause)
        except DatabaseError as exc:
            self._put_back(exc)
        pause.end()

    def _put_back(self, exc: DatabaseError) -> None:
        try:
            self.new.close_if_unusable_or_obsolete()
            if self.is_open():
                return
        except DatabaseError:
            raise ExtractionRefused(
                f'The connection to "{self.new.alias}" was lost while it was opened:'
                f" {first_line(exc)}. Both sides may refuse writes until that is known.",
                hint="Run the command again as soon as the server answers.",
            ) from exc
        with transaction.atomic(using=self.old.alias):
            remove_fence(self.old, self.schema)
            set_triggers(self.old, self.schema, self.triggers)
            self.record_back()
        self._resume_feed()
        raise ExtractionRefused(
            f'"{self.new.alias}" could not be opened: {first_line(exc)}. Everything was put back.',
            hint="Try again.",
        ) from exc

    def _close(self, tables: list[Table]) -> None:
        closed = [table for table in tables if table.name.name != self.writable]
        raise_fence(self.old, self.schema, closed, self.message)
        set_triggers(self.old, self.schema, self.triggers, "D")
        self.record()

    def open(self, pause: Pause | None = None) -> None:
        """Open the new side, after the old one was closed; safe to repeat.

        Writers that the fence refuses hold the tables' locks for a moment, in any order. So a lock
        is waited for so briefly that no deadlock is detected, and all are given back in between.
        """
        until = time.monotonic() + max(LEAST_TO_OPEN, pause.left if pause else 0.0)
        while True:
            try:
                with transaction.atomic(using=self.new.alias):
                    left = max(int((until - time.monotonic()) * 1000), 1)
                    limits = {"lock_timeout": OPENING, "statement_timeout": f"{left}ms"}
                    execute(self.new, settings_sql(limits, local=True))
                    remove_fence(self.new, self.schema)
                    set_triggers(self.new, self.schema, self.triggers)
                break
            except OperationalError as exc:
                is_locked = isinstance(exc.__cause__, LockNotAvailable | DeadlockDetected)
                if not is_locked or time.monotonic() > until:
                    raise
                time.sleep(POLL)
        if pause is not None:
            pause.note("opening the new side")

    def is_open(self) -> bool:
        """Return whether the new side is open."""
        return not fenced_tables(self.new, self.schema)
