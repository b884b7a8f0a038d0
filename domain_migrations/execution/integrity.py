"""What is wrong with a domain's history: gaps, disorder, interruptions and edited files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain
from ..exceptions import (
    BoundaryViolation,
    ChecksumMismatch,
    DependencyNotApplied,
    InvalidConfiguration,
)
from ..files import MigrationKey, migration_file
from ..history.checksum import VERSION, checksum
from ..history.entries import read_entries
from .interrupted import find_interruption
from .loader import DomainLoader, load
from .reporter import Reporter
from .status import DomainStatus, read_statuses


@dataclass(frozen=True)
class HistoryFinding:
    """A history, or a migration's file, that is not as it was when it was applied."""

    id: str
    kind: str
    domain: str
    object: str
    message: str
    hint: str


def history_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[HistoryFinding]:
    """Yield what is wrong with the rows of the domain's history."""
    (status,) = read_statuses(connection, [domain])
    for key in status.unknown:
        yield _of_history(
            "H001",
            domain,
            str(key),
            f"{key} is in {domain.history_table} but not on disk.",
            "Deploy the code that has it; if it is gone for good, run:"
            f" manage.py repair_domain {domain.name} --prune",
        )
    interrupted = find_interruption(read_entries(connection, domain))
    if interrupted is not None:
        yield _of_history(
            "H002",
            domain,
            str(interrupted.key),
            f"{interrupted.key} was interrupted; {interrupted.finished} of its operations are known"
            " to be finished.",
            f"Look at what is there, then run: manage.py repair_domain {domain.name} --resume",
        )
    try:
        loader = sound_loader(connection, domain)
    except (BoundaryViolation, InvalidConfiguration) as exc:
        yield not_loaded(domain, exc)
        return
    yield from _order(loader, status)


def _order(loader: DomainLoader, status: DomainStatus) -> Iterator[HistoryFinding]:
    """Yield migrations that were applied before, or without, one that they depend on."""
    domain = status.domain
    position = {(row.app, row.name): index for index, row in enumerate(status.rows)}
    for key, index in position.items():
        name = ".".join(key)
        node = loader.graph.node_map.get(key)
        for parent in sorted(parent.key for parent in node.parents) if node is not None else ():
            if parent not in loader.applied_migrations:
                yield _of_history(
                    "H004",
                    domain,
                    name,
                    f"{name} is applied, but {'.'.join(parent)}, which it depends on, is not.",
                    "Apply it, or record it if what it makes is there: manage.py repair_domain"
                    f" {loader.owners[parent[0]].name} --mark-applied {parent[1]}",
                )
            # A squashed migration is recorded after those it stands for.
            elif position.get(parent, -1) > index and parent not in loader.replacements:
                yield _of_history(
                    "H003",
                    domain,
                    name,
                    f"{name} was applied before {'.'.join(parent)}, which it depends on.",
                    "See that the schema is right with: manage.py verify_domain"
                    f" {domain.name} --only drift",
                )


def sound_loader(connection: BaseDatabaseWrapper, domain: Domain) -> DomainLoader:
    """Return a loader, also where the history has gaps.

    Raises:
        BoundaryViolation, InvalidConfiguration: as ``load`` does.
    """
    try:
        return load(connection, domain)
    except DependencyNotApplied:
        # A history with a gap is a finding, and no reason not to look on.
        return DomainLoader(connection, domain)


def not_loaded(domain: Domain, exc: BoundaryViolation | InvalidConfiguration) -> HistoryFinding:
    """Return the finding that the domain's migrations cannot be loaded."""
    return _of_history("H005", domain, domain.name, exc.message, exc.hint)


def _of_history(number: str, domain: Domain, title: str, message: str, hint: str) -> HistoryFinding:
    kind = "checksum" if number.startswith("C") else "history"
    return HistoryFinding(number, kind, domain.name, title, message, hint)


def checksum_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[HistoryFinding]:
    """Yield the applied migrations that were edited since."""
    (status,) = read_statuses(connection, [domain])
    return checksum_findings_of(connection, status)


def checksum_findings_of(
    connection: BaseDatabaseWrapper, status: DomainStatus
) -> Iterator[HistoryFinding]:
    """Yield the migrations of a status, applied as it says, that were edited since."""
    domain = status.domain
    for key in map(MigrationKey._make, edited(connection, status)):
        target = key.name if len(domain.app_labels) == 1 else str(key)
        yield _of_history(
            "C001",
            domain,
            str(key),
            f"{key} was edited after it had been applied.",
            "Take the edit back, or review it and run:"
            f" manage.py repair_domain {domain.name} --accept-checksum {target}",
        )


def check_checksums(
    connection: BaseDatabaseWrapper, status: DomainStatus, reporter: Reporter, *, strict: bool
) -> None:
    """Warn of migrations that were edited after they had been applied, or refuse to go on.

    Raises:
        ChecksumMismatch: there is one, and ``strict`` was asked for.
    """
    for finding in checksum_findings_of(connection, status):
        if strict:
            raise ChecksumMismatch(finding.message, hint=finding.hint)
        reporter.warning(f"Warning: {finding.message} {finding.hint}")


def edited(connection: BaseDatabaseWrapper, status: DomainStatus) -> Iterator[tuple[str, str]]:
    """Yield the applied migrations whose file is not the one that was applied."""
    recorded = {
        (entry.app, entry.name): entry.checksum
        for entry in read_entries(connection, status.domain)
        if entry.direction == "forwards" and entry.checksum and entry.status != "failed"
    }
    for row in status.rows:
        path = migration_file((row.app, row.name))
        known = recorded.get((row.app, row.name), "")
        # Checksums of another version of the walk say nothing.
        if path is not None and known.startswith(f"{VERSION}:") and _now(path) != known:
            yield row.app, row.name


def _now(path: Path) -> str:
    try:
        return checksum(path.read_bytes())
    except (SyntaxError, ValueError):
        return ""  # What Python cannot read was not applied like this.
