"""Repairs of a domain's history by hand, with the domain's lock and rows in the journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.db import connections, transaction
from django.utils.timezone import now

from ..domains import get_domain
from ..engine.history.journal import Direction, Status
from ..engine.history.recorder import DomainRecorder
from ..engine.history.run_context import RunContext
from ..engine.history.status import read_statuses
from ..engine.history.status_reader import StatusReader
from ..engine.history.tables import ensure_history
from ..engine.runner.domain_run import DomainRun
from ..engine.runner.interruptions import find_interruption, find_to_resume
from ..engine.runner.options import MigrateOptions
from ..engine.runner.results import DomainResult, Reporter
from ..engine.runner.run_session import RunSession
from ..engine.runner.targets import resolve_applied, resolve_target
from ..engine.sessions.database_problems import translate_database_errors
from ..engine.sources.checksum import checksum_on_disk
from ..engine.sources.files import MigrationKey
from ..exceptions import UnknownTarget


@dataclass(frozen=True)
class Repair:
    """The result of a repair: a sentence for each migration."""

    domain: str
    done: tuple[str, ...]


def interrupted_migration(name: str, options: MigrateOptions) -> MigrationKey:
    """Return the migration that :func:`resume` would resume.

    Raises:
        UnknownTarget: none of the domain was interrupted.
    """
    domain = get_domain(name)
    alias = options.database or domain.database
    with translate_database_errors(alias):
        return find_to_resume(connections[alias], domain).key


def resume(name: str, options: MigrateOptions, reporter: Reporter) -> DomainResult:
    """Resume the migration that was interrupted, at its first unfinished operation."""
    domain, reader = get_domain(name), StatusReader([name], options.database)
    options = replace(options, resume=True)
    return DomainRun(domain, options, RunContext(), reporter, reader).run()


def mark_applied(name: str, target: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Record a migration as applied without running it.

    Raises:
        UnknownTarget, AmbiguousTarget: not exactly one migration on disk, or replaced by one, has
            that name.
    """
    key = resolve_target(get_domain(name), target, replaced=True)
    with _locked_history(name, options, reporter) as history:
        if key not in history.applied:
            history.recorder.record_applied(*key)
        elif key not in history.interrupted:
            return Repair(name, ())
        history.log(key, "faked", "forwards")
    return Repair(name, (f"{key} is recorded as applied.",))


def mark_unapplied(name: str, target: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Remove a migration from the history without reverting it.

    Raises:
        UnknownTarget, AmbiguousTarget: not exactly one migration in the history has that name.
    """
    with _locked_history(name, options, reporter) as history:
        key = resolve_applied(get_domain(name), history.applied + history.interrupted, target)
        history.remove(key)
    return Repair(name, (f"{key} is recorded as not applied.",))


def accept_checksum(name: str, target: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Record that the edit of an applied migration was reviewed.

    Raises:
        UnknownTarget, AmbiguousTarget: not exactly one migration on disk has that name.
    """
    key = resolve_target(get_domain(name), target)
    with _locked_history(name, options, reporter) as history:
        if key not in history.applied:
            raise UnknownTarget(
                f"{key} is not applied, so it has no checksum to accept.",
                hint=f"See what is applied with: manage.py show_domains {name} -v 2",
            )
        history.log(key, "adopted", "forwards")
    return Repair(name, (f"The checksum of {key} is accepted as it is on disk.",))


def prune(name: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Remove the migrations from the history that are no longer on disk."""
    with _locked_history(name, options, reporter) as history:
        for key in history.unknown:
            history.remove(key)
    return Repair(name, tuple(f"{key} is removed from the history." for key in history.unknown))


class LockedHistory:
    """The history and the journal of a domain, as a repair reads and changes them.

    Arguments:
        session: the session that holds the lock; its journal is open.
    """

    def __init__(self, session: RunSession) -> None:
        connection, domain = session.connection, session.domain
        (status,) = read_statuses(connection, [domain])
        found = find_interruption(connection, domain)
        self.recorder = DomainRecorder(connection)
        self.journal = session.journal
        self.applied = [row.key for row in status.rows]
        self.unknown = status.unknown
        self.interrupted = [found.key] if found else []

    def remove(self, key: MigrationKey) -> None:
        """Delete the migration's row, if it has one, and record that it is not applied."""
        self.recorder.record_unapplied(*key)
        self.log(key, "faked", "backwards")

    def log(self, key: MigrationKey, status: Status, direction: Direction) -> None:
        """Append a row for the migration to the journal; forwards with the file's checksum."""
        digest = checksum_on_disk(key) if direction == "forwards" else ""
        self.journal.write(
            status, direction, app=key.app, name=key.name, started=now(), checksum=digest
        )


@contextmanager
def _locked_history(
    name: str, options: MigrateOptions, reporter: Reporter
) -> Iterator[LockedHistory]:
    """Acquire the domain's lock, and yield its history in a transaction."""
    domain = get_domain(name)
    with (
        RunSession.locked(domain, options, reporter) as session,
        transaction.atomic(using=session.connection.alias),
    ):
        ensure_history(session.connection, domain)
        session.journal.open()
        yield LockedHistory(session)
