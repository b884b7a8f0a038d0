"""Creation of test databases, optionally as copies of a template database."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper, names_digest
from psycopg import sql

from .names import MAX_NAME_BYTES

if TYPE_CHECKING:
    from django.db.backends.postgresql.creation import DatabaseCreation

    class Creation(DatabaseCreation):
        """Django's, with what its stubs leave out."""

        def create_test_db(self, *args: Any, **kwargs: Any) -> str: ...
        def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool) -> str: ...
        def _nodb_cursor(self) -> AbstractContextManager[CursorWrapper]: ...
        def _database_exists(self, cursor: CursorWrapper, database_name: str) -> bool: ...
        def _get_database_create_suffix(
            self, encoding: str | None = None, template: str | None = None
        ) -> str: ...
        def _get_database_display_str(self, verbosity: int, database_name: str) -> str: ...
        def _get_test_db_name(self) -> str: ...
else:
    Creation = object

Digest = Callable[[BaseDatabaseWrapper], str]

WORKER = "PYTEST_XDIST_WORKER"
"""pytest-xdist's name of the process, which pytest-django appends to the database's name."""

CREATING_TEST_DB = "TEST_BEING_MADE"
"""A key in a connection's settings while its test database is created and migrated."""

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

WAITING = "Waiting for another process, which has locked the template '{template.name}'..."
UNUSED = (
    "The template '{template.name}' is not used, because a copy would lack what the migrations"
    " have set on the database itself: {lost}."
)

# Django 6.1 removed this argument; without it, earlier versions read every row of the template.
UNSERIALIZED: dict[str, Any] = {} if django.VERSION >= (6, 1) else {"serialize": False}


class TemplateCreationMixin(Creation):
    """Creates a template database once, and test databases as copies of it.

    Without a ``content_digest`` there is no template; the app's ``ready()`` assigns one.
    """

    _copied: str | None = None
    _building: Template | None = None

    @staticmethod
    def content_digest(connection: BaseDatabaseWrapper) -> Digest | None:
        """Return a function that digests everything that determines the content, or None.

        None means that there is no template. The function is called with a connection of the
        same alias to another database of the server.
        """
        return None

    def create_test_db(self, *args: Any, **kwargs: Any) -> str:
        """Create the database, marked meanwhile so that its migrations call no hooks."""
        own = self.connection.settings_dict
        before = own.get(CREATING_TEST_DB, False)
        own[CREATING_TEST_DB] = True
        try:
            name: str = super().create_test_db(*args, **kwargs)
        finally:
            own[CREATING_TEST_DB] = before
        return name

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        if self._building is not None:
            name: str = super()._create_test_db(verbosity, autoclobber, keepdb)
            self._building.mark_unfinished()
            return name
        with self._template(verbosity, autoclobber, keepdb) as self._copied:
            try:
                name = super()._create_test_db(verbosity, autoclobber, keepdb)
            finally:
                self._copied = None
        return name

    def sql_table_creation_suffix(self) -> str:
        suffix: str = super().sql_table_creation_suffix()
        if self._copied is None:
            return suffix
        return self._get_database_create_suffix(
            encoding=self.connection.settings_dict["TEST"]["CHARSET"], template=self._copied
        )

    def _get_database_display_str(self, verbosity: int, database_name: str) -> str:
        shown: str = super()._get_database_display_str(verbosity, database_name)
        return shown if self._building is None else f"{shown}, the template '{self._building.name}'"

    @contextmanager
    def _template(self, verbosity: int, autoclobber: bool, keepdb: bool) -> Iterator[str | None]:
        """Yield the name of the database to copy; None to create an empty one."""
        digest = self.content_digest(self.connection)
        if digest is None or self.connection.settings_dict["TEST"].get("TEMPLATE"):
            yield None
            return
        with self._nodb_cursor() as cursor:
            if keepdb and self._database_exists(cursor, self._get_test_db_name()):
                yield None
                return
            template = Template(cursor, template_name(self._shared_name()), digest(cursor.db))
            with template.current_and_locked(
                build=lambda: self._build(template, verbosity, autoclobber),
                wait=lambda: self._log(verbosity, WAITING.format(template=template)),
            ):
                lost = template.missing_in_copy()
                if lost:
                    self._log(verbosity, UNUSED.format(template=template, lost=lost))
                yield None if lost else template.name

    def _shared_name(self) -> str:
        """Return the test database's name without the suffix of the pytest-xdist worker."""
        name: str = self._get_test_db_name()
        worker = os.environ.get(WORKER)
        return name.removesuffix(f"_{worker}") if worker else name

    def _build(self, template: Template, verbosity: int, autoclobber: bool) -> None:
        """Create the template as Django creates a test database."""
        template.drop()
        own, test = self.connection.settings_dict, self.connection.settings_dict["TEST"]
        configured = settings.DATABASES[self.connection.alias]
        names = own["NAME"], configured["NAME"], test["NAME"]
        test["NAME"] = template.name
        self._building = template
        try:
            self.create_test_db(verbosity, autoclobber=autoclobber, **UNSERIALIZED)
            self._release()
            template.mark_complete()
        except BaseException:
            self._release()
            template.drop()
            raise
        finally:
            self._building = None
            own["NAME"], configured["NAME"], test["NAME"] = names

    def _release(self) -> None:
        """Close all connections: PostgreSQL does not copy a database that is in use."""
        self.connection.close()
        self.connection.close_pool()

    def _log(self, verbosity: int, message: str) -> None:
        if verbosity >= 1:
            self.log(message)


@dataclass(frozen=True)
class Template:
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
        self.cursor.execute(comment.format(sql.Identifier(self.name), f"{COMMENT_PREFIX} {text}"))

    def _execute(self, statement: str) -> None:
        self.cursor.execute(sql.SQL(statement).format(sql.Identifier(self.name)))

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
