"""The PostgreSQL server of a test run: one, shared by all workers, stopped at the end.

TEST_POSTGRES selects it: `embedded` (the default), `debian` (Debian's PostgreSQL 15), or the
directory of another version's programs, such as /usr/lib/postgresql/17/bin.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.database import PART_VARIABLES
from config.embedded.cluster import Cluster
from config.embedded.programs import packaged_folder

SERVER_VARIABLE = "TEST_POSTGRES"
FOLDER_VARIABLE = "TEST_POSTGRES_FOLDER"
DEBIAN_PROGRAMS = Path("/usr/lib/postgresql/15/bin")

# A test server may lose everything at a crash, and must not be busy with itself.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "8GB",
    "max_connections": "300",
}


@dataclass(frozen=True)
class TestServer:
    __test__ = False

    programs: Path
    cluster: Cluster

    @property
    def parameters(self) -> dict[str, str]:
        """host, port and user: psycopg's names."""
        return self.cluster.parameters

    @property
    def settings(self) -> dict[str, str]:
        """HOST, PORT and USER: those of a DATABASES entry."""
        return {key.upper(): value for key, value in self.parameters.items()}

    def environment(self, database: str) -> dict[str, str]:
        """The variables that make the project's own processes use `database`."""
        values = {**self.settings, "NAME": database}
        return {PART_VARIABLES[key]: value for key, value in values.items()}

    @property
    def kind(self) -> str:
        """`embedded`, `debian`, or `other` for programs in a directory of their own."""
        if self.programs == packaged_folder():
            return "embedded"
        return "debian" if self.programs == DEBIAN_PROGRAMS else "other"

    def connect(self, database: str = "postgres", **parameters: Any) -> psycopg.Connection:
        """A session of the superuser in autocommit mode, apart from Django."""
        values: dict[str, Any] = {"dbname": database, "autocommit": True, **self.parameters}
        return psycopg.connect(**{**values, **parameters})

    def program(self, name: str) -> str:
        """A client program of this server's version, like pg_dump."""
        return str(self.programs / name)

    def run_program(self, name: str, *arguments: str, database: str) -> str:
        """Run a client program on `database`; its standard output."""
        host, port, user = (self.parameters[key] for key in ("host", "port", "user"))
        command = [self.program(name), "-h", host, "-p", port, "-U", user, *arguments, database]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def start(self) -> None:
        self.cluster.ensure_running()


def selected_programs() -> Path:
    """The directory of the programs that TEST_POSTGRES selects."""
    selected = os.environ.get(SERVER_VARIABLE) or "embedded"
    if selected == "embedded":
        return packaged_folder()
    programs = DEBIAN_PROGRAMS if selected == "debian" else Path(selected)
    if not programs.is_absolute():
        raise pytest.UsageError(
            f"{SERVER_VARIABLE} is {selected!r}: set it to embedded, to debian, or to the absolute "
            "path of the directory with PostgreSQL's programs."
        )
    if not (programs / "postgres").exists():
        package = "postgresql-15" if selected == "debian" else "its server package"
        raise pytest.UsageError(
            f"{SERVER_VARIABLE} is {selected} and {programs} has no server: install {package}, "
            "or use the embedded one."
        )
    return programs


def make_folder() -> Path:
    """The server's folder; workers find it by the environment."""
    folder = Path(tempfile.mkdtemp(prefix="test-postgres-"))
    # A root's server runs as another account, which must get in.
    folder.chmod(0o711)
    os.environ[FOLDER_VARIABLE] = str(folder)
    return folder


def session_server() -> TestServer:
    """The server (not started) in the folder that the first process of the run made."""
    programs = selected_programs()
    folder = Path(os.environ[FOLDER_VARIABLE]) / "postgres"
    return TestServer(programs, Cluster(folder, programs=programs, options=FAST))


def remove(folder: Path) -> None:
    """Forget the run's folder; its server has been stopped by its last user."""
    os.environ.pop(FOLDER_VARIABLE, None)
    shutil.rmtree(folder, ignore_errors=True)
