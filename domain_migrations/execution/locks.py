"""The advisory locks that let one run at a time change a domain, and core run alone.

A domain run takes the lock of core shared and the domain's own exclusively; a core run takes
core's exclusively. So domains run side by side, and none beside core.

Nobody waits inside the server: a session that waits for an advisory lock has a snapshot, and
``CREATE INDEX CONCURRENTLY`` of the session that has the lock would wait for that snapshot for
ever. The try-functions are asked again and again instead, outside any transaction. Because
that knows no queue, a core run that waits closes a gate which every domain run has to pass,
or a stream of overlapping domain runs would keep it out for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus

from ..domains import Domain
from ..exceptions import LockBusy, MigrationFailed
from .advisory import Holder, Keys, Lock, has_lock, holders, lock_key, own_session
from .pooling import backend_pid
from .session import LOST, Session, is_alive

__all__ = ["Clock", "HeldLock", "Holder", "hold", "holders", "lock_key"]

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.5
REPORT_SECONDS = 10.0


class Clock(Protocol):
    """The part of the module ``time`` that waiting needs."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float, /) -> None: ...


@dataclass(frozen=True)
class HeldLock(Session):
    """The session of a run, together with the lock that it must not lose."""

    key: int = 0

    def _is_same(self, also: sql.Composable | None) -> bool:
        pid, locked = self._answer(own_session(self.key), also)
        if pid == self.pid and not locked:
            raise MigrationFailed(
                "The run lost its lock, though its connection is still the same.",
                hint="Take DISCARD ALL and pg_advisory_unlock_all() out of the migration.",
            )
        return bool(pid == self.pid)


@contextmanager
def hold(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    *,
    wait: float,
    report: Callable[[str], None],
    clock: Clock = time,
) -> Iterator[HeldLock]:
    """Keep every run out that must not happen beside a run of the domain.

    A session that already has the locks gets them once more. Inside a transaction the locks
    last until its end, and there is no waiting for them.

    Arguments:
        wait: seconds to try for; with 0 there is one attempt.
        report: is told who has the lock, at once and then every ten seconds.

    Raises:
        LockBusy: another run had the lock for longer than ``wait``.
    """
    keys = Keys.of(connection, domain)
    attempt = _Attempt(connection, domain, keys)
    try:
        _wait(attempt, wait=wait, report=report, clock=clock)
        yield HeldLock(connection=connection, pid=backend_pid(connection), key=keys.own)
    finally:
        attempt.give_all_back()


@dataclass
class _Attempt:
    """The locks of one run, as far as they are had."""

    connection: BaseDatabaseWrapper
    domain: Domain
    keys: Keys
    taken: list[Lock] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.raw = self.connection.connection
        self.until_commit = self.connection.in_atomic_block
        # A run inside a run must not wait at a gate that is closed until the outer one ends.
        self.passes_gate = self.until_commit or has_lock(self.connection, self.keys.core)

    def take_all(self) -> bool:
        """Try once for everything; keep nothing of a vain attempt but the closed gate."""
        if self.domain.is_core:
            return self._take_core()
        return self._take_domain()

    def _take_core(self) -> bool:
        gate, core = Lock(self.keys.gate), Lock(self.keys.core)
        if not self.passes_gate and gate not in self.taken and not self._take(gate):
            return False
        if not self._take(core):
            return False
        self._give_back(gate)
        return True

    def _take_domain(self) -> bool:
        gate, core = Lock(self.keys.gate, shared=True), Lock(self.keys.core, shared=True)
        if not self.passes_gate and not self._take(gate):
            return False
        had_core = self._take(core)
        self._give_back(gate)
        if not had_core:
            return False
        if self._take(Lock(self.keys.own)):
            return True
        self._give_back(core)
        return False

    def _take(self, lock: Lock) -> bool:
        until = "_xact" if self.until_commit else ""
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT pg_try_advisory{until}_lock{lock.suffix}(%s)",
                [lock.key],
            )
            (had,) = cursor.fetchone()
        if had:
            self.taken.append(lock)
        return bool(had)

    def _give_back(self, lock: Lock) -> None:
        if lock in self.taken and not self.until_commit:
            with self.connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock{lock.suffix}(%s)", [lock.key])
            self.taken.remove(lock)

    def give_all_back(self) -> None:
        """Give back what is had; a connection that is gone has given it back already."""
        if self.until_commit or self.connection.connection is not self.raw:
            return
        with suppress(*LOST):
            if not is_alive(self.connection):
                return
            if self.raw.info.transaction_status == TransactionStatus.INERROR:
                self.raw.rollback()
            for lock in reversed(list(self.taken)):
                self._give_back(lock)


def _wait(attempt: _Attempt, *, wait: float, report: Callable[[str], None], clock: Clock) -> None:
    begun = clock.monotonic()
    limit = 0.0 if attempt.until_commit else wait
    pause = FIRST_PAUSE
    next_report = begun
    while not attempt.take_all():
        now = clock.monotonic()
        blockers = holders(attempt.connection, attempt.domain) if now >= next_report else ()
        if now - begun >= limit:
            raise _busy(attempt, wait, holders(attempt.connection, attempt.domain))
        if blockers:  # none, when it went between the attempt and the look
            report(f"Waiting for the lock of {_names(attempt)}: {_listed(blockers)}.")
            next_report = now + REPORT_SECONDS
        clock.sleep(min(pause, limit - (now - begun)))
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _busy(attempt: _Attempt, wait: float, blockers: tuple[Holder, ...]) -> LockBusy:
    patience = "" if attempt.until_commit else f" within {wait:g} s"
    who = f": {_listed(blockers)}" if blockers else ": its holder has just gone"
    hint = "Run the command again later, or wait longer with --lock-wait."
    if attempt.until_commit:
        hint = "Run the command outside a transaction: inside one it does not wait."
    elif blockers:
        pid = blockers[0].session.pid
        hint += f" SELECT pg_terminate_backend({pid}) ends the other run."
    return LockBusy(f"The lock of {_names(attempt)} could not be had{patience}{who}.", hint=hint)


def _names(attempt: _Attempt) -> str:
    return f'"{attempt.domain.name}"'


def _listed(blockers: tuple[Holder, ...]) -> str:
    return "; ".join(map(str, blockers))
