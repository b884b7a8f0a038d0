"""Questions to the project as it is planned, answered in a process that sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from ...engine.sources.transfer_halves import checked_half, half_of
from ..source_code.project_checks import errors, missing_migrations
from .migration_files import PlannedMigration
from .pair_files import Pair

FOLLOWING = frozenset(
    {"AddConstraint", "AddIndex", "AlterField", "AlterModelManagers", "AlterModelOptions"}
    | {"AlterModelTableComment", "RemoveConstraint", "RemoveIndex", "RenameIndex"}
)
"""Operations that may be needed after the pair: others mean that the code is not what it was."""


def plan_pair(question: str) -> dict[str, Any]:
    """Return the pair, for a project whose code is edited and whose migrations are not."""
    pair = Pair.from_json(question)
    halves = pair.migrations(MigrationLoader(None, ignore_no_migrations=True))
    return _planned(PlannedMigration.of(half, is_staged=True) for half in halves)


def check_project(question: str) -> dict[str, Any]:
    """Return what is wrong with the project, and what ``makemigrations`` would still write.

    Arguments:
        question: the new label of the ``model``, the ``modules`` that were edited, the ``halves``,
            and the ``known`` apps whose models have changes without a migration anyway.
    """
    asked = json.loads(question)
    for app, name in asked["halves"]:
        if (half := half_of((app, name))) is not None:
            checked_half(half)
    loader = MigrationLoader(None, ignore_no_migrations=True)
    changes = {
        label: migrations
        for label, migrations in missing_migrations(loader).items()
        if label not in asked["known"]
    }
    after = [migration for label in sorted(changes) for migration in changes[label]]
    model = apps.get_model(asked["model"])
    return {
        "errors": errors(),
        "not_imported": dict(_not_imported(asked["modules"])),
        "unexpected": [
            f"{migration.app_label}: {operation.describe()}"
            for migration in after
            for operation in migration.operations
            if type(operation).__name__ not in FOLLOWING
        ],
        "tables": [
            model._meta.db_table,
            *(
                field.m2m_db_table()
                for field in model._meta.local_many_to_many
                if field.remote_field.through._meta.auto_created
            ),
        ],
        **_planned(map(PlannedMigration.of, after)),
    }


def _planned(migrations: Iterable[PlannedMigration]) -> dict[str, Any]:
    return {"migrations": [each.as_json() for each in migrations]}


def _not_imported(modules: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the modules that cannot be imported, each with its error."""
    for name in modules:
        try:
            import_module(name)
        except Exception as exc:  # whatever the project's code raises is the answer
            yield name, f"{type(exc).__name__}: {exc}"
