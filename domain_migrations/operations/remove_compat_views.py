"""The operation that drops the views under the old names of a transferred table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState

from ..domains import QualifiedName, get_domain_for
from ..engine.catalog.compat_views import drop_statement, read_compat_views
from ..engine.messages import shortened
from ..engine.runner.adoption.moves import existing_relations
from ..exceptions import InvalidConfiguration
from .base import exported


@exported
class RemoveCompatViews(Operation):
    """Drops views that a transfer has left in the domain's schema, once no older code runs.

    A view that is not there has been dropped before, or was never created, as in a database that is
    younger than its date. Reverting the operation creates none: the older code needs them no more.

    Arguments:
        views: their names, as ``db_table`` has those of tables.
    """

    category = OperationCategory.REMOVAL

    def __init__(self, views: Sequence[str]) -> None:
        self.views = list(views)

    def deconstruct(self) -> Any:
        return type(self).__name__, [], {"views": self.views}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the state as it is: no model has the views."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        connection, domain = schema_editor.connection, get_domain_for(app_label)
        wanted = [QualifiedName.of(view) for view in self.views]
        present = {
            view.name: view
            for view in read_compat_views(connection, within=domain.schema)
            if view.model
        }
        others = existing_relations(connection, wanted) - present.keys()
        if others:
            raise InvalidConfiguration(
                f"{shortened(sorted(others))} cannot be dropped: no transfer has left"
                f" {'it' if len(others) == 1 else 'them'} in {domain.schema} as a view for older"
                " code.",
                hint="Correct the names under views. Nothing was changed.",
            )
        for name in wanted:
            if name in present:
                schema_editor.execute(drop_statement(present[name]), None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Do nothing, as the class says."""

    def references_model(self, name: str, app_label: str) -> bool:
        return True  # A model of the name can only be created after it.

    def describe(self) -> str:
        names = shortened([str(QualifiedName.of(view)) for view in self.views])
        return f"Drop what older code has used instead of tables: {names}"

    @property
    def migration_name_fragment(self) -> str:
        return "remove_compat_views"
