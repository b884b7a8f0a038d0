"""Findings in a domain's history: gaps, wrong order, interruptions and edited files."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, get_domains
from ...engine.history.half_move_causes import lost_history
from ...engine.history.half_moves import find_half_move
from ...engine.history.journal_queries import SUCCEEDED, latest_steps
from ...engine.history.status import DomainStatus, missing_hint, missing_message, read_statuses
from ...engine.history.tables import read_histories
from ...engine.messages import Finding, local_time, shortened
from ...engine.runner.edited_migrations import checksum_findings_of
from ...engine.runner.interruptions import find_interruption
from ...engine.runner.loader import DomainLoader, load_domain
from ...exceptions import BoundaryViolation, DependencyNotApplied, InvalidConfiguration
from .imported_history import later_rows


def history_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield what is wrong with the rows of the domain's history."""
    (status,) = read_statuses(connection, [domain])
    for key in status.unknown:
        yield _finding(
            "H001",
            domain,
            str(key),
            f"{key} is in {domain.history_table} but not on disk.",
            "Deploy the code that has it; if it is gone for good, run:"
            f" manage.py repair_domain {domain.name} --prune",
        )
    if status.missing:
        title = ", ".join(map(str, status.missing))
        yield _finding("H006", domain, title, missing_message(status), missing_hint(status))
    yield from later_rows(connection, domain)
    yield from _misplaced_rows(connection, domain)
    yield from _half_moved(connection, status)
    interrupted = find_interruption(connection, domain)
    if interrupted is not None:
        yield _finding(
            "H002",
            domain,
            str(interrupted.key),
            f"{interrupted.key} was interrupted; operations recorded as finished:"
            f" {interrupted.progress.finished}.",
            f"Check what was changed, then run: manage.py repair_domain {domain.name} --resume",
        )
    loader = tolerant_loader(connection, domain)
    if isinstance(loader, Finding):
        yield loader
    else:
        yield from _order(loader, status)
        yield from _lost_rows(connection, loader, status)


def _lost_rows(
    connection: BaseDatabaseWrapper, loader: DomainLoader, status: DomainStatus
) -> Iterator[Finding]:
    """Yield pending migrations of which the journal says that they are applied.

    Of those on which an applied one depends, H004 tells.
    """
    if not status.applied:
        return  # All rows were lost, or the domain is another database's; _half_moved tells.
    domain = status.domain
    for key, row in sorted(latest_steps(connection, domain, SUCCEEDED, status.pending).items()):
        node = loader.graph.node_map.get(key)
        children = {child.key for child in node.children} if node is not None else set()
        if row.direction == "forwards" and children.isdisjoint(status.applied):
            yield _finding(
                "H011",
                domain,
                str(key),
                f"{key} is not in {domain.history_table}, but was applied at"
                f" {local_time(row.started)}, as {domain.journal_table} says. The next run would"
                " apply it again.",
                "If its changes are in the database, record it: manage.py repair_domain"
                f" {domain.name} --mark-applied {key.name}",
            )


def _misplaced_rows(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield the rows of apps of other domains; of those in core's history, L003 tells."""
    owners = {label: other for other in get_domains() for label in other.app_labels}
    rows = () if domain.is_core else read_histories(connection, [domain])[domain.name]
    for row in rows:
        owner = owners.get(row.app, domain)
        if owner != domain:
            yield _finding(
                "H008",
                domain,
                str(row.key),
                f"{row.key} is in {domain.history_table}, but its app belongs to the domain"
                f' "{owner.name}", so the row does not count.',
                f"Check that {owner.history_table} has it (manage.py show_domains {owner.name}),"
                f" then delete the row from {domain.history_table}.",
            )


def _half_moved(connection: BaseDatabaseWrapper, status: DomainStatus) -> Iterator[Finding]:
    """Yield a finding if the history exists without the tables, or the tables without it."""
    domain, table = status.domain, str(status.domain.history_table)
    found = find_half_move(connection, status)
    if present := sorted(map(str, lost_history(connection, status))):
        yield _finding(
            "H007",
            domain,
            table,
            f"{table} has no rows, but {len(present)} of the domain's tables exist:"
            f" {shortened(present)}.",
            found.hint
            if found is not None and status.in_core_history
            else "Restore the rows from a backup. If all of the migrations were applied, record"
            f" them: manage.py migrate_domain {domain.name} --fake; then compare the tables:"
            f" manage.py verify_domain {domain.name} --only drift",
        )
    elif status.applied and found is not None:
        yield _finding("H009", domain, table, found.message, found.hint)


def _order(loader: DomainLoader, status: DomainStatus) -> Iterator[Finding]:
    """Yield migrations that were applied before, or without, their dependencies."""
    domain = status.domain
    position = {row.key: index for index, row in enumerate(status.rows)}
    for key, index in position.items():
        name = str(key)
        node = loader.graph.node_map.get(key)
        for parent in sorted(parent.key for parent in node.parents) if node is not None else ():
            if parent not in loader.applied_migrations:
                yield _finding(
                    "H004",
                    domain,
                    name,
                    f"{name} is applied, but {'.'.join(parent)}, which it depends on, is not.",
                    "If its changes are in the database, record it: manage.py repair_domain"
                    f" {loader.owners[parent[0]].name} --mark-applied {parent[1]}; if they are not,"
                    " remove from the history what depends on it (--mark-unapplied), and apply all"
                    " of them.",
                )
            # A squashed migration is recorded after those that it replaces.
            elif position.get(parent, -1) > index and parent not in loader.replacements:
                yield _finding(
                    "H003",
                    domain,
                    name,
                    f"{name} was applied before {'.'.join(parent)}, which it depends on.",
                    f"Check the schema with: manage.py verify_domain {domain.name} --only drift",
                )


def tolerant_loader(connection: BaseDatabaseWrapper, domain: Domain) -> DomainLoader | Finding:
    """Return a loader, also if the history has gaps, or the finding that there can be none."""
    try:
        return load_domain(connection, domain)
    except DependencyNotApplied:
        # A gap is a finding; the rest of the history is checked all the same.
        return DomainLoader(connection, domain)
    except (BoundaryViolation, InvalidConfiguration) as exc:
        return _finding("H005", domain, domain.name, exc.message, exc.hint)


def _finding(number: str, domain: Domain, title: str, message: str, hint: str) -> Finding:
    return Finding(number, "history", domain.name, title, message, hint)


def checksum_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield the applied migrations that were edited since."""
    (status,) = read_statuses(connection, [domain])
    return checksum_findings_of(connection, status)
