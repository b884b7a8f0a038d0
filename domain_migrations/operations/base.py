"""What the operations of this package have in common.

Each has a plain operation of Django's, which does the work when there is some to do. It is not
derived from it: Django's optimizer would merge it like the plain one when migrations are
squashed, and a table that may be there already is not made with one column more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState
from django.db.models import Model

if TYPE_CHECKING:
    Base = Operation
else:
    Base = ABC

PACKAGE = __name__.rpartition(".")[0]
Kind = TypeVar("Kind", bound=type)


class IdempotentOperation(Base):
    """An operation that asks the database whether there is something to do."""

    condition = "if it is missing"

    @property
    @abstractmethod
    def wrapped(self) -> Operation:
        """The operation of Django's that this one is, where there is something to do."""

    def deconstruct(self) -> Any:
        return (type(self).__name__, *self.wrapped.deconstruct()[1:])

    def describe(self) -> str:
        return f"{self.wrapped.describe()}, {self.condition}"

    @property
    def migration_name_fragment(self) -> str:
        return self.wrapped.migration_name_fragment

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        self.wrapped.state_forwards(app_label, state)

    def is_migrated_here(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        """Return whether the model's table is migrated on the editor's database."""
        return self.allow_migrate_model(schema_editor.connection.alias, model)


class IdempotentAdd(IdempotentOperation):
    """An operation that adds what may be there already.

    Undone, it takes away what is there, whoever made it, unless the state before has it: then an
    earlier operation added it, and undoing that one takes it away.
    """

    category = OperationCategory.ADDITION

    @property
    @abstractmethod
    def table(self) -> str:
        """The name of the model whose table it adds or adds to."""

    @abstractmethod
    def is_absent(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        """Return whether there is something to add; raises ObjectDiffers where it differs."""

    @abstractmethod
    def exists(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        """Return whether there is something to take away."""

    @abstractmethod
    def in_state(self, app_label: str, state: ProjectState) -> bool:
        """Return whether a state has what the operation adds."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.table)
        if self.is_migrated_here(schema_editor, model) and self.is_absent(schema_editor, model):
            self.wrapped.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if self.in_state(app_label, to_state):
            return
        model = from_state.apps.get_model(app_label, self.table)
        if self.is_migrated_here(schema_editor, model) and self.exists(schema_editor, model):
            self.wrapped.database_backwards(app_label, schema_editor, from_state, to_state)


def exported(kind: Kind) -> Kind:
    """Give a class the package's name, under which migrations' files then import it."""
    kind.__module__ = PACKAGE
    return kind
