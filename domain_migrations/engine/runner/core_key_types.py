"""Changes of a core key's type, which would not reach the domains' columns.

Django alters only the columns of models that are loaded, and core loads no domain's: an integer
key becomes a ``bigint`` and the columns that reference it stay integers, until a number does not
fit. So such a change is refused before anything runs, in both directions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations import AlterField, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from ...domains import QualifiedName
from ...exceptions import BoundaryViolation
from ..catalog.live_tables import CoreReference, read_core_references
from ..guard.operation_kinds import database_operations
from ..sessions.connection import fetch_one
from ..sql.alterations import alterations
from .distributed_keys import check_key_keeps_type
from .loader import DomainLoader, Plan

HINT = (
    "Put the change of the key into a migration of its own, as"
    " domain_migrations.operations.AlterReferencedKey(model_name, name, field): it takes the"
    " arguments of AlterField, and changes these columns too, in one transaction."
)
ALONE = "Give it a migration of its own: only this operation may change tables of domains."


class TypeChange(NamedTuple):
    """The type that an operation gives to a column, as written in SQL.

    Attributes:
        with_references: whether it changes the columns that reference this one, too.
    """

    table: QualifiedName
    column: str
    type: str
    with_references: bool = False


def check_key_types(connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan) -> None:
    """Refuse a plan for core that changes a key but not the columns that reference it.

    Raises:
        BoundaryViolation: naming the columns, and the operation that changes both.
        InvalidConfiguration: the operation changes both, but not on this cluster.
    """
    suspects = [step for step in plan if any(map(_may_change, step[0].operations))]
    if not suspects:
        return
    references = read_core_references(connection)
    for migration, backwards in suspects:
        inner = database_operations(migration.operations)
        alters_key = any(map(_alters_referenced_key, inner))
        if len(migration.operations) > 1 and alters_key:
            raise BoundaryViolation(
                f"Migration {migration} is refused: AlterReferencedKey is not its only operation.",
                hint=ALONE,
            )
        if not (references or alters_key):
            continue
        state = loader.project_state((migration.app_label, migration.name), at_end=False)
        for number, operation, change in _changes(connection, migration, state, backwards):
            if change.with_references:
                what = f"Migration {migration} is refused: AlterReferencedKey"
                check_key_keeps_type(connection, what, change.table, change.column, change.type)
                continue
            unchanged = [
                reference
                for reference in references
                if (reference.key_table, reference.key_column) == (change.table, change.column)
                and not _is_same_type(connection, reference.type, change.type)
            ]
            if unchanged:
                raise _refusal(migration, number, operation, change, unchanged)


def _may_change(operation: Operation) -> bool:
    return any(isinstance(inner, AlterField | RunSQL) for inner in database_operations([operation]))


def _alters_referenced_key(operation: Operation) -> bool:
    return getattr(operation, "alters_referenced_key", False)


def _refusal(
    migration: Migration,
    number: int,
    operation: Operation,
    change: TypeChange,
    unchanged: list[CoreReference],
) -> BoundaryViolation:
    names = ", ".join(dict.fromkeys(map(str, unchanged)))
    return BoundaryViolation(
        f"Migration {migration} is refused: its operation {number}, {type(operation).__name__},"
        f" changes {unchanged[0].key} from {unchanged[0].key_type} to {change.type}, but not the"
        f" columns of domains that reference it: {names}.",
        hint=HINT,
    )


def _changes(
    connection: BaseDatabaseWrapper, migration: Migration, state: ProjectState, backwards: bool
) -> Iterator[tuple[int, Operation, TypeChange]]:
    for number, operation in enumerate(migration.operations, start=1):
        before = state.clone() if isinstance(operation, SeparateDatabaseAndState) else state
        for inner in database_operations([operation]):
            if isinstance(inner, AlterField):
                for change in _field_changes(connection, migration, before, inner, backwards):
                    yield (
                        number,
                        operation,
                        change._replace(with_references=_alters_referenced_key(inner)),
                    )
            elif isinstance(inner, RunSQL):
                for change in _sql_changes(inner.reverse_sql if backwards else inner.sql):
                    yield number, operation, change
            if before is not state:
                inner.state_forwards(migration.app_label, before)
        operation.state_forwards(migration.app_label, state)


def _field_changes(
    connection: BaseDatabaseWrapper,
    migration: Migration,
    state: ProjectState,
    operation: AlterField,
    backwards: bool,
) -> Iterator[TypeChange]:
    model = state.models.get((migration.app_label, operation.model_name_lower))
    if model is None or operation.name not in model.fields:
        return  # The operation itself fails, with an error that explains it.
    old: Any = model.fields[operation.name]
    new: Any = operation.field
    if old.is_relation or new.is_relation:
        return  # It has the type of the key that it references.
    before, after = (field.rel_db_type(connection) for field in (old, new))
    if before != after:
        table = model.options.get("db_table") or f"{migration.app_label}_{model.name_lower}"
        current = new if backwards else old
        yield TypeChange(
            QualifiedName.of(table),
            current.db_column or operation.name,
            str(before if backwards else after),
        )


def _sql_changes(statements: Any) -> Iterator[TypeChange]:
    if statements is None:
        return
    for statement in [statements] if isinstance(statements, str) else statements:
        text = statement if isinstance(statement, str) else statement[0]
        for change in alterations(text):
            if change.kind == "type":
                yield TypeChange(change.table, change.name, change.type)


def _is_same_type(connection: BaseDatabaseWrapper, live: str, written: str) -> bool:
    """Return whether a type from the catalog is the one that was written in SQL."""
    base = None
    # For an unknown type some versions of PostgreSQL raise an error, others return NULL.
    with suppress(DatabaseError), transaction.atomic(using=connection.alias):
        (base,) = fetch_one(connection, "SELECT to_regtype(%s)::text", [written])
    return (re.sub(r"\(.*?\)", "", live), _type_modifiers(live)) == (
        base or written,
        _type_modifiers(written),
    )


def _type_modifiers(kind: str) -> list[str]:
    return re.findall(r"\d+", "".join(re.findall(r"\(.*?\)", kind)))
