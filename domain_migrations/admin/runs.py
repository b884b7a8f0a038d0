"""The runs of several databases: the list of them, and one of them on a time line."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connections

from ..domains import Domain
from ..engine.history.journal_queries import JournalRow, Run, RunFilter, list_runs, steps_of_run
from ..engine.sessions.connection import translate_database_errors
from ..exceptions import DomainMigrationsError
from . import states
from .states import State

SHORTEST = 0.5
"""Per cent of the line that even the shortest step takes, so that it is seen."""


@dataclass(frozen=True)
class Bar:
    """A step on the time line; places are per cent of the line."""

    step: JournalRow
    state: State
    offset_seconds: float
    offset_percent: float
    width: float


@dataclass(frozen=True)
class Timeline:
    """A run from its first step to its last.

    Attributes:
        broken: the domains in which it did not come to a good end.
    """

    started: datetime.datetime
    seconds: float
    steps: tuple[JournalRow, ...]
    problems: tuple[str, ...]

    @property
    def domains(self) -> list[str]:
        return list(dict.fromkeys(step.domain for step in self.steps))

    @property
    def failed_domains(self) -> set[str]:
        last = {step.domain: step for step in self.steps if step.direction == "run"}
        return {name for name, step in last.items() if step.status != "done"}

    def bar(self, step: JournalRow) -> Bar:
        """Return where one of the steps lies."""
        after = (step.started - self.started).total_seconds()
        scale = 100 / self.seconds if self.seconds > 0 else 0
        width = min(max(step.seconds * scale, SHORTEST), 100)
        left = max(min(after * scale, 100 - width), 0)
        state = states.of_journal(step.status)
        return Bar(step, state, after, round(left, 2), round(width, 2))


def read_runs(
    domains: Sequence[Domain], wanted: RunFilter, *, limit: int, offset: int
) -> tuple[list[Run], list[str]]:
    """Return the runs, latest first, and why those of some databases are missing."""
    found: list[Run] = []
    problems: list[str] = []
    aliases = list(_aliases(domains))
    for alias, here in aliases:
        # Of several databases each may have all the runs of this page.
        several = len(aliases) > 1
        try:
            with translate_database_errors(alias):
                found += list_runs(
                    connections[alias],
                    here,
                    wanted,
                    limit=limit + offset if several else limit,
                    offset=0 if several else offset,
                )
        except DomainMigrationsError as exc:
            problems.append(f"{exc.message} {exc.hint}".strip())
    found.sort(key=lambda run: run.started, reverse=True)
    return (found[offset : offset + limit] if len(aliases) > 1 else found), problems


def read_run(domains: Sequence[Domain], run: str) -> Timeline:
    """Return what a run did in these domains; without steps where it did nothing in them."""
    steps: list[JournalRow] = []
    problems: list[str] = []
    for alias, here in _aliases(domains):
        try:
            with translate_database_errors(alias):
                steps += steps_of_run(connections[alias], here, run)
        except DomainMigrationsError as exc:
            problems.append(f"{exc.message} {exc.hint}".strip())
    if not steps:
        return Timeline(datetime.datetime.now(datetime.UTC), 0.0, (), tuple(problems))
    steps = _restored_together(steps)
    begin = min(step.started for step in steps)
    end = max(step.started + datetime.timedelta(seconds=step.seconds) for step in steps)
    ended = {step.domain for step in steps if step.direction == "run" and step.status != "running"}
    return Timeline(
        begin,
        (end - begin).total_seconds(),
        tuple(
            step
            for step in steps
            # A run's beginning is told by its end, where there is one.
            if not (step.direction == "run" and step.status == "running" and step.domain in ended)
        ),
        tuple(problems),
    )


def _restored_together(steps: list[JournalRow]) -> list[JournalRow]:
    """Return the steps, those of a snapshot with the time that it took for all of them."""
    totals: dict[str, float] = {}
    for step in steps:
        if step.snapshot:
            totals[step.domain] = totals.get(step.domain, 0.0) + step.seconds
    return [step._replace(seconds=totals[step.domain]) if step.snapshot else step for step in steps]


def _aliases(domains: Sequence[Domain]) -> Iterator[tuple[str, list[Domain]]]:
    for alias in dict.fromkeys(domain.database for domain in domains):
        if connections[alias].vendor == "postgresql":
            yield alias, [domain for domain in domains if domain.database == alias]
