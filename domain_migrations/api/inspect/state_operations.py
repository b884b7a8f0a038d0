"""The operations that bring the state of a domain's migrations to its models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.migrations import AddField, CreateModel, Migration, swappable_dependency
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.operations.base import Operation
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import Field

from ...domains import get_domain
from ...engine.runner.loader import DomainLoader


def initial_migration(app_label: str) -> tuple[Migration, list[Operation]]:
    """Return an app's first migration, without operations, and those that create its models.

    Django's autodetector would find the same ones, in a time that grows with the square of the
    number of models.
    """
    models = apps.get_app_config(app_label).get_models()
    states = {state.name_lower: state for state in map(ModelState.from_model, models)}
    migration = Migration("0001_initial", app_label)
    vars(migration).update(initial=True, dependencies=list(_dependencies(app_label, states)))
    return migration, list(_operations(app_label, states))


def missing_operations(app_label: str) -> list[str]:
    """Return what ``makemigrations`` would write for the app, a description each."""
    loader = DomainLoader(None, get_domain(app_label))
    questioner = NonInteractiveMigrationQuestioner(specified_apps={app_label}, dry_run=True)
    detector = MigrationAutodetector(
        loader.project_state(), ProjectState.from_apps(apps), questioner
    )
    found = detector.changes(loader.graph, trim_to_apps={app_label}).get(app_label, ())
    return [operation.describe() for part in found for operation in part.operations]


def _target(field: Field[Any, Any]) -> tuple[str, str] | None:
    """Return app label and name of the model that a field refers to."""
    model = field.remote_field and field.remote_field.model
    if not isinstance(model, str):
        return None
    label, _, name = model.lower().partition(".")
    return label, name


def _dependencies(app_label: str, states: Mapping[str, ModelState]) -> Iterator[Any]:
    """Yield the migrations of other apps that the models need."""
    graph = DomainLoader(None, get_domain(app_label)).graph
    found: dict[Any, None] = {}
    for state in states.values():
        for field in state.fields.values():
            target = _target(field)
            if target is None or target[0] == app_label:
                continue
            if setting := getattr(field, "swappable_setting", None):
                found[swappable_dependency(getattr(settings, setting))] = None
            else:
                found.update(dict.fromkeys(graph.leaf_nodes(target[0])))
    yield from found


def _operations(app_label: str, states: Mapping[str, ModelState]) -> Iterator[Operation]:
    """Yield the models, each after those that it refers to, and then what closes a circle."""
    created: set[str] = set()
    later: list[AddField] = []
    for state in _ordered(app_label, states):
        created.add(state.name_lower)
        fields = []
        for name, field in state.fields.items():
            target = _target(field)
            if target is not None and target[0] == app_label and target[1] not in created:
                later.append(AddField(state.name_lower, name, field))
            else:
                fields.append((name, field))
        options = {
            name: value
            for name, value in state.options.items()
            if value or name not in ("indexes", "constraints")
        }
        yield CreateModel(state.name, fields, options, state.bases, state.managers)
    yield from later


def _ordered(app_label: str, states: Mapping[str, ModelState]) -> Iterator[ModelState]:
    done: set[str] = set()
    for start in states:
        waiting = [start]
        while waiting:
            name = waiting[-1]
            fields = states[name].fields.values()
            targets = {
                target[1]
                for field in fields
                if (target := _target(field)) is not None and target[0] == app_label
            }
            if name in done:
                waiting.pop()
                continue
            before = sorted(targets.intersection(states) - done - set(waiting))
            if before:
                waiting.append(before[0])
                continue
            done.add(name)
            waiting.pop()
            yield states[name]
