"""The journal pages: the list of all runs, and one run on a timeline."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.core.paginator import Paginator
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import Http404, HttpRequest
from django.utils.dateparse import parse_date
from django.utils.timezone import make_aware

from ..domains import Domain
from ..engine.history.journal_queries import JournalRow
from ..engine.history.runs import (
    STATUSES,
    Run,
    RunFilter,
    RunPart,
    list_runs,
    parts_of_run,
    steps_of_run,
)
from ..engine.messages import local_time
from . import states
from .databases import read_databases
from .hidden_names import HiddenNames
from .page import Page, url
from .states import State

ROWS = 50
STEPS = 200
DOMAINS = 25
A_DAY = datetime.timedelta(days=1)

SHORTEST = 0.5
"""The width of the shortest step in per cent of the timeline, so that it is visible."""


@dataclass(frozen=True)
class Bar:
    """A step on the timeline; its offset and its width are in per cent of the timeline."""

    step: JournalRow
    state: State
    offset_seconds: float
    offset_percent: float
    width: float

    @property
    def ran_elsewhere(self) -> str:
        """When another tool ran a migration that the run brought in; "" for any other step."""
        if self.step.direction != "import" or not self.step.name:
            return ""
        source = self.step.details.get("import")
        if not isinstance(source, dict) or source.get("time") == "unknown":
            return "unknown"
        return local_time(self.step.started)


@dataclass(frozen=True)
class Timeline:
    """A run from its first step to its last; a slice of it has the steps, by domain."""

    run: str
    started: datetime.datetime
    seconds: float
    parts: tuple[RunPart, ...]
    places: tuple[Domain, ...]
    problems: tuple[str, ...]

    @property
    def domains(self) -> list[str]:
        return [part.domain for part in self.parts]

    @property
    def failed_domains(self) -> set[str]:
        """The domains in which the run did not succeed."""
        return {part.domain for part in self.parts if part.status not in (None, "done")}

    @property
    def has_ended(self) -> bool:
        """Whether the run has ended in every domain; a repair has no end."""
        return all(part.status != "running" for part in self.parts)

    def __len__(self) -> int:
        return sum(part.steps for part in self.parts)

    def __getitem__(self, wanted: slice) -> list[JournalRow]:
        """Return some of the steps; those restored from a snapshot get the whole restore's time."""
        offset, limit = wanted.start, wanted.stop - wanted.start
        sizes = {part.domain: part.steps for part in self.parts}
        ended = [part.domain for part in self.parts if part.status not in (None, "running")]

        def read(connection: BaseDatabaseWrapper, here: list[Domain]) -> list[JournalRow]:
            nonlocal offset, limit
            size = sum(sizes.get(domain.name, 0) for domain in here)
            if offset >= size or limit <= 0:
                offset -= min(offset, size)
                return []
            rows = steps_of_run(connection, here, self.run, ended=ended, limit=limit, offset=offset)
            offset, limit = 0, limit - len(rows)
            return rows

        steps, _ = read_databases(self.places, read)
        restored = {part.domain: part.restored for part in self.parts}
        return [
            step._replace(seconds=restored[step.domain]) if step.snapshot else step
            for step in steps
        ]

    def bar(self, step: JournalRow) -> Bar:
        """Return the position of one of the steps."""
        offset = (step.started - self.started).total_seconds()
        scale = 100 / self.seconds if self.seconds > 0 else 0
        width = min(max(step.seconds * scale, SHORTEST), 100)
        left = max(min(offset * scale, 100 - width), 0)
        is_brought_in = step.direction == "import" and step.status == "adopted"
        state = states.BROUGHT_IN if is_brought_in else states.of_journal(step.status)
        return Bar(step, state, offset, round(left, 2), round(width, 2))


def read_runs(
    domains: Sequence[Domain], wanted: RunFilter, *, limit: int, offset: int
) -> tuple[list[Run], list[str]]:
    """Return the runs, latest first, and why the runs of some databases are missing."""
    here = _on_postgresql(domains)
    # Each of several databases may hold all the runs of this page.
    several = len({domain.database for domain in here}) > 1
    first = offset if several else 0
    read = partial(list_runs, wanted=wanted, limit=first + limit, offset=offset - first)
    found, problems = read_databases(here, read)
    found.sort(key=lambda run: run.started, reverse=True)
    return found[first : first + limit], list(problems.values())


def read_run(domains: Sequence[Domain], run: str) -> Timeline:
    """Return what a run did in these domains; it has no parts if it did nothing in them."""
    here = _on_postgresql(domains)
    parts, unreadable = read_databases(here, partial(parts_of_run, run=run))
    begin = min((part.started for part in parts), default=datetime.datetime.now(datetime.UTC))
    end = max((part.ended for part in parts), default=begin)
    return Timeline(
        run,
        begin,
        (end - begin).total_seconds(),
        tuple(sorted(parts, key=lambda part: part.domain)),
        tuple(here),
        tuple(unreadable.values()),
    )


def _on_postgresql(domains: Sequence[Domain]) -> list[Domain]:
    return [domain for domain in domains if connections[domain.database].vendor == "postgresql"]


@dataclass(frozen=True)
class FoundRuns:
    """One page of the runs that a request asks for.

    Attributes:
        given: the filter as it was written.
        wrong: the parts of it that are not dates, and were ignored.
        problems: why the runs of some databases are missing.
    """

    runs: tuple[Run, ...]
    given: dict[str, str]
    wrong: list[str]
    problems: list[str]
    number: int
    has_next: bool


def find_runs(request: HttpRequest, visible: Sequence[Domain]) -> FoundRuns:
    """Return the runs of the visible domains, latest first."""
    given = {
        name: request.GET.get(name, "").strip()
        for name in ("domain", "status", "person", "since", "until")
    }
    domains = [domain for domain in visible if given["domain"] in ("", domain.name)]
    wanted = RunFilter(
        status=given["status"] if given["status"] in STATUSES else "",
        person=given["person"],
        since=_day(given["since"]),
        until=_day(given["until"], days=1),
    )
    names = HiddenNames(visible)
    number = _number(request.GET.get("page", ""))
    runs, problems = read_runs(domains, wanted, limit=ROWS + 1, offset=ROWS * (number - 1))
    return FoundRuns(
        tuple(map(names.row, runs[:ROWS])),
        given,
        [name for name in ("since", "until") if given[name] and _day(given[name]) is None],
        names.withhold_each(problems),
        number,
        len(runs) > ROWS,
    )


def journal(request: HttpRequest, visible: Sequence[Domain]) -> Page:
    """Show every run of every domain, latest first."""
    found = find_runs(request, visible)
    return Page(
        "journal.html",
        "Journal",
        {
            "given": found.given,
            "filtered": any(found.given.values()),
            "wrong": found.wrong,
            "visible": visible,
            "statuses": [(status, states.of_journal(status)) for status in STATUSES],
            "runs": [(run, states.of_journal(run.status)) for run in found.runs],
            "problems": found.problems,
            "number": found.number,
            "previous": found.number > 1,
            "next": found.has_next,
        },
        commands=(("Show the state of every domain", "manage.py show_domains"),),
    )


def run(request: HttpRequest, visible: Sequence[Domain], run: UUID) -> Page:
    """Show one run: what it did in each domain, on a timeline."""
    line = read_run(visible, str(run))
    if not line.parts:
        raise Http404("There is no such run, or you may not view any of its domains.")
    pages: Paginator[JournalRow] = Paginator(line, STEPS)  # type: ignore[arg-type]
    page = pages.get_page(request.GET.get("page"))
    names = HiddenNames(visible)
    steps = list(map(names.row, page))
    if not steps:
        raise Http404("The rows of this run cannot be read.")
    return Page(
        "run.html",
        f"Run of {local_time(line.started)}",
        {
            "line": line,
            "problems": names.withhold_each(line.problems),
            "first": steps[0],
            "run": run,
            "page": page,
            "bars": map(line.bar, steps),
        },
        trail=(("Journal", url("journal")),),
        commands=tuple(
            (f"Migrate {name}", f"manage.py migrate_domain {name}")
            if name in line.failed_domains
            else (f"Show the state of {name}", f"manage.py show_domains {name}")
            for name in line.domains[:DOMAINS]
        ),
    )


def _day(text: str, *, days: int = 0) -> datetime.datetime | None:
    """Return the start of a day, or of one some days later, in the project's time zone.

    None if the text is not a date or the date is out of range.
    """
    try:
        day = parse_date(text)
        begin = datetime.time()
        return make_aware(datetime.datetime.combine(day + days * A_DAY, begin)) if day else None
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> int:
    return min(max(int(text), 1), 100_000) if text.isdecimal() and len(text) < 9 else 1
