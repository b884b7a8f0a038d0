"""Tables of apps that have no migrations, made straight from the models."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from ...domains import Domain
from ..history.tables import ensure_schema


def create_tables(
    connection: BaseDatabaseWrapper, domain: Domain, app_labels: Iterable[str]
) -> list[str]:
    """Create the tables that the apps' models lack, and return their names.

    Nothing is recorded: an app without migrations has no history. Mirrors
    ``django.core.management.commands.migrate.Command.sync_apps``.
    """
    missing = models_without_table(connection, app_labels)
    if not missing:
        return []
    ensure_schema(connection, domain.schema)
    with connection.schema_editor() as editor:
        for model in missing:
            editor.create_model(model)
    return [model._meta.db_table for model in missing]


def models_without_table(
    connection: BaseDatabaseWrapper, app_labels: Iterable[str]
) -> list[type[Model]]:
    """Return the apps' models that a run would have to create a table for."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    convert = connection.introspection.identifier_converter
    labels = set(app_labels)
    return [
        model
        for config in apps.get_app_configs()
        if config.label in labels and config.models_module is not None
        for model in router.get_migratable_models(
            config, connection.alias, include_auto_created=False
        )
        if model._meta.can_migrate(connection) and convert(model._meta.db_table) not in tables
    ]
