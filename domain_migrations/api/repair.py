"""Repairs of a domain's history by hand, with the domain's lock and rows in the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils.timezone import now

from ..domains import get_domain
from ..engine.history.journal import Direction, RunContext, Status
from ..engine.history.journal_queries import read_entries
from ..engine.history.recorder import DomainRecorder
from ..engine.history.status import read_statuses
from ..engine.history.tables import ensure_history
from ..engine.runner.domain_run import DomainRun
from ..engine.runner.failures import find_interruption
from ..engine.runner.options import MigrateOptions
from ..engine.runner.results import DomainResult, Reporter
from ..engine.runner.run_session import RunSession, open_session
from ..engine.runner.targets import resolve_applied, resolve_target
from ..engine.sources.checksum import checksum
from ..engine.sources.files import MigrationKey, migration_file
from ..exceptions import UnknownTarget


@dataclass(frozen=True)
class Repair:
    """The result of a repair: a sentence for each migration."""

    domain: str
    done: tuple[str, ...]


def resume(name: str, options: MigrateOptions, reporter: Reporter) -> DomainResult:
    """Resume the migration that was interrupted, at its first unfinished operation."""
    return DomainRun(get_domain(name), replace(options, resume=True), RunContext(), reporter).run()


def mark_applied(name: str, target: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Record a migration as applied without running it.

    Raises:
        UnknownTarget, AmbiguousTarget: not exactly one migration on disk has that name.
    """
    key = resolve_target(get_domain(name), target)

    def work(context: RepairContext) -> list[str]:
        if key not in context.applied:
            context.recorder.record_applied(*key)
        elif context.interruption is None or context.interruption.key != key:
            return []
        context.write(key, "faked", "forwards", _checksum(key))
        return [f"{key} is recorded as applied."]

    return _repair(name, options, reporter, work)


def mark_unapplied(name: str, target: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Remove a migration from the history without reverting it.

    Raises:
        UnknownTarget, AmbiguousTarget: not exactly one migration in the history has that name.
    """

    def work(context: RepairContext) -> list[str]:
        interrupted = [context.interruption.key] if context.interruption else []
        key = resolve_applied(get_domain(name), [*context.applied, *interrupted], target)
        if key in context.applied:
            context.recorder.record_unapplied(*key)
        context.write(key, "faked", "backwards", "")
        return [f"{key} is recorded as not applied."]

    return _repair(name, options, reporter, work)


def accept_checksum(name: str, target: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Record that the edit of an applied migration was reviewed.

    Raises:
        UnknownTarget, AmbiguousTarget: not exactly one migration on disk has that name.
    """
    key = resolve_target(get_domain(name), target)

    def work(context: RepairContext) -> list[str]:
        if key not in context.applied:
            raise UnknownTarget(
                f"{key} is not applied, so it has no checksum to accept.",
                hint=f"See what is applied with: manage.py show_domains {name} -v 2",
            )
        context.write(key, "adopted", "forwards", _checksum(key))
        return [f"The checksum of {key} is accepted as it is on disk."]

    return _repair(name, options, reporter, work)


def prune(name: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Remove the migrations from the history that are no longer on disk."""

    def work(context: RepairContext) -> list[str]:
        for key in context.unknown:
            context.recorder.record_unapplied(*key)
            context.write(key, "faked", "backwards", "")
        return [f"{key} is removed from the history." for key in context.unknown]

    return _repair(name, options, reporter, work)


class RepairContext:
    """The history and the journal of a domain, as a repair reads and changes them.

    Arguments:
        session: the session that holds the lock; its journal is open.
    """

    def __init__(self, session: RunSession) -> None:
        connection, domain = session.connection, session.domain
        (status,) = read_statuses(connection, [domain])
        self.recorder = DomainRecorder(connection)
        self.journal = session.journal
        self.applied = [row.key for row in status.rows]
        self.unknown = status.unknown
        self.interruption = find_interruption(read_entries(connection, domain))

    def write(self, key: MigrationKey, status: Status, direction: Direction, digest: str) -> None:
        """Append a row for the migration to the journal."""
        self.journal.write(
            status, direction, app=key.app, name=key.name, started=now(), checksum=digest
        )


def _repair(
    name: str,
    options: MigrateOptions,
    reporter: Reporter,
    work: Callable[[RepairContext], list[str]],
) -> Repair:
    domain = get_domain(name)
    alias = options.database or domain.database
    with (
        open_session(alias, domain, options, reporter) as session,
        transaction.atomic(using=alias),
    ):
        ensure_history(session.connection, domain)
        session.journal.open()
        return Repair(name, tuple(work(RepairContext(session))))


def _checksum(key: MigrationKey) -> str:
    path = migration_file(key)
    return checksum(path.read_bytes()) if path else ""
