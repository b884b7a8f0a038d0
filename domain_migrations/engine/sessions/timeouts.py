"""Lock timeouts and retries, so that migrations do not block live traffic.

A statement that waits for a strong lock blocks all later statements on the table. So no
statement waits long: a migration that does not get its locks is rolled back, and retried after
a pause in which traffic passes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from psycopg import sql

from ...conf import get_settings
from .blockers import INTERVAL, BlockerWatcher, FindBlockers
from .concurrent_indexes import build_index, built_index, is_concurrent
from .connection import execute, is_alone, roll_back_leftover, session_settings, settings_sql
from .database_errors import sqlstate_of
from .database_problems import Clock

RETRIED_STATES = {
    "55P03": "lock timeout",
    "40P01": "deadlock",
    "40001": "serialization failure",
}
"""lock_not_available, deadlock_detected, serialization_failure; PostgreSQL manual, appendix A."""

Result = TypeVar("Result")
Run = Callable[[sql.Composable], None]
"""Runs a statement whose rows are not needed."""


def retry_reason(exc: BaseException) -> str:
    """Return why another attempt may succeed where one has failed; empty if none would.

    An error that says it itself has it as an attribute: a node of a cluster does not answer.
    """
    said = getattr(exc, "retry_reason", "")
    return str(said) or RETRIED_STATES.get(sqlstate_of(exc) or "", "")


def timeout_settings(
    lock_timeout: float | None, statement_timeout: float | None = None
) -> dict[str, str]:
    """Return the settings that limit how long statements may wait for locks, and run.

    Arguments:
        lock_timeout: seconds; 0 for no limit, ``None`` leaves the setting out.
        statement_timeout: the same.
    """
    limits = {"lock_timeout": lock_timeout, "statement_timeout": statement_timeout}
    return {
        name: f"{max(1, round(seconds * 1000)) if seconds else 0}ms"
        for name, seconds in limits.items()
        if seconds is not None
    }


def _nothing() -> None:
    """Elsewhere than on a cluster, there is nothing to forward."""


@dataclass(frozen=True)
class RetryPolicy:
    """The number of retries, and the pauses before them.

    Attributes:
        retries: attempts after the first one.
        first: seconds of the first pause; each one after is twice as long.
        longest: seconds that no pause exceeds.
    """

    retries: int = 5
    first: float = 0.5
    longest: float = 30.0

    def allows(self, attempt: int, exc: BaseException) -> bool:
        """Return whether to retry after the failure of attempt number ``attempt``, from 1."""
        return attempt <= self.retries and bool(retry_reason(exc))

    def pause(self, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """Return the seconds to pause after a failed attempt: half of them fixed, half random.

        The fixed half lets the traffic pass that queued up during the attempt; the random half
        keeps two runs that met in a deadlock from meeting again.
        """
        full = min(self.first * 2.0 ** (attempt - 1), self.longest)
        return full / 2 + full / 2 * chance()


@dataclass
class IndexBuild:
    """The index that an operation without a transaction builds concurrently.

    Attributes:
        was_started: a run that was killed had started the operation.
        was_built: the operation has built an index.
    """

    was_started: bool = False
    was_built: bool = False

    def reset(self) -> None:
        """Prepare for the next operation."""
        self.was_started = self.was_built = False


class TimeoutPolicy:
    """The timeouts and retries of one run.

    Arguments:
        connection: the connection of the run.
        lock_timeout: seconds; the setting's unless given.
        statement_timeout: seconds; the setting's unless given.
        report: called with a message about the blocking sessions before each retry.
        retries: the retry policy; the setting's unless given.

    Attributes:
        limits: the timeouts, as settings of the server.
        more_settings: what each transaction sets together with them.
        forward: sets the limits on the nodes of a cluster, too.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        *,
        report: Callable[[str], None],
        lock_timeout: float | None = None,
        statement_timeout: float | None = None,
        retries: RetryPolicy | None = None,
        clock: Clock = time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        settings = get_settings()
        self.connection = connection
        self.report = report
        self.policy = retries or RetryPolicy(retries=settings.retries)
        if lock_timeout is None:
            lock_timeout = settings.lock_timeout
        if statement_timeout is None:
            statement_timeout = settings.statement_timeout
        self.limits = timeout_settings(lock_timeout, statement_timeout)
        self.more_settings: Mapping[str, str] = {}
        self.forward: Callable[[], None] = _nothing
        interval = min(INTERVAL, (lock_timeout or INTERVAL) / 4)
        self._watcher = BlockerWatcher(connection, interval=interval)
        self._clock = clock
        self._chance = chance

    def prepare_for_cluster(
        self, settings: Mapping[str, str], forward: Callable[[], None], find: FindBlockers
    ) -> None:
        """Set more in each transaction, and look for blocking sessions on all nodes."""
        self.more_settings, self.forward, self._watcher.find = settings, forward, find

    @contextmanager
    def timeouts(self, run: Run | None = None) -> Iterator[None]:
        """Limit the statements of the open transaction, and watch for blocking sessions.

        Arguments:
            run: runs the statement that sets the limits; by default it is sent alone.
        """
        run = run or partial(execute, self.connection)
        run(settings_sql({**self.limits, **self.more_settings}, local=True))
        self.forward()
        with self._watcher:
            yield

    @contextmanager
    def session_timeouts(
        self, migration: Migration, index: IndexBuild | None = None
    ) -> Iterator[None]:
        """Limit the statements of a migration without a transaction.

        Such a migration cannot be retried as a whole, but each statement outside a transaction
        can. ``CONCURRENTLY`` waits for locks without a limit.

        Arguments:
            index: the index that the current operation builds.
        """
        what = f"A statement of {migration}"
        nested = False
        build = index or IndexBuild()

        def retry_statement(
            execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: Any
        ) -> Any:
            nonlocal nested
            # The engine's own statements between the attempts call this as well.
            if nested or not is_alone(self.connection):
                return execute(statement, params, many, context)
            nested = True
            text = statement
            if isinstance(statement, sql.Composable):
                text = statement.as_string(self.connection.connection)
            try:
                return self._run_with_retry(
                    str(text), lambda: execute(statement, params, many, context), what, build
                )
            finally:
                nested = False

        with (
            session_settings(self.connection, self.limits),
            self._watcher,
            self.connection.execute_wrapper(retry_statement),
        ):
            if self.connection.in_atomic_block:  # That of a trial.
                self.forward()
            yield

    def pause_before_retry(self, exc: BaseException, attempt: int, migration: Migration) -> bool:
        """Report and pause if the whole migration is to be retried; return whether it is.

        Arguments:
            exc: the error that ended it.
            attempt: the number of attempts so far, this one included.
        """
        return migration.atomic and self._sleep_before_retry(exc, attempt, str(migration))

    def run_with_retries(self, what: str, run: Callable[[], Result]) -> Result:
        """Return what a function returns that runs a transaction, again after each lock timeout.

        Arguments:
            what: what it does, as the beginning of a sentence.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return run()
            except DatabaseError as exc:
                if not self._sleep_before_retry(exc, attempt, what):
                    raise

    def _run_with_retry(
        self, text: str, run: Callable[[], Any], what: str, index: IndexBuild
    ) -> Any:
        if is_concurrent(text):
            with session_settings(self.connection, timeout_settings(0)):
                built = built_index(text)
                if built is None:
                    return run()
                result = build_index(
                    self.connection, built, run, self.report, was_started=index.was_started
                )
                index.was_built = True
                return result
        attempt = 0
        while True:
            attempt += 1
            self._watcher.last_blockers = ()
            try:
                return run()
            except Exception as exc:
                # Of a transaction that the text itself begins.
                roll_back_leftover(self.connection)
                if not self._sleep_before_retry(exc, attempt, what):
                    raise

    def _sleep_before_retry(self, exc: BaseException, attempt: int, what: str) -> bool:
        if not self.policy.allows(attempt, exc):
            return False
        pause = self.policy.pause(attempt, self._chance)
        reasons = filter(None, (retry_reason(exc), self.blocker_clause()))
        self.report(
            f"{what} was rolled back: {', '.join(reasons)}. "
            f"Retrying in {pause:.1f} s ({attempt} of {self.policy.retries})."
        )
        self._clock.sleep(pause)
        return True

    def blocker_clause(self) -> str:
        """Return "blocked by" and the sessions that blocked the last transaction, or nothing."""
        seen = "; ".join(map(str, self._watcher.last_blockers))
        return f"blocked by {seen}" if seen else ""
