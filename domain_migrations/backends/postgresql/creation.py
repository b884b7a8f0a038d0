"""Creation of test databases, optionally as copies of a template database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

if TYPE_CHECKING:
    from django.db.backends.postgresql.creation import DatabaseCreation

    from .template_database import TemplateDatabase

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
    _building: TemplateDatabase | None = None

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
            from . import template_database

            template = template_database.TemplateDatabase(
                cursor, template_database.template_name(self._shared_name()), digest(cursor.db)
            )
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

    def _build(self, template: TemplateDatabase, verbosity: int, autoclobber: bool) -> None:
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
