"""Migrations whose file was edited after they had been applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from django.db.backends.base.base import BaseDatabaseWrapper

from ...exceptions import ChecksumMismatch
from ..history.journal_queries import HAS_CHECKSUM, JournalRow, latest_steps
from ..history.status import DomainStatus
from ..messages import Finding
from ..sources.checksum import VERSION, checksum_on_disk
from ..sources.files import MigrationKey, migration_file
from .results import Reporter


def checksum_findings_of(
    connection: BaseDatabaseWrapper, status: DomainStatus
) -> Iterator[Finding]:
    """Yield a finding for each applied migration whose file was edited since."""
    domain = status.domain
    for key in edited(connection, status):
        target = key.name if len(domain.app_labels) == 1 else str(key)
        yield Finding(
            "C001",
            "checksum",
            domain.name,
            str(key),
            f"{key} was edited after it had been applied.",
            "Revert the edit, or review it and run:"
            f" manage.py repair_domain {domain.name} --accept-checksum {target}",
        )


def check_checksums(
    connection: BaseDatabaseWrapper, status: DomainStatus, reporter: Reporter, *, strict: bool
) -> None:
    """Warn of migrations that were edited after they had been applied.

    Raises:
        ChecksumMismatch: there is one, and ``strict`` is set.
    """
    for finding in checksum_findings_of(connection, status):
        if strict:
            raise ChecksumMismatch(finding.message, hint=finding.hint)
        reporter.on_warning(f"Warning: {finding.message} {finding.hint}")


def edited(connection: BaseDatabaseWrapper, status: DomainStatus) -> Iterator[MigrationKey]:
    """Yield the applied migrations whose file was edited since."""
    recorded = latest_steps(connection, status.domain, HAS_CHECKSUM)
    return edited_since(recorded, sorted(status.applied))


def edited_since(
    recorded: Mapping[MigrationKey, JournalRow], keys: Iterable[MigrationKey]
) -> Iterator[MigrationKey]:
    """Yield the migrations whose file is not as the journal has it.

    Arguments:
        recorded: each migration's latest row with a checksum.
    """
    for key in keys:
        known = recorded[key].checksum if key in recorded else ""
        # Checksums of other versions of the algorithm cannot be compared.
        comparable = known.startswith(f"{VERSION}:") and migration_file(key) is not None
        if comparable and checksum_on_disk(key) != known:
            yield key
