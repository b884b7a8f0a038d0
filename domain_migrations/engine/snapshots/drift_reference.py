"""A domain's snapshot as the baseline of objects without a model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from django.db.migrations import AlterField, AlterModelTable, Migration, RenameField, RenameModel
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from ...backends.postgresql.names import parse_table_name
from ...domains import Domain
from ..catalog.unmanaged import ReferencedNames, UnmanagedBaseline
from ..sources.files import MigrationKey
from .snapshot_file import SnapshotUnreadable, read_snapshot, snapshot_file, stale_reasons

REWRITES_VIEWS = (AlterField, AlterModelTable, RenameField, RenameModel)
"""Operations that change the text of views and triggers that use the table or column."""


def may_rename(migrations: Iterable[Migration]) -> bool:
    """Return whether one of the migrations may name NOT NULL, or rename a table or column."""
    found = list(migrations)
    operations = (operation for migration in found for operation in migration.operations)
    names = ReferencedNames(found)
    return (
        any(isinstance(operation, REWRITES_VIEWS) for operation in operations)
        or names.contains("rename")
        or names.contains("constraint", "not", "null")
    )


def unmanaged_baseline(
    domain: Domain,
    graph: MigrationGraph,
    applied: Iterable[Migration],
    state: ProjectState,
    created: Mapping[MigrationKey, Collection[str]] | None = None,
) -> UnmanagedBaseline | None:
    """Return the domain's snapshot as a baseline of objects without a model.

    Returns None if there is no snapshot, if it is stale, or if not all of the migrations that it
    contains are applied.

    Arguments:
        applied: the domain's applied migrations.
        state: the state after them.
        created: what each migration created, as ``journal_queries.created_objects`` has it.
    """
    path = snapshot_file(domain)
    if path is None:
        return None
    try:
        snapshot = read_snapshot(path)
    except SnapshotUnreadable:
        return None
    if any(stale_reasons(snapshot, domain, graph)):
        return None
    done = {MigrationKey.of(migration): migration for migration in applied}
    if not done.keys() >= set(snapshot.migrations):
        return None
    later = [migration for key, migration in done.items() if key not in snapshot.migrations]
    changed = {
        entry
        for key, entries in (created or {}).items()
        if key not in snapshot.migrations
        for entry in entries
    }
    return UnmanagedBaseline(snapshot.unmanaged, _LaterChanges(later, state, changed))


class _LaterChanges:
    """Whether migrations after the snapshot may have changed an object."""

    def __init__(
        self, migrations: list[Migration], state: ProjectState, created: Iterable[str]
    ) -> None:
        self.names = ReferencedNames(migrations)
        operations = [(item.app_label, step) for item in migrations for step in item.operations]
        self.tables = {table for label, step in operations for table in _tables(label, step, state)}
        names = (entry.partition(" ")[2].partition("(")[0] for entry in created)
        self.created = {name.rpartition(".")[2].strip('"') for name in names}
        self.is_far_reaching = any(isinstance(step, REWRITES_VIEWS) for _, step in operations)

    def __call__(self, name: str, relation: str) -> bool:
        if self.is_far_reaching:
            return True
        names = [item for item in (name, relation) if item]
        return any(
            item in self.created or item in self.tables or self.names.contains(item)
            for item in names
        )


def _tables(app_label: str, operation: Operation, state: ProjectState) -> Iterator[str]:
    for attribute in ("model_name", "name"):
        name = getattr(operation, attribute, None)
        model = state.models.get((app_label, name.lower())) if isinstance(name, str) else None
        if model is not None and model.options.get("db_table"):
            yield parse_table_name(model.options["db_table"]).name
