"""Sessions of runs on a connection of their own."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from domain_migrations.engine.sessions.session import (
    acquire_run_lock,
    backend_pid,
    dedicated_connection,
)
from domain_migrations.exceptions import DatabaseUnavailable, MigrationFailed
from tests.support.catalog import snapshot
from tests.support.proxy import through_proxy
from tests.support.sessions import INVENTORY

pytestmark = pytest.mark.usefixtures("scratch_database")


def application_name(pid: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT application_name FROM pg_stat_activity WHERE pid = %s", [pid])
        return str(cursor.fetchone()[0])


@pytest.fixture
def pooled() -> Any:
    """The default connection with Django's pool."""
    options = {"pool": {"min_size": 1, "max_size": 4}}
    settings = {**connections[DEFAULT_DB_ALIAS].settings_dict, "OPTIONS": options}
    plain = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = wrapper = type(plain)(settings, DEFAULT_DB_ALIAS)
    yield wrapper
    wrapper.close()
    wrapper.close_pool()
    connections[DEFAULT_DB_ALIAS] = plain


def test_dedicated__plain_connection_is_kept() -> None:
    plain = connections[DEFAULT_DB_ALIAS]
    with dedicated_connection() as own:
        assert own is plain
        assert connections[DEFAULT_DB_ALIAS] is plain


def test_dedicated__replaces_a_pooled_connection(pooled: Any) -> None:
    shared_pid = backend_pid(connection)
    with dedicated_connection() as own:
        assert connections[DEFAULT_DB_ALIAS] is own
        assert own.pool is None
        assert backend_pid(connection) != shared_pid
        with own.cursor() as cursor:
            cursor.execute("SET search_path = somewhere")
        raw = own.connection
    assert raw.closed
    assert connections[DEFAULT_DB_ALIAS] is pooled
    assert pooled.pool is not None
    assert pooled.settings_dict["OPTIONS"]["pool"] == {"min_size": 1, "max_size": 4}
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == ('"$user", public',)


def test_dedicated__restores_after_an_exception(pooled: Any) -> None:
    with pytest.raises(ZeroDivisionError), dedicated_connection():
        raise ZeroDivisionError
    assert connections[DEFAULT_DB_ALIAS] is pooled


def test_dedicated__other_threads_keep_theirs(pooled: Any) -> None:
    seen: list[Any] = []
    with dedicated_connection() as own:
        thread = threading.Thread(target=lambda: seen.append(connections[DEFAULT_DB_ALIAS]))
        thread.start()
        thread.join()
    assert seen
    assert seen[0] is not own


def test_dedicated__is_in_autocommit() -> None:
    plain = connections[DEFAULT_DB_ALIAS]
    settings = {**plain.settings_dict, "AUTOCOMMIT": False}
    connections[DEFAULT_DB_ALIAS] = manual = type(plain)(settings, DEFAULT_DB_ALIAS)
    try:
        with dedicated_connection() as own:
            assert own is not manual
            assert own.get_autocommit()
    finally:
        connections[DEFAULT_DB_ALIAS] = plain


def test_dedicated__inside_a_transaction(pooled: Any) -> None:
    with transaction.atomic(), dedicated_connection() as own:
        assert own is pooled


def test_dedicated__names_the_session() -> None:
    before = application_name(backend_pid(connection))
    with dedicated_connection(application_name="migrate_domain inventory") as own:
        pid = backend_pid(own)
        assert application_name(pid) == "migrate_domain inventory"
    assert backend_pid(connection) == pid
    assert application_name(pid) == before


def test_dedicated__names_nothing_after_the_connection_was_closed() -> None:
    with dedicated_connection(application_name="migrate_domain inventory") as own:
        own.close()
    assert application_name(backend_pid(connection)) == ""


def locked() -> Any:
    return acquire_run_lock(connections[DEFAULT_DB_ALIAS], INVENTORY, wait=0, report=str)


def test_assert_same() -> None:
    with locked() as session:
        session.assert_same("A migration")
        connection.close()
        with pytest.raises(MigrationFailed) as failed:
            session.assert_same("A migration")
    assert failed.value.message == (
        "A migration closed the connection of the run, and so lost its lock: another run may "
        "have begun in the meantime."
    )
    assert failed.value.hint == (
        "Remove connection.close(), connections.close_all() and close_old_connections() from "
        "it, and run the command again."
    )


def test_assert_same__closed_inside_a_transaction() -> None:
    with locked() as session, transaction.atomic():
        connection.close()
        with pytest.raises(MigrationFailed, match=r"^hr\.0002_closes closed the connection"):
            session.assert_same("hr.0002_closes")


def test_assert_same__ended_by_the_server(postgres_server: Any) -> None:
    with locked() as session:
        with postgres_server.connect() as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [session.pid])
        with pytest.raises(DatabaseUnavailable) as failed:
            session.assert_same("A migration")
    assert failed.value.message.startswith("The connection to the database was lost: ")
    connection.close()


@pytest.mark.parametrize(
    ("path", "during"),
    [
        ('"$user", public', 'public, "$user", public'),
        ("''", 'public, ""'),
        ("hr, x", "public, hr, x"),
    ],
)
def test_dedicated__has_public_first_in_the_search_path(path: str, during: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {path}")
        cursor.execute("SHOW search_path")
        before = cursor.fetchone()
        with dedicated_connection():
            cursor.execute("SHOW search_path")
            assert cursor.fetchone() == (during,)
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == before


def test_both_ends_notice_a_network_that_is_gone(postgres_server: Any) -> None:
    with through_proxy(postgres_server), dedicated_connection() as own:
        with socket.socket(fileno=os.dup(own.connection.fileno())) as end:
            assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
            assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
        with own.cursor() as cursor:
            cursor.execute("SELECT inet_client_addr() IS NULL, current_setting('tcp_user_timeout')")
            is_local, timeout = cursor.fetchone()
            assert timeout == ("0" if is_local else "1min")


@pytest.mark.parametrize("threshold", [None, 0, 5])
def test_a_run_works_where_parameters_are_bound_on_the_server(
    migrated_database: str, call: Any, threshold: int | None
) -> None:
    """There each message is one statement, and what the guard asks is several."""
    plain = connections[DEFAULT_DB_ALIAS]
    options = {"server_side_binding": True, "prepare_threshold": threshold}
    settings = {**plain.settings_dict, "OPTIONS": options}
    connections[DEFAULT_DB_ALIAS] = binding = type(plain)(settings, DEFAULT_DB_ALIAS)
    before = snapshot()
    try:
        for arguments in (["hr", "0003"], ["hr"], ["hr", "--rollback"], ["hr"]):
            result = call("migrate_domain", *arguments)
            assert result.exit_status == 0, result.stderr
        assert call("verify_domain", "hr").exit_status == 0
        assert snapshot() == before
    finally:
        binding.close()
        connections[DEFAULT_DB_ALIAS] = plain
