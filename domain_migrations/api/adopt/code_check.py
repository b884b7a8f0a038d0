"""Checks of the project's code, made in a process that sees the planned edits."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from ...engine.boundary.planned_migrations import crossing_links
from ...engine.sources.adoptions import ignored_adoptions
from ..prove import apply_to_empty
from ..source_code.project_checks import errors, missing_migrations


def check_code(*labels: str) -> dict[str, Any]:
    """Return the errors of system checks, dependencies, changes without a migration, and tables.

    No database is read.
    """
    loader = MigrationLoader(None, ignore_no_migrations=True)
    changes = missing_migrations(loader)
    links: dict[str, set[str]] = {}
    for link in crossing_links():
        if link.attribute == "dependencies":
            links.setdefault(link.child.app, set()).add(link.parent.app)
    return {
        "errors": errors(),
        "links": {label: sorted(others) for label, others in links.items()},
        "changes": [
            f"{label}: {operation.describe()}"
            for label in labels
            for migration in changes.get(label, ())
            for operation in migration.operations
        ],
        "tables": {
            model._meta.label: model._meta.db_table
            for label in labels
            for model in apps.get_app_config(label).get_models(include_auto_created=True)
        },
    }


def apply(domain: str, database: str = "") -> dict[str, Any]:
    """Apply core and the domain to a scratch database; return the problem, empty for none."""
    with ignored_adoptions():
        return {"problem": apply_to_empty(domain, database or None)}
