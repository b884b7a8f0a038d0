"""Connections that are lost while a domain is migrated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.apps import apps
from django.db import OperationalError
from django.db.models.signals import post_migrate, pre_migrate
from django.dispatch import Signal

from tests.support.catalog import execute, history, query
from tests.support.commands import Result
from tests.support.proxy import Action, Proxy, at_commit, through_proxy
from tests.support.servers import TestServer
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]
SLOW = pytest.mark.slow_stress

MIGRATION = """
from django.db import connection

def end_the_session(apps, editor):
    other = connection.copy()
    pid = connection.connection.info.backend_pid
    other.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()

class Migration(migrations.Migration):
    atomic = {atomic}
    operations = [{operations}]
"""
MADE = "migrations.RunSQL('CREATE TABLE hr.made (id int)', 'DROP TABLE hr.made')"


def release(*operations: str, atomic: bool = True) -> dict[str, str]:
    return {"0001_it": MIGRATION.format(operations=", ".join(operations), atomic=atomic)}


@pytest.fixture
def proxy(hr_migrations: TemporaryMigrations, postgres_server: TestServer) -> Iterator[Proxy]:
    with through_proxy(postgres_server) as made:
        yield made


def migrate_hr(call: Call, *arguments: str) -> tuple[dict[str, Any], int]:
    result = call("migrate_domain", "hr", *arguments, "--format", "json")
    return json.loads(result.stdout)["domains"][0], result.exit_status


def journal() -> list[tuple[str, str]]:
    return [
        (name, status)
        for name, status in query(
            "SELECT name, status FROM hr.django_migrations_hr_journal ORDER BY id"
        )
    ]


HISTORY_INSERT = b'INTO "hr"."django_migrations_hr" '
HISTORY_DELETE = b'DELETE FROM "hr"."django_migrations_hr" '


@pytest.mark.parametrize("atomic", [True, False])
def test_lost_answer_to_a_commit_is_looked_up(
    hr_migrations: TemporaryMigrations, proxy: Proxy, call: Call, atomic: bool
) -> None:
    with hr_migrations.release(release(MADE, atomic=atomic)):
        proxy.decide = at_commit(HISTORY_INSERT, "cut the answer")
        hr, status = migrate_hr(call)
        assert (status, hr["status"], hr["error"]["code"]) == (75, "failed", "connection")
        assert "It was committed: the migration is applied and recorded." in hr["error"]["hint"]
        assert [one["name"] for one in hr["applied"]] == ["0001_it"]
        assert hr["pending"] == []
        assert history("hr.django_migrations_hr") == [("hr", "0001_it")]
        # Nothing is written without the lock, so the run has no end.
        done = [("0001_it", "done")] if atomic else [("0001_it", s) for s in ("running", "done")]
        assert [row for row in journal() if row[0]][: len(done)] == done or not atomic
        assert journal()[-1] == ("0001_it", "done")
        hr, status = migrate_hr(call)
        assert (status, hr["applied"]) == (0, [])
        assert journal()[-1] == ("", "done")


def test_lost_answer_to_the_commit_of_a_revert(
    hr_migrations: TemporaryMigrations, proxy: Proxy, call: Call
) -> None:
    with hr_migrations.release(release(MADE)):
        assert migrate_hr(call)[1] == 0
        proxy.decide = at_commit(HISTORY_DELETE, "cut the answer")
        hr, status = migrate_hr(call, "zero")
    assert (status, hr["error"]["code"]) == (75, "connection")
    assert "the migration is reverted and recorded." in hr["error"]["hint"]
    assert [one["name"] for one in hr["reverted"]] == ["0001_it"]
    assert history("hr.django_migrations_hr") == []


def test_commit_that_did_not_arrive(
    hr_migrations: TemporaryMigrations, proxy: Proxy, call: Call
) -> None:
    with hr_migrations.release(release(MADE)):
        proxy.decide = at_commit(HISTORY_INSERT, "cut")
        hr, status = migrate_hr(call)
        assert (status, hr["error"]["code"], hr["applied"]) == (75, "connection", [])
        assert hr["error"]["hint"].startswith("It was rolled back.")
        assert history("hr.django_migrations_hr") == []
        assert migrate_hr(call)[1] == 0


def test_outcome_is_unknown_if_the_server_cannot_be_asked(
    hr_migrations: TemporaryMigrations,
    proxy: Proxy,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("domain_migrations.engine.sessions.outcomes.LOOK_UP_SECONDS", 0.5)
    at = at_commit(HISTORY_INSERT, "cut the answer")

    def decide(message: bytes) -> Action:
        action = at(message)
        proxy.refuses = proxy.refuses or action != "pass"
        return action

    with hr_migrations.release(release(MADE)):
        proxy.decide = decide
        hr, status = migrate_hr(call)
    assert (status, hr["error"]["code"]) == (75, "connection")
    assert hr["error"]["hint"].startswith("It is not known whether anything of it was kept.")
    assert "show_domains hr" in hr["error"]["hint"]


ENDED = "migrations.RunPython(end_the_session)"
DEAD = (
    'migrations.RunSQL("SET idle_in_transaction_session_timeout = 50"),'
    " migrations.RunPython(lambda apps, editor: __import__('time').sleep(0.3))"
)


@pytest.mark.parametrize(
    "operations",
    [
        (ENDED, MADE),
        (MADE, DEAD),
        *(pytest.param(rest, marks=SLOW) for rest in ((MADE, ENDED), (DEAD, MADE))),
    ],
)
def test_session_that_the_server_ended_is_a_lost_connection(
    hr_migrations: TemporaryMigrations, call: Call, operations: tuple[str, ...]
) -> None:
    with hr_migrations.release(release(*operations)):
        hr, status = migrate_hr(call)
    assert (status, hr["status"], hr["error"]["code"]) == (75, "failed", "connection")
    assert history("hr.django_migrations_hr") == []


@pytest.mark.parametrize("operations", [pytest.param((ENDED, MADE), marks=SLOW), (MADE, ENDED)])
def test_session_that_the_server_ended__without_a_transaction(
    hr_migrations: TemporaryMigrations, call: Call, operations: tuple[str, ...]
) -> None:
    with hr_migrations.release(release(*operations, atomic=False)):
        hr, status = migrate_hr(call)
    assert (status, hr["status"], hr["error"]["code"]) == (75, "failed", "connection")
    assert {status for name, status in journal() if name} == {"running"}


def end_the_session(**kwargs: Any) -> None:
    with suppress(OperationalError):
        execute("SELECT pg_terminate_backend(pg_backend_pid())")


def end_the_session_and_raise(**kwargs: Any) -> None:
    execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("receiver", [end_the_session, end_the_session_and_raise])
@pytest.mark.parametrize("signal", [pre_migrate, post_migrate])
def test_session_that_the_server_ended__in_a_receiver(
    hr_migrations: TemporaryMigrations, call: Call, signal: Signal, receiver: Callable[..., None]
) -> None:
    with hr_migrations.release(release(MADE)):
        signal.connect(receiver, sender=apps.get_app_config("hr"))
        try:
            hr, status = migrate_hr(call)
        finally:
            signal.disconnect(receiver, sender=apps.get_app_config("hr"))
        assert (status, hr["error"]["code"]) == (75, "connection"), hr["error"]
        assert len(hr["applied"]) == (signal is post_migrate)
        assert journal()[-1][1] != "failed"
        assert migrate_hr(call)[1] == 0
        assert journal()[-1] == ("", "done")


def test_idle_session_timeout(hr_migrations: TemporaryMigrations, call: Call) -> None:
    text = "SET idle_session_timeout = 50"
    sleep = "migrations.RunPython(lambda apps, editor: __import__('time').sleep(0.3))"
    with hr_migrations.release(release(f"migrations.RunSQL({text!r})", sleep, atomic=False)):
        hr, status = migrate_hr(call)
    assert (status, hr["error"]["code"]) == (75, "connection")


@pytest.mark.parametrize(
    "message",
    [pytest.param(number, marks=() if number % 9 == 1 else SLOW) for number in range(1, 40, 3)],
)
def test_cut_at_any_message_is_a_lost_connection(
    hr_migrations: TemporaryMigrations, proxy: Proxy, call: Call, message: int
) -> None:
    seen = 0

    def decide(data: bytes) -> Action:
        nonlocal seen
        seen += b"application_name" in data or seen > 0
        return "cut" if seen == message + 1 else "pass"

    with hr_migrations.release(release(MADE)):
        proxy.decide = decide
        hr, status = migrate_hr(call)
        if seen <= message:
            assert status == 0
            return
        assert (status, hr["error"]["code"]) == (75, "connection"), hr["error"]
        proxy.decide = lambda data: "pass"
        assert migrate_hr(call)[1] == 0
    assert history("hr.django_migrations_hr") == [("hr", "0001_it")]
    assert query("SELECT to_regclass('hr.made') IS NOT NULL") == [(True,)]
