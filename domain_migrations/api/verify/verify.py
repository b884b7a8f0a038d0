"""The function of ``verify_domain``: findings in databases.

=============  =================================================================================
id             found
=============  =================================================================================
H001           a row of a history whose migration is not on disk
H002           a non-atomic migration that was interrupted
H003           a migration that was applied before one that it depends on
H004           an applied migration that depends on one that is not applied
H005           migrations that cannot be loaded, so that their history cannot be checked
H006           a squashed migration that is applied in part, without the files of the rest
H007           a history without rows, although tables of the domain exist
H008           a row of an app of another domain
H009           a history without the tables that its migrations create
H010           a change of another tool's history after it was brought into the journal
H011           a migration that the journal records as applied, and the history does not
C001           a migration whose file was edited after it had been applied
D…, U…         drift, see ``engine/catalog/drift_ids.py``; ``U…`` is for information only
B001           a foreign key to another domain's table, or from core to a domain's
B002           a view over another domain's objects
B003           a materialized view over them
B004           a trigger that runs another domain's function
B005           a column's default that uses another domain's sequence or function
B006           a generated column that uses them
B007           a column, table or type made of another domain's type
B008           a table that inherits from another domain's
B009           a partition of another domain's table
B010           a rule that uses another domain's objects
B011           a policy that uses them
B012           a sequence owned by a column of another domain
B013           a function that uses them, as PostgreSQL has recorded
B014           a function that names them in its text ("textual"), or in its search_path
B015           a constraint or index that uses another domain's function or type
B016           any other recorded dependency: of an operator, statistics, a collation …
B017           a function whose text may name another domain, but could not be read
U017           a function that runs SQL that it computes, for information only
L001           a table in core's schema with the name of a domain's table
L002           a table in a domain's schema that no model has
L003           rows of a domain in core's history
L004           a migration that depends on another domain's
L005           an index left invalid
L006           a constraint left unvalidated
L007           an accepted finding that is no longer found (D061 for drift)
L008           a view under the old name of an adopted table, whose time has passed
L009           the table of another tool's history, whose time has passed
L010           a replication slot that a move to another server has left
=============  =================================================================================

Ids are never reused. A schema that no domain owns counts as core's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now

from ...domains import Domain, get_domain, get_domains
from ...engine.catalog import drift_ids
from ...engine.catalog.drift import find_drift
from ...engine.catalog.unmanaged import ReferencedNames
from ...engine.cluster.reach import out_of_reach
from ...engine.history.journal import Journal
from ...engine.history.journal_queries import created_objects
from ...engine.history.run_context import RunContext
from ...engine.history.verifications import record_verification
from ...engine.messages import Finding
from ...engine.runner.project_state import project_state
from ...engine.runner.results import FORMAT
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.snapshots.drift_reference import unmanaged_baseline
from ...engine.snapshots.inspected_catalog import recorded_histories, recorded_objects
from ...exceptions import ChangedTable, DomainMigrationsError, NewerTables, NodeUnavailable
from ..show import UnreachableDomain
from .applied import applied_keys, applied_migrations
from .baseline import Baseline
from .distribution import distribution_findings
from .domain_repair import repair_domain
from .leftovers import leftover_findings
from .live_boundary import boundary_findings
from .received_tables import given_away, made_elsewhere
from .recorded_history import checksum_findings, history_findings, tolerant_loader
from .repair_script import RepairScript
from .shard_drift import shard_findings

KINDS = ("history", "checksum", "drift", "boundary", "leftover")


@dataclass(frozen=True)
class Verification:
    """The findings in a database.

    Attributes:
        findings: what has to be repaired.
        unmanaged: objects that no model manages, for information.
        repairs: the SQL that repairs each domain, if it was asked for.
        notes: why findings were not recorded in a journal, a sentence for each such domain; and
            how many are accepted, if they were written.
        unreachable: the domains that were verified in part or not at all, because a node of their
            cluster does not answer.
    """

    database: str
    findings: tuple[Finding, ...]
    unmanaged: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    repairs: tuple[RepairScript, ...] = ()
    unreachable: tuple[UnreachableDomain, ...] = ()

    def as_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            "format": FORMAT,
            "database": self.database,
            "findings": [self._finding_as_json(finding) for finding in self.findings],
        }
        if self.unreachable:
            values["unreachable"] = [each.as_json() for each in self.unreachable]
        return values

    def _finding_as_json(self, finding: Finding) -> dict[str, Any]:
        if not self.repairs:
            return finding.as_json()
        repair = [part for script in self.repairs for part in script.of_finding(finding)]
        return {**finding.as_json(), "repair": [statement.as_json() for statement in repair]}


def verify_domains(
    names: Sequence[str] = (),
    *,
    only: Sequence[str] = (),
    database: str | None = None,
    record: bool = False,
    accept: bool = False,
    repair: bool = False,
) -> Verification:
    """Return what is wrong in the database; changes nothing and creates nothing in it.

    Arguments:
        names: domains; all of them unless given.
        only: kinds of findings out of ``KINDS``; all of them unless given.
        database: alias; each domain's own unless given.
        record: add the findings to the existing journals.
        accept: write the findings that can be accepted to the file of accepted findings.
        repair: write the SQL that repairs them, which needs a scratch database.

    Raises:
        InvalidConfiguration: the file of accepted findings cannot be read or written.
        UnknownDomain: no domain has that name.
        DatabaseUnavailable: the database cannot be reached.
        InsufficientPrivilege, MigrationFailed: what the migrations make is not known, which a
            repair needs.
    """
    domains = [get_domain(name) for name in names] if names else list(get_domains())
    kinds = tuple(only) or KINDS
    found: list[Finding] = []
    notes: list[str] = []
    repairs: list[RepairScript] = []
    unreachable: list[UnreachableDomain] = []
    context, baseline = RunContext(), Baseline.read(required=accept)
    for domain in domains:
        alias = database or domain.database
        started, clock = now(), time.monotonic()
        of_domain, done, error = _check(connections[alias], domain, kinds)
        if error is not None:
            unreachable.append(UnreachableDomain(domain, error))
            if not done:
                continue
        if accept:
            baseline.accept(connections[alias], domain, of_domain, done)
        everything = of_domain
        of_domain = baseline.compare(connections[alias], domain, everything, done)
        if repair and error is None:
            accepted = [item for item in everything if item not in of_domain]
            with translate_database_errors(alias):
                repairs.append(repair_domain(connections[alias], domain, of_domain, accepted))
        found.extend(of_domain)
        if record and error is None:
            note = record_verification(
                Journal(connections[alias], domain, context),
                started=started,
                seconds=time.monotonic() - clock,
                kinds=kinds,
                findings=[item for item in of_domain if not item.is_unmanaged],
            )
            notes += [note] if note else []
    if accept:
        notes.append(f"{len(baseline.entries)} accepted in {baseline.write()}.")
    # A reference between two domains is found from both sides, a stray table by two checks.
    found = _deduplicate(found)
    return Verification(
        database or DEFAULT_DB_ALIAS,
        findings=tuple(finding for finding in found if not finding.is_unmanaged),
        unmanaged=tuple(finding for finding in found if finding.is_unmanaged),
        notes=tuple(notes),
        repairs=tuple(repairs),
        unreachable=tuple(unreachable),
    )


def _check(
    connection: BaseDatabaseWrapper, domain: Domain, kinds: Sequence[str]
) -> tuple[list[Finding], list[str], DomainMigrationsError | None]:
    """Return what was found, the kinds that were searched, and why the others were not."""
    found: list[Finding] = []
    done: list[str] = []
    error: DomainMigrationsError | None = None
    for kind in (kind for kind in KINDS if kind in kinds):
        try:
            with translate_database_errors(connection.alias):
                for finding in CHECKERS[kind](connection, domain):
                    found.append(finding)  # Kept if a node is down.
        except NodeUnavailable as exc:
            error = exc
            if exc.sqlstate:  # The domain itself cannot be read; else, copies of its shards.
                with translate_database_errors(connection.alias):
                    error = out_of_reach(connection, [domain]).get(domain.name, exc)
                break
        except (ChangedTable, NewerTables) as exc:
            error = exc
            break
        else:
            done.append(kind)
    return _deduplicate(found), done, error


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
    yield from distribution_findings(connection, domain)
    loader = tolerant_loader(connection, domain)
    if isinstance(loader, Finding):
        yield loader
    elif applied := applied_migrations(loader):
        state = project_state(loader, applied_keys(loader))
        created = created_objects(connection, domain)
        others = made_elsewhere(connection, domain, applied)
        changed = {**created, **given_away(connection, domain, applied)}
        yield from find_drift(
            connection,
            domain,
            state,
            migrations=[*applied, *others.migrations],
            reference=unmanaged_baseline(domain, loader.graph, applied, state, changed),
            created={entry for entries in created.values() for entry in entries}
            | others.created
            | recorded_objects(domain),
            histories=recorded_histories(domain),
        )
    yield from shard_findings(connection, domain)


def _leftover(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield leftovers, except tables that the domain's migrations make with SQL."""
    found = list(leftover_findings(connection, domain))
    names_in_sql: ReferencedNames | None = None
    if any(finding.id == "L002" for finding in found):
        loader = tolerant_loader(connection, domain)
        if isinstance(loader, Finding):
            yield loader  # The owner of the tables is not known.
        else:
            names_in_sql = ReferencedNames(applied_migrations(loader))
    created = created_objects(connection, domain) if names_in_sql else {}
    recorded = {entry for entries in created.values() for entry in entries}
    histories = recorded_histories(domain) if found else {}
    for finding in found:
        if finding.id == "L002":
            name = finding.object.partition(".")[2]
            if name.strip('"') in histories:
                continue
            if names_in_sql is None or names_in_sql.contains(name):
                continue
            if f"{drift_ids.EXTRA_TABLE} {finding.object}" in recorded:
                continue
        yield finding


CHECKERS: dict[str, Callable[[BaseDatabaseWrapper, Domain], Iterator[Finding]]] = {
    "history": history_findings,
    "checksum": checksum_findings,
    "drift": _drift,
    "boundary": boundary_findings,
    "leftover": _leftover,
}
