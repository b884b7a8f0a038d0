"""A domain's migrations in order, each with its states, read without importing them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.sql import Composable

from ..domains import get_domains
from ..engine.history.journal_queries import (
    APPLICATION,
    ENDED,
    HAS_CHECKSUM,
    JournalRow,
    latest_steps,
)
from ..engine.history.status import DomainStatus
from ..engine.history.tables import HistoryRow, read_history_page
from ..engine.runner.edited_migrations import edited_since
from ..engine.runner.interruptions import find_interruption
from ..engine.sources.files import MigrationKey, migrations_on_disk
from ..engine.sources.parsing import FIRST, LATEST, header_of
from . import states
from .hidden_names import HiddenNames
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

    def shown(self, names: HiddenNames) -> MigrationRow:
        """Return the row with nothing of hidden domains in its error."""
        return replace(self, failure=self.failure and names.row(self.failure))


class History:
    """A domain's migrations, in the order in which they were or will be applied.

    As many rows are read as are asked for, whatever the length of history and journal.
    """

    def __init__(self, connection: BaseDatabaseWrapper, status: DomainStatus) -> None:
        self.connection = connection
        self.status = status
        self.interruption = find_interruption(connection, status.domain)
        on_disk = migrations_on_disk(status.domain.app_labels)
        self.not_applied = dependency_order(on_disk - status.applied)

    def __len__(self) -> int:
        return len(self.status.applied) + len(self.not_applied)

    def __getitem__(self, part: slice) -> list[MigrationRow]:
        """Return a part; a paginator asks for one page."""
        first, end, applied = part.start, part.stop, len(self.status.applied)
        rows = self._applied(limit=max(min(end, applied) - first, 0), offset=first)
        left = self.not_applied[max(first - applied, 0) : max(end - applied, 0)]
        return self._rows({row.key: row.applied for row in rows}, left)

    def row(self, key: MigrationKey) -> MigrationRow | None:
        """Return one migration, None if it is neither applied nor on disk."""
        applied = {row.key: row.applied for row in self._applied(key=key)}
        left = [key] if key in self.not_applied else []
        return next(iter(self._rows(applied, left)), None)

    def _applied(self, **which: Any) -> list[HistoryRow]:
        domain = self.status.domain
        others = [label for one in get_domains() if one != domain for label in one.app_labels]
        return read_history_page(self.connection, domain, others=others, **which)

    def _rows(
        self, applied: Mapping[MigrationKey, datetime.datetime | None], left: list[MigrationKey]
    ) -> list[MigrationRow]:
        keys = [*applied, *left]

        def latest(where: Composable) -> dict[MigrationKey, JournalRow]:
            return latest_steps(self.connection, self.status.domain, where, keys)

        applications, attempts = latest(APPLICATION), latest(ENDED)
        changed = set(edited_since(latest(HAS_CHECKSUM), applied))
        unknown, pending = set(self.status.unknown), set(self.status.pending)
        rows = []
        for key in keys:
            attempt = attempts.get(key)
            failure = attempt if attempt and attempt.status == "failed" else None
            step = applications.get(key) if key in applied else None
            found = []
            if self.interruption is not None and self.interruption.key == key:
                found.append(states.INTERRUPTED)
            elif failure:
                found.append(states.FAILED)
            if key in unknown:
                found.append(states.UNKNOWN)
            if key in changed:
                found.append(states.EDITED)
            if key in applied:
                found.append(states.FAKED if step and step.status == "faked" else states.APPLIED)
            else:
                found.append(states.PENDING if key in pending else states.REPLACED)
            rows.append(
                MigrationRow(
                    key=key,
                    states=tuple(found),
                    is_applied=key in applied,
                    applied=applied.get(key),
                    step=step,
                    failure=failure,
                )
            )
        return rows


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
