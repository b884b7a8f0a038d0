"""The overview page: one row for each domain, with its state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.core.paginator import Paginator
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest

from ..domains import Domain
from ..engine.history.domain_states import DomainState, read_states, state_of
from ..engine.history.journal_queries import shown_run_statuses
from ..engine.history.runs import Run, last_runs
from ..engine.history.status import DomainStatus, read_name_statuses
from ..engine.history.verifications import StoredVerification, last_verifications
from ..engine.sessions.advisory_locks import running_domains
from . import states
from .databases import read_domains
from .hidden_names import HiddenNames
from .page import Page
from .states import State
from .table_sizes import Size, read_sizes

ROWS = 25
"""Domains on a page."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One domain in the overview.

    Attributes:
        running: whether a run holds the domain's lock.
        problem: why the domain could not be read; empty if it could.
    """

    domain: Domain
    status: DomainStatus | None = None
    size: Size | None = None
    last_run: Run | None = None
    verified: StoredVerification | None = None
    running: bool = False
    problem: str = ""

    def shown(self, names: HiddenNames) -> Row:
        """Return the row with nothing of hidden domains in its messages."""
        run, verified = self.last_run, self.verified
        return replace(
            self,
            problem=names.withhold(self.problem),
            last_run=run and names.row(run),
            verified=verified
            and replace(verified, findings=tuple(map(names.finding, verified.findings))),
        )

    @property
    def state(self) -> State:
        if self.status is None:
            return states.UNREADABLE
        last_run = self.last_run.status if self.last_run else ""
        return _state(last_run, self.running, state_of(self.status))

    @property
    def command(self) -> str:
        """The command to run next; empty if there is nothing to do."""
        if self.state in (states.PENDING, states.FAILED, states.UNFINISHED):
            return f"manage.py migrate_domain {self.domain.name}"
        return ""


def _state(last_run: str, running: bool, history: DomainState) -> State:
    """Return the most serious state that applies to a domain that can be read."""
    if last_run == "failed":
        return states.FAILED
    if last_run == "running":
        return states.RUNNING if running else states.UNFINISHED
    return {
        DomainState.PENDING: states.PENDING,
        DomainState.UNKNOWN: states.UNKNOWN,
        DomainState.CURRENT: states.UP_TO_DATE,
    }[history]


class Filter(NamedTuple):
    """The form's values: part of a domain's name, schema or database, and a state's key."""

    text: str = ""
    state: str = ""


def filter_domains(domains: Sequence[Domain], wanted: Filter) -> list[Domain]:
    """Return the matching domains; the databases are only queried to filter by state."""
    text = wanted.text.lower()
    found = [
        domain
        for domain in domains
        if text in f"{domain.name}\n{domain.schema}\n{domain.database}".lower()
    ]
    if wanted.state not in {state.key for state in states.OF_DOMAINS}:
        return found
    known, _ = read_domains(found, _states)
    return [
        domain for domain in found if known.get(domain.name, states.UNREADABLE).key == wanted.state
    ]


def _states(connection: BaseDatabaseWrapper, domains: list[Domain]) -> Iterator[tuple[str, State]]:
    """Yield each domain's state, as its row has it, at a fraction of the cost of a row."""
    results = shown_run_statuses(connection, domains)
    running = running_domains(connection, domains)
    for name, history in read_states(connection, domains).items():
        yield name, _state(results.get(name, ""), name in running, history)


def read_rows(domains: Sequence[Domain], *, details: bool = True) -> list[Row]:
    """Return a row for each domain.

    The number of queries depends on the number of databases, not of domains. The rows of a
    database that cannot be read have a ``problem``.
    """

    def read(connection: BaseDatabaseWrapper, domains: list[Domain]) -> Iterator[tuple[str, Row]]:
        runs = last_runs(connection, domains)
        running = running_domains(connection, domains)
        verified = last_verifications(connection, domains) if details else {}
        measured = read_sizes(connection, domains) if details else {}
        for status in read_name_statuses(connection, domains):
            name = status.domain.name
            row = Row(
                domain=status.domain,
                status=status,
                size=measured.get(name),
                last_run=runs.get(name),
                verified=verified.get(name),
                running=name in running,
            )
            yield name, row

    rows, problems = read_domains(domains, read)
    return [
        rows.get(domain.name) or Row(domain=domain, problem=problems[domain.name])
        for domain in domains
    ]


def overview(request: HttpRequest, visible: Sequence[Domain]) -> Page:
    """Show one row for each domain, core first."""
    wanted = Filter(request.GET.get("q", "").strip(), request.GET.get("state", ""))
    paginator = Paginator(filter_domains(visible, wanted), ROWS)
    page = paginator.get_page(request.GET.get("page"))
    names = HiddenNames(visible)
    rows = [row.shown(names) for row in read_rows(list(page.object_list))]
    return Page(
        "overview.html",
        "Domains",
        {
            "wanted": wanted,
            "states": states.OF_DOMAINS,
            "page": page,
            "rows": rows,
            "in_cluster": any(row.size and row.size.in_cluster for row in rows),
        },
        commands=(
            *((f"Migrate {row.domain.name}", row.command) for row in rows if row.command),
            ("Migrate every domain, core first", "manage.py migrate_domain --all"),
            ("Show the same as text", "manage.py show_domains"),
            ("Look for drift and boundary violations", "manage.py verify_domain"),
        ),
    )
