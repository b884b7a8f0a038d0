"""The run of one domain: the look at its status, which most runs end with, and what follows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from django.db import connections

from ...domains import Domain
from ...exceptions import DomainMigrationsError, RunStopped
from ..history.run_context import RunContext
from ..history.status import DomainStatus
from ..history.status_reader import StatusReader
from ..sessions.database_problems import translate_database_errors
from ..sources.files import adoption_file
from .options import MigrateOptions
from .results import DomainResult, Reporter
from .results import Status as ResultStatus
from .run_checks import RunChecks
from .run_results import RunResults

if TYPE_CHECKING:
    # What only a run with work to do needs is imported where it is used: most runs have none.
    from .adoption.moves import Move


class DomainRun(NamedTuple):
    """Migrates one domain of one database as the options ask.

    Attributes:
        context: the run that this is a part of.
        reader: reads the status without a lock, together with those of other domains.
    """

    domain: Domain
    options: MigrateOptions
    context: RunContext
    reporter: Reporter
    reader: StatusReader

    @property
    def alias(self) -> str:
        return self.options.database or self.domain.database

    @property
    def checks(self) -> RunChecks:
        return RunChecks(self.domain, self.options, self.reporter, self.reader)

    @property
    def results(self) -> RunResults:
        return RunResults(self.domain, self.options)

    def run(self) -> DomainResult:
        """Run, and return the result; errors of the engine are in it, not raised."""
        started = time.monotonic()
        status = None
        try:
            self.reporter.on_domain_start(self.domain)
            status = self.checks.first_status()
            result = self._run_from(status)
        except DomainMigrationsError as exc:
            result = self.results.failed(exc, status)
        except KeyboardInterrupt as exc:
            what = f'The run of the domain "{self.domain.name}"'
            result = self.results.failed(
                RunStopped.by(exc, what, kept="Nothing was changed."), status
            )
        return result._replace(seconds=time.monotonic() - started)

    def _run_from(self, status: DomainStatus) -> DomainResult:
        """Do what the status leaves to do."""
        if moves := self._pending_moves():
            return self._adopt_first(moves, status)
        self.checks.check_before_lock(status)
        imports = self.checks.imports_history(connections[self.alias])
        if self.checks.nothing_to_do(status) and not imports:
            return self.results.of("unchanged", status)
        if self.options.only_checks_pending and not imports:
            return self.results.of("pending" if status.pending else "unchanged", status)
        from .domain_work import DomainWork

        work = DomainWork(self.checks, self.results, self.context)
        if self.options.is_read_only:
            return work.preview(status)
        if self.options.is_dry_run:
            return work.dry_run(status)
        return work.run(status)

    def _pending_moves(self) -> list[Move]:
        if not any(map(adoption_file, self.domain.app_labels)):
            return []
        from .adoption.moves import check_rollback, pending_moves

        with translate_database_errors(self.alias):
            moves = pending_moves(connections[self.alias], self.domain)
        check_rollback(self.options, moves)
        return moves

    def _adopt_first(self, moves: Sequence[Move], status: DomainStatus) -> DomainResult:
        """Move what is declared to the domain, or back to core, and then do the rest."""
        from .adoption.adoption_run import AdoptionRun

        runs = [AdoptionRun(move, self.options, self.reporter, self.context) for move in moves]
        if self.options.is_read_only:
            with translate_database_errors(self.alias):
                planned = tuple(run.plan(connections[self.alias]) for run in runs)
            left = tuple(key for key in status.pending if key not in status.in_core_history)
            word: ResultStatus = "pending" if self.options.check else "planned"
            return self.results.of(word, status, pending=left, adoptions=planned)
        if self.options.is_dry_run:
            from .domain_work import DomainWork

            return DomainWork(self.checks, self.results, self.context).dry_run(status, runs)
        done = [move for run in runs if (move := run.run_locked()) is not None]
        # The moves have changed what was read before.
        rest = self._replace(reader=StatusReader([self.domain.name], self.options.database))
        result = rest._run_from(rest.checks.first_status())
        word = "migrated" if done and result.status == "unchanged" else result.status
        return result._replace(status=word, adoptions=(*done, *result.adoptions))
