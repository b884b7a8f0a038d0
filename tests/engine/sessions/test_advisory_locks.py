"""Advisory locks of runs: their holders, their order and their release."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import DataError, connection, connections, transaction
from psycopg import sql

from domain_migrations.domains import Domain
from domain_migrations.engine.sessions.advisory_locks import holders, lock_key
from domain_migrations.engine.sessions.session import acquire_run_lock, dedicated_connection
from domain_migrations.exceptions import EXIT_TEMPORARY, LockNotAvailable, MigrationFailed
from tests.support.sessions import (
    HR,
    INVENTORY,
    MAIN,
    ThreadedRun,
    advisory_locks,
    holder_process,
    in_thread,
    running,
    until,
)

pytestmark = pytest.mark.usefixtures("module_database")


class FakeClock:
    """A clock whose sleepers wake at once."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        assert seconds > 0
        self.now += seconds


def take(domain: Domain, *, wait: float = 0.0, **more: Any) -> Any:
    return acquire_run_lock(
        connections["default"], domain, wait=wait, report=lambda message: None, **more
    )


@pytest.mark.parametrize(
    ("database", "schema", "purpose", "key"),
    [
        ("shop", "public", "run", -1875211272952546336),
        ("shop", "public", "gate", -3601340917827002204),
        ("shop", "inventory", "run", -4991634708534385495),
        ("shop2", "inventory", "run", -7537554695586230630),
        ("ร้าน", "คลัง", "run", -6431797605301675272),
    ],
)
def test_lock_key__never_changes(database: str, schema: str, purpose: str, key: int) -> None:
    # Another key in a new version would let two versions migrate side by side.
    assert lock_key(database, schema, purpose) == key


def test_acquire__domains_side_by_side() -> None:
    with running(HR), take(INVENTORY):
        assert [holder.domain for holder in holders(connection, HR)] == ["hr"]
    assert advisory_locks() == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [(INVENTORY, INVENTORY), (MAIN, INVENTORY), (INVENTORY, MAIN), (MAIN, MAIN)],
    ids=["same-domain", "domain-beside-core", "core-beside-domain", "core-beside-core"],
)
def test_acquire__excludes(first: Domain, second: Domain) -> None:
    with running(first) as (other,):
        with pytest.raises(LockNotAvailable) as busy, take(second):
            pytest.fail("both had the lock")
        assert f"pid {other.pid} (" in busy.value.message
        assert busy.value.exit_status == EXIT_TEMPORARY
        assert advisory_locks() == (1 if first.is_core else 2)
    with take(second):
        pass


def test_acquire__waits_for_its_turn() -> None:
    messages: list[str] = []
    with running(INVENTORY) as (other,):
        threading.Timer(0.5, other.end).start()
        with acquire_run_lock(connection, INVENTORY, wait=20, report=messages.append):
            assert not other.holds
    assert len(messages) == 1
    assert messages[0].startswith(f'Waiting for the lock of "inventory": pid {other.pid} (user ')


def test_acquire__two_wait() -> None:
    with running(INVENTORY) as (first,):
        waiting = [ThreadedRun(INVENTORY, wait=20), ThreadedRun(INVENTORY, wait=20)]
        until(lambda: all(other.messages for other in waiting))
        assert not any(other.holds for other in waiting)
        first.end()
        until(lambda: any(other.holds for other in waiting))
        time.sleep(1.0)
        had = [other for other in waiting if other.holds]
        assert len(had) == 1
        had[0].end()
        for other in waiting:
            other.wait_for_lock()
            other.end()


def test_acquire__names_the_holder(postgres_server: Any, module_database: str) -> None:
    environment = postgres_server.environment(module_database)
    with holder_process(INVENTORY, environment) as (_, pid):
        with pytest.raises(LockNotAvailable) as busy, take(INVENTORY, wait=0.2):
            pytest.fail("both had the lock")
        (holder,) = holders(connection, INVENTORY)
    since = holder.session.connected
    assert since is not None
    assert busy.value.message == (
        f'Could not acquire the lock of "inventory" within 0.2 s: {holder}.'
    )
    assert str(holder).startswith(
        f'pid {pid} (user "postgres", host local, application "migrate_domain inventory"), '
        "connected since 20"
    )
    assert str(holder).endswith(
        "Z, last ran: SELECT 'what it runs', holds the lock of \"inventory\""
    )
    assert busy.value.hint == (
        "Run the command again later, or wait longer with LOCK_WAIT in DOMAIN_MIGRATIONS. "
        f"SELECT pg_terminate_backend({pid}) ends the other run."
    )


def test_acquire__reports_a_hidden_query(postgres_server: Any, module_database: str) -> None:
    role = f"locks_{module_database}"
    with postgres_server.connect(module_database) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    try:
        with running(INVENTORY) as (other,):
            connection.close()
            connection.settings_dict["USER"] = role
            (holder,) = holders(connection, INVENTORY)
    finally:
        connection.close()
        connection.settings_dict["USER"] = postgres_server.settings["USER"]
        with postgres_server.connect(module_database) as admin:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    assert str(holder) == (
        f'pid {other.pid} (user "postgres"), with a query that is hidden from this role '
        '(pg_read_all_stats would show it), holds the lock of "inventory"'
    )


def test_acquire__reports_at_once_and_every_ten_seconds() -> None:
    clock, times = FakeClock(), []
    with running(INVENTORY):
        lock = acquire_run_lock(
            connection,
            INVENTORY,
            wait=25,
            report=lambda message: times.append(clock.now - 1000),
            clock=clock,
        )
        with pytest.raises(LockNotAvailable, match=r"within 25 s: pid"), lock:
            pytest.fail("both had the lock")
    assert clock.now - 1000 == pytest.approx(25)
    assert times == [0, pytest.approx(10, abs=0.5), pytest.approx(20, abs=1)]


def test_locks__a_killed_process_holds_no_lock(postgres_server: Any, module_database: str) -> None:
    environment = postgres_server.environment(module_database)
    with holder_process(INVENTORY, environment) as (process, _):
        process.kill()
        with take(INVENTORY, wait=20):
            pass


def test_acquire__an_exception_gives_the_locks_back() -> None:
    with pytest.raises(ZeroDivisionError), take(INVENTORY):
        raise ZeroDivisionError
    assert advisory_locks() == 0


def test_acquire__a_failed_transaction_gives_the_locks_back() -> None:
    def migrate() -> None:
        with take(INVENTORY), connection.cursor() as cursor:
            connection.set_autocommit(False)
            cursor.execute("SELECT 1/0")

    with pytest.raises(DataError):
        migrate()
    connection.rollback()
    connection.set_autocommit(True)
    assert advisory_locks() == 0


def test_acquire__a_lost_connection_needs_no_unlock() -> None:
    with take(INVENTORY):
        connection.close()
        until(lambda: advisory_locks() == 0)
        with running(INVENTORY):
            pass


def test_acquire__again_in_the_same_session() -> None:
    with take(INVENTORY), take(INVENTORY):
        with take(HR):
            assert advisory_locks() == 3
        with pytest.raises(LockNotAvailable):
            ThreadedRun(INVENTORY).wait_for_lock()
    assert advisory_locks() == 0


def test_acquire__again_while_core_waits() -> None:
    with take(INVENTORY):
        core = ThreadedRun(MAIN, wait=20)
        until(lambda: core.messages)
        # The gate is closed, and opens only when this session is done.
        with take(HR):
            pass
    core.wait_for_lock().end()


def test_acquire__domains_of_a_core_run() -> None:
    with take(MAIN), take(INVENTORY), pytest.raises(LockNotAvailable):
        ThreadedRun(HR).wait_for_lock()
    assert advisory_locks() == 0


def test_acquire__core_gets_its_turn_in_a_stream_of_domain_runs() -> None:
    stop, runs = threading.Event(), []

    def stream(domain: Domain) -> None:
        while not stop.is_set():
            with take(domain, wait=20):
                runs.append(domain)
                stop.wait(0.3)

    streams = [in_thread(lambda: stream(INVENTORY))]
    until(lambda: runs)
    time.sleep(0.15)  # so that the two overlap: core's lock is never free by itself
    streams.append(in_thread(lambda: stream(HR)))
    until(lambda: HR in runs)
    try:
        with take(MAIN, wait=10):
            # A domain run that tries has the gate for the moment of its attempt.
            until(lambda: advisory_locks() == 1)
            before = len(runs)
            time.sleep(0.5)
            assert len(runs) == before
    finally:
        stop.set()
        for thread in streams:
            thread.join(20)
    assert advisory_locks() == 0


def test_acquire__core_that_waits_is_named_to_domains_that_come_later() -> None:
    with running(INVENTORY):
        core = ThreadedRun(MAIN, wait=20)
        until(lambda: core.messages)
        with pytest.raises(LockNotAvailable, match=r'waits for the lock of "core"\.$'), take(HR):
            pytest.fail("a domain overtook core")
    core.wait_for_lock().end()


def test_acquire__waiters_do_not_stop_create_index_concurrently() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE concurrent (id int)")
        cursor.execute("SET statement_timeout = '15s'")
    waiting: list[ThreadedRun] = []
    with take(INVENTORY):
        waiting = [ThreadedRun(INVENTORY, wait=60), ThreadedRun(MAIN, wait=60)]
        until(lambda: all(other.messages for other in waiting))
        with connection.cursor() as cursor:
            for number in range(3):
                cursor.execute(f"CREATE INDEX CONCURRENTLY concurrent_{number} ON concurrent (id)")
            cursor.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
            assert cursor.fetchone() == (0,)
            cursor.execute("RESET statement_timeout")
    for other in waiting:
        until(lambda: waiting[0].holds or waiting[1].holds)
        next(other for other in waiting if other.holds).end()
        assert other.error is None


def test_acquire__inside_a_transaction_until_its_end() -> None:
    with transaction.atomic():
        with take(INVENTORY):
            pass
        with pytest.raises(LockNotAvailable):
            ThreadedRun(INVENTORY).wait_for_lock()
    assert advisory_locks() == 0


def test_acquire__inside_a_transaction_without_waiting() -> None:
    with running(INVENTORY), transaction.atomic():
        begun = time.monotonic()
        with pytest.raises(LockNotAvailable) as busy, take(INVENTORY, wait=20):
            pytest.fail("both had the lock")
        assert time.monotonic() - begun < 5
    assert busy.value.hint == (
        "Run the command outside of a transaction; inside one, it does not wait."
    )


def test_holders__none() -> None:
    assert holders(connection, MAIN) == ()


def test_run_lock__another_session() -> None:
    with take(INVENTORY) as held:
        held.assert_same("inventory.0001_initial")
        connection.close()
        with pytest.raises(MigrationFailed) as failed:
            held.assert_same("inventory.0002_closes")
    assert failed.value.message == (
        "inventory.0002_closes closed the connection of the run, and so lost its lock: another "
        "run may have begun in the meantime."
    )


def test_run_lock__unlocked_by_a_migration() -> None:
    with take(INVENTORY) as held:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        with pytest.raises(MigrationFailed, match="The run lost its lock") as failed:
            held.assert_same("A migration")
    assert (
        failed.value.hint == "Remove DISCARD ALL and pg_advisory_unlock_all() from the migration."
    )


def test_acquire__on_a_dedicated_connection() -> None:
    with (
        dedicated_connection(application_name="migrate_domain inventory") as own,
        acquire_run_lock(own, INVENTORY, wait=0, report=lambda message: None),
        pytest.raises(LockNotAvailable, match='application "migrate_domain inventory"'),
    ):
        ThreadedRun(INVENTORY).wait_for_lock()
