"""Advisory locks of runs: one run at a time for each domain, and none in parallel with core.

A domain run takes core's lock shared and the domain's own exclusively; a core run takes core's
exclusively. So domains can run in parallel with each other, but not with core.

No session waits for a lock inside the server: while it waits it holds a snapshot, and ``CREATE
INDEX CONCURRENTLY`` in the session with the lock would wait for that snapshot forever. Instead,
the try-functions are called repeatedly, outside of any transaction. They have no queue, so a
core run that waits closes a gate which every domain run has to pass; otherwise overlapping
domain runs could keep it waiting forever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus

from ...domains import CORE, CORE_SCHEMA, Domain
from ...exceptions import LockNotAvailable
from .blockers import ACTIVITY_COLUMNS, Activity
from .connection import execute, fetch_all, fetch_one, is_alive
from .database_errors import LOST
from .database_problems import Clock
from .offered_options import more_time

HOLDERS = f"""
SELECT (l.classid::bigint << 32) | l.objid::bigint, l.mode, l.pid, {ACTIVITY_COLUMNS}
FROM pg_locks AS l
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.pid <> pg_backend_pid()
  AND (l.classid::bigint << 32) | l.objid::bigint = ANY (%s::bigint[])
ORDER BY a.backend_start, l.pid
"""  # noqa: S608 (made of constants only)
"""The other sessions that hold one of the keys."""

# A session holds locks in its own database only. This runs before and after each migration.
OWN_SESSION_SQL = """
SELECT pg_backend_pid(), coalesce(bool_or(
        locktype = 'advisory' AND objsubid = 1 AND granted
        AND classid = {high}::oid AND objid = {low}::oid), false),
    pg_current_xact_id()::text::bigint,
    max(split_part(virtualtransaction, '/', 2)::bigint)
FROM pg_locks WHERE pid = pg_backend_pid()
"""

EXCLUSIVE_LOCKS_SQL = """
SELECT current_database(), (l.classid::bigint << 32) | l.objid::bigint
FROM pg_locks AS l
WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.mode = 'ExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Lock(NamedTuple):
    """One advisory lock in one of its two modes."""

    key: int
    shared: bool = False

    @property
    def suffix(self) -> str:
        return "_shared" if self.shared else ""


class LockKeys(NamedTuple):
    """The lock keys of a run of one domain."""

    core: int
    gate: int
    own: int

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper, domain: Domain) -> LockKeys:
        # With a pooler, the name in the settings may differ from the database's own.
        (database,) = fetch_one(connection, "SELECT current_database()")
        return cls(
            core=lock_key(database, CORE_SCHEMA),
            gate=lock_key(database, CORE_SCHEMA, purpose="gate"),
            own=lock_key(database, domain.schema),
        )


def lock_key(database: str, schema: str, purpose: str = "run") -> int:
    """Return the 64-bit key of a schema's lock, which never changes between versions.

    It is the first eight bytes of BLAKE2b over ``domain_migrations``, the database's name, the
    schema's name and the purpose, joined by NUL, read as a signed big-endian number.
    """
    text = "\0".join(("domain_migrations", database, schema, purpose))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class Holder(NamedTuple):
    """A session that prevents a run from starting.

    Attributes:
        domain: the name of the domain whose lock the session holds.
        waiting: whether it is a core run that waits for the lock itself.
    """

    domain: str
    session: Activity
    waiting: bool = False

    def __str__(self) -> str:
        verb = "waits for" if self.waiting else "holds"
        return f'{self.session}, {verb} the lock of "{self.domain}"'


def holders(connection: BaseDatabaseWrapper, domain: Domain) -> tuple[Holder, ...]:
    """Return the other sessions that prevent a run of the domain from starting."""
    keys = LockKeys.of(connection, domain)
    found = [
        Holder(
            domain=domain.name if key == keys.own else CORE,
            session=Activity(*activity),
            waiting=key == keys.gate,
        )
        for key, mode, *activity in fetch_all(connection, HOLDERS, [list(keys)])
        if key == keys.own or mode == "ExclusiveLock"
    ]
    running = {holder.session.pid for holder in found if not holder.waiting}
    return tuple(h for h in found if not (h.waiting and h.session.pid in running))


def running_domains(connection: BaseDatabaseWrapper, domains: Iterable[Domain]) -> set[str]:
    """Return the names of the domains that are being run, with one query."""
    held = set(fetch_all(connection, EXCLUSIVE_LOCKS_SQL))
    databases = {database for database, _ in held}
    return {
        domain.name
        for domain in domains
        if any((database, lock_key(database, domain.schema)) in held for database in databases)
    }


def session_query(key: int) -> sql.Composed:
    """Return the query for the session's own pid, whether it holds a lock of that key, and the
    two numbers of its ``TransactionMark``."""
    high, low = divmod(key % 2**64, 2**32)
    return sql.SQL(OWN_SESSION_SQL).format(high=sql.Literal(str(high)), low=sql.Literal(str(low)))


FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.5
REPORT_SECONDS = 10.0


class LockAttempt:
    """An attempt to acquire the locks of one run.

    Attributes:
        acquired: the locks that it holds.
        until_commit: whether they are held until the end of the caller's transaction.
        skips_gate: whether it is part of another run, which keeps the gate closed until it ends.
    """

    def __init__(self, connection: BaseDatabaseWrapper, domain: Domain, keys: LockKeys) -> None:
        self.connection = connection
        self.domain = domain
        self.keys = keys
        self.acquired: list[Lock] = []
        self.raw = connection.connection
        self.until_commit = connection.in_atomic_block
        _, has_core, *_ = fetch_one(connection, session_query(keys.core))
        self.skips_gate = self.until_commit or has_core

    def try_acquire(self) -> bool:
        """Try once to acquire all locks; a failed attempt releases all but the closed gate."""
        if self.domain.is_core:
            return self._try_core()
        return self._try_domain()

    def _try_core(self) -> bool:
        gate, core = Lock(self.keys.gate), Lock(self.keys.core)
        if not self.skips_gate and gate not in self.acquired and not self._try_lock(gate):
            return False
        if not self._try_lock(core):
            return False
        self._release(gate)
        return True

    def _try_domain(self) -> bool:
        gate, core = Lock(self.keys.gate, shared=True), Lock(self.keys.core, shared=True)
        if not self.skips_gate and not self._try_lock(gate):
            return False
        has_core = self._try_lock(core)
        self._release(gate)
        if not has_core:
            return False
        if self._try_lock(Lock(self.keys.own)):
            return True
        self._release(core)
        return False

    def _try_lock(self, lock: Lock) -> bool:
        until = "_xact" if self.until_commit else ""
        query = f"SELECT pg_try_advisory{until}_lock{lock.suffix}(%s)"
        (success,) = fetch_one(self.connection, query, [lock.key])
        if success:
            self.acquired.append(lock)
        return bool(success)

    def _release(self, lock: Lock) -> None:
        if lock in self.acquired and not self.until_commit:
            execute(self.connection, f"SELECT pg_advisory_unlock{lock.suffix}(%s)", [lock.key])
            self.acquired.remove(lock)

    def release_all(self) -> None:
        """Release all locks; those of a closed connection are released already."""
        if self.until_commit or self.connection.connection is not self.raw:
            return
        with suppress(*LOST):
            if not is_alive(self.connection):
                return
            if self.raw.info.transaction_status == TransactionStatus.INERROR:
                self.raw.rollback()
            for lock in reversed(list(self.acquired)):
                self._release(lock)


def wait_for_locks(
    attempt: LockAttempt, *, wait: float, report: Callable[[str], None], clock: Clock
) -> None:
    """Repeat the attempt until it succeeds or the time is up; see ``session.acquire_run_lock``."""
    started = clock.monotonic()
    limit = 0.0 if attempt.until_commit else wait
    pause = FIRST_PAUSE
    next_report = started
    while not attempt.try_acquire():
        now = clock.monotonic()
        blockers = holders(attempt.connection, attempt.domain) if now >= next_report else ()
        if now - started >= limit:
            raise _not_available(attempt, wait, holders(attempt.connection, attempt.domain))
        if blockers:  # Empty if the holder has just released it.
            waited_for = "; ".join(map(str, blockers))
            report(f'Waiting for the lock of "{attempt.domain.name}": {waited_for}.')
            next_report = now + REPORT_SECONDS
        clock.sleep(min(pause, limit - (now - started)))
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _not_available(
    attempt: LockAttempt, wait: float, blockers: tuple[Holder, ...]
) -> LockNotAvailable:
    limit = "" if attempt.until_commit else f" within {wait:g} s"
    reason = "; ".join(map(str, blockers)) or "its holder has just released it"
    hint = f"Run the command again later, or wait longer with {more_time('--lock-wait')}."
    if attempt.until_commit:
        hint = "Run the command outside of a transaction; inside one, it does not wait."
    elif blockers:
        pid = blockers[0].session.pid
        hint += f" SELECT pg_terminate_backend({pid}) ends the other run."
    return LockNotAvailable(
        f'Could not acquire the lock of "{attempt.domain.name}"{limit}: {reason}.', hint=hint
    )
