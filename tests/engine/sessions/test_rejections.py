"""Failed attempts to connect, told apart by SQLSTATEs, by messages and by the exit status."""

from __future__ import annotations

import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections

from domain_migrations.engine.sessions.rejections import is_login_rejection, is_rejection
from tests.support import databases
from tests.support.catalog import execute
from tests.support.commands import Result

Call = Callable[..., Result]

SERVER = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: '
REJECTIONS = [
    SERVER + 'FATAL:  password authentication failed for user "app"',
    SERVER + 'FATAL:  role "app" does not exist',
    SERVER + 'FATAL:  database "nothing" does not exist',
    SERVER + 'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "app", no encryption',
    SERVER + 'FATAL:  permission denied for database "app"\nDETAIL:  …',
    SERVER + "ВАЖНО:  роль «app» не существует",
    SERVER + "fe_sendauth: no password supplied",
    SERVER + "server does not support SSL, but SSL was required",
    "failed to resolve host 'no.such.host': [Errno -2] Name or service not known",
    'could not translate host name "no.such.host" to address: Name or service not known',
    'connection is bad: invalid integer value "abc" for connection option "port"',
    'invalid connection option "bogus"',
    'connection is bad: definition of service "nothing" not found',
]
TEMPORARY = [
    SERVER + "Connection refused\n\tIs the server running on that host and accepting TCP/IP …",
    SERVER + "FATAL:  the database system is starting up",
    SERVER + "FATAL:  the database system is shutting down",
    SERVER + "FATAL:  the database system is not yet accepting connections\nDETAIL:  …",
    SERVER + "FATAL:  sorry, too many clients already",
    SERVER + 'FATAL:  too many connections for role "app"',
    SERVER + "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER …",
    SERVER + "FATAL:  no more connections allowed (max_client_conn)",
    SERVER + "server closed the connection unexpectedly\n\tThis probably means the server …",
    'connection is bad: connection to server on socket "/run/.s.PGSQL.5432" failed: No such file'
    " or directory",
    "connection timeout expired",
    "failed to resolve host 'db': [Errno -3] Temporary failure in name resolution",
    "the connection is closed",
]


@pytest.mark.parametrize("text", REJECTIONS)
def test_what_a_retry_cannot_mend(text: str) -> None:
    assert is_rejection(OperationalError(text))


@pytest.mark.parametrize("text", TEMPORARY)
def test_what_may_pass(text: str) -> None:
    assert not is_rejection(OperationalError(text))
    assert not is_login_rejection(OperationalError(text))


def test_login_rejections() -> None:
    found = [is_login_rejection(OperationalError(text)) for text in REJECTIONS[:4]]
    assert found == [True, True, False, True]


class Refusing(socketserver.BaseRequestHandler):
    """Refuses each connection as PostgreSQL does, in another language."""

    state = ""

    def handle(self) -> None:
        while (head := self.request.recv(8)) and head[4:] == struct.pack("!HH", 1234, 5679):
            self.request.sendall(b"N")  # No SSL.
        fields = ("SFATAL", "VFATAL", f"C{self.state}", "Mno es posible")
        body = b"".join(field.encode() + b"\0" for field in fields) + b"\0"
        self.request.sendall(b"E" + struct.pack("!I", len(body) + 4) + body)


# SQLSTATE → whether a retry cannot mend it, and whether waiting ends at it.
STATES = {
    "28P01": (True, True),
    "28000": (True, True),
    "3D000": (True, False),
    "42501": (True, False),
    "55000": (True, False),
    "57P04": (True, False),
    "57P03": (False, False),
    "57P01": (False, False),
    "53300": (False, False),
}


@pytest.mark.parametrize("state", STATES)
def test_the_sqlstate_decides_in_any_language(state: str) -> None:
    handler = type("Handler", (Refusing,), {"state": state})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        settings = f"host=127.0.0.1 port={server.server_address[1]} user=app gssencmode=disable"
        with pytest.raises(psycopg.OperationalError, match="FATAL:  no es posible") as caught:
            psycopg.connect(settings)
        found = is_rejection(caught.value), is_login_rejection(caught.value)
        server.shutdown()
    assert found == STATES[state]


@pytest.fixture
def connect_with(
    scratch_database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """`connect_with(NAME=…)`: the default connection with other settings."""

    def change(**values: Any) -> None:
        connections["default"].close()
        for key, value in values.items():
            monkeypatch.setitem(connections["default"].settings_dict, key, value)

    yield change
    connections["default"].close()


COMMANDS = [
    ("migrate_domain", "hr"),
    ("migrate_domain", "--all", "--check"),
    ("migrate",),
    ("show_domains",),
    ("showmigrations",),
    ("sqlmigrate", "hr", "0001"),
    ("verify_domain", "hr"),
    ("seed_domain", "hr"),
    ("repair_domain", "hr", "--mark-applied", "0001", "--noinput"),
    ("lint_domain", "hr"),
    ("map_domains",),
    ("grant_domain", "hr", "--print"),
    ("prove_domain", "hr"),
    ("snapshot_domain", "hr"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_exit_statuses(
    command: tuple[str, ...], call: Call, connect_with: Callable[..., None]
) -> None:
    connect_with(USER="nobody_here")
    result = call(*command)
    assert result.exit_status == 1
    assert 'role "nobody_here" does not exist. Correct the host,' in result.stderr
    assert "--wait-for-db" not in result.stderr
    connect_with(HOST="127.0.0.1", PORT="1")
    result = call(*command)
    assert result.exit_status == 75
    assert "cannot be reached" in result.stderr
    waits = command[0] in ("migrate_domain", "seed_domain")
    assert ("--wait-for-db SECONDS waits for it." in result.stderr) == waits


def test_waiting_ends_at_a_wrong_role(call: Call, connect_with: Callable[..., None]) -> None:
    connect_with(USER="nobody_here")
    started = time.monotonic()
    assert call("migrate_domain", "hr", "--wait-for-db", "60").exit_status == 1
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "values",
    [
        {"NAME": "no_such_database"},
        {"HOST": "no.such.host.invalid"},
        {"HOST": "127.0.0.1", "PORT": "port"},
        {"OPTIONS": {"bogus": "1"}},
    ],
    ids=str,
)
def test_wrong_settings(
    values: dict[str, Any], call: Call, connect_with: Callable[..., None]
) -> None:
    connect_with(**values)
    assert call("migrate_domain", "hr").exit_status == 1


def test_a_connection_limit_is_temporary(call: Call, connect_with: Callable[..., None]) -> None:
    role = databases.new_name("limited")
    execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
    try:
        connect_with(USER=role)
        assert call("migrate_domain", "hr").exit_status == 75
    finally:
        connect_with(USER="postgres")
        execute(f"DROP ROLE {role}")
