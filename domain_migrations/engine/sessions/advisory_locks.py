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

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus

from ...domains import CORE, CORE_SCHEMA, Domain
from ...exceptions import LockNotAvailable
from .blockers import ACTIVITY_COLUMNS, Activity
from .connection import LOST, Clock, is_alive

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
"""Other sessions with one of the keys."""

# A session has locks in its own database only. This is asked before and after each migration.
OWN_SESSION_SQL = """
SELECT pg_backend_pid(), EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid = pg_backend_pid()
      AND classid = {high}::oid AND objid = {low}::oid
)
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
    def mode(self) -> str:
        """The mode as ``pg_locks`` calls it."""
        return "ShareLock" if self.shared else "ExclusiveLock"

    @property
    def suffix(self) -> str:
        return "_shared" if self.shared else ""


class LockKeys(NamedTuple):
    """The keys that matter to a run of one domain."""

    core: int
    gate: int
    own: int

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper, domain: Domain) -> LockKeys:
        # Behind a pooler the name in the settings need not be the database's own.
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            (database,) = cursor.fetchone()
        return cls(
            core=lock_key(database, CORE_SCHEMA),
            gate=lock_key(database, CORE_SCHEMA, purpose="gate"),
            own=lock_key(database, CORE_SCHEMA if domain.is_core else domain.schema),
        )


def lock_key(database: str, schema: str, purpose: str = "run") -> int:
    """Return the 64-bit key of a schema's lock: the same in every version and process.

    It is the first eight bytes of BLAKE2b over ``domain_migrations``, the database's name, the
    schema's name and the purpose, joined by NUL, read as a signed big-endian number.
    """
    text = "\0".join(("domain_migrations", database, schema, purpose))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@dataclass(frozen=True)
class Holder:
    """A session that keeps a run from beginning.

    Attributes:
        domain: whose lock it has.
        waiting: it runs nothing yet: it is a core run that waits for its turn.
    """

    domain: str
    session: Activity
    waiting: bool = False

    def __str__(self) -> str:
        has = "waits for" if self.waiting else "has"
        return f'{self.session}, {has} the lock of "{self.domain}"'


def holders(connection: BaseDatabaseWrapper, domain: Domain) -> tuple[Holder, ...]:
    """Return the other sessions that keep a run of the domain from beginning."""
    keys = LockKeys.of(connection, domain)
    found = []
    for key, mode, pid, *row in _others(connection, keys):
        exclusive = mode == Lock(key).mode
        if key == keys.own or exclusive:
            found.append(
                Holder(
                    domain=domain.name if key == keys.own else CORE,
                    session=Activity.from_row(pid, row),
                    waiting=key == keys.gate,
                )
            )
    in_charge = {holder.session.pid for holder in found if not holder.waiting}
    return tuple(h for h in found if not (h.waiting and h.session.pid in in_charge))


def running_domains(connection: BaseDatabaseWrapper, domains: Iterable[Domain]) -> set[str]:
    """Return the names of those domains that a run is at work on, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(EXCLUSIVE_LOCKS_SQL)
        held = set(cursor.fetchall())
    databases = {database for database, _ in held}
    return {
        domain.name
        for domain in domains
        if any((database, lock_key(database, domain.schema)) in held for database in databases)
    }


def session_query(key: int) -> sql.Composed:
    """Return the query for the session's own pid, and whether it has a lock of that key."""
    high, low = divmod(key % 2**64, 2**32)
    return sql.SQL(OWN_SESSION_SQL).format(high=sql.Literal(str(high)), low=sql.Literal(str(low)))


def has_lock(connection: BaseDatabaseWrapper, key: int) -> bool:
    """Return whether the connection's session has a lock of that key."""
    with connection.cursor() as cursor:
        cursor.execute(session_query(key))
        _, locked = cursor.fetchone()
    return bool(locked)


def _others(connection: BaseDatabaseWrapper, keys: Iterable[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS, [list(keys)])
        return list(cursor.fetchall())


FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.5
REPORT_SECONDS = 10.0


@dataclass
class LockAttempt:
    """The locks of one run, as far as they are had."""

    connection: BaseDatabaseWrapper
    domain: Domain
    keys: LockKeys
    taken: list[Lock] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.raw = self.connection.connection
        self.until_commit = self.connection.in_atomic_block
        # A run inside a run must not wait at a gate that is closed until the outer one ends.
        self.passes_gate = self.until_commit or has_lock(self.connection, self.keys.core)

    def try_acquire(self) -> bool:
        """Try once for everything; keep nothing of a vain attempt but the closed gate."""
        if self.domain.is_core:
            return self._take_core()
        return self._take_domain()

    def _take_core(self) -> bool:
        gate, core = Lock(self.keys.gate), Lock(self.keys.core)
        if not self.passes_gate and gate not in self.taken and not self._try_lock(gate):
            return False
        if not self._try_lock(core):
            return False
        self._release(gate)
        return True

    def _take_domain(self) -> bool:
        gate, core = Lock(self.keys.gate, shared=True), Lock(self.keys.core, shared=True)
        if not self.passes_gate and not self._try_lock(gate):
            return False
        had_core = self._try_lock(core)
        self._release(gate)
        if not had_core:
            return False
        if self._try_lock(Lock(self.keys.own)):
            return True
        self._release(core)
        return False

    def _try_lock(self, lock: Lock) -> bool:
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

    def _release(self, lock: Lock) -> None:
        if lock in self.taken and not self.until_commit:
            with self.connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock{lock.suffix}(%s)", [lock.key])
            self.taken.remove(lock)

    def release_all(self) -> None:
        """Give back what is had; a connection that is gone has given it back already."""
        if self.until_commit or self.connection.connection is not self.raw:
            return
        with suppress(*LOST):
            if not is_alive(self.connection):
                return
            if self.raw.info.transaction_status == TransactionStatus.INERROR:
                self.raw.rollback()
            for lock in reversed(list(self.taken)):
                self._release(lock)


def wait_for_locks(
    attempt: LockAttempt, *, wait: float, report: Callable[[str], None], clock: Clock
) -> None:
    begun = clock.monotonic()
    limit = 0.0 if attempt.until_commit else wait
    pause = FIRST_PAUSE
    next_report = begun
    while not attempt.try_acquire():
        now = clock.monotonic()
        blockers = holders(attempt.connection, attempt.domain) if now >= next_report else ()
        if now - begun >= limit:
            raise _busy(attempt, wait, holders(attempt.connection, attempt.domain))
        if blockers:  # none, when it went between the attempt and the look
            report(f"Waiting for the lock of {_names(attempt)}: {_listed(blockers)}.")
            next_report = now + REPORT_SECONDS
        clock.sleep(min(pause, limit - (now - begun)))
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _busy(attempt: LockAttempt, wait: float, blockers: tuple[Holder, ...]) -> LockNotAvailable:
    patience = "" if attempt.until_commit else f" within {wait:g} s"
    who = f": {_listed(blockers)}" if blockers else ": its holder has just gone"
    hint = "Run the command again later, or wait longer with --lock-wait."
    if attempt.until_commit:
        hint = "Run the command outside a transaction: inside one it does not wait."
    elif blockers:
        pid = blockers[0].session.pid
        hint += f" SELECT pg_terminate_backend({pid}) ends the other run."
    return LockNotAvailable(
        f"The lock of {_names(attempt)} could not be had{patience}{who}.", hint=hint
    )


def _names(attempt: LockAttempt) -> str:
    return f'"{attempt.domain.name}"'


def _listed(blockers: tuple[Holder, ...]) -> str:
    return "; ".join(map(str, blockers))
