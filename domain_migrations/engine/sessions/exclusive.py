"""A connection of the run's own, with the domain's lock on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...domains import Domain
from ..runner.reporter import Reporter
from .advisory_locks import RunLock, acquire_run_lock
from .connection import check_backend_and_encoding, translate_database_errors
from .session import dedicated_connection


@contextmanager
def locked_session(
    alias: str,
    domain: Domain,
    *,
    wait: float,
    reporter: Reporter,
    command: str = "migrate_domain",
) -> Iterator[RunLock]:
    """Keep every other run off the domain while the body works.

    Arguments:
        alias: of the database.
        wait: seconds to wait for another run.
        reporter: told who is waited for.
        command: what others see at work in ``pg_stat_activity``.

    Raises:
        LockBusy: another run had the lock for longer than ``wait``.
        DomainMigrationsError: what ``database_errors`` and ``check_server`` raise.
    """
    name = f"{command} {domain.name}"
    with (
        translate_database_errors(alias),
        dedicated_connection(alias, application_name=name) as connection,
    ):
        check_backend_and_encoding(connection)
        with acquire_run_lock(connection, domain, wait=wait, report=reporter.on_wait) as lock:
            yield lock
