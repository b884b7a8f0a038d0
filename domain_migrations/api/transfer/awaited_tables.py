"""Tables that a database may have in the place from which written transfers move them."""

from __future__ import annotations

from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from ...domains import QualifiedName
from ...operations import TransferTable


def awaited_tables(loader: MigrationLoader) -> dict[QualifiedName, QualifiedName]:
    """Return former places of tables of models, with the places where they are in the code."""
    present = {
        QualifiedName.of(model._meta.db_table)
        for model in apps.get_models(include_auto_created=True)
    }
    steps = {
        QualifiedName.of(old): QualifiedName.of(new)
        for _, migration in sorted(loader.disk_migrations.items())
        for operation in migration.operations
        if isinstance(operation, TransferTable)
        for old, new in operation.tables.items()
    }
    found = {}
    for former in steps.keys() - present:
        place = former
        for _ in steps:
            if place in steps and place not in present:
                place = steps[place]
        if place in present:
            found[former] = place
    return found
