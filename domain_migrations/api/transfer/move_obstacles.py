"""Obstacles to the move of a model that are known before anything is edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from ...domains import QualifiedName
from ..source_code.blocker import Blocker
from ..source_code.project_apps import is_package
from .key_conversions import KeyConversion
from .migration_files import leaf_of
from .model_move import ModelMove

WITHIN = (
    "Within a domain no table moves: move the class by hand, keep its db_table, and write"
    " SeparateDatabaseAndState(state_operations=[…]) in a migration of both apps."
)
PACKAGE = "Copy the app into the project first, or leave the model where it is."


def move_obstacles(
    move: ModelMove, loader: MigrationLoader, keys: Iterable[KeyConversion]
) -> Iterator[Blocker]:
    """Yield what the model, the apps and their histories would have to be otherwise.

    Arguments:
        loader: of the whole project.
        keys: foreign keys that have to be converted.
    """
    if move.source is move.target:
        yield Blocker(
            f"{move.old_label} is in the app {move.source.label} already.", "Name another app."
        )
        return
    found = [*_of_apps(move), *_of_model(move)]
    yield from found
    if not found:
        labels = (move.source.label, move.target.label, *(key.app_label for key in keys))
        yield from _of_histories(dict.fromkeys(labels), loader)
        if leaf_of(loader.graph, move.source.label) is None:
            yield Blocker(
                f"The app {move.source.label} has no migrations.",
                f"Run: manage.py makemigrations {move.source.label}",
            )


def _of_apps(move: ModelMove) -> Iterator[Blocker]:
    source, target = move.source_domain, move.target_domain
    for config in (move.source, move.target):
        if is_package(config):
            yield Blocker(
                f"The app {config.label} is an installed package, which cannot be edited.", PACKAGE
            )
    if source.name == target.name:
        yield Blocker(
            f"{move.source.label} and {move.target.label} both belong to the domain"
            f' "{source.name}".',
            WITHIN,
        )
    elif source.database != target.database:
        yield Blocker(
            f'The domain "{source.name}" is in the database "{source.database}", and'
            f' "{target.name}" in "{target.database}".',
            "A table moves within one database; copy its rows by hand.",
        )


def _of_model(move: ModelMove) -> Iterator[Blocker]:
    model: Any = move.model
    options, label = model._meta, move.old_label
    if label == settings.AUTH_USER_MODEL:
        yield Blocker(
            f"{label} is the AUTH_USER_MODEL, whose migrations Django wants to be the first.",
            "Leave it where it is.",
        )
    elif options.swappable:
        yield Blocker(
            f"{label} can be swapped by the setting {options.swappable}.", "Leave it where it is."
        )
    if options.proxy:
        yield Blocker(f"{label} is a proxy, which has no table.", "Move its class by hand.")
    elif not options.managed:
        yield Blocker(
            f"{label} has managed = False: its table is not the migrations' to move.",
            "Move its class and its table by hand.",
        )
    elif options.auto_created:
        yield Blocker(
            f"{label} is the automatic table of a many-to-many field.",
            f"It moves with the model that has the field: {options.auto_created._meta.label}.",
        )
    name = options.model_name
    if move.target.models_module is not None and name in move.target.models:
        yield Blocker(
            f"The app {move.target.label} has a model {options.object_name} already.",
            "Rename one of both, and migrate, before.",
        )
    yield from _taken_tables(move)


def _taken_tables(move: ModelMove) -> Iterator[Blocker]:
    wanted = set(map(QualifiedName.of, move.tables.values()))
    for model in apps.get_models(include_auto_created=True):
        table = QualifiedName.of(model._meta.db_table)
        is_own = model._meta.db_table in move.tables and model._meta.app_label == move.source.label
        if model._meta.managed and not is_own and not model._meta.proxy and table in wanted:
            yield Blocker(
                f"The table {table} is that of {model._meta.label} already.",
                f"Give it or {move.old_label} another db_table, and migrate, before.",
            )


def _of_histories(labels: Iterable[str], loader: MigrationLoader) -> Iterator[Blocker]:
    conflicts = loader.detect_conflicts()
    for label in labels:
        if label in conflicts:
            yield Blocker(
                f"The migrations of {label} have several leaves:"
                f" {', '.join(sorted(conflicts[label]))}.",
                f"Run: manage.py makemigrations --merge {label}",
            )
        elif settings.MIGRATION_MODULES.get(label, label) is None:
            yield Blocker(
                f"MIGRATION_MODULES disables the migrations of {label}.", "Remove it there."
            )
