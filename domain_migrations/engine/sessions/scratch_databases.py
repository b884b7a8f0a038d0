"""Scratch databases: created, used instead of the configured one, and dropped."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from ...backends.postgresql.base import DatabaseWrapper
from ...exceptions import InsufficientPrivilege, InvalidConfiguration
from .connection import check_backend_and_encoding, fetch_one, translate_database_errors
from .session import own_connection, plain_copy

MAINTENANCE_DATABASE = "postgres"
"""The database that exists on every server; Django connects to it to create databases."""

CREATE = "CREATE DATABASE {}"
DROP = "DROP DATABASE IF EXISTS {} WITH (FORCE)"


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
    with translate_database_errors(alias), _maintenance(alias) as cursor:
        _check_may_create(cursor)
        cursor.execute(_creation(alias, name, template))
    try:
        yield name
    finally:
        with translate_database_errors(alias), _maintenance(alias) as cursor:
            cursor.execute(sql.SQL(DROP).format(sql.Identifier(name)))


@contextmanager
def connections_redirected_to(name: str) -> Iterator[None]:
    """Make ``connections[alias]`` of this thread a connection to the database ``name``.

    That is done for every alias of this engine, so that no code of a migration can reach a
    configured database through another one.

    Raises:
        InvalidConfiguration: the settings connect to another database than the one named,
            because of ``OPTIONS["dbname"]`` or a pooler.
    """
    with ExitStack() as stack:
        stack.callback(clear_content_type_cache)
        for alias in connections:
            if not isinstance(connections[alias], DatabaseWrapper):
                continue
            own = stack.enter_context(own_connection(alias, NAME=name, SCRATCH=True))
            with translate_database_errors(alias):
                check_backend_and_encoding(own)
                _check_is(own, name)
        clear_content_type_cache()
        yield


@contextmanager
def scratch_connection(
    alias: str, purpose: str, *, template: str | None = None
) -> Iterator[BaseDatabaseWrapper]:
    """Create a scratch database, redirect every alias to it, and yield the alias's connection."""
    with (
        scratch_database(alias, purpose, template=template) as name,
        connections_redirected_to(name),
    ):
        yield connections[alias]


def _check_is(connection: BaseDatabaseWrapper, name: str) -> None:
    (actual,) = fetch_one(connection, "SELECT current_database()")
    if actual != name:
        raise InvalidConfiguration(
            f'The database "{connection.alias}" connects to "{actual}" instead of "{name}".',
            hint=(
                'Give the name as NAME instead of OPTIONS["dbname"], and connect to the server'
                " directly instead of through a pooler."
            ),
        )


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
