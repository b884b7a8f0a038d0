"""The advisory locks of runs as the server knows them: their keys, and who has them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..domains import CORE, CORE_SCHEMA, Domain
from .activity import COLUMNS, Activity

HOLDERS = f"""
SELECT (l.classid::bigint << 32) | l.objid::bigint, l.mode, l.pid, {COLUMNS}
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
OWN = """
SELECT pg_backend_pid(), EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid = pg_backend_pid()
      AND classid = {high}::oid AND objid = {low}::oid
)
"""

EXCLUSIVE = """
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


class Keys(NamedTuple):
    """The keys that matter to a run of one domain."""

    core: int
    gate: int
    own: int

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper, domain: Domain) -> Keys:
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
    keys = Keys.of(connection, domain)
    found = []
    for key, mode, pid, *row in _others(connection, keys):
        exclusive = mode == Lock(key).mode
        if key == keys.own or exclusive:
            found.append(
                Holder(
                    domain=domain.name if key == keys.own else CORE,
                    session=Activity.of_row(pid, row),
                    waiting=key == keys.gate,
                )
            )
    in_charge = {holder.session.pid for holder in found if not holder.waiting}
    return tuple(h for h in found if not (h.waiting and h.session.pid in in_charge))


def being_run(connection: BaseDatabaseWrapper, domains: Iterable[Domain]) -> set[str]:
    """Return the names of those domains that a run is at work on, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(EXCLUSIVE)
        held = set(cursor.fetchall())
    databases = {database for database, _ in held}
    return {
        domain.name
        for domain in domains
        if any((database, lock_key(database, domain.schema)) in held for database in databases)
    }


def own_session(key: int) -> sql.Composed:
    """Return the query for the session's own pid, and whether it has a lock of that key."""
    high, low = divmod(key % 2**64, 2**32)
    return sql.SQL(OWN).format(high=sql.Literal(str(high)), low=sql.Literal(str(low)))


def has_lock(connection: BaseDatabaseWrapper, key: int) -> bool:
    """Return whether the connection's session has a lock of that key."""
    with connection.cursor() as cursor:
        cursor.execute(own_session(key))
        _, locked = cursor.fetchone()
    return bool(locked)


def _others(connection: BaseDatabaseWrapper, keys: Iterable[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS, [list(keys)])
        return list(cursor.fetchall())
