"""Kinds of operations, as far as they are known without running them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.migrations.operations import RunSQL, SeparateDatabaseAndState, fields, models
from django.db.migrations.operations.base import Operation
from django.db.models import F, Q, Value

SCHEMA_ONLY_POSTGRES = (
    "AddConstraintNotValid",
    "AddIndexConcurrently",
    "RemoveIndexConcurrently",
    "ValidateConstraint",
)
"""Operations of ``django.contrib.postgres`` that change nothing but a model's table."""

SCHEMA_ONLY_MODULES = (models.__name__, fields.__name__)
"""The modules of Django's operations whose SQL concerns one model's table only."""

ADDITIVE = (
    models.CreateModel,
    models.AddIndex,
    models.AddConstraint,
    models.RenameModel,
    models.RenameIndex,
    models.AlterModelOptions,
    models.AlterModelManagers,
    models.AlterModelTableComment,
    fields.AddField,
    fields.RenameField,
)
"""Operations of Django that add to a table, or change nothing but names."""

DESTRUCTIVE = (models.DeleteModel, fields.RemoveField, fields.AlterField)
"""Operations of Django that drop what depends on the column or table that they drop."""

CONDITIONAL: dict[str, type[Operation]] = {
    "AddConstraintIfMissing": models.AddConstraint,
    "AddFieldIfMissing": fields.AddField,
    "AddIndexIfMissing": models.AddIndex,
    "ConvertToForeignKey": fields.AlterField,
    "ConvertToReference": fields.AlterField,
    "CreateModelIfMissing": models.CreateModel,
    "RemoveFieldIfPresent": fields.RemoveField,
}
"""Operations of this engine and the ones of Django that they run where they are needed."""


def effective_class(operation: Operation) -> type[Operation]:
    """Return the operation's class, or the class of Django's that it runs."""
    kind = type(operation)
    if kind.__module__ == "domain_migrations.operations":
        return CONDITIONAL.get(kind.__name__, kind)
    return kind


def database_operations(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Yield the operations that change the database, including those inside others."""
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from database_operations(operation.database_operations)
        else:
            yield operation


def is_django_internal(operation: Operation) -> bool:
    """Return whether Django put the operation into the plan itself."""
    return type(operation).__module__.startswith("django.contrib.contenttypes.")


def runs_custom_sql(operation: Operation) -> bool:
    """Return whether the operation may run SQL that its declaration does not show."""
    if is_django_internal(operation):
        return False
    return any(not _is_schema_only(inner) for inner in database_operations([operation]))


def runs_code(operation: Operation) -> bool:
    """Return whether the operation may send statements past Django's cursors, as a COPY is."""
    return runs_custom_sql(operation) and not all(
        _is_schema_only(inner) or effective_class(inner) is RunSQL
        for inner in database_operations([operation])
    )


def _is_schema_only(operation: Operation) -> bool:
    kind = effective_class(operation)
    if kind.__module__ == "django.contrib.postgres.operations":
        return kind.__name__ in SCHEMA_ONLY_POSTGRES
    return kind.__module__ in SCHEMA_ONLY_MODULES and all(
        map(_is_builtin, indexes_and_constraints(operation))
    )


def is_additive(operation: Operation) -> bool:
    """Return whether the operation only adds to one table, with Django's types and functions.

    Run forwards, it can neither drop anything nor make the table depend on anything but the
    tables that its foreign keys point at.
    """
    return all(map(_is_additive, database_operations([operation])))


def _is_additive(operation: Operation) -> bool:
    kind = effective_class(operation)
    if kind not in ADDITIVE and kind.__name__ != "AddIndexConcurrently":
        return False
    if not _is_schema_only(operation):
        return False
    added: Any = getattr(operation, "fields", None) or [("", getattr(operation, "field", None))]
    return all(_is_additive_field(field) for _, field in added if field is not None) and all(
        map(_is_additive_part, indexes_and_constraints(operation))
    )


def _is_additive_field(field: Any) -> bool:
    return (
        _is_builtin(field)
        and not getattr(field, "generated", False)
        and not getattr(field, "db_collation", None)
        and not field.has_db_default()
    )


def _is_additive_part(part: Any) -> bool:
    """Return whether a constraint or an index consists of columns and constants only."""
    expressions = set(_expression_types(getattr(part, "expressions", ())))
    conditions = set(_expression_types([getattr(part, "condition", None)]))
    return not getattr(part, "opclasses", ()) and expressions <= {F} and conditions <= {F, Value}


def _expression_types(expressions: Iterable[Any]) -> Iterator[type]:
    """Yield the classes of the expressions in a condition, without those of constants."""
    for expression in expressions:
        if isinstance(expression, Q):
            yield from _expression_types(
                child[1] if isinstance(child, tuple) else child for child in expression.children
            )
        elif isinstance(expression, list | tuple | set):
            yield from _expression_types(expression)
        elif hasattr(expression, "resolve_expression"):
            yield type(expression)


def drops_dependents(operation: Operation) -> bool:
    """Return whether the operation may drop what depends on its table or column."""
    return issubclass(effective_class(operation), DESTRUCTIVE)


def indexes_and_constraints(operation: Operation) -> Iterator[Any]:
    """Yield the indexes and constraints of an operation, which write SQL of their own."""
    options: dict[str, Any] = getattr(operation, "options", None) or {}
    yield from options.get("constraints", ())
    yield from options.get("indexes", ())
    for name in ("constraint", "index"):
        part = getattr(operation, name, None)
        if part is not None:
            yield part


def _is_builtin(part: Any) -> bool:
    return type(part).__module__.startswith("django.")
