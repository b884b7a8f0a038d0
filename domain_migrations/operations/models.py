"""A table that may be there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import CreateModel, ModelOperation
from django.db.migrations.state import ProjectState
from django.db.models import Model

from .base import IdempotentAdd, exported
from .existing_table import DefinitionMismatch, ExistingTable


@exported
class CreateModelIfMissing(IdempotentAdd, ModelOperation):
    """``CreateModel`` for a database that may have the table.

    A table whose columns, constraints or unique indexes are not the model's is refused, and so is
    one of whose automatic many-to-many tables only some are there. Undone, it drops the table if
    it is there, whoever made it: the state before it has none.
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
        self.plain_model = CreateModel(name, fields, options, bases, managers)  # type: ignore[arg-type]
        self.fields = self.plain_model.fields
        self.options = self.plain_model.options
        self.bases = self.plain_model.bases
        self.managers = self.plain_model.managers
        super().__init__(name)

    @property
    def wrapped(self) -> Operation:
        return self.plain_model

    def references_model(self, name: str, app_label: str) -> bool:
        return self.plain_model.references_model(name, app_label)

    @property
    def table(self) -> str:
        return self.name

    def is_absent(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        return not model_exists(schema_editor, model)

    def exists(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        return model_exists(schema_editor, model, parts=False)

    def in_state(self, app_label: str, state: ProjectState) -> bool:
        return (app_label, self.name_lower) in state.models


def model_exists(
    schema_editor: BaseDatabaseSchemaEditor, model: type[Model], *, parts: bool = True
) -> bool:
    """Return whether a model's table and its automatic many-to-many tables are there.

    Arguments:
        parts: whether constraints and indexes have to be equal too.

    Raises:
        ObjectDiffers: one of them is there and different, or some are there and some are not.
    """
    if schema_editor.collect_sql:
        return (
            not parts
        )  # Nothing is run, so show what would be run where there is something to do.
    fields: Any = model._meta.local_many_to_many
    throughs = [field.remote_field.through for field in fields]
    models = [model, *(through for through in throughs if through._meta.auto_created)]
    tables = [ExistingTable(schema_editor, item) for item in models]
    there = [table.has_table(parts=parts) for table in tables]
    if any(there) and not all(there):
        names = [str(table.place) for table in tables]
        present = [name for name, found in zip(names, there, strict=True) if found]
        missing = [name for name, found in zip(names, there, strict=True) if not found]
        raise DefinitionMismatch(
            [f"{', '.join(present)} is there, but {', '.join(missing)} is not."]
        )
    return all(there)
