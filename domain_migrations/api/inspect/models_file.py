"""The file ``models.py`` for a schema that exists."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

from .core_models import CoreModels
from .model_fields import choices_of
from .model_names import unique, words
from .model_plan import Note, Plan
from .model_source import ModelSource, ModelSources
from .python_imports import Imports
from .python_source import INDENT, statement
from .schema_description import Schema, read_schema

IMPORTED = (
    "SQL",
    "Index",
    "Lower",
    "Upper",
    "Collate",
    "OpClass",
    "ExclusionConstraint",
    "SearchVectorField",
)
CONSTANT = re.compile(r"\b\w+_CHOICES(?:_\d+)?\b")


@dataclass(frozen=True)
class ModelsSource:
    """A module with the models of a schema.

    Attributes:
        text: the module.
        models: those that it defines, in their order.
        imports: what the models need.
        constants: the lines that define the choices of enums, after the imports.
        notes: what Django cannot express.
    """

    text: str
    models: tuple[ModelSource, ...]
    imports: Imports
    constants: tuple[str, ...]
    notes: tuple[Note, ...]


def models_source(
    connection: BaseDatabaseWrapper,
    schema: str,
    *,
    app_label: str,
    exclude: Collection[str] = (),
) -> ModelsSource:
    """Return a module with the models of a schema; changes nothing.

    Arguments:
        schema: its name, unquoted.
        app_label: of the app that the module is for.
        exclude: names of relations that are not the application's, such as a history.
    """
    description = read_schema(connection, schema)
    core = CoreModels(apps, connection, app_label)
    plan = Plan(description, core, exclude=exclude, reserved=IMPORTED)
    names, imports = _constant_names(description), Imports()
    models = ModelSources(description, plan, connection, imports=imports, choices=names).read()
    classes = [list(_class(model, imports)) for model in models]
    used = set(CONSTANT.findall("\n".join(line for lines in classes for line in lines)))
    constants = tuple(
        line
        for kind, name in names.items()
        if name in used
        for line in statement(f"{name} = ", choices_of(description.types[kind].labels))
    )
    lines = [f'"""Models of the schema {schema}."""', "", *_rules(models), *imports.lines()]
    if constants:
        lines += ["", *constants]
    for body in classes:
        lines += ["", "", *body]
    text = "\n".join(lines) + "\n"
    return ModelsSource(text, models, imports, constants, tuple(sorted(plan.notes)))


def _constant_names(schema: Schema) -> Mapping[str, str]:
    """Return the constant for the choices of each enum."""
    taken: set[str] = set()
    found = {}
    for kind in schema.types.values():
        if kind.kind == "e":
            short = kind.name.rpartition(".")[2].strip('"')
            base = "_".join(words(short)) or "enum"
            name = unique(f"{base if base.isidentifier() else f'enum_{base}'}_choices", taken)
            taken.add(name)
            found[kind.name] = name.upper()
    return found


def _rules(models: Collection[ModelSource]) -> Iterator[str]:
    """Yield the line about the rules of Django's style that an existing schema cannot follow."""
    rules = []
    if any(model.has_nullable_text for model in models):
        rules.append("DJ001")
    if any(not model.title for model in models):
        rules.append("DJ008")
    if rules:
        yield f"# ruff: noqa: {', '.join(rules)}"
        yield ""


def _class(model: ModelSource, imports: Imports) -> Iterator[str]:
    yield f"class {model.name}({imports.use('django.db.models.Model')}):"
    for name, field in model.fields:
        yield from statement(f"{name} = ", field.code(imports), 1)
    yield ""
    yield f"{INDENT}class Meta:"
    for name, code in model.options.items():
        yield from statement(f"{name} = ", code, 2)
    if model.title:
        yield ""
        yield f"{INDENT}def __str__(self) -> str:"
        yield f"{INDENT * 2}return self.{model.title}" + (
            ' or ""' if model.has_nullable_title else ""
        )
