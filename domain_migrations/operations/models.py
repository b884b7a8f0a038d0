"""Operations that create tables, indexes and constraints if they are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import (
    AddConstraint,
    AddIndex,
    CreateModel,
    IndexOperation,
    ModelOperation,
)
from django.db.migrations.state import ProjectState
from django.db.models import BaseConstraint, Index, Model

from .base import IdempotentOperation, exported
from .existing_table import DefinitionMismatch, ExistingTable


@exported
class CreateModelIfMissing(IdempotentOperation, ModelOperation):
    """``CreateModel`` for a database that may have the table.

    A table whose columns, constraints or unique indexes differ from the model's is refused, and
    so is one without all its automatic many-to-many tables. Reverting drops the table if it
    exists, regardless of how it was created; one with other columns is refused.
    """

    serialization_expand_args = CreateModel.serialization_expand_args

    def __init__(
        self,
        name: str,
        fields: Sequence[tuple[str, Any]],
        options: dict[str, Any] | None = None,
        bases: Sequence[Any] | None = None,
        managers: Sequence[tuple[str, Any]] | None = None,
    ) -> None:
        plain = CreateModel(name, fields, options, bases, managers)  # type: ignore[arg-type]
        self.wrapped, self.table = plain, name
        self.fields, self.options = plain.fields, plain.options
        self.bases, self.managers = plain.bases, plain.managers
        super().__init__(name)

    def references_model(self, name: str, app_label: str) -> bool:
        return self.wrapped.references_model(name, app_label)

    def is_absent(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        return not model_exists(schema_editor, model)

    def exists(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        return model_exists(schema_editor, model, parts=False)

    def in_state(self, app_label: str, state: ProjectState) -> bool:
        return (app_label, self.name_lower) in state.models


def model_exists(
    schema_editor: BaseDatabaseSchemaEditor, model: type[Model], *, parts: bool = True
) -> bool:
    """Return whether a model's table and its automatic many-to-many tables exist.

    Arguments:
        parts: whether constraints and indexes must be equal too.

    Raises:
        DefinitionMismatch: one of them differs, or only some of them exist.
    """
    fields: Any = model._meta.local_many_to_many
    throughs = [field.remote_field.through for field in fields]
    models = [model, *(through for through in throughs if through._meta.auto_created)]
    tables = [ExistingTable(schema_editor, item) for item in models]
    exist = [table.has_table(parts=parts) for table in tables]
    if any(exist) and not all(exist):
        names = [str(table.name) for table in tables]
        present = [name for name, found in zip(names, exist, strict=True) if found]
        missing = [name for name, found in zip(names, exist, strict=True) if not found]
        difference = f"{', '.join(present)} exists, but {', '.join(missing)} does not."
        raise DefinitionMismatch([difference])
    return all(exist)


class AddIndexOrConstraint(IdempotentOperation, IndexOperation):
    """The common part of adding an index and adding a constraint.

    Attributes:
        item: the index or the constraint.
    """

    model_name_lower: str

    def __init__(self, model_name: str, item: Any, wrapped: Operation) -> None:
        self.model_name = self.table = model_name
        self.item = item
        self.wrapped = wrapped

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add it to the state, replacing one of the same name."""
        options = state.models[app_label, self.model_name_lower].options
        others = options.get(self.option_name, [])
        kept = [item for item in others if item.name != self.item.name]
        if len(kept) != len(others):
            options[self.option_name] = kept
        super().state_forwards(app_label, state)

    def in_state(self, app_label: str, state: ProjectState) -> bool:
        options = state.models[app_label, self.model_name_lower].options
        return self.item.name in {item.name for item in options.get(self.option_name, [])}


@exported
class AddIndexIfMissing(AddIndexOrConstraint):
    """``AddIndex`` for a table that may have the index.

    An index of that name with another definition or on another table is refused, and so is an
    invalid one, also by reverting, which drops the index regardless of how it was created.
    """

    def __init__(self, model_name: str, index: Index) -> None:
        self.index = index
        super().__init__(model_name, index, AddIndex(model_name, index))

    def exists(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        return ExistingTable(schema_editor, model).has_index(self.index)


@exported
class AddConstraintIfMissing(AddIndexOrConstraint):
    """``AddConstraint`` for a table that may have the constraint.

    A constraint of that name with another definition is refused, and so is one that is not
    validated, also by reverting, which drops the constraint regardless of how it was created.
    """

    option_name = "constraints"

    def __init__(self, model_name: str, constraint: BaseConstraint) -> None:
        self.constraint = constraint
        super().__init__(model_name, constraint, AddConstraint(model_name, constraint))

    def exists(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        return ExistingTable(schema_editor, model).has_constraint(self.constraint)
