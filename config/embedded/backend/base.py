"""The database wrapper that starts the embedded server with the first connection.

Only then: `manage.py check` and `--help` start nothing.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper
from django.db.backends.postgresql.client import DatabaseClient as PostgresClient

from config.embedded.errors import EmbeddedServerUnusable
from domain_migrations.backends.postgresql import base


class DatabaseClient(PostgresClient):
    """`manage.py dbshell`, by the psql that belongs to the server."""

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
            # Settings that were pointed at another server, by a test for instance.
            return parameters
        settings = connection_settings(self.settings_dict)
        return {**parameters, **{key.lower(): value for key, value in settings.items()}}


def connection_settings(settings: dict[str, Any]) -> dict[str, str]:
    """Start the server; HOST, PORT and USER of it."""
    if os.name != "posix":
        raise EmbeddedServerUnusable(
            "No database is configured, and the embedded PostgreSQL runs on Linux and macOS only: "
            "set DATABASE_URL to a PostgreSQL server, like postgres://user:password@host:5432/name."
        )
    # Imported here: it needs modules that Windows does not have.
    from config.embedded.cluster import cluster_in

    embedded = settings["EMBEDDED"]
    cluster = cluster_in(Path(embedded["DIRECTORY"]))
    cluster.ensure_running()
    _close_pools_at_exit()
    # Only the configured name: a database that was never meant to exist stays an error.
    if settings["NAME"] == embedded["NAME"]:
        cluster.ensure_database(embedded["NAME"])
    return {key.upper(): value for key, value in cluster.parameters.items()}


@cache
def _close_pools_at_exit() -> None:
    """Registered after the cluster's own exit, so it runs before that may stop the server.

    A pool that is still opening connections then would complain about the server's end.
    """

    # The pools of all threads and aliases; Django has no public way to them.
    pools = vars(PostgresWrapper)["_connection_pools"]

    def close_pools() -> None:
        for pool in pools.values():
            pool.close()

    atexit.register(close_pools)
