"""A domain's migrations in order, each with its states, read without importing them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain
from ..engine.history.journal_queries import JournalRow, steps_of_domain
from ..engine.history.status import DomainStatus, read_statuses
from ..engine.runner.edited_migrations import edited
from ..engine.runner.interruptions import Interruption, find_interruption
from ..engine.sources.files import MigrationKey, migrations_on_disk
from ..engine.sources.parsing import FIRST, LATEST, header_of
from . import states
from .states import State


@dataclass(frozen=True, kw_only=True)
class MigrationRow:
    """One migration on its domain's page.

    Attributes:
        states: the most serious first.
        applied: when; None also where the history does not say it.
        step: the journal's row of its application; None if the journal has none.
        failure: the last attempt, if it failed.
    """

    key: MigrationKey
    states: tuple[State, ...]
    is_applied: bool = False
    applied: datetime.datetime | None = None
    step: JournalRow | None = None
    failure: JournalRow | None = None


@dataclass(frozen=True)
class History:
    """A domain's migrations and its interrupted run, if any."""

    status: DomainStatus
    rows: tuple[MigrationRow, ...]
    interruption: Interruption | None

    def in_state(self, state: State) -> list[MigrationRow]:
        return [row for row in self.rows if state in row.states]


def read_history(connection: BaseDatabaseWrapper, domain: Domain) -> History:
    """Return the domain's migrations in the order in which they were or will be applied."""
    (status,) = read_statuses(connection, [domain])
    interruption = find_interruption(connection, domain)
    changed = set(edited(connection, status))
    steps: dict[MigrationKey, list[JournalRow]] = {}
    for step in steps_of_domain(connection, domain):
        steps.setdefault(step.key, []).append(step)
    applied = {row.key: row.applied for row in status.rows}
    others = {*migrations_on_disk(domain.app_labels), *status.missing}.difference(applied)
    rows = []
    for key in [*applied, *dependency_order(others)]:
        own = steps.get(key, [])
        rows.append(
            MigrationRow(
                key=key,
                states=tuple(_states(key, status, interruption, changed, own, applied)),
                is_applied=key in applied,
                applied=applied.get(key),
                step=_application(own) if key in applied else None,
                failure=last_failure(own),
            )
        )
    return History(status, tuple(rows), interruption)


def _states(
    key: MigrationKey,
    status: DomainStatus,
    interruption: Interruption | None,
    changed: set[MigrationKey],
    steps: Sequence[JournalRow],
    applied: Iterable[MigrationKey],
) -> Iterable[State]:
    if interruption is not None and interruption.key == key:
        yield states.INTERRUPTED
    elif last_failure(steps):
        yield states.FAILED
    if key in status.unknown:
        yield states.UNKNOWN
    if key in changed:
        yield states.EDITED
    if key in applied:
        step = _application(steps)
        yield states.FAKED if step and step.status == "faked" else states.APPLIED
    else:
        yield states.PENDING if key in status.pending else states.REPLACED


def _application(steps: Sequence[JournalRow]) -> JournalRow | None:
    """Return the last successful one; the row of an accepted edit comes after it."""
    ran = [step for step in steps if step.direction == "forwards" and step.succeeded]
    return next((step for step in reversed(ran) if step.status != "adopted"), None)


def last_failure(steps: Sequence[JournalRow]) -> JournalRow | None:
    """Return the last attempt, if it failed."""
    decided = [step for step in steps if step.status != "running"]
    return decided[-1] if decided and decided[-1].status == "failed" else None


def dependency_order(keys: Iterable[MigrationKey]) -> list[MigrationKey]:
    """Return migrations on disk after those that they depend on, otherwise by name."""
    graph: dict[MigrationKey, set[MigrationKey]] = {key: set() for key in keys}
    for key in graph:
        header = header_of(key)
        graph[key].update(header.dependencies)
        for child in header.run_before:
            if child in graph:
                graph[child].add(key)
    sorter = TopologicalSorter({key: graph[key] & set(graph) for key in graph})
    try:
        sorter.prepare()
    except CycleError:
        return sorted(graph)  # A run reports the cycle.
    ordered: list[MigrationKey] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += ready
        sorter.done(*ready)
    return ordered


def resolve_dependency(key: MigrationKey) -> MigrationKey:
    """Return the migration that a dependency names, possibly as an app's first or latest.

    Mirrors ``MigrationLoader.check_key``. A swappable dependency means the first.
    """
    label, name = key
    own = migrations_on_disk([label]) if name in (FIRST, LATEST) else set()
    parents = {one: own.intersection(header_of(one).dependencies) for one in own}
    if name == FIRST:
        found = {one for one in own if not parents[one]}
    else:
        found = own.difference(*parents.values())
    return min(found, default=MigrationKey(label, name))
