"""The PostgreSQL server of a test run: one, shared by all workers, stopped at the end.

TEST_POSTGRES selects it: `embedded` (the default), `debian` (Debian's PostgreSQL 15), or the
directory of another version's programs, such as /usr/lib/postgresql/17/bin.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.database import PART_VARIABLES
from config.embedded.cluster import Cluster
from config.embedded.locks import is_locked
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
    "max_wal_size": "1GB",
    "wal_init_zero": "off",
    "wal_recycle": "off",
    "max_connections": "300",
}

PREFIX = "test-postgres-"
MEMORY = Path("/dev/shm")
NEEDED_BYTES = 4 * 2**30
LEFT_SECONDS = 3600.0


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

    @property
    def copy_strategy(self) -> str:
        """The way to copy a database that costs least: on disk, through the buffers."""
        return "file_copy" if MEMORY in self.cluster.home.path.parents else "wal_log"

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


def make_folder(parent: Path | None = None) -> Path:
    """The server's folder, on disk unless given another parent; workers find it by the environment.

    A new database is some 300 files, which cost most of a test's time on disk.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    # A root's server runs as another account, which must get in.
    folder.chmod(0o711)
    os.environ[FOLDER_VARIABLE] = str(folder)
    return folder


def memory() -> Path | None:
    """The file system in memory; None where there is none, or too little room in it.

    Programs must be allowed in it: a root's server runs a copy of them. The folders that killed
    runs have left in it are removed.
    """
    if not os.access(MEMORY, os.W_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return None
    for lock in MEMORY.glob(f"{PREFIX}*/postgres/users.lock"):
        is_old = time.time() - lock.stat().st_mtime > LEFT_SECONDS
        if is_old and lock.stat().st_uid == os.geteuid() and not is_locked(lock):
            shutil.rmtree(lock.parents[1], ignore_errors=True)
    return MEMORY if shutil.disk_usage(MEMORY).free > NEEDED_BYTES else None


def session_server() -> TestServer:
    """The server (not started) in the folder that the first process of the run made."""
    programs = selected_programs()
    folder = Path(os.environ[FOLDER_VARIABLE]) / "postgres"
    return TestServer(programs, Cluster(folder, programs=programs, options=FAST))


def remove(folder: Path) -> None:
    """Forget the run's folder; its server has been stopped by its last user."""
    os.environ.pop(FOLDER_VARIABLE, None)
    shutil.rmtree(folder, ignore_errors=True)
