"""Problems of a database, in the words of the engine: errors, silence and unfit settings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ...backends.postgresql.base import QualifiedNamesMixin
from ...exceptions import (
    DatabaseUnavailable,
    DomainMigrationsError,
    InsufficientPrivilege,
    InvalidConfiguration,
    NodeLoginRefused,
    NodeUnavailable,
    StatementTimeout,
)
from .connection import has_lost, is_alive
from .database_errors import (
    LIMITED_BY,
    RUN_AGAIN,
    SERVER_GONE,
    ConnectionLost,
    error_class_for,
    first_line,
    first_part,
    kind_of,
    refused_row,
    sqlstate_of,
    used_numbers,
)
from .offered_options import more_time

WAIT_PAUSE = 0.5
GIVE_A_WAY_IN = (
    "Citus connects to the nodes with the role of the session: give it a way in, by a row of"
    " pg_dist_authinfo, a .pgpass file of the coordinator's server, or the node's pg_hba.conf."
)
SITE = "SITE"
"""The key of a connection's settings that has its :class:`SiteLabel`, in a fleet."""


class SiteLabel(NamedTuple):
    """The name of the site that a connection leads to, and where that is configured."""

    name: str
    origin: str


class Clock(Protocol):
    """The part of the module ``time`` that waiting needs."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float, /) -> None: ...


@contextmanager
def translate_database_errors(alias: str, *, can_wait: bool = False) -> Iterator[None]:
    """Translate the database's errors into the engine's.

    Arguments:
        can_wait: whether the command has ``--wait-for-db``, which is then advised.

    Raises:
        DatabaseUnavailable: the database does not answer, or has closed the connection.
        NodeUnavailable: it answers, but a node of its cluster does not.
        NodeLoginRefused: such a node does not let the role in.
        InvalidConfiguration: the server, or the client, rejects the settings of the connection.
        InsufficientPrivilege: the role lacks a privilege.
        StatementTimeout: a statement was cancelled.
        MigrationFailed: any other error of the database.
    """
    try:
        yield
    except (DatabaseError, InterfaceError) as exc:
        error = _to_domain_error(alias, exc, can_wait=can_wait)
        if has_lost(connections[alias]):
            connections[alias].close()  # Or every later query would fail, too.
        raise error from exc


def _to_domain_error(alias: str, exc: Exception, *, can_wait: bool) -> DomainMigrationsError:
    state, reason, database = sqlstate_of(exc), first_line(exc), _describe(alias)
    kind = error_class_for(state)
    lost = isinstance(exc, ConnectionLost) or has_lost(connections[alias])
    lost = lost or reason.startswith(SERVER_GONE)
    if kind is None:
        is_connected = is_alive(connections[alias])
        kind = kind_of(reason) if is_connected else _kind_of_failed_connection(exc)
        kind = DatabaseUnavailable if lost else kind
    message, hint = (
        f"The {database} answered with an error: {reason}.",
        used_numbers(exc) or refused_row(exc),
    )
    if kind is InsufficientPrivilege:
        from .missing_privileges import denied_statement, privilege_hint

        role = connections[alias].settings_dict.get("USER") or "in use"
        message = f'The role "{role}" lacks a privilege in the {database}: {reason}.'
        hint = privilege_hint(connections[alias], reason, denied_statement(exc))
    elif kind is StatementTimeout:
        message = f"A statement took too long in the {database}: {reason}."
        hint = _time_hint(state)
    elif kind is DatabaseUnavailable and lost:
        message = f"The connection to the {database} was lost: {reason}."
        hint = RUN_AGAIN
    elif kind is DatabaseUnavailable and is_alive(connections[alias]):
        from .rejections import refuses_login

        kind = NodeUnavailable
        message = f"The {database} answers, but cannot reach another server: {first_part(reason)}."
        hint = (
            "Check that the other server runs, and that the one of the database can connect to it."
            " Domains that are on other nodes of the cluster are not affected."
        )
        if refuses_login(reason):
            kind, hint = NodeLoginRefused, GIVE_A_WAY_IN
    elif kind is DatabaseUnavailable:
        message = f"The {database} cannot be reached: {reason}."
        hint = f"Check that the server runs and that {_origin(alias)} has its host and port."
        if can_wait:
            hint += " --wait-for-db SECONDS waits for it."
    elif kind is InvalidConfiguration:
        message = f"The {database} cannot be connected to with these settings: {reason}."
        hint = f"Correct the host, port, name, user, password or OPTIONS in {_origin(alias)}."
    return kind(message, hint=hint, sqlstate=state)


def _time_hint(state: str | None) -> str:
    """Return what allows a statement more time; the server's own limits have no option."""
    if state not in LIMITED_BY:
        return "Run the command again, or let transaction_timeout of the role or server be longer."
    name = LIMITED_BY[state]
    return (
        f"Run the command again, or allow more time with {more_time('--' + name)}, or with"
        f" {name.replace('-', '_')} of the role or the database where that does not set it."
    )


def _kind_of_failed_connection(exc: Exception) -> type[DomainMigrationsError]:
    from .rejections import is_rejection

    return InvalidConfiguration if is_rejection(exc) else DatabaseUnavailable


def wait_for_database(
    alias: str,
    seconds: float | None,
    clock: Clock = time,
    *,
    report: Callable[[str], None] = lambda message: None,
) -> None:
    """Return as soon as the database answers, or after that many seconds without an answer.

    It may be created while it is waited for, and its host's name registered; a wrong role or
    password ends the wait.

    Arguments:
        report: called once with a message about the wait and its reason.
    """
    deadline = clock.monotonic() + (seconds or 0.0)
    reported = False
    while (left := deadline - clock.monotonic()) > 0:
        connection = connections[alias]
        try:
            with _connect_timeout(connection, left):
                connection.ensure_connection()
        except OperationalError as exc:
            from .rejections import is_login_rejection

            if is_login_rejection(exc):
                return  # The first query will raise the error.
            if not reported:
                report(f"Waiting for the {_describe(alias)}: {first_line(exc)}.")
                reported = True
            clock.sleep(min(WAIT_PAUSE, max(0.0, deadline - clock.monotonic())))
        except (DatabaseError, InterfaceError):
            return  # Waiting does not help; the first query will raise the error.
        else:
            return


@contextmanager
def _connect_timeout(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """Limit an attempt to connect, because a silent host never answers."""
    values = connection.settings_dict
    options = values["OPTIONS"]
    if not options.get("pool"):  # A pool would keep the limit.
        limit = min(float(options.get("connect_timeout") or seconds), seconds)
        values["OPTIONS"] = {**options, "connect_timeout": max(1, math.ceil(limit))}
    try:
        yield
    finally:
        values["OPTIONS"] = options


def check_backend_and_encoding(connection: BaseDatabaseWrapper) -> None:
    """Check that the engine supports the database.

    Raises:
        InvalidConfiguration: the backend is not the engine's or has no transactions for
            migrations, or the encoding is not UTF-8.
    """
    database = _describe(connection.alias)
    if not isinstance(connection, QualifiedNamesMixin):
        engine = connection.settings_dict["ENGINE"]
        raise InvalidConfiguration(
            f"The {database} has the engine {engine}, which does not support schemas.",
            hint='Set "ENGINE": "domain_migrations.backends.postgresql" in DATABASES.',
        )
    if problem := transactions_problem(connection):
        message, hint = problem
        raise InvalidConfiguration(message, hint=hint)
    connection.ensure_connection()
    encoding = connection.connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise InvalidConfiguration(
            f"The {database} is encoded in {encoding}, not in UTF-8.",
            hint=(
                "Create one that is, with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0,"
                " and move the data with pg_dump."
            ),
        )


def transactions_problem(connection: BaseDatabaseWrapper) -> tuple[str, str] | None:
    """Return a message and a hint if the backend runs no migration in a transaction."""
    if connection.schema_editor().atomic_migration:
        return None
    engine = connection.settings_dict["ENGINE"]
    return (
        f'The schema editor of the database "{connection.alias}" ({engine}) runs every migration'
        " without a transaction, so a migration that fails or that the guard refuses could not be"
        " rolled back.",
        'Set "ENGINE": "domain_migrations.backends.postgresql". Without downtime, migrate with'
        " AddIndexConcurrently, migrate_domain --stage and lint_domain.",
    )


def _describe(alias: str) -> str:
    values = connections[alias].settings_dict
    name = values.get("NAME") or values.get("OPTIONS", {}).get("service") or "?"
    host = values.get("HOST") or "the local socket"
    port = f":{values['PORT']}" if values.get("PORT") else ""
    site: SiteLabel | None = values.get(SITE)
    subject = f'database "{alias}"' if site is None else f'database of the site "{site.name}"'
    return f"{subject} ({name} on {host}{port})"


def _origin(alias: str) -> str:
    site: SiteLabel | None = connections[alias].settings_dict.get(SITE)
    return "DATABASES" if site is None else site.origin
