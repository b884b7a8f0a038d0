"""Template databases: their names, marks and locks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db.backends.utils import CursorWrapper, names_digest
from psycopg import sql

from .names import MAX_NAME_BYTES

SUFFIX = "_template"
COMMENT_PREFIX = "domain_migrations test template"
"""The start of each template's comment; the digest and what a copy would lack follow."""

UNFINISHED = "unfinished"
"""Replaces the digest until the template is complete."""

POLL = 0.1
"""Seconds between two attempts to acquire the lock."""

COMMENT = """
SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s
"""

LOST = """
SELECT what FROM pg_database AS d
CROSS JOIN LATERAL (VALUES
    ('settings', EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = d.oid)),
    ('privileges', d.datacl IS NOT NULL),
    ('subscriptions', EXISTS (SELECT FROM pg_subscription WHERE subdbid = d.oid)),
    ('security labels', EXISTS (
        SELECT FROM pg_shseclabel WHERE classoid = 'pg_database'::regclass AND objoid = d.oid
    ))
) AS kept (what, has)
WHERE datname = %s AND has
"""
"""The properties of a database that its copies do not get."""


class TemplateDatabase(NamedTuple):
    """The template of one or several test databases.

    Attributes:
        cursor: of another database of the same server, in autocommit mode; its session holds
            the lock.
        name: the template's.
        digest: of everything that determines its content.
    """

    cursor: CursorWrapper
    name: str
    digest: str

    def is_current(self) -> bool:
        """Return whether it exists, is complete and has the expected content."""
        return self._read_comment()[:1] == [self.digest]

    def missing_in_copy(self) -> str:
        """Return what a copy would lack; empty if nothing."""
        return " ".join(self._read_comment()[1:])

    def drop(self) -> None:
        """Drop the database of that name if it is a template of the engine."""
        if self._read_comment():
            self._execute("DROP DATABASE {} WITH (FORCE)")

    def mark_unfinished(self) -> None:
        """Record that the database of that name is becoming the template."""
        self._comment(UNFINISHED)

    def mark_complete(self) -> None:
        """Record that it is complete, and reject connections to it from now on."""
        self.cursor.execute(LOST, [self.name])
        lost = ", ".join(what for (what,) in self.cursor.fetchall())
        self._execute("ALTER DATABASE {} ALLOW_CONNECTIONS false")
        self._comment(f"{self.digest} {lost}".strip())

    def _read_comment(self) -> list[str]:
        """Return the words after the prefix; none if there is no template of the engine."""
        self.cursor.execute(COMMENT, [self.name])
        row = self.cursor.fetchone()
        comment = row[0] if row and row[0] else ""
        before, _, words = comment.partition(COMMENT_PREFIX)
        return [] if before else words.split()

    def _comment(self, text: str) -> None:
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        written = comment.format(sql.Identifier(self.name), f"{COMMENT_PREFIX} {text}")
        self.cursor.execute(written.as_string(self.cursor.connection))

    def _execute(self, statement: str) -> None:
        written = sql.SQL(statement).format(sql.Identifier(self.name))
        self.cursor.execute(written.as_string(self.cursor.connection))

    @contextmanager
    def current_and_locked(
        self, *, build: Callable[[], None], wait: Callable[[], None]
    ) -> Iterator[None]:
        """Make the template current, and lock it so that no process drops it.

        Arguments:
            build: creates it; called in one process at a time.
            wait: called once if another process holds the lock.
        """
        self._acquire("_shared", wait)
        if not self.is_current():
            self._release("_shared")
            self._acquire("", wait)
            try:
                if not self.is_current():
                    build()
                self._acquire("_shared", wait)
            finally:
                self._release("")
        try:
            yield
        finally:
            self._release("_shared")

    def _acquire(self, mode: str, wait: Callable[[], None]) -> None:
        # A timeout of the role would cancel a statement that waits.
        waiting = False
        while not self._lock("try_advisory_lock", mode):
            if not waiting:
                wait()
                waiting = True
            time.sleep(POLL)

    def _release(self, mode: str) -> None:
        self._lock("advisory_unlock", mode)

    def _lock(self, function: str, mode: str) -> bool:
        key = f"{COMMENT_PREFIX} {self.name}"
        self.cursor.execute(f"SELECT pg_{function}{mode}(hashtextextended(%s, 0))", [key])
        (result,) = self.cursor.fetchone()
        return bool(result)


def template_name(test_name: str) -> str:
    """Return the name of the template of a test database.

    A name that would be too long is truncated and gets a digest.
    """
    name = f"{test_name}{SUFFIX}"
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    digest = names_digest(name, length=8)
    kept = name.encode()[: MAX_NAME_BYTES - len(digest) - len(SUFFIX) - 1]
    return f"{kept.decode(errors='ignore')}_{digest}{SUFFIX}"
