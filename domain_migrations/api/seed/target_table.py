"""The target of a table of seeds: the model's table, its columns, its key and its defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from ...domains import QualifiedName
from .columns import (
    AnyField,
    Column,
    InvalidColumn,
    columns_of,
    is_identity,
    natural_key,
)
from .document import Table
from .values import can_be_left_out


@dataclass(frozen=True)
class DefaultColumn:
    """A column that the file does not have and a new row needs.

    Attributes:
        value: returns the value; called for every row where it may differ.
        per_row: whether the value may differ from row to row.
        on_update: whether an updated row gets a new value too, as with ``auto_now``.
    """

    field: AnyField
    value: Callable[[], Any]
    per_row: bool = False
    on_update: bool = False

    @property
    def name(self) -> str:
        return str(self.field.column)


@dataclass(frozen=True)
class TargetTable:
    """The target of a table of seeds, taken from its model.

    Attributes:
        columns: the columns of the file.
        key: those of them that are the natural key.
        defaults: the columns that the file does not have and a new row needs.
    """

    model: type[Model]
    target: QualifiedName
    primary_key: str
    columns: tuple[Column, ...]
    key: tuple[Column, ...]
    defaults: tuple[DefaultColumn, ...]

    @property
    def values(self) -> tuple[Column, ...]:
        """The columns that are compared: all but the key."""
        return tuple(column for column in self.columns if column not in self.key)

    @property
    def defaults_per_row(self) -> tuple[DefaultColumn, ...]:
        """The defaults that are computed for every row."""
        return tuple(default for default in self.defaults if default.per_row)


def target_table(model: type[Model], table: Table, connection: BaseDatabaseWrapper) -> TargetTable:
    """Return the target of a file's table, or raise InvalidColumn."""
    options = model._meta
    if options.proxy or options.parents or not options.managed:
        raise InvalidColumn(
            f"{options.label} has no table of its own that Django manages: seed it in Python."
        )
    columns = columns_of(model, table.columns)
    by_name = {column.field.name: column for column in columns}
    key = natural_key(model, table.key)
    missing = [field.name for field in key if field.name not in by_name]
    if missing:
        raise InvalidColumn(
            f"the rows of {options.label} are identified by"
            f" {', '.join(field.name for field in key)}, but have no column {missing[0]}."
        )
    return TargetTable(
        model=model,
        target=QualifiedName.of(options.db_table),
        primary_key=str(options.pk.column),
        columns=columns,
        key=tuple(by_name[field.name] for field in key),
        defaults=tuple(
            default
            for field in options.local_concrete_fields
            if field.name not in by_name and (default := _default(model, field, connection))
        ),
    )


def _default(
    model: type[Model], field: Any, connection: BaseDatabaseWrapper
) -> DefaultColumn | None:
    if is_identity(field) or getattr(field, "generated", False):
        return None
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return DefaultColumn(
            field,
            lambda: field.get_db_prep_save(field.pre_save(model(), add=True), connection),
            on_update=field.auto_now,
        )
    if field.has_db_default() and not field.has_default():
        return None
    if not can_be_left_out(field):
        raise InvalidColumn(
            f"{model._meta.label}.{field.name} has no default, so every row has to have it."
        )
    return DefaultColumn(
        field,
        lambda: field.get_db_prep_save(field.get_default(), connection),
        per_row=callable(field.default),
    )
