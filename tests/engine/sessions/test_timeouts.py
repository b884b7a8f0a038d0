"""Lock timeouts, and the retries after them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.db.migrations import Migration

from domain_migrations.engine.sessions.blockers import BlockerWatcher, blockers
from domain_migrations.engine.sessions.connection import session_settings, settings_sql
from domain_migrations.engine.sessions.database_errors import sqlstate_of
from domain_migrations.engine.sessions.timeouts import (
    RetryPolicy,
    TimeoutPolicy,
    timeout_settings,
)
from domain_migrations.exceptions import MigrationFailed
from tests.support.sessions import execute, in_thread, indexes, other_session, until

pytestmark = pytest.mark.usefixtures("scratch_database")


class Sleeper:
    """A clock that remembers how long it was asked to sleep, and wakes at once."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.slept: list[float] = []
        self._then = then

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, /) -> None:
        self.slept.append(seconds)
        self._then()


class NonAtomic(Migration):
    atomic = False


def setting(name: str) -> str:
    return str(execute("SELECT current_setting(%s)", [name])[0][0])


def limit_locks(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(settings_sql(timeout_settings(seconds), local=True))


def policy_of(messages: list[str], clock: Any = time, **options: float) -> TimeoutPolicy:
    return TimeoutPolicy(
        connections["default"],
        report=messages.append,
        clock=clock,
        chance=lambda: 0.5,
        **options,
    )


@pytest.mark.usefixtures("module_database")
def test_sqlstate_of__wrapped_by_django() -> None:
    with pytest.raises(DatabaseError) as failed:
        execute("SELECT 1/0")
    assert sqlstate_of(failed.value) == "22012"


@pytest.mark.usefixtures("module_database")
def test_sqlstate_of__wrapped_by_a_migration() -> None:
    def migrate() -> None:
        try:
            execute("SELECT 1/0")
        except DatabaseError as exc:
            raise ValueError("no") from exc

    with pytest.raises(ValueError) as failed:
        migrate()
    assert sqlstate_of(failed.value) == "22012"


@pytest.mark.usefixtures("module_database")
def test_sqlstate_of__hidden_by_a_migration() -> None:
    def migrate() -> None:
        try:
            execute("SELECT 1/0")
        except DatabaseError:
            raise ValueError("no") from None

    with pytest.raises(ValueError) as failed:
        migrate()
    assert sqlstate_of(failed.value) is None


def test_sqlstate_of__ours() -> None:
    assert sqlstate_of(MigrationFailed("no", sqlstate="40P01")) == "40P01"
    assert sqlstate_of(MigrationFailed("no")) is None
    assert sqlstate_of(None) is None


@pytest.mark.parametrize(
    "error", [psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected]
)
def test_retry_policy__a_bounded_number(error: type[Exception]) -> None:
    policy = RetryPolicy(retries=2)
    assert [policy.allows(attempt, error()) for attempt in (1, 2, 3)] == [True, True, False]
    assert not policy.allows(1, psycopg.errors.UniqueViolation())
    assert policy.allows(1, psycopg.errors.SerializationFailure())


def test_retry_policy__pauses_grow_and_vary() -> None:
    policy = RetryPolicy(first=0.5, longest=5)
    assert [policy.pause(attempt, lambda: 0.0) for attempt in range(1, 7)] == [
        0.25,
        0.5,
        1.0,
        2.0,
        2.5,
        2.5,
    ]
    assert [policy.pause(attempt, lambda: 1.0) for attempt in range(1, 7)] == [0.5, 1, 2, 4, 5, 5]


@pytest.mark.usefixtures("module_database")
def test_timeout_settings__of_the_transaction() -> None:
    before = setting("lock_timeout"), setting("statement_timeout")
    with transaction.atomic():
        limit_locks(1.5)
        assert (setting("lock_timeout"), setting("statement_timeout")) == ("1500ms", before[1])
    assert (setting("lock_timeout"), setting("statement_timeout")) == before


@pytest.mark.usefixtures("module_database")
def test_timeout_settings__of_the_session() -> None:
    execute("SET statement_timeout = '7s'")

    def migrate() -> None:
        with session_settings(connections["default"], timeout_settings(0.0001, 0)):
            assert (setting("lock_timeout"), setting("statement_timeout")) == ("1ms", "0")
            execute("SELECT 1/0")

    with pytest.raises(DatabaseError, match="division by zero"):
        migrate()
    assert (setting("lock_timeout"), setting("statement_timeout")) == ("0", "7s")
    execute("RESET statement_timeout")


@pytest.mark.usefixtures("module_database")
def test_timeout_settings__of_a_session_that_is_lost() -> None:
    with session_settings(connections["default"], timeout_settings(1)):
        connection.close()
    assert setting("lock_timeout") == "0"


@pytest.mark.usefixtures("drugs")
def test_blockers(postgres_server: Any, scratch_database: str) -> None:
    lock = "LOCK TABLE inventory.drugs IN ROW EXCLUSIVE MODE"
    with (
        other_session(postgres_server, scratch_database, lock) as (other, pid),
        postgres_server.connect(scratch_database) as waiting,
    ):
        thread = in_thread(lambda: waiting.execute("ALTER TABLE inventory.drugs ADD note text"))
        with connection.cursor() as cursor:
            until(lambda: blockers(cursor, waiting.info.backend_pid))
            (blocker,) = blockers(cursor, waiting.info.backend_pid)
        other.rollback()
        thread.join()
        assert (blocker.pid, blocker.application) == (pid, "clinic")
        assert blocker.query == lock
        assert blocker.state == "idle in transaction"


@pytest.mark.usefixtures("drugs")
def test_watcher__knows_who_blocked_when_lock_timeout_fired(
    postgres_server: Any, scratch_database: str
) -> None:
    lock = "LOCK TABLE inventory.drugs IN ROW EXCLUSIVE MODE"
    with (
        other_session(postgres_server, scratch_database, lock) as (_, pid),
        BlockerWatcher(connections["default"], interval=0.05) as watcher,
        transaction.atomic(),
    ):
        limit_locks(0.5)
        with pytest.raises(OperationalError):
            execute("ALTER TABLE inventory.drugs ADD note text")
    assert [seen.pid for seen in watcher.last_blockers] == [pid]


@pytest.mark.usefixtures("module_database")
def test_watcher__reports_why_it_has_no_connection() -> None:
    wrapper = connections["default"]
    with BlockerWatcher(wrapper, interval=0.05) as watcher:
        pass
    assert watcher.error == ""
    wrapper.settings_dict["NAME"], before = "no_such_database", wrapper.settings_dict["NAME"]
    try:
        with BlockerWatcher(wrapper, interval=0.01) as watcher:
            until(lambda: watcher.error)
    finally:
        wrapper.settings_dict["NAME"] = before
    assert 'database "no_such_database" does not exist' in watcher.error


@pytest.mark.usefixtures("drugs")
def test_timeout_policy__tries_again_and_says_who_blocked(
    postgres_server: Any, scratch_database: str
) -> None:
    messages: list[str] = []
    migration = Migration("0002_note", "inventory")
    lock = "LOCK TABLE inventory.drugs IN ROW EXCLUSIVE MODE"
    # For all later sessions; times are still reported in UTC.
    execute(f"ALTER DATABASE {scratch_database} SET timezone = 'Pacific/Kiritimati'")
    with other_session(postgres_server, scratch_database, lock) as (other, pid):
        ((began,),) = execute(
            "SELECT to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
            " FROM pg_stat_activity WHERE pid = %s",
            [pid],
        )
        clock = Sleeper(then=other.rollback)
        policy = policy_of(messages, clock, lock_timeout=0.4)

        def attempt() -> None:
            with transaction.atomic(), policy.timeouts():
                execute("ALTER TABLE inventory.drugs ADD note text")

        with pytest.raises(OperationalError) as failed:
            attempt()
        assert policy.pause_before_retry(failed.value, 1, migration)
        attempt()
        assert clock.slept == [0.375]
        assert len(messages) == 1
        assert messages[0].startswith(
            "inventory.0002_note was rolled back: lock timeout, blocked by "
            f'pid {pid} (user "postgres", host local, application "clinic"), '
            f"connected since {began}, idle in transaction since 20"
        )
        assert messages[0].endswith(f"last ran: {lock}. Retrying in 0.4 s (1 of 5).")
    assert not policy.pause_before_retry(failed.value, 6, migration)


def test_timeout_policy__does_not_repeat_a_migration_without_a_transaction() -> None:
    messages: list[str] = []
    policy = policy_of(messages)
    migration = NonAtomic("0002_note", "inventory")
    assert not policy.pause_before_retry(psycopg.errors.LockNotAvailable(), 1, migration)
    assert messages == []


@pytest.mark.usefixtures("drugs")
def test_timeout_policy__repeats_a_statement_without_a_transaction(
    postgres_server: Any, scratch_database: str
) -> None:
    messages: list[str] = []
    lock = "LOCK TABLE inventory.drugs IN ROW EXCLUSIVE MODE"
    with other_session(postgres_server, scratch_database, lock) as (other, pid):
        policy = policy_of(messages, Sleeper(then=other.rollback), lock_timeout=0.4)
        with policy.session_timeouts(NonAtomic("0002_note", "inventory")):
            execute("ALTER TABLE inventory.drugs ADD note text")
            assert setting("lock_timeout") == "400ms"
    assert setting("lock_timeout") == "0"
    assert len(messages) == 1
    assert messages[0].startswith("A statement of inventory.0002_note was rolled back: ")
    assert f"blocked by pid {pid} (" in messages[0]


@pytest.mark.usefixtures("drugs")
def test_timeout_policy__repeats_no_statement_of_a_transaction(
    postgres_server: Any, scratch_database: str
) -> None:
    lock = "LOCK TABLE inventory.drugs IN ROW EXCLUSIVE MODE"
    messages: list[str] = []
    with other_session(postgres_server, scratch_database, lock):
        policy = policy_of(messages, lock_timeout=0.1)
        with (
            policy.session_timeouts(NonAtomic("0002_note", "inventory")),
            pytest.raises(OperationalError),
            transaction.atomic(),
        ):
            execute("ALTER TABLE inventory.drugs ADD note text")
    assert messages == []


@pytest.mark.usefixtures("drugs")
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX CONCURRENTLY drugs_name ON inventory.drugs (name)",
        '/* slow */ create unique index concurrently "drugs_name" on "inventory"."drugs" (id)',
    ],
)
def test_concurrent_index__waits_longer_than_lock_timeout(
    postgres_server: Any, scratch_database: str, statement: str
) -> None:
    messages: list[str] = []
    write = "UPDATE inventory.drugs SET name = name"
    with other_session(postgres_server, scratch_database, write) as (other, _):

        def end() -> None:
            time.sleep(0.8)
            other.rollback()

        thread = in_thread(end)
        policy = policy_of(messages, lock_timeout=0.1)
        with policy.session_timeouts(NonAtomic("0002_index", "inventory")):
            execute(statement)
        thread.join()
    assert indexes() == [("drugs_name", True)]
    assert messages == []
