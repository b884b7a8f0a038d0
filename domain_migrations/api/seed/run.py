"""The run of ``seed_domain``: a domain's seeds, one after the other, under the domain's lock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...conf import get_settings
from ...domains import Domain, get_domain, get_domains
from ...engine.boundary.installed_models import refuse_model_problems
from ...engine.history.journal import Journal, RunContext
from ...engine.history.seed_ledger import SeedRecord, ensure_ledger, read_ledger
from ...engine.history.status import read_statuses
from ...engine.messages import shortened
from ...engine.runner.domain_run import INFRASTRUCTURE_ERRORS
from ...engine.runner.results import FORMAT, ErrorInfo, Reporter
from ...engine.sessions.connection import translate_database_errors, wait_for_database
from ...engine.sessions.roles import RoleSwitcher
from ...engine.sessions.session import ServerSession, locked_session
from ...exceptions import (
    DependencyNotApplied,
    DomainMigrationsError,
    LockNotAvailable,
    SeedFailed,
    UnknownTarget,
)
from .document import SeedHeader, check_tags
from .merge import NO_ROWS, Counts
from .readers import header_of
from .seed_file_run import SeedFileRun
from .seed_files import SeedFile, seed_files, select_seeds

Seeds = list[tuple[SeedFile, SeedHeader]]
Ledger = dict[tuple[str, str], SeedRecord]


SeedStatus = Literal["seeded", "unchanged", "skipped", "pending", "failed"]
Status = Literal["seeded", "unchanged", "planned", "failed", "refused", "busy"]


@dataclass(frozen=True)
class SeedOutcome:
    """The outcome of one seed.

    Attributes:
        tags: the environments that it is limited to; none for all.
    """

    seed: SeedFile
    status: SeedStatus
    tags: tuple[str, ...] = ()
    counts: Counts = NO_ROWS
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "app": self.seed.app,
            "name": self.seed.name,
            "status": self.status,
            "tags": list(self.tags),
            **asdict(self.counts),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, kw_only=True)
class SeedResult:
    """The result of a domain's seeds."""

    run: str
    database: str
    domain: str
    schema: str | None = None
    seed_table: str | None = None
    tags: tuple[str, ...] = ()
    status: Status
    seeds: tuple[SeedOutcome, ...] = ()
    error: ErrorInfo | None = None
    seconds: float = 0.0

    @property
    def exit_status(self) -> int:
        return self.error.exit_status if self.error else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "run": self.run,
            "database": self.database,
            "domain": self.domain,
            "schema": self.schema,
            "seed_table": self.seed_table,
            "tags": list(self.tags),
            "status": self.status,
            "seeds": [seed.as_json() for seed in self.seeds],
            "error": self.error.as_json() if self.error else None,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, kw_only=True)
class SeedOptions:
    """The options of ``seed_domain``; names and meanings as on the command line.

    Attributes:
        tags: the active tags; those of the settings unless given.
    """

    database: str | None = None
    only: str | None = None
    force: bool = False
    plan: bool = False
    tags: Sequence[str] | None = None
    lock_wait: float | None = None
    wait_for_db: float = 0.0

    @property
    def lock_wait_seconds(self) -> float:
        """Return how long to wait for another run; the setting unless given."""
        return get_settings().lock_wait if self.lock_wait is None else self.lock_wait


class SeedReporter(Reporter):
    """Is called with each seed as it is done, and ignores it."""

    def seed(self, outcome: SeedOutcome) -> None:
        """A seed is done, skipped or planned."""


def seed_domain(
    name: str, options: SeedOptions | None = None, *, reporter: SeedReporter | None = None
) -> SeedResult:
    """Load a domain's seeds into its tables, in their order, each in a transaction of its own.

    Arguments:
        name: the domain's name.
        reporter: called with what happens while it happens.

    Errors that have a documented code are returned in the result.
    """
    options = options or SeedOptions()
    context = RunContext()
    try:
        domain = get_domain(name)
        tags = check_tags(get_settings().seed_tags if options.tags is None else options.tags)
    except DomainMigrationsError as exc:
        return SeedResult(
            run=str(context.run),
            database=options.database or DEFAULT_DB_ALIAS,
            domain=name,
            status="refused",
            error=ErrorInfo.of(exc),
        )
    return SeedRun(domain, options, tags, context, reporter or SeedReporter()).run()


class SeedRun:
    """The seeding of one domain of one database."""

    def __init__(
        self,
        domain: Domain,
        options: SeedOptions,
        tags: tuple[str, ...],
        context: RunContext,
        reporter: SeedReporter,
    ) -> None:
        self.domain = domain
        self.options = options
        self.tags = tags
        self.reporter = reporter
        self.context = context
        self.alias = options.database or domain.database
        self.outcomes: list[SeedOutcome] = []
        self.checksums: dict[SeedFile, str] = {}

    def run(self) -> SeedResult:
        """Run, and return the result; the engine's errors are in the result, not raised."""
        started = time.monotonic()
        try:
            result = self._run()
        except DomainMigrationsError as exc:
            result = self._failed(exc)
        return replace(result, seconds=time.monotonic() - started)

    def _run(self) -> SeedResult:
        self.reporter.on_domain_start(self.domain)
        refuse_model_problems(self.domain)
        every = seed_files(self.domain)
        seeds = [
            (file, header_of(file)) for file in select_seeds(self.domain, every, self.options.only)
        ]
        self._check_tags_match(seeds)
        wait_for_database(self.alias, self.options.wait_for_db, report=self.reporter.on_wait)
        with translate_database_errors(self.alias):
            connection = connections[self.alias]
            known = read_ledger(connection, self.domain)
            if self.options.plan:
                return self._report_only(seeds, known)
            self._refuse_pending(connection)
            if not any(self._is_due(file, header, known) for file, header in seeds):
                return self._report_only(seeds, known)
        with locked_session(
            self.alias,
            self.domain,
            wait=self.options.lock_wait_seconds,
            report=self.reporter.on_wait,
            command="seed_domain",
        ) as lock:
            return self._seed(lock, seeds, every)

    def _check_tags_match(self, seeds: Seeds) -> None:
        """Refuse a seed that is named and does not belong to the active tags."""
        for file, header in seeds:
            if self.options.only and not header.runs_with(self.tags):
                raise UnknownTarget(
                    f"{file} is for {' and '.join(header.tags)}, and this is"
                    f" {' and '.join(self.tags) or 'none of these'}.",
                    hint=f"Add --tag {header.tags[0]} if it has to run here.",
                )

    def _refuse_pending(self, connection: BaseDatabaseWrapper) -> None:
        """Refuse to seed tables that are older than the models, which the seeds are written for."""
        needed = dict.fromkeys((get_domains()[0], self.domain))
        for status in read_statuses(connection, list(needed)):
            if status.pending:
                raise DependencyNotApplied(
                    f'The domain "{status.domain.name}" has pending migrations:'
                    f" {shortened(status.pending)}.",
                    hint=f"First run: manage.py migrate_domain {status.domain.name}",
                )

    def _is_current(self, file: SeedFile, known: Ledger) -> bool:
        row = known.get(file.key)
        if row is None:
            return False
        if file not in self.checksums:
            self.checksums[file] = file.checksum()
        return row.checksum == self.checksums[file]

    def _is_due(self, file: SeedFile, header: SeedHeader, known: Ledger) -> bool:
        wanted = self.options.force or not self._is_current(file, known)
        return header.runs_with(self.tags) and wanted

    def _report_only(self, seeds: Seeds, known: Ledger) -> SeedResult:
        """Return the seeds that would run, or that none would."""
        for file, header in seeds:
            due = self._is_due(file, header, known)
            self._add(file, header, "pending" if due else self._idle_status(header))
        return self._result("planned" if self._has("pending") else "unchanged")

    def _seed(self, lock: ServerSession, seeds: Seeds, every: list[SeedFile]) -> SeedResult:
        connection = lock.connection
        # Another run may have seeded, or changed the tables, while this one waited.
        self._refuse_pending(connection)
        journal = Journal(connection, self.domain, self.context)
        roles = RoleSwitcher(connection, self.domain)
        with roles.as_domain_role(), transaction.atomic(using=self.alias):
            ensure_ledger(connection, self.domain)
            journal.open()
        for file, header in seeds:
            known = read_ledger(connection, self.domain)
            if not self._is_due(file, header, known):
                self._add(file, header, self._idle_status(header))
                continue
            others = {
                str(other): known[other.key].tables
                for other in every
                if other != file and self._is_current(other, known)
            }
            seeding = SeedFileRun(lock, roles, journal, file, header, tags=self.tags, others=others)
            started = time.monotonic()
            try:
                counts = seeding.run(self.reporter.on_note)
            except DomainMigrationsError:
                self._add(file, header, "failed", NO_ROWS, time.monotonic() - started)
                raise
            self._add(file, header, "seeded", counts, time.monotonic() - started)
        return self._result("seeded" if self._has("seeded") else "unchanged")

    def _idle_status(self, header: SeedHeader) -> SeedStatus:
        return "unchanged" if header.runs_with(self.tags) else "skipped"

    def _has(self, status: SeedStatus) -> bool:
        return any(outcome.status == status for outcome in self.outcomes)

    def _add(
        self,
        file: SeedFile,
        header: SeedHeader,
        status: SeedStatus,
        counts: Counts = NO_ROWS,
        seconds: float = 0.0,
    ) -> None:
        outcome = SeedOutcome(file, status, header.tags, counts, seconds)
        self.outcomes.append(outcome)
        self.reporter.seed(outcome)

    def _result(self, status: Status, error: ErrorInfo | None = None) -> SeedResult:
        return SeedResult(
            run=str(self.context.run),
            database=self.alias,
            domain=self.domain.name,
            schema=self.domain.schema,
            seed_table=str(self.domain.seed_table),
            tags=self.tags,
            status=status,
            seeds=tuple(self.outcomes),
            error=error,
        )

    def _failed(self, exc: DomainMigrationsError) -> SeedResult:
        if isinstance(exc, LockNotAvailable):
            status: Status = "busy"
        elif self._has("seeded") or isinstance(exc, (*INFRASTRUCTURE_ERRORS, SeedFailed)):
            status = "failed"
        else:
            status = "refused"
        return self._result(status, ErrorInfo.of(exc))
