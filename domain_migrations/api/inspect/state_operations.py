"""The operations that bring the state of a domain's migrations to its models, as source.

They are written from what the models are written from: Django would have to import the models,
take them apart and serialize them again. That both are equal is what the proof shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.apps import apps

from ...domains import get_domain
from ...engine.runner.loader import DomainLoader
from .model_fields import FieldSource
from .model_source import ModelSource
from .python_imports import Imports
from .python_source import (
    INDENT,
    Code,
    Group,
    Text,
    call,
    dict_of,
    list_of,
    literal,
    statement,
    tuple_of,
)


class StateOperations:
    """The operations that create an app's models.

    Arguments:
        app_label: the app's.
        models: each after those that it refers to where that is possible.
        imports: what the models need.

    Attributes:
        imports: what the operations need.
    """

    def __init__(self, app_label: str, models: Sequence[ModelSource], imports: Imports) -> None:
        self.app_label = app_label
        self.models = models
        self.imports = imports.copy()
        self.imports.use("django.db.migrations")

    def codes(self) -> Iterator[Group]:
        """Yield the call of each operation: the models, and then what closes a circle."""
        created: set[str] = set()
        own = {model.name for model in self.models}
        later: list[Group] = []
        for model in self.models:
            created.add(model.name)
            fields: list[Code] = []
            for name, field in model.fields:
                code = self._field(field)
                if field.model in own and field.model not in created:
                    later.append(_add_field(model.name, name, code))
                else:
                    fields.append(tuple_of([Text(name), code]))
            yield call(
                "migrations.CreateModel",
                name=Text(model.name),
                fields=list_of(fields),
                options=dict_of(model.options),
            )
        yield from later

    def dependencies(self) -> list[str]:
        """Return the migrations of other apps that the models need, a tuple's source each."""
        targets = self._foreign_targets()
        settings = {self._setting(target) for target in targets} - {None}
        found = [f"migrations.swappable_dependency({setting})" for setting in settings]
        labels = {target.partition(".")[0] for target in targets if not self._setting(target)}
        if labels:
            graph = DomainLoader(None, get_domain("core")).graph
            for label in labels:
                found += [
                    f"({literal(app)}, {literal(name)})" for app, name in graph.leaf_nodes(label)
                ]
        return sorted(found)

    def _foreign_targets(self) -> set[str]:
        fields: Iterable[FieldSource] = (
            field for model in self.models for _, field in model.fields
        )
        return {field.model for field in fields if "." in field.model}

    def _setting(self, target: str) -> str | None:
        """Return the setting that names a model, as source; None if none does."""
        setting = apps.get_swappable_settings_name(target.lower())
        if setting is None:
            return None
        self.imports.use("django.conf.settings")
        return f"settings.{setting}"

    def _field(self, field: FieldSource) -> Code:
        """Return a field as the state has it: a relation names its model with the app."""
        if field.model:
            field = field.referring_to(self._target(field.model))
        code = field.code(self.imports).written_out()
        is_key = "primary_key" in field.keywords or field.class_name == "CompositePrimaryKey"
        return code.with_item("serialize", "False") if is_key else code

    def _target(self, name: str) -> Code:
        if "." not in name:
            return Text(f"{self.app_label}.{name}".lower())
        return self._setting(name) or Text(name.lower())


def operation_lines(code: Group, depth: int) -> list[str]:
    """Return the lines of an operation; a model and its fields have lines of their own.

    Arguments:
        depth: of the indentation.
    """
    items = dict(code.items)
    fields = items.get("fields")
    if not isinstance(fields, Group):
        return statement("", code, depth)
    indent = INDENT * depth
    lines = [f"{indent}{code.opening}", *statement("name=", items["name"], depth + 1, ",")]
    lines.append(f"{indent}{INDENT}fields=[")
    for _, field in fields.items:
        lines += statement("", field, depth + 2, ",")
    lines.append(f"{indent}{INDENT}],")
    lines += statement("options=", items["options"], depth + 1, ",")
    return [*lines, f"{indent})"]


def _add_field(model_name: str, name: str, field: Code) -> Group:
    return call(
        "migrations.AddField", model_name=Text(model_name.lower()), name=Text(name), field=field
    )
