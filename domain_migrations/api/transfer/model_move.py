"""The move of a model from an app to one of another domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.apps.config import AppConfig
from django.db.models import Model

from ...backends.postgresql.names import format_table_name
from ...domains import Domain, QualifiedName, get_domain_for


@dataclass(frozen=True)
class ModelMove:
    """What moves where; nothing is changed yet.

    Attributes:
        model: the model as it is now.
        target: the app that gets it.
        tables: each table, as ``db_table`` has it → its new name; the model's own is first, and
            the automatic many-to-many ones follow.
    """

    model: type[Model]
    target: AppConfig
    tables: Mapping[str, str]

    @property
    def source(self) -> AppConfig:
        return apps.get_app_config(self.model._meta.app_label)

    @property
    def source_domain(self) -> Domain:
        return get_domain_for(self.source.label)

    @property
    def target_domain(self) -> Domain:
        return get_domain_for(self.target.label)

    @property
    def old_label(self) -> str:
        return self.model._meta.label

    @property
    def new_label(self) -> str:
        return f"{self.target.label}.{self.model._meta.object_name}"

    @property
    def new_table(self) -> str:
        """The model's table after the move, as ``db_table`` has it."""
        return self.tables[self.model._meta.db_table]


def plan_move(model: type[Model], target: AppConfig) -> ModelMove:
    """Return the move of a model; its tables keep their bare names in the other schema."""
    domain = get_domain_for(target.label)
    found = [model._meta.db_table]
    for field in model._meta.local_many_to_many:
        through: Any = field.remote_field.through
        if through._meta.auto_created:
            found.append(through._meta.db_table)
    return ModelMove(model, target, {table: _moved(table, domain) for table in found})


def _moved(db_table: str, domain: Domain) -> str:
    name = QualifiedName.of(db_table).name
    return format_table_name(None if domain.is_core else domain.schema, name)
