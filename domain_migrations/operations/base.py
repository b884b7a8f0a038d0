"""The base class of idempotent operations.

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
    """An operation that queries the database to decide whether there is something to do.

    Removing an object, also to revert its addition, ignores how it was created, but not its
    definition. Nothing is removed that the state afterwards has: then an earlier operation added
    it, and reverting that one removes it.

    Attributes:
        wrapped: Django's operation, which does the work.
        table: the name of the model whose table it creates or changes.
    """

    category = OperationCategory.ADDITION
    condition = "if it is missing"
    wrapped: Operation
    table: str

    def is_absent(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        """Return whether there is something to add, as ``exists`` unless that compares less."""
        return not self.exists(schema_editor, model)

    @abstractmethod
    def exists(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        """Return whether there is something to remove.

        Raises:
            DefinitionMismatch: the object exists and differs.
        """

    @abstractmethod
    def in_state(self, app_label: str, state: ProjectState) -> bool:
        """Return whether a state has what the operation adds or removes."""

    def deconstruct(self) -> Any:
        return (type(self).__name__, *self.wrapped.deconstruct()[1:])

    def describe(self) -> str:
        return f"{self.wrapped.describe()}, {self.condition}"

    @property
    def migration_name_fragment(self) -> str:
        return self.wrapped.migration_name_fragment

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        self.wrapped.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        adds = self.category is OperationCategory.ADDITION
        if self._has_work(adds, app_label, schema_editor, from_state, to_state):
            self.wrapped.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        adds = self.category is not OperationCategory.ADDITION
        if self._has_work(adds, app_label, schema_editor, from_state, to_state):
            self.wrapped.database_backwards(app_label, schema_editor, from_state, to_state)

    def _has_work(
        self,
        adds: bool,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> bool:
        if self.in_state(app_label, to_state) != adds:
            return False
        state = to_state if adds else from_state
        model = state.apps.get_model(app_label, self.table)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return False
        if schema_editor.collect_sql:
            return True  # Nothing runs; collect the statements of the case with work to do.
        return (self.is_absent if adds else self.exists)(schema_editor, model)


def exported(kind: Kind) -> Kind:
    """Set a class's module to the package, from which migration files then import it."""
    kind.__module__ = PACKAGE
    return kind
