"""Running a migration's operations, with an eye on each, and the editor they run in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from ..history.journal import Direction

STATE_SAFE_MODULES = ("django.db.migrations.", "django.contrib.", "domain_migrations.operations")
"""Modules whose operations ask of models only what a change needs, or render them themselves."""

OperationHook = Callable[[Operation], AbstractContextManager[None]]
"""Called with each operation; the operation runs inside of what it returns."""


def run_operations(
    migration: Migration,
    state: ProjectState,
    editor: BaseDatabaseSchemaEditor,
    direction: Direction,
    watch: OperationHook,
    *,
    skip: int = 0,
    collect_sql: bool = False,
) -> ProjectState:
    """Run a migration's operations, each inside of what ``watch`` returns for it.

    The operations are wrapped for the time of the call, so that ``Migration.apply`` and
    ``unapply``, and what third parties made of them, run as they are.

    Arguments:
        skip: how many operations have run already, in the order of the direction.
        collect_sql: as Django's, for an editor that collects its statements.
    """
    operations = migration.operations
    if direction == "forwards":
        for operation in operations[:skip]:
            operation.state_forwards(migration.app_label, state)
        with _watched(migration, operations[skip:], watch):
            return migration.apply(state, editor, collect_sql)
    with _watched(migration, operations[: len(operations) - skip], watch):
        return migration.unapply(state, editor, collect_sql)


@contextmanager
def editor_without_savepoint(
    connection: BaseDatabaseWrapper,
) -> Iterator[BaseDatabaseSchemaEditor]:
    """Yield the editor for a migration whose transaction has begun.

    Django's own would make a savepoint, but nothing is kept of a migration that fails.
    """
    with connection.schema_editor(atomic=False) as editor:
        editor.atomic_migration = True  # What operations ask.
        try:
            yield editor
        finally:
            editor.atomic_migration = False  # Or the editor would end its savepoint.


class _ObservedOperation:
    """An operation that is watched while it runs, and is the operation in all else."""

    def __init__(self, operation: Operation, watch: OperationHook) -> None:
        self._operation = operation
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operation, name)

    def database_forwards(self, *args: Any) -> None:
        self._render_anew(*args)
        with self._watch(self._operation):
            self._operation.database_forwards(*args)

    def database_backwards(self, *args: Any) -> None:
        self._render_anew(*args)
        with self._watch(self._operation):
            self._operation.database_backwards(*args)

    def _render_anew(self, _label: str, _editor: object, *states: ProjectState) -> None:
        """Give an operation that nobody here knows models as complete as Django's."""
        if not type(self._operation).__module__.startswith(STATE_SAFE_MODULES):
            for state in states:
                state.clear_delayed_apps_cache()


@contextmanager
def _watched(
    migration: Migration, operations: Sequence[Operation], watch: OperationHook
) -> Iterator[None]:
    everything = migration.operations
    vars(migration)["operations"] = [
        _ObservedOperation(operation, watch) for operation in operations
    ]
    try:
        yield
    finally:
        vars(migration)["operations"] = everything
