"""The PostgreSQL server that the suites run on, and the template of their databases."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import conninfo, sql

from tests.support import servers

_HOMONYMS = Path(__file__).with_name("same_table_names.sql")


@contextmanager
def server_parameters() -> Iterator[dict[str, str]]:
    """Yield libpq's parameters of a server on which we may make databases and event triggers."""
    url = os.environ.get("DATABASE_URL")
    if url:
        location = url.partition("://")[2]
        yield {
            key: str(value)
            for key, value in conninfo.conninfo_to_dict(f"postgresql://{location}").items()
        }
        return
    folder = servers.make_folder(servers.memory())
    server = servers.session_server()
    try:
        server.start()
        yield {**server.parameters, "dbname": "postgres"}
    finally:
        server.cluster.leave()
        servers.remove(folder)


@contextmanager
def template_database(parameters: dict[str, str], *, plain: bool) -> Iterator[str]:
    """Make the database that the test databases are copied from, and drop them all afterwards.

    Yields its name, which is also the prefix of the names of the copies.
    """
    name = f"django_suite_{secrets.token_hex(4)}"
    _administer(parameters, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        if not plain:
            with psycopg.connect(**{**parameters, "dbname": name}, autocommit=True) as connection:
                connection.execute(_HOMONYMS.read_text().encode())
        yield name
    finally:
        with psycopg.connect(**parameters, autocommit=True) as connection:
            leftovers = connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name]
            ).fetchall()
        for (leftover,) in leftovers:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            _administer(parameters, drop.format(sql.Identifier(leftover)))


def server_version(parameters: dict[str, str]) -> int:
    """Return the server's major version."""
    with psycopg.connect(**parameters) as connection:
        return connection.info.server_version // 10000


def _administer(parameters: dict[str, str], statement: sql.Composed) -> None:
    with psycopg.connect(**parameters, autocommit=True) as connection:
        connection.execute(statement)
