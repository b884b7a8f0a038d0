"""Detection of poolers, which may change the server process that holds a session's lock.

A pooler answers a new client itself, so the process id that the client gets when it connects is
not that of the server process which runs its queries. That reveals a pooler; a second client
reveals how it assigns server processes.
"""

from __future__ import annotations

import secrets
import selectors
import time
from contextlib import closing
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import pq

from ...exceptions import DatabaseUnavailable, PooledConnection
from .connection import fetch_one

CONNECT_SECONDS = 10
ANSWER_SECONDS = 2.0
SELECT_PID = "SELECT pg_backend_pid()"


def backend_pid(connection: BaseDatabaseWrapper) -> int:
    """Return the process id of the server process that runs this connection's queries."""
    (pid,) = fetch_one(connection, SELECT_PID)
    return int(pid)


def detect_pooling(connection: BaseDatabaseWrapper) -> bool:
    """Return whether a connection goes through a pooler, which is in session mode.

    The connection has to be outside of any transaction. Without a pooler that takes one query.
    With one, a second client is used to check that each client keeps its own server process,
    and that a lock of one excludes the other.

    Raises:
        PooledConnection: the server process changes between transactions.
        DatabaseUnavailable: a pooler was detected, but a second client could not connect.
    """
    pid = backend_pid(connection)
    if pid == connection.connection.info.backend_pid:
        return False
    try:
        # Not its own ``with`` block, which would commit: it may still wait for a result.
        with closing(raw_connection(connection.get_connection_params())) as client:
            kept = _is_session_pooled(connection, pid, _SecondClient(client))
    except (psycopg.Error, _Refused) as exc:
        raise DatabaseUnavailable(
            f'The connection "{connection.alias}" goes through a pooler, whose mode could not be '
            f"determined with a second client: {exc}",
            hint="Retry when the pooler accepts one more client, or use an alias that connects to "
            "PostgreSQL directly.",
        ) from exc
    if not kept:
        raise PooledConnection(
            f'The connection "{connection.alias}" goes through a pooler that changes the server '
            "process between transactions, so the lock of a run would not hold.",
            hint='Add an alias that connects to PostgreSQL directly, such as DATABASES["direct"] = '
            f'{{**DATABASES["{connection.alias}"], "HOST": …, "PORT": …}}, and run the command '
            "with --database direct. A pooler in session mode works as well.",
        )
    return True


def _is_session_pooled(connection: BaseDatabaseWrapper, pid: int, second: _SecondClient) -> bool:
    second.send(SELECT_PID)
    other = second.answer(ANSWER_SECONDS)
    if other is None:
        # Every process of the pool is in use. Poolers serve waiting clients in turn, so a first
        # client that needs a process for each transaction would be served after the second.
        return backend_pid(connection) == pid and second.answer(0.1) is None
    seen = {pid}, {int(other)}
    # A pool that assigns its processes in turn would always assign the same one to each of two
    # clients that query alternately: hence two queries in a row for each.
    for _ in range(2):
        seen[1].add(int(second.ask(SELECT_PID)))
        seen[0].update(backend_pid(connection) for _ in range(2))
        seen[1].add(int(second.ask(SELECT_PID)))
    return (
        all(len(pids) == 1 for pids in seen)
        and seen[0] != seen[1]
        and _lock_excludes(connection, second)
    )


def _lock_excludes(connection: BaseDatabaseWrapper, second: _SecondClient) -> bool:
    """Return whether a lock of the first client excludes the second until it is released."""
    key = secrets.randbits(62)
    (locked,) = fetch_one(connection, f"SELECT pg_try_advisory_lock({key:d})")
    if not locked:
        return False
    refused = second.ask(f"SELECT pg_try_advisory_xact_lock({key:d})") == "f"
    (unlocked,) = fetch_one(connection, f"SELECT pg_advisory_unlock({key:d})")
    return unlocked and refused


class _Refused(Exception):
    """The pooler has returned an error to the second client."""


class _SecondClient:
    """A client that waits for results with a timeout, since its pool may have no process."""

    def __init__(self, client: psycopg.Connection[Any]) -> None:
        self._pgconn = client.pgconn

    def ask(self, query: str) -> str:
        self.send(query)
        answer = self.answer(CONNECT_SECONDS)
        if answer is None:
            raise _Refused("no answer in time")
        return answer

    def send(self, query: str) -> None:
        self._pgconn.send_query(query.encode())
        while self._pgconn.flush():
            pass

    def answer(self, seconds: float) -> str | None:
        """Return the first value of the result of ``send``, ``None`` if it takes longer."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._pgconn.socket, selectors.EVENT_READ)
            while self._pgconn.is_busy():
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return None
                self._pgconn.consume_input()
        answer = None
        while result := self._pgconn.get_result():
            if result.status != pq.ExecStatus.TUPLES_OK:
                raise _Refused(result.get_error_message())
            value = result.get_value(0, 0)
            answer = None if value is None else value.decode()
        return answer


def raw_connection(params: dict[str, Any], **more: Any) -> psycopg.Connection[Any]:
    """Return a connection outside of Django, with the parameters of a wrapper."""
    given = {"connect_timeout": CONNECT_SECONDS, **params, **more, "autocommit": True}
    # Django's adapters assume the time zone that Django sets on its own connections.
    given.pop("context", None)
    return psycopg.connect(**given)
