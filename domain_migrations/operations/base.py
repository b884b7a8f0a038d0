"""Base classes of idempotent operations.

Each wraps an operation of Django, which does the work if there is any. It is not a subclass of
that operation, because Django's optimizer would merge it with others when migrations are
squashed: adding a field to a table that may exist is not the same as creating it with the field.
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
    """An operation that queries the database to decide whether there is something to do."""

    condition = "if it is missing"

    @property
    @abstractmethod
    def wrapped(self) -> Operation:
        """Django's operation, which does the work."""

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
    """An operation that adds an object that may exist.

    Reverting removes the object if it exists, regardless of how it was created, unless the
    preceding state has it: then an earlier operation added it, and reverting that one removes it.
    """

    category = OperationCategory.ADDITION

    @property
    @abstractmethod
    def table(self) -> str:
        """The name of the model whose table it creates or changes."""

    @abstractmethod
    def is_absent(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        """Return whether there is something to add.

        Raises:
            DefinitionMismatch: the object exists and differs.
        """

    @abstractmethod
    def exists(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        """Return whether there is something to remove."""

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
    """Set a class's module to the package, from which migration files then import it."""
    kind.__module__ = PACKAGE
    return kind
