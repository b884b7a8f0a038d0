"""Foreign keys of old migrations to models that are another domain's today.

The other domain's models are not loaded. In memory, such a foreign key becomes an ordinary column
of the same name and type: a new database never has the constraint, which a later migration drops.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from typing import Any

from django.apps import apps as global_apps
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunPython
from django.db.migrations.operations.base import Operation
from django.db.migrations.utils import resolve_relation
from django.db.models import Field, ForeignKey

from ...fields import SUFFIX, DomainReference, column_arguments, plain_field
from .former_data import without_former_models

FieldKey = tuple[str, str]
"""The names of a model and of its field, in lower case."""


class FormerKey(DomainReference):
    """A column in the place of a foreign key, with the foreign key's name and attributes."""

    @property
    def accessor_name(self) -> str:
        return self.name

    def get_attname(self) -> str:
        return f"{self.name}{SUFFIX}"


def forget_dependencies(
    migrations: Collection[Migration], former: Mapping[str, Collection[str]]
) -> None:
    """Take the former dependencies out of migrations, and what needs them out of operations.

    Arguments:
        former: app → the apps on which its migrations depended formerly.
    """
    for migration in migrations:
        labels = former.get(migration.app_label)
        if not labels:
            continue
        types = _column_types(
            other for other in migrations if other.app_label == migration.app_label
        )
        # django-stubs declares both as the class's own.
        vars(migration)["dependencies"] = [
            dependency for dependency in migration.dependencies if dependency[0] not in labels
        ]
        vars(migration)["operations"] = [
            _without_keys(operation, migration.app_label, labels, types)
            for operation in migration.operations
        ]


def _column_types(migrations: Iterable[Migration]) -> dict[FieldKey, Field[Any, Any]]:
    """Return the types that the app's conversions state for the columns."""
    return {
        (operation.model_name_lower, operation.name_lower): operation.field.id_field
        for migration in migrations
        for operation in map(_as_any, migration.operations)
        if type(operation).__name__ == "ConvertToReference" and operation.field is not None
    }


def _as_any(operation: Operation) -> Any:
    return operation


def _without_keys(
    operation: Any,
    app_label: str,
    labels: Collection[str],
    types: Mapping[FieldKey, Field[Any, Any]],
) -> Any:
    """Return an operation whose foreign keys to the other apps are columns.

    The class of the migration has the original, which stays as it is.
    """

    if isinstance(operation, RunPython):
        return without_former_models(operation, app_label, labels)

    def column(model: str, name: str, field: Any) -> Any:
        target = _target(field, app_label, model)
        if target is None or target[0] not in labels:
            return field
        return _former_key(field, target, types.get((model.lower(), name.lower())))

    inner = [
        name for name in ("database_operations", "state_operations") if name in vars(operation)
    ]
    if inner:
        found = {
            name: [_without_keys(each, app_label, labels, types) for each in operations]
            for name, operations in vars(operation).items()
            if name in inner and operations
        }
        if all(each is old for name in found for each, old in _pairs(found[name], operation, name)):
            return operation
        changed = copy(operation)
        vars(changed).update(found)
        return changed
    if "fields" in vars(operation) and "options" in vars(operation):
        fields = [(name, column(operation.name, name, item)) for name, item in operation.fields]
    elif isinstance(vars(operation).get("field"), Field):
        field = column(operation.model_name, operation.name, operation.field)
        if field is operation.field:
            return operation
        changed = copy(operation)
        changed.field = field
        return changed
    else:
        return operation
    if all(new is old for (_, new), (_, old) in zip(fields, operation.fields, strict=True)):
        return operation
    changed = copy(operation)
    changed.fields = fields
    return changed


def _pairs(found: list[Any], operation: Any, name: str) -> Iterable[tuple[Any, Any]]:
    return zip(found, vars(operation)[name], strict=True)


def _target(field: Any, app_label: str, model: str) -> tuple[str, str] | None:
    if not isinstance(field, ForeignKey) or field.remote_field.parent_link:
        return None
    label, name = resolve_relation(field.remote_field.model, app_label, model.lower())
    return label, name


def _former_key(
    field: Any, target: tuple[str, str], column_type: Field[Any, Any] | None
) -> FormerKey:
    if column_type is None:
        installed = DomainReference(".".join(target)).target(global_apps)
        column_type = None if installed is None else plain_field(installed)
    return FormerKey(".".join(target), id_field=column_type, **column_arguments(field))
