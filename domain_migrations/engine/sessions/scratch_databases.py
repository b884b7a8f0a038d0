"""Scratch databases: created, used instead of the configured one, and dropped."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from ...exceptions import InsufficientPrivilege, InvalidConfiguration
from .connection import as_text, fetch_one
from .database_problems import check_backend_and_encoding, translate_database_errors
from .session import own_connection, plain_copy

logger = logging.getLogger(__name__)

MAINTENANCE_DATABASE = "postgres"
"""The database that exists on every server; Django connects to it to create databases."""

CREATE = "CREATE DATABASE {}"
DROP = "DROP DATABASE IF EXISTS {} WITH (FORCE)"

LOCK = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"

ABANDONED = """
SELECT d.datname FROM pg_catalog.pg_database d
WHERE shobj_description(d.oid, 'pg_database') = %s || d.datname
  AND pg_has_role(d.datdba, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid)
"""

MARK = "Scratch database of domain_migrations: {}"
"""The comment of each scratch database, with its name."""

COMMENT = "COMMENT ON DATABASE {} IS {}"
SELECT_DATABASE = """
SELECT datname, shobj_description(oid, 'pg_database')
FROM pg_database WHERE datname = current_database()
"""


@contextmanager
def scratch_database(alias: str, purpose: str, *, template: str | None = None) -> Iterator[str]:
    """Create a database on the alias's server, and drop it whatever happens; yield its name.

    Encoding and template are those of ``TEST`` in ``DATABASES``, as for Django's test databases.
    Connections are not redirected to it: see :func:`connections_redirected_to`.

    Arguments:
        purpose: the beginning of the name, at most 40 bytes; the rest makes it unique.
        template: the database to copy, to which no session may be connected.

    Raises:
        InsufficientPrivilege: the role may not create databases.
        DomainMigrationsError: see ``translate_database_errors``.
    """
    name = f"{purpose}_{os.getpid()}_{secrets.token_hex(4)}"
    identifier = sql.Identifier(name)
    with ExitStack() as stack:
        with translate_database_errors(alias):
            # Its lock tells other runs that the database is in use; see drop_abandoned().
            owner = stack.enter_context(_maintenance(alias))
            _check_may_create(owner)
            drop_abandoned(owner)
            owner.execute(LOCK, [name])
        try:
            with translate_database_errors(alias):
                owner.execute(as_text(owner, _creation(alias, name, template)))
                comment = sql.SQL(COMMENT).format(identifier, MARK.format(name))
                owner.execute(as_text(owner, comment))
            yield name
        finally:
            with translate_database_errors(alias), _maintenance(alias) as cursor:
                cursor.execute(as_text(cursor, sql.SQL(DROP).format(identifier)))


def drop_abandoned(cursor: CursorWrapper) -> None:
    """Drop the scratch databases of runs that were killed.

    They have a scratch database's comment, no session is connected to them, and none holds their
    lock.
    """
    cursor.execute(ABANDONED, [MARK.format("")])
    for (name,) in cursor.fetchall():
        cursor.execute(TRY_LOCK, [name])
        if cursor.fetchone()[0]:
            try:
                cursor.execute(as_text(cursor, sql.SQL(DROP).format(sql.Identifier(name))))
                logger.warning('Dropped the scratch database "%s", which a run had left.', name)
            finally:
                cursor.execute(UNLOCK, [name])


@contextmanager
def connections_redirected_to(name: str, server: str) -> Iterator[None]:
    """Make every connection of this thread a connection to the scratch database ``name``.

    No code of a migration can then reach a configured database through another alias. Each
    session, also one that is opened later, proves that it is in the scratch database
    (:func:`check_is_scratch`).

    Arguments:
        server: the alias on whose server the database is; the others get its settings.

    Raises:
        InvalidConfiguration: the settings connect to another database than the one named,
            because of ``OPTIONS["dbname"]`` or a pooler.
    """
    source = connections[server]
    with ExitStack() as stack:
        stack.callback(clear_content_type_cache)
        for alias in connections:
            stack.enter_context(own_connection(alias, source, NAME=name, SCRATCH=name))
        with translate_database_errors(server):
            check_backend_and_encoding(connections[server])
        clear_content_type_cache()
        yield


@contextmanager
def scratch_connection(
    alias: str, purpose: str, *, template: str | None = None
) -> Iterator[BaseDatabaseWrapper]:
    """Create a scratch database, redirect every alias to it, and yield the alias's connection."""
    with (
        scratch_database(alias, purpose, template=template) as name,
        connections_redirected_to(name, alias),
    ):
        yield connections[alias]


def check_is_scratch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Close a session for a scratch database that the server has put into another one.

    A receiver of ``connection_created``: it runs for each session, before any other statement.

    Raises:
        InvalidConfiguration: the database has another name, or not a scratch database's comment.
    """
    name = connection.settings_dict.get("SCRATCH")
    if name is None:
        return
    actual, comment = fetch_one(connection, SELECT_DATABASE)
    if (actual, comment) == (name, MARK.format(name)):
        return
    connection.close()
    raise InvalidConfiguration(
        f'The database "{connection.alias}" connects to "{actual}" instead of the scratch database'
        f' "{name}". Nothing was run in it.',
        hint=(
            'Give the name as NAME instead of OPTIONS["dbname"], and connect to the server'
            " directly instead of through a pooler."
        ),
    )


connection_created.connect(check_is_scratch, dispatch_uid=f"{__name__}.check_is_scratch")


def clear_content_type_cache() -> None:
    """Clear the ids of content types that Django caches by alias; other databases differ."""
    if apps.is_installed("django.contrib.contenttypes"):
        apps.get_model("contenttypes.ContentType").objects.clear_cache()


@contextmanager
def _maintenance(alias: str) -> Iterator[CursorWrapper]:
    configured = connections[alias]
    if configured.settings_dict["OPTIONS"].get("service"):
        # Without a name Django omits the service too, and with it the server's address.
        own = plain_copy(configured, NAME=MAINTENANCE_DATABASE)
        try:
            with own.cursor() as cursor:
                yield cursor
        finally:
            own.close()
        return
    with plain_copy(configured)._nodb_cursor() as cursor:
        yield cursor


def _check_may_create(cursor: CursorWrapper) -> None:
    cursor.execute(
        "SELECT current_user, rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
    )
    role, may = cursor.fetchone()
    if not may:
        raise InsufficientPrivilege(
            f'The role "{role}" may not create databases, and a scratch database is needed.',
            hint=f'Run ALTER ROLE "{role}" CREATEDB, or connect as a role that may.',
        )


def _creation(alias: str, name: str, template: str | None) -> sql.Composed:
    test = connections[alias].settings_dict.get("TEST", {})
    statement = sql.SQL(CREATE).format(sql.Identifier(name))
    if test.get("CHARSET"):
        statement += sql.SQL(" ENCODING {}").format(sql.Literal(test["CHARSET"]))
    if template or test.get("TEMPLATE"):
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template or test["TEMPLATE"]))
    return statement
