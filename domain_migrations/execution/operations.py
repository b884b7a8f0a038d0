"""Running a migration's operations, and hearing of each when it has run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from ..history.journal import Direction


def run_operations(
    migration: Migration,
    state: ProjectState,
    editor: BaseDatabaseSchemaEditor,
    direction: Direction,
    after: Callable[[Operation], None],
    *,
    skip: int = 0,
) -> ProjectState:
    """Run a migration's operations, calling ``after`` behind each.

    The operations are wrapped for the time of the call, so that ``Migration.apply`` and
    ``unapply``, and what third parties made of them, run as they are.

    Arguments:
        skip: how many operations have run already, in the order of the direction.
    """
    operations = migration.operations
    if direction == "forwards":
        for operation in operations[:skip]:
            operation.state_forwards(migration.app_label, state)
        with _watched(migration, operations[skip:], after):
            return migration.apply(state, editor)
    with _watched(migration, operations[: len(operations) - skip], after):
        return migration.unapply(state, editor)


class _Watched:
    """An operation that tells when it has run, and is the operation in all else."""

    def __init__(self, operation: Operation, after: Callable[[Operation], None]) -> None:
        self._operation = operation
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operation, name)

    def database_forwards(self, *args: Any) -> None:
        self._operation.database_forwards(*args)
        self._after(self._operation)

    def database_backwards(self, *args: Any) -> None:
        self._operation.database_backwards(*args)
        self._after(self._operation)


@contextmanager
def _watched(
    migration: Migration, operations: Sequence[Operation], after: Callable[[Operation], None]
) -> Iterator[None]:
    everything = migration.operations
    vars(migration)["operations"] = [_Watched(operation, after) for operation in operations]
    try:
        yield
    finally:
        vars(migration)["operations"] = everything
