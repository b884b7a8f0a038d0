"""Detection of poolers, in session and in transaction mode."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections

from domain_migrations.engine.sessions.pooling import detect_pooling
from domain_migrations.engine.sessions.session import (
    acquire_run_lock,
    backend_pid,
    dedicated_connection,
)
from domain_migrations.exceptions import LockNotAvailable, PooledConnection
from tests.support.pgbouncer import Pooler, pgbouncer
from tests.support.servers import TestServer
from tests.support.sessions import INVENTORY, ThreadedRun, advisory_locks

pytestmark = pytest.mark.usefixtures("module_database")


@contextmanager
def through(server: TestServer, mode: str, **options: Any) -> Iterator[Pooler]:
    """Point Django's default connection at a PgBouncer in that mode."""
    with pgbouncer(server, mode=mode, **options) as pooler:
        connection.close()
        settings = connections[DEFAULT_DB_ALIAS].settings_dict
        before = {key: settings[key] for key in pooler.settings}
        settings.update(pooler.settings)
        try:
            yield pooler
        finally:
            connection.close()
            settings.update(before)


def test_detect_pooling__none() -> None:
    assert not detect_pooling(connections[DEFAULT_DB_ALIAS])


def test_transaction_mode__is_refused(postgres_server: TestServer) -> None:
    with (
        through(postgres_server, "transaction"),
        pytest.raises(PooledConnection) as refused,
        dedicated_connection(),
    ):
        pytest.fail("the pooler was not noticed")
    assert refused.value.message == (
        'The connection "default" goes through a pooler that changes the server process between '
        "transactions, so the lock of a run would not hold."
    )
    assert refused.value.hint == (
        "Add an alias that connects to PostgreSQL directly, such as "
        'DATABASES["direct"] = {**DATABASES["default"], "HOST": …, "PORT": …}, and run the '
        "command with --database direct. A pooler in session mode works as well."
    )
    assert refused.value.exit_status == 1


@pytest.mark.parametrize(
    "options",
    [{"size": 1}, {"size": 2, "server_round_robin": "1"}, {"size": 3, "server_round_robin": "1"}],
    ids=["one-process", "two-in-turn", "three-in-turn"],
)
def test_transaction_mode__is_refused_however_it_hands_out(
    postgres_server: TestServer, module_database: str, options: dict[str, Any]
) -> None:
    with through(postgres_server, "transaction", **options) as pooler:
        # Other clients have made the pool open all its processes.
        with opened(pooler, module_database, options["size"]):
            pass
        with pytest.raises(PooledConnection):
            detect_pooling(connections[DEFAULT_DB_ALIAS])


def test_transaction_mode__is_refused_when_others_use_every_process(
    postgres_server: TestServer, module_database: str
) -> None:
    others = []

    def taken_after_the_first_query(execute: Any, *arguments: Any) -> Any:
        result = execute(*arguments)
        if not others:
            others.append(opened(pooler, module_database, 1))
            others[0].__enter__()
            threading.Timer(3.0, others[0].__exit__, (None, None, None)).start()
        return result

    with through(postgres_server, "transaction", size=1) as pooler:
        backend_pid(connection)
        with (
            connection.execute_wrapper(taken_after_the_first_query),
            pytest.raises(PooledConnection),
        ):
            detect_pooling(connections[DEFAULT_DB_ALIAS])


def test_statement_mode__is_refused(postgres_server: TestServer) -> None:
    with through(postgres_server, "statement"), pytest.raises(PooledConnection):
        detect_pooling(connections[DEFAULT_DB_ALIAS])


def test_session_mode__works(postgres_server: TestServer, module_database: str) -> None:
    with through(postgres_server, "session"):
        assert detect_pooling(connections[DEFAULT_DB_ALIAS])
        with (
            dedicated_connection(application_name="migrate_domain inventory") as own,
            acquire_run_lock(own, INVENTORY, wait=0, report=lambda message: None) as held,
        ):
            held.assert_same("A migration")
            with pytest.raises(LockNotAvailable, match=f"pid {backend_pid(own)} "):
                ThreadedRun(INVENTORY).wait_for_lock()
        # The lock is back although the pooler keeps the process for the next client.
        ThreadedRun(INVENTORY).wait_for_lock().end()


def test_session_mode__leaves_no_lock(postgres_server: TestServer, module_database: str) -> None:
    with through(postgres_server, "session"):
        detect_pooling(connections[DEFAULT_DB_ALIAS])
        assert advisory_locks() == 0


def test_session_mode__works_in_a_pool_of_one(postgres_server: TestServer) -> None:
    with through(postgres_server, "session", size=1):
        begun = time.monotonic()
        assert detect_pooling(connections[DEFAULT_DB_ALIAS])
        assert time.monotonic() - begun < 10


@contextmanager
def opened(pooler: Pooler, database: str, count: int) -> Iterator[list[int]]:
    """Clients in open transactions, each with a server process; their pids."""
    clients = [
        psycopg.connect(**pooler.parameters, dbname=database, prepare_threshold=None)
        for _ in range(count)
    ]
    try:
        yield [client.execute("SELECT pg_backend_pid()").fetchone()[0] for client in clients]
    finally:
        for client in clients:
            client.rollback()
            client.close()
