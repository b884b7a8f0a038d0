"""Is the database what the code says, and within the rules: what ``verify_domain`` finds.

=============  =================================================================================
id             found
=============  =================================================================================
H001           a row of a history whose migration is not on disk
H002           a migration without a transaction that was interrupted
H003           a migration that was applied before one that it depends on
H004           an applied migration that depends on one that is not applied
H005           migrations that cannot be loaded, so that their histories cannot be judged
C001           a migration whose file was edited after it had been applied
D…, U…         drift: see ``catalog.findings``; ``U…`` is for information only
B…, L…         crossings and leftovers: see ``boundary.catalog``
=============  =================================================================================
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.utils.timezone import now

from ...domains import Domain, get_domain, get_domains
from ...engine.catalog import drift_ids
from ...engine.catalog.drift import find_drift
from ...engine.catalog.unmanaged import ReferencedNames
from ...engine.history.journal import Journal, RunContext
from ...engine.history.verifications import save_verification
from ...engine.messages import Finding
from ...engine.runner.loader import DomainLoader
from ...engine.runner.project_state import applied_project_state
from ...engine.runner.results import FORMAT
from ...engine.sessions.connection import first_line, translate_database_errors
from ...engine.sessions.roles import RoleSwitcher
from ...engine.snapshots.drift_reference import unmanaged_baseline
from ...exceptions import BoundaryViolation, InvalidConfiguration
from .leftovers import leftover_findings
from .live_boundary import boundary_findings
from .recorded_history import checksum_findings, history_findings, not_loaded, tolerant_loader

LOCK_TIMEOUT = "3s"


def record_verification(
    journal: Journal,
    *,
    started: datetime.datetime,
    seconds: float,
    kinds: Sequence[str],
    findings: Sequence[Finding],
) -> str:
    """Add a look to the domain's journal, and return a sentence where it could not be added.

    Where the domain has no journal, because nothing has run yet, none is made.
    """
    connection, domain = journal.connection, journal.domain
    try:
        if not journal.exists():
            return ""
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            with RoleSwitcher(connection, domain).as_domain_role():
                reason = save_verification(
                    journal, started=started, seconds=seconds, kinds=kinds, findings=findings
                )
    except DatabaseError as exc:
        reason = first_line(exc)
    if not reason:
        return ""
    return f'What was found in the domain "{domain.name}" is not kept: {reason}.'


KINDS = ("history", "checksum", "drift", "boundary", "leftover")


@dataclass(frozen=True)
class Verification:
    """What was found.

    Attributes:
        findings: what has to be put right.
        unmanaged: objects that no model manages, for information.
        notes: why what was found is not in a journal, a sentence for each such domain.
    """

    database: str
    findings: tuple[Finding, ...]
    unmanaged: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "database": self.database,
            "findings": [finding.as_json() for finding in self.findings],
        }


def verify_domains(
    names: Sequence[str] = (),
    *,
    only: Sequence[str] = (),
    database: str | None = None,
    record: bool = False,
) -> Verification:
    """Look for what is wrong in the database; changes nothing and creates nothing.

    Arguments:
        names: domains; all of them unless given.
        only: kinds of findings out of ``KINDS``; all of them unless given.
        database: alias; each domain's own unless given.
        keep: add what was found to the journals that there are.

    Raises:
        UnknownDomain: a name is no domain's.
        ConnectionFailed: the database did not answer.
    """
    domains = [get_domain(name) for name in names] if names else list(get_domains())
    kinds = tuple(only) or KINDS
    found: list[Finding] = []
    notes: list[str] = []
    context = RunContext()
    for domain in domains:
        alias = database or domain.database
        looked: list[Finding] = []
        started, clock = now(), time.monotonic()
        with translate_database_errors(alias):
            for kind in KINDS:
                if kind in kinds:
                    looked.extend(CHECKERS[kind](connections[alias], domain))
        found.extend(looked)
        if record:
            note = record_verification(
                Journal(connections[alias], domain, context),
                started=started,
                seconds=time.monotonic() - clock,
                kinds=kinds,
                findings=[item for item in _deduplicate(looked) if not item.is_unmanaged],
            )
            notes += [note] if note else []
    # A crossing between two domains is found from both sides, a stray table by two looks.
    found = _deduplicate(found)
    return Verification(
        database or DEFAULT_DB_ALIAS,
        findings=tuple(finding for finding in found if not finding.is_unmanaged),
        unmanaged=tuple(finding for finding in found if finding.is_unmanaged),
        notes=tuple(notes),
    )


def _deduplicate(found: Sequence[Finding]) -> list[Finding]:
    tables = {_plain(finding.object) for finding in found if finding.id in ("L001", "L002")}
    return [
        finding
        for finding in dict.fromkeys(found)
        if finding.id != "D" + drift_ids.EXTRA_TABLE or _plain(finding.object) not in tables
    ]


def _plain(title: str) -> str:
    return title.replace('"', "")


def _drift(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    try:
        loader = tolerant_loader(connection, domain)
    except (BoundaryViolation, InvalidConfiguration) as exc:
        yield not_loaded(domain, exc)
        return
    if applied := _applied(loader):
        state = applied_project_state(loader)
        reference = unmanaged_baseline(domain, loader.graph, applied, state)
        yield from find_drift(connection, domain, state, migrations=applied, reference=reference)


def _applied(loader: DomainLoader) -> list[Migration]:
    return [
        migration
        for key, migration in loader.graph.nodes.items()
        if key in loader.applied_migrations and key[0] in loader.domain.app_labels
    ]


def _leftover(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield leftovers, without the tables that the domain's migrations make with SQL."""
    found = list(leftover_findings(connection, domain))
    mentions: ReferencedNames | None = None
    if any(finding.id == "L002" for finding in found):
        try:
            mentions = ReferencedNames(_applied(tolerant_loader(connection, domain)))
        except (BoundaryViolation, InvalidConfiguration) as exc:
            yield not_loaded(domain, exc)  # Nobody can tell whose the tables are.
    for finding in found:
        if finding.id == "L002":
            name = finding.object.partition(".")[2]
            if mentions is None or mentions.contains(name):
                continue
        yield finding


CHECKERS: dict[str, Callable[[BaseDatabaseWrapper, Domain], Iterator[Finding]]] = {
    "history": history_findings,
    "checksum": checksum_findings,
    "drift": _drift,
    "boundary": boundary_findings,
    "leftover": _leftover,
}
