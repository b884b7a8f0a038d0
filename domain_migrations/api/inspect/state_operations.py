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
from .python_source import INDENT, Code, Text, call, dict_of, literal, statement, tuple_of


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

    def sources(self, depth: int) -> Iterator[Iterator[str]]:
        """Yield the lines of each operation: the models, and then what closes a circle."""
        created: set[str] = set()
        own = {model.name for model in self.models}
        later: list[tuple[str, str, FieldSource]] = []
        for model in self.models:
            created.add(model.name)
            fields = []
            for name, field in model.fields:
                if field.model in own and field.model not in created:
                    later.append((model.name, name, field))
                else:
                    fields.append((name, field))
            yield self._create(model, fields, depth)
        for model_name, name, field in later:
            code = call(
                "migrations.AddField",
                model_name=Text(model_name.lower()),
                name=Text(name),
                field=self._field(field),
            )
            yield statement("", code, depth)

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

    def _create(
        self, model: ModelSource, fields: Sequence[tuple[str, FieldSource]], depth: int
    ) -> Iterator[str]:
        indent = INDENT * depth
        yield f"{indent}migrations.CreateModel("
        yield f"{indent}{INDENT}name={literal(model.name)},"
        yield f"{indent}{INDENT}fields=["
        for name, field in fields:
            code = tuple_of([Text(name), self._field(field)])
            yield from statement("", code, depth + 2, ",")
        yield f"{indent}{INDENT}],"
        yield from statement("options=", dict_of(model.options), depth + 1, ",")
        yield f"{indent})"

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
