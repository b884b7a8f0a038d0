"""A database that test databases are copied from: is it still right, and who makes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper, names_digest
from psycopg import sql

from .names import MAX_NAME_BYTES

SUFFIX = "_template"
COMMENT_PREFIX = "domain_migrations test template"
"""Begins the comment of each template; behind it stand the digest and what is lost in a copy."""

UNFINISHED = "unfinished"
"""Stands in place of the digest until all is in it."""

POLL = 0.1
"""Seconds between two looks at whether the lock is free."""

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
"""What belongs to a database and does not get into its copies."""


@dataclass(frozen=True)
class Template:
    """The template of one or several test databases.

    Attributes:
        cursor: of another database of the same server, in autocommit mode; its session holds
            the lock.
        name: the template's.
        digest: of all that decides its content.
    """

    cursor: CursorWrapper
    name: str
    digest: str

    def is_current(self) -> bool:
        """Return whether it is there, complete and has the content that it should have."""
        return self._read_comment()[:1] == [self.digest]

    def missing_in_copy(self) -> str:
        """Return what a copy would lack, nothing if all gets into one."""
        return " ".join(self._read_comment()[1:])

    def drop(self) -> None:
        """Drop it, if the database of that name is one of ours."""
        if self._read_comment():
            self._execute("DROP DATABASE {} WITH (FORCE)")

    def mark_unfinished(self) -> None:
        """Note that the database of that name is becoming the template."""
        self._comment(UNFINISHED)

    def mark_complete(self) -> None:
        """Note that it is complete; from then on nobody can connect to it and change it."""
        self.cursor.execute(LOST, [self.name])
        lost = ", ".join(what for (what,) in self.cursor.fetchall())
        self._execute("ALTER DATABASE {} ALLOW_CONNECTIONS false")
        self._comment(f"{self.digest} {lost}".strip())

    def _read_comment(self) -> list[str]:
        """Return the words behind the mark; none where there is no template of ours."""
        self.cursor.execute(COMMENT, [self.name])
        row = self.cursor.fetchone()
        comment = row[0] if row and row[0] else ""
        return (
            comment.removeprefix(COMMENT_PREFIX).split()
            if comment.startswith(COMMENT_PREFIX)
            else []
        )

    def _comment(self, text: str) -> None:
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        self.cursor.execute(comment.format(sql.Identifier(self.name), f"{COMMENT_PREFIX} {text}"))

    def _execute(self, statement: str) -> None:
        self.cursor.execute(sql.SQL(statement).format(sql.Identifier(self.name)))

    @contextmanager
    def current_and_locked(
        self, *, build: Callable[[], None], wait: Callable[[], None]
    ) -> Iterator[None]:
        """Have the template current, and nobody drop it, inside.

        Arguments:
            build: makes it; called in one process at a time.
            wait: called once when another process has the lock.
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
        # A statement that waits would be ended by a timeout of the role's.
        told = False
        while not self._lock("try_advisory_lock", mode):
            if not told:
                wait()
                told = True
            time.sleep(POLL)

    def _release(self, mode: str) -> None:
        self._lock("advisory_unlock", mode)

    def _lock(self, function: str, mode: str) -> bool:
        key = f"{COMMENT_PREFIX} {self.name}"
        self.cursor.execute(f"SELECT pg_{function}{mode}(hashtextextended(%s, 0))", [key])
        (done,) = self.cursor.fetchone()
        return bool(done)


def template_name(test_name: str) -> str:
    """Return the name of the template of a test database.

    A name that would be too long is cut, with a digest of what is lost.
    """
    name = f"{test_name}{SUFFIX}"
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    digest = names_digest(name, length=8)
    kept = name.encode()[: MAX_NAME_BYTES - len(digest) - len(SUFFIX) - 1]
    return f"{kept.decode(errors='ignore')}_{digest}{SUFFIX}"
