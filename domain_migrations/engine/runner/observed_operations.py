"""The operations of a migration, each run in a context of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from django.contrib.contenttypes.management import RenameContentType
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunPython
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from ..history.journal import Direction

STATE_SAFE_MODULES = ("django.db.migrations.", "django.contrib.", "domain_migrations.operations")
"""Modules whose operations use only the models that a change needs, or render them themselves."""

OperationHook = Callable[[Operation], AbstractContextManager[None]]
"""Returns the context that an operation runs in."""


def run_operations(
    migration: Migration,
    state: ProjectState,
    editor: BaseDatabaseSchemaEditor,
    direction: Direction,
    around: OperationHook,
    *,
    skip: int = 0,
) -> ProjectState:
    """Run a migration's operations, each in the context that ``around`` returns for it.

    The operations are wrapped for the duration of the call, so that ``Migration.apply`` and
    ``unapply``, and third-party subclasses of them, run unchanged.

    Arguments:
        skip: how many of its own operations have run already, in the order of the direction.
    """
    operations = migration.operations
    if direction == "forwards":
        start = _index_after(operations, skip)
        run, left = migration.apply, operations[start:]
        for operation in operations[:start]:
            operation.state_forwards(migration.app_label, state)
    else:
        start = _index_after(operations[::-1], skip)
        run, left = migration.unapply, operations[: len(operations) - start]
    # As assigning it would; but django-stubs declares the attribute as the class's own.
    vars(migration)["operations"] = [_ObservedOperation(operation, around) for operation in left]
    try:
        return run(state, editor, editor.collect_sql)
    finally:
        vars(migration)["operations"] = operations


def own_operations(migration: Migration) -> list[Operation]:
    """Return the operations in the file: without those that ``pre_migrate`` adds to a plan."""
    return [one for one in migration.operations if not isinstance(one, RenameContentType)]


def operation_name(operation: Operation, *, backwards: bool) -> str:
    """Return Django's description of an operation; code is called by its function's name."""
    if not isinstance(operation, RunPython):
        return operation.describe()
    code: Any = (backwards and operation.reverse_code) or operation.code
    while isinstance(code, partial):
        code = code.func
    return f"RunPython {getattr(code, '__name__', type(code).__name__)}"


def _index_after(operations: Sequence[Operation], count: int) -> int:
    """Return the index after a number of own operations.

    The renaming of a content type, which may follow, is repeated without harm.
    """
    own = [n for n, one in enumerate(operations) if not isinstance(one, RenameContentType)]
    done = own[:count]
    return done[-1] + 1 if done else 0


class _ObservedOperation:
    """An operation that runs in a context, and is the operation in everything else."""

    def __init__(self, operation: Operation, around: OperationHook) -> None:
        self._operation = operation
        self._around = around

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operation, name)

    def database_forwards(self, *args: Any) -> None:
        self._run(self._operation.database_forwards, *args)

    def database_backwards(self, *args: Any) -> None:
        self._run(self._operation.database_backwards, *args)

    def _run(
        self, run: Callable[..., None], label: str, editor: object, *states: ProjectState
    ) -> None:
        """Run the operation; a third-party one gets models that are as complete as Django's."""
        if not type(self._operation).__module__.startswith(STATE_SAFE_MODULES):
            for state in states:
                state.clear_delayed_apps_cache()
        with self._around(self._operation):
            run(label, editor, *states)


@contextmanager
def editor_without_savepoint(
    connection: BaseDatabaseWrapper,
) -> Iterator[BaseDatabaseSchemaEditor]:
    """Yield the schema editor for a migration whose transaction has begun.

    Django's own would make a savepoint, which is useless: a failed migration is rolled back.
    """
    with connection.schema_editor(atomic=False) as editor:
        editor.atomic_migration = True  # Operations read it.
        try:
            yield editor
        finally:
            editor.atomic_migration = False  # Or it would end an atomic block it never began.
