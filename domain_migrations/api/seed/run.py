"""The run of ``seed_domain``: a domain's seeds, one after the other, under the domain's lock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...conf import get_settings
from ...domains import Domain, get_domain, get_domains
from ...engine.boundary.installed_models import refuse_model_problems
from ...engine.history.run_context import RunContext
from ...engine.history.seed_ledger import SeedRecord, ensure_ledger, read_ledger
from ...engine.history.status import read_statuses
from ...engine.messages import shortened
from ...engine.runner.failures import failure_status
from ...engine.runner.options import MigrateOptions, RunOptions
from ...engine.runner.results import FORMAT, ErrorInfo, Reporter, fields_as_json
from ...engine.runner.run_session import RunSession, catch_up_sequences
from ...engine.sessions.database_problems import translate_database_errors, wait_for_database
from ...exceptions import (
    DependencyNotApplied,
    DomainMigrationsError,
    RunStopped,
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
        values = fields_as_json(self)
        del values["seed"], values["counts"]
        return {"app": self.seed.app, "name": self.seed.name, **values, **asdict(self.counts)}


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
        return {"format": FORMAT, **fields_as_json(self)}


@dataclass(frozen=True, kw_only=True)
class SeedOptions(RunOptions):
    """The options of ``seed_domain``; names and meanings as on the command line.

    Attributes:
        tags: the active tags; those of the settings unless given.
    """

    only: str | None = None
    force: bool = False
    plan: bool = False
    tags: Sequence[str] | None = None


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


@dataclass
class SeedRun:
    """The seeding of one domain of one database."""

    domain: Domain
    options: SeedOptions
    tags: tuple[str, ...]
    context: RunContext
    reporter: SeedReporter
    outcomes: list[SeedOutcome] = field(default_factory=list)
    checksums: dict[SeedFile, str] = field(default_factory=dict)

    @property
    def alias(self) -> str:
        return self.options.database or self.domain.database

    def run(self) -> SeedResult:
        """Run, and return the result; the engine's errors are in the result, not raised."""
        started = time.monotonic()
        try:
            result = self._run()
        except DomainMigrationsError as exc:
            status = failure_status(exc, changed=self._has("seeded"))
            result = self._result(status, ErrorInfo.of(exc))
        except KeyboardInterrupt as exc:
            stopped = RunStopped.by(
                exc,
                f'The seeding of the domain "{self.domain.name}"',
                kept="The seeds that it had finished are kept; the others were not changed.",
            )
            result = self._result("failed", ErrorInfo.of(stopped))
        return replace(result, seconds=time.monotonic() - started)

    def _run(self) -> SeedResult:
        self.reporter.on_domain_start(self.domain)
        refuse_model_problems(self.domain)
        every = seed_files(self.domain)
        seeds = [
            (file, header_of(file)) for file in select_seeds(self.domain, every, self.options.only)
        ]
        self._check_tags_match(seeds)
        seconds = self.options.wait_for_db
        wait_for_database(self.alias, seconds, report=self.reporter.on_wait)
        with translate_database_errors(self.alias, can_wait=seconds is not None):
            connection = connections[self.alias]
            known = read_ledger(connection, self.domain)
            if not self.options.plan:
                self._refuse_pending(connection)
            statuses = [self._status(file, header, known) for file, header in seeds]
            if self.options.plan or "pending" not in statuses:
                for (file, header), seed_status in zip(seeds, statuses, strict=True):
                    self._add(file, header, seed_status)
                return self._result("planned" if "pending" in statuses else "unchanged")
        options = MigrateOptions(database=self.alias, lock_wait=self.options.lock_wait)
        with RunSession.locked(
            self.domain, options, self.reporter, self.context, command="seed_domain"
        ) as session:
            return self._seed(session, seeds, every)

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

    def _status(self, file: SeedFile, header: SeedHeader, known: Ledger) -> SeedStatus:
        """Return the status of a seed before the run: pending if it has to run."""
        if not header.runs_with(self.tags):
            return "skipped"
        wanted = self.options.force or not self._is_current(file, known)
        return "pending" if wanted else "unchanged"

    def _seed(self, session: RunSession, seeds: Seeds, every: list[SeedFile]) -> SeedResult:
        connection = session.connection
        # Another run may have seeded, or changed the tables, while this one waited.
        self._refuse_pending(connection)
        catch_up_sequences(session)
        with session.roles.as_domain_role(), transaction.atomic(using=self.alias):
            ensure_ledger(connection, self.domain)
            session.journal.open()
        for file, header in seeds:
            known = read_ledger(connection, self.domain)
            status = self._status(file, header, known)
            if status != "pending":
                self._add(file, header, status)
                continue
            others = {
                str(other): known[other.key].tables
                for other in every
                if other != file and self._is_current(other, known)
            }
            seeding = SeedFileRun(session, file, header, tags=self.tags, others=others)
            started = time.monotonic()
            try:
                counts = seeding.run()
            except DomainMigrationsError:
                self._add(file, header, "failed", NO_ROWS, time.monotonic() - started)
                raise
            self._add(file, header, "seeded", counts, time.monotonic() - started)
        return self._result("seeded" if self._has("seeded") else "unchanged")

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
