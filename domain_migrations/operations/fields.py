"""Operations that add a missing column or remove an existing one."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.operations.fields import AddField, FieldOperation, RemoveField
from django.db.migrations.operations.models import DeleteModel
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field, Model

from .base import IdempotentOperation, exported
from .existing_table import ExistingTable
from .introspection import has_column
from .models import model_exists


class IdempotentFieldOperation(IdempotentOperation, FieldOperation):
    """The common part of adding a field and removing one."""

    def is_absent(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        return not field_exists(schema_editor, model, self.name)

    def exists(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        return field_exists(schema_editor, model, self.name, parts=False)

    def in_state(self, app_label: str, state: ProjectState) -> bool:
        """Return whether the model has the field; names are compared as Django compares them."""
        fields = state.models[app_label, self.model_name_lower].fields
        return self.name_lower in {name.lower() for name in fields}


@exported
class AddFieldIfMissing(IdempotentFieldOperation):
    """``AddField`` for a table that may have the column.

    A column of another type, nullability, default, identity or collation is refused, and so is
    one without the field's foreign key, check, uniqueness or index. Reverting removes the column
    if it exists, regardless of how it was created; one whose own definition differs is refused.
    """

    field: Field[Any, Any]

    def __init__(
        self, model_name: str, name: str, field: Field[Any, Any], preserve_default: bool = True
    ) -> None:
        self.preserve_default = preserve_default
        self.wrapped = AddField(model_name, name, field, preserve_default)
        self.table = model_name
        super().__init__(model_name, name, field)

    def is_absent(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        given = None if self.preserve_default else self.field.default
        return not field_exists(schema_editor, model, self.name, default=given)


@exported
class RemoveFieldIfPresent(IdempotentFieldOperation):
    """``RemoveField`` for a table that may not have the column, or a model without the field.

    A column that differs from the field is refused. A column without a field in the state is
    removed as it is. Reverting adds the column if it is missing.
    """

    category = OperationCategory.REMOVAL
    condition = "if it exists"

    def __init__(self, model_name: str, name: str) -> None:
        self.wrapped = RemoveField(model_name, name)
        self.table = model_name
        super().__init__(model_name, name)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        if self.in_state(app_label, state):
            super().state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if self.in_state(app_label, from_state):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = from_state.apps.get_model(app_label, self.table)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            remove_column(schema_editor, model, self.name)

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        """Reduce to the removal of the whole table, as ``RemoveField`` does."""
        if isinstance(operation, DeleteModel) and operation.name_lower == self.model_name_lower:
            return [operation]
        reduced: bool | list[Operation] = super().reduce(operation, app_label)
        return reduced


def field_exists(
    schema_editor: BaseDatabaseSchemaEditor,
    model: type[Model],
    name: str,
    *,
    parts: bool = True,
    default: Any = None,
) -> bool:
    """Return whether the field's column, or its automatic table, exists.

    Arguments:
        parts: whether the field's constraints and indexes must be equal too.
        default: a one-off default to compare with; None for the field's own.

    Raises:
        DefinitionMismatch: it exists and differs.
    """
    field: Any = model._meta.get_field(name)
    if field.many_to_many:
        through = field.remote_field.through
        is_automatic = bool(through._meta.auto_created)
        return is_automatic and model_exists(schema_editor, through, parts=parts)
    own = field.default
    if default is not None and default is not NOT_PROVIDED:
        field.default = default
    try:
        return ExistingTable(schema_editor, model).has_field(field, parts=parts)
    finally:
        field.default = own
        vars(field).pop("_get_default", None)  # Django's cache of the default


def remove_column(schema_editor: BaseDatabaseSchemaEditor, model: type[Model], column: str) -> None:
    """Drop a column that the model does not have, if it exists."""
    if not schema_editor.collect_sql and not has_column(schema_editor, model, column):
        return
    editor: Any = schema_editor
    table = model._meta.db_table
    names = {"table": editor.quote_name(table), "column": editor.quote_name(column)}
    editor.execute(editor.sql_delete_column % names)
    editor.deferred_sql[:] = [
        statement
        for statement in editor.deferred_sql
        if not (isinstance(statement, Statement) and statement.references_column(table, column))
    ]
