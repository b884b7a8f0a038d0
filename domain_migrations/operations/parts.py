"""An index or a constraint that may be there already."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.operations.models import AddConstraint, AddIndex, IndexOperation
from django.db.migrations.state import ProjectState
from django.db.models import BaseConstraint, Index

from .conditional import Conditional, public
from .sameness import Existing


class AddPart(Conditional, IndexOperation):
    """What adding an index and adding a constraint have in common."""

    category = OperationCategory.ADDITION
    model_name: str
    model_name_lower: str

    @property
    @abstractmethod
    def part(self) -> Any:
        """The index or the constraint."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add it to the state, in place of one of its name."""
        options = state.models[app_label, self.model_name_lower].options
        others = options.get(self.option_name, [])
        kept = [item for item in others if item.name != self.part.name]
        if len(kept) != len(others):
            options[self.option_name] = kept
        super().state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.is_ours(schema_editor, model):
            return
        if schema_editor.collect_sql or not self.exists(Existing(schema_editor, model)):
            self.plain.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        before = to_state.models[app_label, self.model_name_lower].options
        if self.part.name in {item.name for item in before.get(self.option_name, [])}:
            return  # An earlier operation added it, and undoing that one removes it.
        model = from_state.apps.get_model(app_label, self.model_name)
        if not self.is_ours(schema_editor, model):
            return
        if schema_editor.collect_sql or self.exists(Existing(schema_editor, model)):
            self.plain.database_backwards(app_label, schema_editor, from_state, to_state)

    @abstractmethod
    def exists(self, table: Existing) -> bool:
        """Return whether the table has it; raises ObjectDiffers where it differs."""


@public
class AddIndexIfMissing(AddPart):
    """``AddIndex`` for a table that may have the index.

    An index of that name with another definition or on another table is refused, and so is one
    that is not valid. Undone, it drops the index if it is there, whoever made it.
    """

    def __init__(self, model_name: str, index: Index) -> None:
        AddIndex(model_name, index)  # which says what is wrong with it
        self.model_name = model_name
        self.index = index

    @property
    def part(self) -> Index:
        return self.index

    @property
    def plain(self) -> Operation:
        return AddIndex(self.model_name, self.index)

    def exists(self, table: Existing) -> bool:
        return table.has_index(self.index)


@public
class AddConstraintIfMissing(AddPart):
    """``AddConstraint`` for a table that may have the constraint.

    A constraint of that name with another definition is refused, and so is one that is not
    validated. Undone, it drops the constraint if it is there, whoever made it.
    """

    option_name = "constraints"

    def __init__(self, model_name: str, constraint: BaseConstraint) -> None:
        self.model_name = model_name
        self.constraint = constraint

    @property
    def part(self) -> BaseConstraint:
        return self.constraint

    @property
    def plain(self) -> Operation:
        return AddConstraint(self.model_name, self.constraint)

    def exists(self, table: Existing) -> bool:
        return table.has_constraint(self.constraint)
