"""The operations on the models' state, for each of the migrations of an update."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.core.exceptions import FieldDoesNotExist
from django.db.migrations import DeleteModel, Migration, RemoveField
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from ...engine.runner.loader import DomainLoader

REMOVALS = (DeleteModel, RemoveField)


def state_problems(loader: DomainLoader, states: Migration) -> Iterable[str]:
    """Yield why the operations do not fit the models of the migrations so far.

    They are those of the models as they would be written, which people may have renamed.
    """
    state = loader.project_state()
    for operation in states.operations:
        try:
            _apply(loader, state, [operation])
        except (KeyError, FieldDoesNotExist) as exc:
            yield (
                f"The models of the migrations do not fit: {operation.describe()}: {exc} is not"
                " there. If it was renamed there, write the migration by hand."
            )
            return


def split_states(
    loader: DomainLoader, states: Migration | None, stages: Sequence[str]
) -> list[Migration | None]:
    """Return the operations of each migration.

    The last one has them; but if it comes after the others, no more than the removals, as long as
    the order of the others does not matter.

    Arguments:
        stages: of the migrations.
    """
    found: list[Migration | None] = [None] * len(stages)
    found[-1] = states
    if states is None or len(stages) < 2 or stages[-1] != "after":
        return found
    last = [item for item in states.operations if isinstance(item, REMOVALS)]
    first = [item for item in states.operations if item not in last]
    whole, parts = loader.project_state(), loader.project_state()
    _apply(loader, whole, states.operations)
    try:
        _apply(loader, parts, [*first, *last])
    except (KeyError, FieldDoesNotExist):
        return found
    if parts == whole:
        found[-2:] = _with(states, first), _with(states, last)
    return found


def _apply(loader: DomainLoader, state: ProjectState, operations: Iterable[Operation]) -> None:
    (label,) = loader.domain.app_labels
    for operation in operations:
        operation.state_forwards(label, state)


def _with(states: Migration, operations: Sequence[Operation]) -> Migration | None:
    if not operations:
        return None
    migration = Migration(states.name, states.app_label)
    vars(migration).update(operations=list(operations), dependencies=states.dependencies)
    return migration
