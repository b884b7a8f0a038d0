"""The server process: its data, start and stop. Callers hold the start lock."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from config.embedded.account import Account
from config.embedded.errors import EmbeddedServerError, EmbeddedServerUnusable
from config.embedded.home import PORT, Home
from config.embedded.locks import is_locked, open_lock_file, try_lock
from config.embedded.programs import (
    Programs,
    clean_environment,
    packaged_folder,
    usable_programs,
)

SUPERUSER = "postgres"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.02
LOG_BYTES = 5_000_000
# With these, trust authentication is acceptable: no network, and a socket only for its owner.
PRIVATE = {"listen_addresses": "", "unix_socket_permissions": "0700"}


class Server:
    """The server process of `home`.

    The process and all its children inherit server.lock, so a free lock proves that none of them
    is running. The socket shows whether the server responds. A process id proves nothing, because
    ids are reused.
    """

    def __init__(self, home: Home, programs: Path | None, options: Mapping[str, str]) -> None:
        self.home = home
        self._program_folder = programs
        self._options = {**options, **PRIVATE}
        # Referenced, because a garbage-collected Popen warns about a running process.
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The connection parameters, complete so that no PG* variable changes them."""
        return {"host": str(self.home.socket_folder), "port": PORT, "user": SUPERUSER}

    def conninfo(self, database: str = "postgres") -> str:
        return make_conninfo(dbname=database, **self.parameters)

    def answers(self) -> bool:
        return self._ping() == Ping.OK

    def start(self) -> None:
        """Start the server, and return when it responds."""
        if self.answers():
            return
        account = self.home.account()
        self.home.make_reachable(account)
        self.home.remove_leftovers()
        folder = self._program_folder or packaged_folder()
        programs = usable_programs(folder, account, self.home.root)
        if not self.home.data.exists():
            self._make_data(programs, account)
        self._check_version(programs)
        spawned: subprocess.Popen[bytes] | None = None
        deadline = time.monotonic() + START_SECONDS
        while (answer := self._ping()) != Ping.OK:
            if spawned and spawned.poll() is not None:
                raise self._failure("stopped while it was starting")
            if time.monotonic() > deadline:
                raise self._failure(f"did not respond for {START_SECONDS:.0f} seconds")
            # Another server may still be starting or stopping after its starter was killed.
            idle = answer == Ping.NO_RESPONSE and not is_locked(self.home.server_lock)
            if idle and not spawned:
                spawned = self._process = self._spawn(programs, account)
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Shut down the server and its sessions, and wait until they have ended."""
        pid = self._recorded_pid()
        if pid is not None and is_locked(self.home.server_lock) and self._works_here(pid):
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + STOP_SECONDS
            while is_locked(self.home.server_lock) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        if self._process:
            self._process.poll()
        self.home.remove_socket_folder()

    def _ping(self) -> Ping:
        return Ping(PGconn.ping(self.conninfo().encode()))

    def _make_data(self, programs: Programs, account: Account) -> None:
        """Run initdb in a temporary folder, so that a killed run leaves no partial data behind."""
        root = self.home.root
        temporary = Path(tempfile.mkdtemp(prefix="initdb-", dir=root))
        account.own(temporary)
        command = [
            *(programs.path("initdb"), "--pgdata", str(temporary), "--username", SUPERUSER),
            *("--encoding=UTF8", *programs.locale_arguments, "--auth-local=trust"),
            "--auth-host=reject",
        ]
        try:
            done = subprocess.run(
                command,
                cwd="/",
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                umask=0o077,
                **account.process_options,
            )
            if done.returncode != 0:
                raise EmbeddedServerError(
                    f"The data of the embedded PostgreSQL could not be created in {root}: "
                    f"{done.stderr.strip() or done.stdout.strip()}"
                )
            self._write_configuration(temporary / "postgresql.conf")
            temporary.rename(self.home.data)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _write_configuration(self, path: Path) -> None:
        """Keep the server private even if it is started by hand, without our arguments."""
        lines = "".join(f"{name} = '{value}'\n" for name, value in PRIVATE.items())
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "a") as file:
            file.write(lines)

    def _check_version(self, programs: Programs) -> None:
        version = (self.home.data / "PG_VERSION").read_text().strip()
        if version != str(programs.major):
            raise EmbeddedServerUnusable(
                f"The folder {self.home.path} was created by PostgreSQL {version}, and the "
                f"installed one is {programs.major}: remove the folder with its databases, or set "
                "DATABASE_URL to a PostgreSQL server."
            )

    def _spawn(self, programs: Programs, account: Account) -> subprocess.Popen[bytes]:
        self._remove_stale_files()
        socket_folder = self.home.make_socket_folder(account)
        quoted = '"' + str(socket_folder).replace('"', '""') + '"'
        options = {**self._options, "unix_socket_directories": quoted, "port": PORT}
        command = [programs.path("postgres"), "-D", str(self.home.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        lock = open_lock_file(self.home.server_lock)
        log = self._open_log()
        try:
            try_lock(lock, shared=True)
            # A new session, so that Ctrl-C in a terminal does not reach the server.
            return subprocess.Popen(
                command,
                cwd="/",
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,
                umask=0o077,
                **account.process_options,
            )
        finally:
            os.close(lock)
            os.close(log)

    def _remove_stale_files(self) -> None:
        """Remove the files of a killed server, whose process id would stop the next server.

        The id may belong to another process now, or to a killed one that is still a zombie.
        """
        pid = self._recorded_pid()
        if pid is not None and not self._works_here(pid):
            (self.home.data / "postmaster.pid").unlink()
            for left in self.home.socket_folder.glob(".s.PGSQL.*"):
                left.unlink()

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.home.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _works_here(self, pid: int) -> bool:
        """Return whether the working directory of process `pid` is our data, as a server's is."""
        try:
            return Path(f"/proc/{pid}/cwd").samefile(self.home.data)
        except FileNotFoundError:
            if sys.platform == "linux":
                return False
        except PermissionError:
            # The process belongs to another account; in a container, that can even stop root.
            pass
        return is_locked(self.home.server_lock)

    def _open_log(self) -> int:
        path = self.home.log
        grown = path.exists() and path.stat().st_size > LOG_BYTES
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(path, flags | (os.O_TRUNC if grown else 0), 0o600)

    def _failure(self, what: str) -> EmbeddedServerError:
        try:
            last = self.home.log.read_text(errors="replace").strip().splitlines()[-5:]
        except OSError:
            last = []
        return EmbeddedServerError(
            "\n".join([f"The embedded PostgreSQL {what}; its log {self.home.log} ends:", *last])
        )
