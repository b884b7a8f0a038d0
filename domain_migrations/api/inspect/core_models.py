"""The installed models that a domain's foreign keys may refer to: those of core."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.apps.registry import Apps
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

from ...domains import CORE_SCHEMA, QualifiedName, get_domain_for

SHORT_TYPES = (("varchar", "character varying"), ("decimal", "numeric"))


class CoreField(NamedTuple):
    """A field that a foreign key refers to.

    Attributes:
        label: of the model, ``core.User``.
        field: "" for the primary key.
        type: of a column that refers to it, as ``format_type`` spells it.
    """

    label: str
    field: str
    type: str


class CoreModels:
    """Installed models by table.

    Arguments:
        app_label: of the app whose models are going to be replaced.

    Attributes:
        taken: the names of constraints and indexes, which Django wants to be unique.
    """

    def __init__(self, apps: Apps, connection: BaseDatabaseWrapper, app_label: str) -> None:
        self.connection = connection
        self.app_label = app_label
        self.models: dict[QualifiedName, type[Model]] = {}
        for model in apps.get_models(include_auto_created=True):
            if not model._meta.proxy:
                self.models.setdefault(QualifiedName.of(model._meta.db_table), model)
        self.taken = {
            item.name
            for model in self.models.values()
            if model._meta.app_label != app_label
            for item in (*model._meta.constraints, *model._meta.indexes)
        }
        self.by_label = {model._meta.label: model for model in self.models.values()}

    def find(self, schema: str, table: str, column: str) -> CoreField | None:
        """Return core's field for a column, None if there is none."""
        model = self.models.get(QualifiedName(schema, table))
        if model is None or not get_domain_for(model).is_core:
            return None
        for field in model._meta.concrete_fields:
            if field.column == column:
                label = model._meta.label
                if label.lower() == settings.AUTH_USER_MODEL.lower():
                    label = settings.AUTH_USER_MODEL
                return CoreField(
                    label, "" if field.primary_key else field.name, self._referring_type(field)
                )
        return None

    def _referring_type(self, field: Field[Any, Any]) -> str:
        kind = str(field.rel_db_type(self.connection))
        for short, long in SHORT_TYPES:
            if kind.startswith(short):
                kind = long + kind.removeprefix(short)
        return kind

    def taken_names(self, label: str) -> set[str]:
        """Return the names of a model's fields and relations."""
        model = self.by_label.get(label)
        if model is None:
            return set()
        found: set[str] = set()
        for field in model._meta.get_fields(include_hidden=True):
            origin = field.related_model if field.auto_created and field.is_relation else None
            if origin is not None and origin._meta.app_label == self.app_label:
                continue  # It goes with the model that is replaced.
            found |= {field.name, str(getattr(field, "attname", field.name))}
            if hasattr(field, "get_accessor_name"):
                found.add(str(field.get_accessor_name()))
        return found

    def why_not(self, schema: str, table: str, column: str) -> str:
        """Return why a foreign key is not a relation, and what to do about it."""
        model = self.models.get(QualifiedName(schema, table))
        if schema == CORE_SCHEMA:
            return (
                f"No installed model has the column {schema}.{table}.{column}, so the column is a"
                " plain field. Install core's model of the table and inspect the schema again."
            )
        remedy = (
            f'DomainReference("{model._meta.label}")'
            if model is not None
            else "DomainReference once that domain is installed"
        )
        return (
            f"It refers to {schema}.{table}, which is not core's: the column is a plain field. A"
            f" domain must not depend on another one: drop the constraint and use {remedy}."
        )
