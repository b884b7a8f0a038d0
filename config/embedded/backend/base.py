"""The database wrapper that starts the embedded server on the first connection.

Commands that do not connect, such as `manage.py check` and `--help`, do not start it.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper
from django.db.backends.postgresql.client import DatabaseClient as PostgresClient

from config.embedded.errors import EmbeddedServerUnusable
from domain_migrations.backends.postgresql import base


class DatabaseClient(PostgresClient):
    """The client of `manage.py dbshell`: the psql of the embedded server."""

    def runshell(self, parameters: Iterable[str]) -> None:
        from config.embedded.programs import packaged_folder

        self.connection.settings_dict.update(connection_settings(self.connection.settings_dict))
        self.executable_name = str(packaged_folder() / "psql")
        super().runshell(parameters)


class DatabaseWrapper(base.DatabaseWrapper):
    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if self.settings_dict["HOST"]:
            # The settings point at another server, for instance in a test.
            return parameters
        settings = connection_settings(self.settings_dict)
        return {**parameters, **{key.lower(): value for key, value in settings.items()}}


def connection_settings(settings: dict[str, Any]) -> dict[str, str]:
    """Start the server; return its HOST, PORT and USER."""
    if os.name != "posix":
        raise EmbeddedServerUnusable(
            "No database is configured, and the embedded PostgreSQL runs on Linux and macOS only: "
            "set DATABASE_URL to a PostgreSQL server, like postgres://user:password@host:5432/name."
        )
    # Imported here because it needs modules that Windows does not have.
    from config.embedded.cluster import cluster_in

    embedded = settings["EMBEDDED"]
    cluster = cluster_in(Path(embedded["DIRECTORY"]))
    _exit_on_sigterm()
    cluster.ensure_running()
    _close_pools_at_exit()
    # Only the configured database is created; any other missing database remains an error.
    if settings["NAME"] == embedded["NAME"]:
        cluster.ensure_database(embedded["NAME"])
    return {key.upper(): value for key, value in cluster.parameters.items()}


@cache
def _exit_on_sigterm() -> None:
    """Let exit handlers run on SIGTERM, or the server would outlive its last user.

    A program with a handler of its own keeps it; only the main thread can set one.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def stop_after_reloader(settings: dict[str, Any]) -> None:
    """Stop the server at exit, in the process of ``runserver`` that restarts the one that serves.

    On SIGTERM, Django kills the latter, which then cannot stop the server that it has started.
    """
    from config.embedded.cluster import cluster_in

    atexit.register(cluster_in(Path(settings["EMBEDDED"]["DIRECTORY"])).leave_for_killed)


@cache
def _close_pools_at_exit() -> None:
    """Close the pools before the cluster's own exit handler can stop the server.

    Handlers run in reverse order, and this one is registered later. A pool that was still opening
    connections would log errors when the server stops.
    """

    # The pools of all threads and aliases; Django has no public access to them.
    pools = vars(PostgresWrapper)["_connection_pools"]

    def close_pools() -> None:
        for pool in pools.values():
            pool.close()

    atexit.register(close_pools)
