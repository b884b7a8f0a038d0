"""Is the database what the code says, and within the rules: what ``verify_domain`` finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from .boundary.catalog import boundary_findings, leftover_findings
from .catalog.drift import find_drift
from .domains import Domain, get_domain, get_domains
from .execution.connection import database_errors
from .execution.executor import applied_state
from .execution.interrupted import find_interruption
from .execution.loader import DomainLoader, load
from .execution.results import FORMAT
from .execution.status import DomainStatus, read_statuses
from .files import migration_file
from .history.checksum import checksum
from .history.journal import read_entries

KINDS = ("history", "checksum", "drift", "boundary", "leftover")


class Finding(Protocol):
    """One thing that is not as it should be, whoever found it."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def object(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def hint(self) -> str: ...


@dataclass(frozen=True)
class HistoryFinding:
    """A history, or a migration's file, that is not as it was when it was applied."""

    id: str
    kind: str
    domain: str
    object: str
    message: str
    hint: str


@dataclass(frozen=True)
class Verification:
    """What was found.

    Attributes:
        findings: what has to be put right.
        unmanaged: objects that no model manages, for information.
    """

    database: str
    findings: tuple[Finding, ...]
    unmanaged: tuple[Finding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        names = ("id", "kind", "domain", "object", "message", "hint")
        return {
            "format": FORMAT,
            "database": self.database,
            "findings": [
                {name: getattr(finding, name) for name in names} for finding in self.findings
            ],
        }


def verify(
    names: Sequence[str] = (), *, only: Sequence[str] = (), database: str | None = None
) -> Verification:
    """Look for what is wrong in the database; writes nothing.

    Arguments:
        names: domains; all of them unless given.
        only: kinds of findings out of ``KINDS``; all of them unless given.
        database: alias; each domain's own unless given.

    Raises:
        UnknownDomain: a name is no domain's.
        InvalidConfiguration: migrations cannot be loaded.
        ConnectionFailed: the database did not answer.
    """
    domains = [get_domain(name) for name in names] if names else list(get_domains())
    kinds = tuple(only) or KINDS
    found: list[Finding] = []
    for domain in domains:
        alias = database or domain.database
        with database_errors(alias):
            for kind in kinds:
                found.extend(_LOOKS[kind](connections[alias], domain))
    return Verification(
        database or DEFAULT_DB_ALIAS,
        findings=tuple(finding for finding in found if not _unmanaged(finding)),
        unmanaged=tuple(finding for finding in found if _unmanaged(finding)),
    )


def _unmanaged(finding: Finding) -> bool:
    return bool(getattr(finding, "unmanaged", False))


def _history(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    (status,) = read_statuses(connection, [domain])
    for key in status.unknown:
        yield HistoryFinding(
            "H001",
            "history",
            domain.name,
            str(key),
            f"{key} is in {domain.history_table} but not on disk.",
            "Deploy the code that has it; if it is gone for good, run:"
            f" manage.py repair_domain {domain.name} --prune",
        )
    interrupted = find_interruption(read_entries(connection, domain))
    if interrupted is not None:
        yield HistoryFinding(
            "H002",
            "history",
            domain.name,
            str(interrupted.key),
            f"{interrupted.key} was interrupted behind its operation {interrupted.finished}.",
            f"Look at what is there, then run: manage.py repair_domain {domain.name} --resume",
        )
    yield from _out_of_order(connection, status)


def _out_of_order(connection: BaseDatabaseWrapper, status: DomainStatus) -> Iterator[Finding]:
    """Yield migrations that were recorded before one that they depend on."""
    if not status.rows:
        return
    domain = status.domain
    loader = DomainLoader(connection, domain)
    position = {(row.app, row.name): index for index, row in enumerate(status.rows)}
    for key, index in position.items():
        node = loader.graph.node_map.get(key)
        for parent in node.parents if node is not None else ():
            if position.get(parent.key, -1) > index and not loader.replacements.get(parent.key):
                yield HistoryFinding(
                    "H003",
                    "history",
                    domain.name,
                    ".".join(key),
                    f"{'.'.join(key)} was applied before {'.'.join(parent.key)}, which it depends"
                    " on.",
                    "See that the schema is right with: manage.py verify_domain"
                    f" {domain.name} --only drift",
                )


def _checksum(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    (status,) = read_statuses(connection, [domain])
    for key in edited(connection, status):
        yield HistoryFinding(
            "C001",
            "checksum",
            domain.name,
            ".".join(key),
            f"{'.'.join(key)} was edited after it had been applied.",
            "Take the edit back, or review it and run:"
            f" manage.py repair_domain {domain.name} --accept-checksum {key[1]}",
        )


def edited(connection: BaseDatabaseWrapper, status: DomainStatus) -> Iterator[tuple[str, str]]:
    """Yield the applied migrations whose file is not the one that was applied."""
    recorded = {
        (entry.app, entry.name): entry.checksum
        for entry in read_entries(connection, status.domain)
        if entry.direction == "forwards" and entry.checksum and entry.status != "failed"
    }
    for row in status.rows:
        path = migration_file((row.app, row.name))
        known = recorded.get((row.app, row.name))
        if path is not None and known and checksum(path.read_bytes()) != known:
            yield row.app, row.name


def _drift(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    loader = load(connection, domain)
    applied = [
        migration
        for key, migration in loader.graph.nodes.items()
        if key in loader.applied_migrations and key[0] in domain.app_labels
    ]
    if applied:
        yield from find_drift(connection, domain, applied_state(loader), migrations=applied)


_LOOKS: dict[str, Callable[[BaseDatabaseWrapper, Domain], Iterator[Finding]]] = {
    "history": _history,
    "checksum": _checksum,
    "drift": _drift,
    "boundary": boundary_findings,
    "leftover": leftover_findings,
}
