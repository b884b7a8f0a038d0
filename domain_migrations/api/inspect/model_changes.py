"""The operations between the models of two states of a schema, which are both written the same way.

The models are drafts under a label of their own, because the domain's app is installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db.migrations import AddField, AlterField, Migration
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.operations.base import Operation
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ModelState, ProjectState

from ...engine.alterations.renames import Rename
from .draft_app import draft_app

SUFFIX = "_as_inspected"
"""What the label of a draft has after that of the app."""


def draft_label(app_label: str) -> str:
    return f"{app_label}{SUFFIX}"


class _Questioner(MigrationQuestioner):
    """The answers that the catalogs give to the questions of ``makemigrations``."""

    def __init__(self, renames: Iterable[Rename]) -> None:
        super().__init__()
        self.names = {(each.item.kind, _plain(each.old), _plain(each.new)) for each in renames}

    def ask_rename(
        self, model_name: str, old_name: str, new_name: str, field_instance: Any
    ) -> bool:
        # A relation has the name of its column without the "_id".
        return any(
            ("column", f"{old_name}{end}", f"{new_name}{other}") in self.names
            for end in ("", "_id")
            for other in ("", "_id")
        )

    def ask_rename_model(self, old_model_state: ModelState, new_model_state: ModelState) -> bool:
        tables = (
            _plain(each.options["db_table"].rpartition(".")[2])
            for each in (old_model_state, new_model_state)
        )
        return ("table", *tables) in self.names


def _plain(name: str) -> str:
    return name.strip('"')


def model_operations(
    app_label: str, before: str, after: str, renames: Iterable[Rename] = ()
) -> Migration | None:
    """Return a migration of the draft's label with the operations between two models files.

    Returns None if the models are the same. A column that is NOT NULL has no default for the rows
    that exist: the SQL of the migration sees to them.

    Arguments:
        renames: the tables and columns whose models and fields are renamed.
    """
    old, new = _state(app_label, before), _state(app_label, after)
    label = draft_label(app_label)
    detector: Any = MigrationAutodetector(old, new, _Questioner(renames))
    found = list(detector._detect_changes().get(label, ()))
    if not found:
        return None
    migration = Migration("update", label)
    operations = [_without_default(step, new, label) for part in found for step in part.operations]
    dependencies = [key for part in found for key in part.dependencies if key[0] != label]
    vars(migration).update(
        operations=operations, dependencies=list(dict.fromkeys(map(tuple, dependencies)))
    )
    return migration


def _state(app_label: str, text: str) -> ProjectState:
    label = draft_label(app_label)
    draft = text.replace(f'"{app_label}.', f'"{label}.')
    relations = list(_installed_relations(app_label))
    try:
        with draft_app(label, {"__init__.py": "", "models.py": draft}):
            return ProjectState.from_apps(apps).clone()
    finally:
        # The draft has taken the names in other apps' models.
        for field in relations:
            field.contribute_to_related_class(field.remote_field.model, field.remote_field)
        apps.clear_cache()


def _installed_relations(app_label: str) -> Iterator[Any]:
    for model in apps.get_app_config(app_label).get_models():
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
            target = field.remote_field and field.remote_field.model
            if target and not isinstance(target, str) and target._meta.app_label != app_label:
                yield field


def _without_default(operation: Operation, new: ProjectState, label: str) -> Operation:
    if isinstance(operation, AddField | AlterField) and not operation.preserve_default:
        field = new.models[label, operation.model_name_lower].fields[operation.name]
        return type(operation)(operation.model_name, operation.name, field)
    return operation
