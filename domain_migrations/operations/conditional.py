"""What the operations of this package have in common.

Each has a plain operation of Django's, which does the work when there is some to do. It is not
derived from it: Django's optimizer would merge it like the plain one when migrations are
squashed, and a table that may be there already is not made with one column more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model

if TYPE_CHECKING:
    Base = Operation
else:
    Base = ABC

PACKAGE = __name__.rpartition(".")[0]
Kind = TypeVar("Kind", bound=type)


class Conditional(Base):
    """An operation that asks the database whether there is something to do."""

    condition = "if it is missing"

    @property
    @abstractmethod
    def plain(self) -> Operation:
        """The operation of Django's that this one is, where there is something to do."""

    def deconstruct(self) -> Any:
        return (type(self).__name__, *self.plain.deconstruct()[1:])

    def describe(self) -> str:
        return f"{self.plain.describe()}, {self.condition}"

    @property
    def migration_name_fragment(self) -> str:
        return self.plain.migration_name_fragment

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        self.plain.state_forwards(app_label, state)

    def is_ours(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
        """Return whether the model's table is migrated on the editor's database."""
        return self.allow_migrate_model(schema_editor.connection.alias, model)


def public(kind: Kind) -> Kind:
    """Give a class the package's name, under which migrations' files then import it."""
    kind.__module__ = PACKAGE
    return kind
