"""The operations that bring the state of a domain's migrations to its models."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db.migrations import Migration
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.operations.base import Operation
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
from django.db.migrations.state import ProjectState

from ...domains import get_domain
from ...engine.runner.loader import DomainLoader


def initial_migration(app_label: str) -> tuple[Migration, list[Operation]]:
    """Return an app's first migration, without operations, and those of its models."""
    loader = DomainLoader(None, get_domain(app_label))
    models = ProjectState.from_apps(apps).models
    before = {key: model for key, model in models.items() if key[0] != app_label}
    found = _changes(ProjectState(before), ProjectState(models), loader.graph, app_label)
    migration = Migration("0001_initial", app_label)
    dependencies = dict.fromkeys(item for part in found for item in part.dependencies)
    others = [item for item in dependencies if item[0] != app_label]
    vars(migration).update(initial=True, dependencies=others)
    return migration, [operation for part in found for operation in part.operations]


def missing_operations(app_label: str) -> list[str]:
    """Return what ``makemigrations`` would write for the app, a description each."""
    loader = DomainLoader(None, get_domain(app_label))
    found = _changes(loader.project_state(), ProjectState.from_apps(apps), loader.graph, app_label)
    return [operation.describe() for part in found for operation in part.operations]


def _changes(
    before: ProjectState, after: ProjectState, graph: MigrationGraph, app_label: str
) -> Iterable[Migration]:
    questioner = NonInteractiveMigrationQuestioner(specified_apps={app_label}, dry_run=True)
    detector = MigrationAutodetector(before, after, questioner)
    return detector.changes(graph, trim_to_apps={app_label}).get(app_label, ())
