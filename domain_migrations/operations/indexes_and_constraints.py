"""An index or a constraint that may be there already."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import AddConstraint, AddIndex, IndexOperation
from django.db.migrations.state import ProjectState
from django.db.models import BaseConstraint, Index, Model

from .base import IdempotentAdd, exported
from .existing_table import ExistingTable


class AddIndexOrConstraint(IdempotentAdd, IndexOperation):
    """What adding an index and adding a constraint have in common."""

    model_name: str
    model_name_lower: str

    @property
    @abstractmethod
    def item(self) -> Any:
        """The index or the constraint."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add it to the state, in place of one of its name."""
        options = state.models[app_label, self.model_name_lower].options
        others = options.get(self.option_name, [])
        kept = [item for item in others if item.name != self.item.name]
        if len(kept) != len(others):
            options[self.option_name] = kept
        super().state_forwards(app_label, state)

    @property
    def table(self) -> str:
        return self.model_name

    def is_absent(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        return schema_editor.collect_sql or not self.exists_in_state(
            ExistingTable(schema_editor, model)
        )

    def exists(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        return schema_editor.collect_sql or self.exists_in_state(
            ExistingTable(schema_editor, model)
        )

    def in_state(self, app_label: str, state: ProjectState) -> bool:
        options = state.models[app_label, self.model_name_lower].options
        return self.item.name in {item.name for item in options.get(self.option_name, [])}

    @abstractmethod
    def exists_in_state(self, table: ExistingTable) -> bool:
        """Return whether the table has it; raises ObjectDiffers where it differs."""


@exported
class AddIndexIfMissing(AddIndexOrConstraint):
    """``AddIndex`` for a table that may have the index.

    An index of that name with another definition or on another table is refused, and so is one
    that is not valid. Undone, it drops the index if it is there, whoever made it.
    """

    def __init__(self, model_name: str, index: Index) -> None:
        AddIndex(model_name, index)  # which says what is wrong with it
        self.model_name = model_name
        self.index = index

    @property
    def item(self) -> Index:
        return self.index

    @property
    def wrapped(self) -> Operation:
        return AddIndex(self.model_name, self.index)

    def exists_in_state(self, table: ExistingTable) -> bool:
        return table.has_index(self.index)


@exported
class AddConstraintIfMissing(AddIndexOrConstraint):
    """``AddConstraint`` for a table that may have the constraint.

    A constraint of that name with another definition is refused, and so is one that is not
    validated. Undone, it drops the constraint if it is there, whoever made it.
    """

    option_name = "constraints"

    def __init__(self, model_name: str, constraint: BaseConstraint) -> None:
        self.model_name = model_name
        self.constraint = constraint

    @property
    def item(self) -> BaseConstraint:
        return self.constraint

    @property
    def wrapped(self) -> Operation:
        return AddConstraint(self.model_name, self.constraint)

    def exists_in_state(self, table: ExistingTable) -> bool:
        return table.has_constraint(self.constraint)
