"""The PostgreSQL server of a test run: one, shared by all workers, stopped at the end.

TEST_POSTGRES chooses it: `embedded` (default) or `debian`, the distribution's PostgreSQL 15.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from config.database import PART_VARIABLES
from config.embedded.cluster import Cluster

KIND_VARIABLE = "TEST_POSTGRES"
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

    kind: str
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

    def connect(self, database: str = "postgres", **parameters: object) -> psycopg.Connection:
        """A session of the superuser in autocommit mode, apart from Django."""
        return psycopg.connect(
            **{"dbname": database, "autocommit": True, **self.parameters, **parameters}
        )

    def program(self, name: str) -> str:
        """A client program of this server's version, like pg_dump."""
        return str(_program_folder(self.kind) / name)

    def run_program(self, name: str, *arguments: str, database: str) -> str:
        """Run a client program on `database`; its standard output."""
        host, port, user = (self.parameters[key] for key in ("host", "port", "user"))
        command = [self.program(name), "-h", host, "-p", port, "-U", user, *arguments, database]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def start(self) -> None:
        self.cluster.ensure_running()


def chosen_kind() -> str:
    kind = os.environ.get(KIND_VARIABLE) or "embedded"
    if kind not in ("embedded", "debian"):
        raise pytest.UsageError(f"{KIND_VARIABLE} is {kind!r}: set it to embedded or debian.")
    if kind == "debian" and not (DEBIAN_PROGRAMS / "postgres").exists():
        raise pytest.UsageError(
            f"{KIND_VARIABLE} is debian and {DEBIAN_PROGRAMS} has no server: install the package "
            "postgresql-15, or use the embedded one."
        )
    return kind


def make_folder() -> Path:
    """The server's folder; workers find it by the environment."""
    folder = Path(tempfile.mkdtemp(prefix="test-postgres-"))
    # A root's server runs as another account, which must get in.
    folder.chmod(0o711)
    os.environ[FOLDER_VARIABLE] = str(folder)
    return folder


def server_of_this_run() -> TestServer:
    """The server (not started) in the folder that the first process of the run made."""
    kind = chosen_kind()
    return TestServer(kind, make_cluster(Path(os.environ[FOLDER_VARIABLE]) / "postgres", kind))


def make_cluster(folder: Path, kind: str, options: Mapping[str, str] | None = None) -> Cluster:
    return Cluster(folder, programs=_program_folder(kind), options={**FAST, **(options or {})})


def remove(folder: Path) -> None:
    """Forget the run's folder; its server has been stopped by its last user."""
    os.environ.pop(FOLDER_VARIABLE, None)
    shutil.rmtree(folder, ignore_errors=True)


def _program_folder(kind: str) -> Path:
    if kind == "embedded":
        from config.embedded.programs import packaged_folder

        return packaged_folder()
    return DEBIAN_PROGRAMS
