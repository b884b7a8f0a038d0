"""Waiting for a database, and queries on its connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.db.backends.utils import CursorWrapper

from domain_migrations.engine.sessions.connection import schema_exists
from domain_migrations.engine.sessions.database_problems import (
    translate_database_errors,
    wait_for_database,
)
from domain_migrations.engine.sessions.scratch_databases import scratch_database
from domain_migrations.exceptions import DatabaseUnavailable, NodeLoginRefused, NodeUnavailable
from tests.support import databases
from tests.support.catalog import execute
from tests.support.commands import Result
from tests.support.servers import TestServer

Call = Callable[..., Result]


def test_a_database_that_comes(
    scratch_database: str, postgres_server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = databases.new_name("late")
    connections["default"].close()
    monkeypatch.setitem(connections["default"].settings_dict, "NAME", name)
    maker = threading.Timer(0.7, databases.create, [postgres_server, name])
    messages: list[str] = []
    maker.start()
    try:
        wait_for_database("default", 30, report=messages.append)
        assert connections["default"].connection is not None
        connections["default"].close()
    finally:
        maker.join()
        databases.drop(postgres_server, name)
    assert len(messages) == 1
    assert messages[0].startswith('Waiting for the database "default" (')
    assert messages[0].endswith(f'"{name}" does not exist.')


def test_a_database_that_does_not_come(
    scratch_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections["default"].close()
    monkeypatch.setitem(connections["default"].settings_dict, "HOST", "/nowhere")
    started = time.monotonic()
    result = call("migrate_domain", "hr", "--wait-for-db", "0.6")
    assert time.monotonic() - started >= 0.6
    assert result.exit_status == 75
    assert "cannot be reached" in result.stderr
    assert "Waiting for the database" in result.stdout


def test_a_host_that_is_silent(scratch_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = connections["default"].settings_dict
    options = values["OPTIONS"]
    connections["default"].close()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setitem(values, "HOST", "127.0.0.1")
        monkeypatch.setitem(values, "PORT", str(silent.getsockname()[1]))
        started = time.monotonic()
        wait_for_database("default", 0.5)
        assert time.monotonic() - started < 20
    assert connections["default"].connection is None
    assert values["OPTIONS"] is options


def test_no_waiting_by_default(scratch_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connections["default"].close()
    monkeypatch.setitem(connections["default"].settings_dict, "HOST", "/nowhere")
    wait_for_database("default", 0)


def test_schema_exists__by_its_own_name(scratch_database: str) -> None:
    execute('CREATE SCHEMA "lab"')
    assert schema_exists(connections["default"], "lab")
    assert not schema_exists(connections["default"], "Lab")
    assert not schema_exists(connections["default"], "la_")


def test_packages_that_wrap_cursors_get_text(
    migrated_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: set[type] = set()
    execute_one = CursorWrapper.execute

    def wrapped(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        kinds.add(type(sql))
        return execute_one(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", wrapped)
    for command in (
        ("migrate_domain", "finance", "0010", "--noinput"),
        ("migrate_domain", "finance"),
        ("seed_domain", "finance"),
        ("show_domains",),
        ("verify_domain", "finance"),
    ):
        result = call(*command)
        assert result.exit_status == 0, result.stderr
    with scratch_database("default", "text"):
        pass
    assert kinds == {str}


def test_a_server_that_cannot_reach_another_one(scratch_database: str) -> None:
    message = r"connection to the remote node db2:5432 failed: Connection refused\n\tIs it running?"
    raising = f"RAISE EXCEPTION USING ERRCODE = '08006', MESSAGE = E'{message}'"

    with pytest.raises(NodeUnavailable) as caught, translate_database_errors("default"):
        execute(f"DO $$ BEGIN {raising}; END $$")

    assert caught.value.message.startswith('The database "default" (')
    assert caught.value.message.endswith(
        ") answers, but cannot reach another server: connection to the remote node db2:5432"
        " failed: Connection refused."
    )
    assert (caught.value.code, caught.value.exit_status) == ("node", 75)
    assert schema_exists(connections["default"], "public")


def test_a_server_whose_own_process_says_that_it_has_died(scratch_database: str) -> None:
    message = "postmaster was shut down, exiting"

    with pytest.raises(DatabaseUnavailable) as caught, translate_database_errors("default"):
        execute(f"DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = '{message}'; END $$")

    assert (caught.value.code, caught.value.exit_status) == ("connection", 75)
    assert "The connection to the database" in caught.value.message


def test_another_server_that_does_not_let_the_role_in(scratch_database: str) -> None:
    message = "connection to the remote node r@db2:5432 failed: fe_sendauth: no password supplied"
    raising = f"RAISE EXCEPTION USING ERRCODE = '08006', MESSAGE = '{message}'"

    with pytest.raises(NodeLoginRefused) as caught, translate_database_errors("default"):
        execute(f"DO $$ BEGIN {raising}; END $$")

    assert (caught.value.code, caught.value.exit_status) == ("node_login", 1)
    assert "pg_dist_authinfo" in str(caught.value.hint)


def test_a_server_whose_connection_to_another_one_was_lost(scratch_database: str) -> None:
    message = r"server closed the connection unexpectedly\n\tThis probably means"

    with pytest.raises(NodeUnavailable) as caught, translate_database_errors("default"):
        execute(f"DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = E'{message}'; END $$")

    assert caught.value.message.endswith(
        "another server: server closed the connection unexpectedly."
    )
