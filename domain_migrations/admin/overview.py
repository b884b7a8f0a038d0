"""Where the domains stand, as the overview shows it: a row for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain
from ..exceptions import DomainMigrationsError
from ..execution.advisory import being_run
from ..execution.connection import database_errors
from ..execution.status import DomainStatus, read_statuses
from ..history.runs import Run, find_tables, last_runs
from ..history.verifications import StoredVerification, last_verifications
from . import states
from .sizes import Size, read_sizes
from .states import State


@dataclass(frozen=True, kw_only=True)
class Row:
    """One domain in the overview.

    Attributes:
        running: whether a run has the domain's lock just now.
        problem: why nothing is known of it; empty where something is.
    """

    domain: Domain
    status: DomainStatus | None = None
    size: Size | None = None
    last_run: Run | None = None
    verified: StoredVerification | None = None
    running: bool = False
    problem: str = ""

    @property
    def state(self) -> State:
        """The worst that is to be said."""
        if self.status is None:
            return states.UNREADABLE
        last = self.last_run.status if self.last_run else ""
        if last == "failed":
            return states.FAILED
        if last == "running":
            return states.RUNNING if self.running else states.UNFINISHED
        if self.status.pending or self.status.squash_to_record:
            return states.PENDING
        return states.UNKNOWN if self.status.unknown else states.UP_TO_DATE

    @property
    def command(self) -> str:
        """What one would run next; empty where nothing calls for it."""
        if self.state in (states.PENDING, states.FAILED, states.UNFINISHED):
            return f"manage.py migrate_domain {self.domain.name}"
        return ""


class Wanted(NamedTuple):
    """The filter: a part of a domain's name, schema or database, and a state's key."""

    text: str = ""
    state: str = ""


def choose(domains: Sequence[Domain], wanted: Wanted) -> list[Domain]:
    """Return the domains that the filter lets through; asks the databases only for a state."""
    text = wanted.text.lower()
    found = [
        domain
        for domain in domains
        if text in f"{domain.name}\n{domain.schema}\n{domain.database}".lower()
    ]
    if wanted.state not in {state.key for state in states.OF_DOMAINS}:
        return found
    rows = read_rows(found, details=False)
    return [row.domain for row in rows if row.state.key == wanted.state]


def read_rows(domains: Sequence[Domain], *, details: bool = True) -> list[Row]:
    """Return a row for each domain, in as many queries as its databases need, however many
    domains there are. A database that cannot be read makes its rows say so.
    """
    rows: dict[str, Row] = {}
    for alias in dict.fromkeys(domain.database for domain in domains):
        here = [domain for domain in domains if domain.database == alias]
        try:
            with database_errors(alias):
                rows.update((row.domain.name, row) for row in _rows(alias, here, details))
        except DomainMigrationsError as exc:
            problem = f"{exc.message} {exc.hint}".strip()
            rows.update((domain.name, Row(domain=domain, problem=problem)) for domain in here)
    return [rows[domain.name] for domain in domains]


def _rows(alias: str, domains: list[Domain], details: bool) -> Iterator[Row]:
    connection = connections[alias]
    if connection.vendor != "postgresql":
        problem = f'The database "{alias}" is not PostgreSQL.'
        yield from (Row(domain=domain, problem=problem) for domain in domains)
        return
    forbidden = find_tables(
        connection, [table for d in domains for table in (d.history_table, d.journal_table)]
    ).forbidden
    open_ = [d for d in domains if not {d.history_table, d.journal_table} & forbidden]
    yield from _readable(connection, open_, details)
    for domain in domains:
        if domain not in open_:
            role = connection.settings_dict.get("USER") or "in use"
            yield Row(
                domain=domain,
                problem=f'The role "{role}" may not read {domain.history_table} and'
                f" {domain.journal_table}. GRANT USAGE on the schema and SELECT on both.",
            )


def _readable(
    connection: BaseDatabaseWrapper, domains: list[Domain], details: bool
) -> Iterator[Row]:
    runs = last_runs(connection, domains)
    running = being_run(connection, domains)
    verified = last_verifications(connection, domains) if details else {}
    measured = read_sizes(connection, domains) if details else {}
    for status in read_statuses(connection, domains):
        name = status.domain.name
        yield Row(
            domain=status.domain,
            status=status,
            size=measured.get(name),
            last_run=runs.get(name),
            verified=verified.get(name),
            running=name in running,
        )
