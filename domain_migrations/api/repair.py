"""Putting a history right by hand, under the domain's lock and on the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils.timezone import now

from ..domains import Domain, get_domain
from ..engine.history.journal import Direction, Journal, RunContext, Status
from ..engine.history.journal_queries import read_entries
from ..engine.history.recorder import DomainRecorder
from ..engine.history.status import read_statuses
from ..engine.history.tables import ensure_history
from ..engine.runner.domain_run import DomainRun
from ..engine.runner.interruptions import find_interruption
from ..engine.runner.options import MigrateOptions
from ..engine.runner.reporter import Reporter
from ..engine.runner.results import DomainResult
from ..engine.runner.targets import resolve_applied, resolve_target
from ..engine.sessions.session import locked_session
from ..engine.sources.checksum import checksum
from ..engine.sources.files import MigrationKey, migration_file
from ..exceptions import UnknownTarget


@dataclass(frozen=True)
class Repair:
    """What a repair did: one sentence for each migration."""

    domain: str
    done: tuple[str, ...]


def resume(name: str, options: MigrateOptions, reporter: Reporter) -> DomainResult:
    """Go on with the migration that was interrupted, from its first unfinished operation."""
    return DomainRun(get_domain(name), replace(options, resume=True), RunContext(), reporter).run()


def mark_applied(name: str, target: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Record a migration as applied without running it.

    Raises:
        UnknownTarget, AmbiguousTarget: no single migration on disk has that name.
    """
    domain = get_domain(name)
    key = resolve_target(domain, target)

    def work(session: RepairContext) -> list[str]:
        if key not in session.applied:
            session.recorder.record_applied(*key)
        elif not session.interrupted(key):
            return []
        session.write(key, "faked", "forwards", _checksum(key))
        return [f"{key} is recorded as applied."]

    return _repair(domain, options, reporter, work)


def mark_unapplied(name: str, target: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Take a migration out of the history without undoing it.

    Raises:
        UnknownTarget, AmbiguousTarget: no single migration in the history has that name.
    """
    domain = get_domain(name)

    def work(session: RepairContext) -> list[str]:
        begun = session.interruption
        known = [*session.applied, *([begun.key] if begun else [])]
        key = resolve_applied(domain, known, target)
        if key in session.applied:
            session.recorder.record_unapplied(*key)
        session.write(key, "faked", "backwards", "")
        return [f"{key} is recorded as not applied."]

    return _repair(domain, options, reporter, work)


def accept_checksum(name: str, target: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Record that an applied migration's edit was reviewed.

    Raises:
        UnknownTarget, AmbiguousTarget: no single migration on disk has that name.
    """
    domain = get_domain(name)
    key = resolve_target(domain, target)

    def work(session: RepairContext) -> list[str]:
        if key not in session.applied:
            raise UnknownTarget(
                f"{key} is not applied, so it has no checksum to accept.",
                hint=f"See what is applied with: manage.py show_domains {domain.name} -v 2",
            )
        session.write(key, "adopted", "forwards", _checksum(key))
        return [f"The checksum of {key} is accepted as it is on disk."]

    return _repair(domain, options, reporter, work)


def prune(name: str, options: MigrateOptions, reporter: Reporter) -> Repair:
    """Take the migrations out of the history that are not on disk any more."""
    domain = get_domain(name)

    def work(session: RepairContext) -> list[str]:
        for key in session.unknown:
            session.recorder.record_unapplied(*key)
            session.write(key, "faked", "backwards", "")
        return [f"{key} is taken out of the history." for key in session.unknown]

    return _repair(domain, options, reporter, work)


class RepairContext:
    """What a repair works with: the history as it is, the recorder and the journal."""

    def __init__(self, recorder: DomainRecorder, journal: Journal, domain: Domain) -> None:
        (status,) = read_statuses(recorder.connection, [domain])
        self.recorder = recorder
        self.journal = journal
        self.applied = [row.key for row in status.rows]
        self.unknown = status.unknown
        self.interruption = find_interruption(read_entries(recorder.connection, domain))

    def interrupted(self, key: MigrationKey) -> bool:
        return self.interruption is not None and self.interruption.key == key

    def write(self, key: MigrationKey, status: Status, direction: Direction, digest: str) -> None:
        self.journal.write(
            status, direction, app=key.app, name=key.name, started=now(), checksum=digest
        )


def _repair(
    domain: Domain,
    options: MigrateOptions,
    reporter: Reporter,
    work: Callable[[RepairContext], list[str]],
) -> Repair:
    alias = options.database or domain.database
    with (
        locked_session(
            alias, domain, wait=options.lock_wait_seconds, report=reporter.on_wait
        ) as lock,
        transaction.atomic(using=alias),
    ):
        ensure_history(lock.connection, domain)
        journal = Journal(lock.connection, domain, RunContext())
        journal.open()
        session = RepairContext(DomainRecorder(lock.connection), journal, domain)
        return Repair(domain.name, tuple(work(session)))


def _checksum(key: MigrationKey) -> str:
    path = migration_file(key)
    return checksum(path.read_bytes()) if path else ""
