"""The checks before a run: of the models, the history, the place of the tables and the files."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...exceptions import InvalidConfiguration, UnknownTarget
from ..boundary.installed_models import refuse_model_problems
from ..history.half_moves import find_half_move
from ..history.status import (
    DomainStatus,
    check_none_missing,
    read_name_statuses,
    read_statuses,
)
from ..history.status_reader import StatusReader
from ..messages import shortened
from ..sessions.database_problems import translate_database_errors, wait_for_database
from ..sources.files import history_file
from .options import MigrateOptions
from .results import Reporter


class RunChecks(NamedTuple):
    """Reads the status of a domain, and refuses a run that could not end well.

    Attributes:
        reader: reads the status without a lock, together with those of other domains.
    """

    domain: Domain
    options: MigrateOptions
    reporter: Reporter
    reader: StatusReader

    @property
    def alias(self) -> str:
        return self.options.database or self.domain.database

    def first_status(self) -> DomainStatus:
        """Check the models, wait for the database, and return the status, read without a lock."""
        refuse_model_problems(self.domain)
        seconds = self.options.wait_for_db
        wait_for_database(self.alias, seconds, report=self.reporter.on_wait)
        with translate_database_errors(self.alias, can_wait=seconds is not None):
            connection = connections[self.alias]
            if self.options.has_explicit_target:
                return self.read_status(connection)
            return self.reader.status(connection, self.domain)

    def read_status(self, connection: BaseDatabaseWrapper) -> DomainStatus:
        """Return the present status; with its ``rows``, in their order, where it may matter."""
        read = read_statuses if self.options.has_explicit_target else read_name_statuses
        (status,) = read(connection, [self.domain])
        return status

    def check_before_lock(self, status: DomainStatus) -> None:
        """Check all that can be checked without a lock."""
        self.check_history(status)
        with translate_database_errors(self.alias):
            # A plan that records migrations is checked with them; see faked_migrations.
            if self.is_latest(status) or not (self.options.fake or self.options.fake_initial):
                self._check_half_move(status)
            self._check_files(status)

    def check_history(self, status: DomainStatus) -> None:
        """Check that the recorded migrations are on disk, and those that they depend on applied."""
        if status.unknown and self.options.strict:
            raise UnknownTarget(
                f'The history of the domain "{self.domain.name}" has migrations that are not on'
                f" disk: {shortened(status.unknown)}.",
                hint="Deploy the code that has them, or omit --strict.",
            )
        check_none_missing(status)

    def _check_half_move(self, status: DomainStatus) -> None:
        """Refuse to run where only the history or only the tables were moved."""
        connection = connections[self.alias]
        if self.options.has_explicit_target:
            found = find_half_move(connection, status)
        else:
            found = self.reader.half_move(connection, self.domain)
        if found is not None:
            raise InvalidConfiguration(found.message, hint=found.hint)

    def _check_files(self, status: DomainStatus) -> None:
        """Check for edited migrations, unless that would cost more than the rest of the run."""
        options = self.options
        if options.strict or not (options.check or self.is_latest(status)):
            from .edited_migrations import check_checksums

            check_checksums(connections[self.alias], status, self.reporter, strict=options.strict)

    def is_latest(self, status: DomainStatus) -> bool:
        """Return whether the newest migrations are wanted, and applied."""
        return status.up_to_date and not self.options.has_explicit_target

    def imports_history(self, connection: BaseDatabaseWrapper) -> bool:
        """Return whether another tool's history is left to be brought into the journal."""
        if not any(map(history_file, self.domain.app_labels)):
            return False
        from .adoption.history_import import pending_history

        with translate_database_errors(self.alias):
            return pending_history(connection, self.domain) is not None

    def nothing_to_do(self, status: DomainStatus) -> bool:
        """Return whether the run can end before it acquires the lock."""
        options = self.options
        return self.is_latest(status) and not (options.run_syncdb or options.signals)
