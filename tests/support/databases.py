"""Scratch databases, and Django's default connection redirected to them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connections
from psycopg import sql

from tests.support.servers import TestServer

_numbers = itertools.count(1)


def new_name(prefix: str = "scratch") -> str:
    """A database name that no other worker or process of the run uses."""
    return f"{prefix}_{os.getpid()}_{next(_numbers)}"


def create(server: TestServer, name: str, *, template: str = "template1") -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}")
    names = (sql.Identifier(name) for name in (name, template, server.copy_strategy))
    with server.connect() as session:
        session.execute(statement.format(*names))


def drop(server: TestServer, name: str) -> None:
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    with server.connect() as session:
        session.execute(statement.format(sql.Identifier(name)))


@contextmanager
def scratch(
    server: TestServer, *, template: str = "template1", prefix: str = "scratch"
) -> Iterator[str]:
    """A new database, a copy of `template`, dropped afterwards; Django is not pointed at it."""
    name = new_name(prefix)
    create(server, name, template=template)
    try:
        yield name
    finally:
        drop(server, name)


@contextmanager
def connected(server: TestServer, blocker: Any, *, template: str = "template1") -> Iterator[str]:
    """A new database that Django's default connection points to.

    Arguments:
        blocker: pytest-django's `django_db_blocker`.
    """
    with (
        blocker.unblock(),
        scratch(server, template=template) as name,
        default_database(name),
    ):
        yield name


@contextmanager
def default_database(name: str) -> Iterator[None]:
    """Point Django's default connection (of all threads to come) at database `name`."""
    previous = connections["default"]
    previous.close()
    settings = previous.settings_dict
    previous_name = settings["NAME"]
    settings["NAME"] = name
    # A new wrapper, because one remembers what it learnt about its server and database.
    connections["default"] = connections.create_connection("default")
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        connections["default"].close()
        settings["NAME"] = previous_name
        connections["default"] = previous
        ContentType.objects.clear_cache()
