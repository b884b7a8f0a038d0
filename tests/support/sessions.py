"""Concurrent runs on the same database: threads, and processes that can be killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections

from domain_migrations.domains import CORE, CORE_SCHEMA, Domain
from domain_migrations.engine.sessions.session import acquire_run_lock
from tests.support.commands import ROOT, process_environment

SECONDS = 30.0

INVENTORY = Domain("inventory", "inventory", ("inventory",))
HR = Domain("hr", "hr", ("hr",))
MAIN = Domain(CORE, CORE_SCHEMA, ("core",))

HOLDER = """
import sys
import django
django.setup()
from django.db import connections
from domain_migrations.domains import Domain
from domain_migrations.engine.sessions.session import acquire_run_lock, dedicated_connection
name, schema = sys.argv[1:]
with dedicated_connection(application_name=f"migrate_domain {name}") as connection:
    domain = Domain(name, schema, ())
    with acquire_run_lock(connection, domain, wait=20, report=str):
        connection.cursor().execute("SELECT 'what it runs'")
        print(connection.connection.info.backend_pid, flush=True)
        sys.stdin.readline()
"""


DRUGS = """
CREATE SCHEMA inventory;
CREATE TABLE inventory.drugs (id int PRIMARY KEY, name text);
INSERT INTO inventory.drugs VALUES (1, 'aspirin'), (2, 'aspirin');
CREATE TABLE public.drugs (id int PRIMARY KEY, name text);
INSERT INTO public.drugs VALUES (1, 'aspirin'), (2, 'aspirin');
"""
"""Twice the same table: that of the domain, and a decoy."""

ADVISORY_LOCKS = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def advisory_locks() -> int:
    """How many there are in the current database, of all sessions."""
    with connections["default"].cursor() as cursor:
        cursor.execute(ADVISORY_LOCKS)
        return int(cursor.fetchone()[0])


class ThreadedRun:
    """A run of a domain in a thread, with a connection of its own.

    It has the lock from ``wait_for_lock`` on and works until ``end``.
    """

    def __init__(self, domain: Domain, *, wait: float = 0.0) -> None:
        self.error: BaseException | None = None
        self.messages: list[str] = []
        self.pid = 0
        self._domain, self._wait = domain, wait
        self._held, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        connection = connections["default"]
        try:
            with acquire_run_lock(
                connection, self._domain, wait=self._wait, report=self.messages.append
            ) as held:
                self.pid = held.pid
                self._held.set()
                assert self._ended.wait(SECONDS)
        except BaseException as error:
            self.error = error
        finally:
            self._held.set()
            connection.close()

    @property
    def holds(self) -> bool:
        return self._held.is_set() and not self._ended.is_set() and self.error is None

    def wait_for_lock(self) -> ThreadedRun:
        assert self._held.wait(SECONDS)
        if self.error:
            raise self.error
        return self

    def end(self) -> None:
        self._ended.set()
        self._thread.join(SECONDS)


@contextmanager
def running(*domains: Domain) -> Iterator[list[ThreadedRun]]:
    """Runs of other sessions that have their locks."""
    others = [ThreadedRun(domain) for domain in domains]
    try:
        yield [other.wait_for_lock() for other in others]
    finally:
        for other in others:
            other.end()


@contextmanager
def holder_process(
    domain: Domain, environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that has the domain's lock, and the pid of its server process."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, domain.name, domain.schema],
        cwd=ROOT,
        env=process_environment({"DJANGO_SETTINGS_MODULE": "config.settings", **environment}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait(SECONDS)
        process.stdin.close()
        process.stdout.close()


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    """Do it beside the test, on a connection of the thread's own."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def until(condition: Callable[[], object], *, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def execute(statement: str, params: Any = None) -> list[Any]:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def indexes(schema: str = "inventory") -> list[tuple[str, bool]]:
    """The indexes of the table drugs, and whether each is valid."""
    return execute(
        "SELECT c.relname, i.indisvalid FROM pg_index AS i"
        " JOIN pg_class AS c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = %s::regclass AND NOT i.indisprimary ORDER BY 1",
        [f"{schema}.drugs"],
    )


@contextmanager
def other_session(
    server: Any, database: str, statement: str
) -> Iterator[tuple[psycopg.Connection, int]]:
    """A session in a transaction that has run the statement, and its pid."""
    with server.connect(database, autocommit=False, application_name="clinic") as session:
        session.execute(statement)
        yield session, session.info.backend_pid
        session.rollback()
