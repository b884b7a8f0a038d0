"""The run as JSON and as environment variables, for hooks and receivers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import Conninfo

from ...sessions.database_problems import SITE, SiteLabel
from ..loader import Plan
from ..results import FORMAT, DomainResult
from ..run_session import RunSession
from .settings import Event, Hook

PREFIX = "DOMAIN_MIGRATIONS_"
LONGEST = 32768
"""Bytes of a variable; Linux refuses to start a program with one of 131,072."""

PASSED_ON = re.compile(
    r"^(PATH|HOME|USER|LOGNAME|SHELL|PWD|LANG|LANGUAGE|LC_\w+|TZ|TERM|NO_COLOR|TMPDIR|TEMP|TMP"
    r"|HOSTNAME|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|SYSTEMROOT|COMSPEC|PATHEXT"
    r"|VIRTUAL_ENV|PYTHON(PATH|HOME|UNBUFFERED|DONTWRITEBYTECODE|IOENCODING|UTF8)"
    r"|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|CI|DJANGO_SETTINGS_MODULE|DJANGO_ENV)$"
)
"""The variables of the run that every command gets; see docs/how-to/hooks.md."""

DATABASE_NAME = re.compile(
    r"^PG|DATABASE|POSTGRES|POSTGIS|MYSQL|MARIADB|JDBC|SQLALCHEMY"
    r"|(^|_)(DB|PG|PSQL|PGSQL|RDS)\d*(_|$)"
)
DATABASE_VALUE = re.compile(
    r"\b(postgres|postgresql|postgis|psql|pgsql|timescale|timescalegis|redshift|cockroach"
    r"|cockroachdb|mysql|mariadb|oracle|mssql)(\+\w+)?://|\bpassword\s*=|\bpassfile\s*=",
    re.IGNORECASE,
)

CONNECTION_PARAMETERS = (
    *("host", "hostaddr", "port", "dbname", "user", "password", "passfile", "service"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "gssencmode"),
    *("channel_binding", "target_session_attrs"),
)
"""libpq's parameters that a command gets as variables; PostgreSQL manual, 32.1.2."""


def run_payload(
    session: RunSession, event: Event, plan: Plan, result: DomainResult
) -> dict[str, Any]:
    """Return the run as a hook gets it: the JSON of ``migrate_domain``, the event and the plan."""
    site: SiteLabel | None = session.connection.settings_dict.get(SITE)
    return {
        "format": FORMAT,
        "event": event,
        "run": str(session.journal.context.run),
        "database": session.connection.alias,
        **({} if site is None else {"site": site.name}),
        "fake": session.options.fake,
        "plan": [
            {
                "app": migration.app_label,
                "name": migration.name,
                "direction": "backwards" if backwards else "forwards",
            }
            for migration, backwards in plan
        ],
        "domains": [result.as_json()],
    }


@dataclass(frozen=True)
class DatabaseAccess:
    """The access to a run's database, which a command gets only if it asks for it.

    Attributes:
        variables: libpq's environment variables for the run's database.
        passwords: the passwords of all configured databases.
    """

    variables: Mapping[str, str]
    passwords: Collection[str]

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper) -> DatabaseAccess:
        """Read the connection at the beginning, because the run may lose it."""
        return cls(_connection_variables(connection), _passwords(connection))


def environment(run: Mapping[str, Any], access: DatabaseAccess, hook: Hook) -> dict[str, str]:
    """Return the environment of a command: what is safe, what it names, and the run.

    With the hook's ``credentials``, it also contains the variables about databases, and libpq's
    for the run's database.
    """
    values = {
        name: value
        for name, value in os.environ.items()
        if name in hook.environment
        or PASSED_ON.search(name)
        or (hook.credentials and _is_database_variable(name, value, access.passwords))
    }
    if hook.credentials:
        values |= access.variables
    values = {name: value for name, value in values.items() if not name.startswith(PREFIX)}
    return {**values, **_variables(run)}


def _variables(run: Mapping[str, Any]) -> dict[str, str]:
    (domain,) = run["domains"]
    error = domain["error"] or {}
    values = {
        "EVENT": run["event"],
        "RUN": run["run"],
        "DATABASE": run["database"],
        **({"SITE": run["site"]} if "site" in run else {}),
        "FAKE": "1" if run["fake"] else "",
        "DOMAIN": domain["domain"],
        "SCHEMA": domain["schema"],
        "HISTORY_TABLE": domain["history_table"],
        "STATUS": domain["status"],
        "BATCH": "" if domain["batch"] is None else str(domain["batch"]),
        "PENDING": _joined(domain["pending"]),
        "APPLIED": _joined(domain["applied"]),
        "REVERTED": _joined(domain["reverted"]),
        "ERROR_CODE": error.get("code", ""),
        "ERROR": error.get("message", ""),
        "JSON": json.dumps(run),
    }
    return {
        PREFIX + name: value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        for name, value in values.items()
        if len(value.encode(errors="replace")) <= LONGEST
    }


def _joined(keys: Iterable[Mapping[str, Any]]) -> str:
    return " ".join(f"{key['app']}.{key['name']}" for key in keys)


def _is_database_variable(name: str, value: str, passwords: Iterable[str]) -> bool:
    if DATABASE_NAME.search(name.upper()) or DATABASE_VALUE.search(value):
        return True
    return any(value == password or f":{password}@" in value for password in passwords)


def _passwords(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the passwords of all configured databases, also as quoted in a URL."""
    every = [connections[alias].settings_dict for alias in connections]
    known = {
        connection.connection.info.password,
        *(settings.get("PASSWORD") for settings in every),
        *(settings.get("OPTIONS", {}).get("password") for settings in every),
    }
    found = set(map(str, filter(None, known)))
    return found | {quote(password, safe="") for password in found}


def _connection_variables(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the parameters of the connection, by the names of libpq's variables."""
    info = connection.connection.info
    given = {"host": info.host, "port": str(info.port), "password": info.password}
    parameters = {**given, **info.get_parameters()}
    values = {}
    for option in Conninfo.get_defaults():
        name = option.keyword.decode()
        if name in CONNECTION_PARAMETERS and parameters.get(name) and option.envvar:
            values[option.envvar.decode()] = parameters[name]
    return values
