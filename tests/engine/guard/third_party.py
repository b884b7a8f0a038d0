"""Operations as third-party packages define them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState


class Tag(Operation):
    """Adds a relation to a model of whatever app, in the state only."""

    def __init__(self, app_label: str, model: str) -> None:
        self.app_label, self.model = app_label, model

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        field = models.ForeignKey("hr.Employee", models.CASCADE, null=True)
        state.add_field(self.app_label, self.model.lower(), "tagged_by", field, False)

    def database_forwards(self, *arguments: Any) -> None:
        pass


class Register(Operation):
    """Adds a model to whatever app."""

    def __init__(self, app_label: str, model: str) -> None:
        self.app_label, self.model = app_label, model

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        fields = [("id", models.BigAutoField(primary_key=True))]
        state.add_model(ModelState(self.app_label, self.model, fields))

    def database_forwards(self, *arguments: Any) -> None:
        pass


class Purge(Operation):
    """Runs SQL that nothing in the migration shows."""

    reversible = False

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute("DELETE FROM hr.employees")
