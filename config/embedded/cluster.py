"""An embedded server shared by processes: the first one starts it, the last one stops it."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from config.embedded.errors import EmbeddedServerError
from config.embedded.home import Home
from config.embedded.locks import LockTimeout, exclusive_lock, is_locked, open_lock_file, try_lock
from config.embedded.server import Server

LOCK_SECONDS = 120.0


class Cluster:
    """A server in `folder`, safe for concurrent use by threads and processes.

    Each process holds a shared lock on users.lock, and a process that starts or stops the server
    holds start.lock. The kernel releases both after `kill -9`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        programs: Path | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.home = Home(folder)
        self._server = Server(self.home, programs, options or {})
        self._mutex = threading.RLock()
        self._user: int | None = None
        self._childs_user: int | None = None
        self._databases: set[str] = set()

    @property
    def parameters(self) -> dict[str, str]:
        """The connection parameters of the running server."""
        return self._server.parameters

    def ensure_running(self) -> None:
        """Start the server unless it is running, and register this process as a user."""
        with self._mutex:
            if self._user is not None and self._server.answers():
                return
            self.home.prepare()
            with self._start_lock():
                self._become_user()
                if not self.home.data.exists():
                    self._databases.clear()
                self._server.start()

    def ensure_database(self, name: str) -> None:
        """Create the database unless it exists; the server must be running."""
        with self._mutex:
            if name in self._databases:
                return
            with (
                self._start_lock(),
                psycopg.connect(self._server.conninfo(), autocommit=True) as session,
            ):
                found = session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
                if found.fetchone() is None:
                    session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            self._databases.add(name)

    def leave(self) -> None:
        """Stop using the server; the last user stops it."""
        with self._mutex:
            if self._user is None:
                return
            try:
                with self._start_lock():
                    # Fails while another process shares the lock.
                    if try_lock(self._user):
                        self._server.stop()
            except FileNotFoundError:
                # The folder was removed; the server notices that and stops.
                return
            finally:
                os.close(self._user)
                self._user = None

    def leave_for_killed(self) -> None:
        """Stop the server if its last user was killed; a process that did not use it calls this."""
        with self._mutex:
            if self._user is None and self.home.path.exists() and is_locked(self.home.server_lock):
                self._become_user()
        self.leave()

    def before_fork(self) -> None:
        """Lock for the child: it would inherit our lock and lose it when we end."""
        self._mutex.acquire()
        self._childs_user = None
        # Without the folder, neither the child nor we can use the server.
        if self._user is not None and self.home.path.exists():
            self._childs_user = self._new_user()

    def after_fork_in_parent(self) -> None:
        if self._childs_user is not None:
            os.close(self._childs_user)
        self._mutex.release()

    def after_fork_in_child(self) -> None:
        if self._user is not None:
            os.close(self._user)
        self._user = self._childs_user
        self._mutex.release()

    @contextmanager
    def _start_lock(self) -> Iterator[None]:
        try:
            with exclusive_lock(self.home.start_lock, seconds=LOCK_SECONDS):
                yield
        except LockTimeout as error:
            raise EmbeddedServerError(
                f"Another process has been starting the embedded PostgreSQL in {self.home.path} "
                f"for {LOCK_SECONDS:.0f} seconds: stop it, then try again."
            ) from error

    def _become_user(self) -> None:
        if self._user is not None:
            path = self.home.users_lock
            if path.exists() and os.path.samestat(os.fstat(self._user), path.stat()):
                return
            os.close(self._user)
        self._user = self._new_user()

    def _new_user(self) -> int:
        descriptor = open_lock_file(self.home.users_lock)
        try_lock(descriptor, shared=True)
        return descriptor


_clusters: dict[Path, Cluster] = {}
_clusters_mutex = threading.Lock()


def cluster_in(folder: Path, *, programs: Path | None = None) -> Cluster:
    """Return this process's only cluster object for `folder`, which it leaves at exit."""
    path = folder.resolve()
    with _clusters_mutex:
        if path not in _clusters:
            _clusters[path] = cluster = Cluster(path, programs=programs)
            atexit.register(cluster.leave)
            os.register_at_fork(
                before=cluster.before_fork,
                after_in_parent=cluster.after_fork_in_parent,
                after_in_child=cluster.after_fork_in_child,
            )
        return _clusters[path]
