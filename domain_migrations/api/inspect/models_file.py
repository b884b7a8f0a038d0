"""The file ``models.py`` for a schema that exists."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

from .core_models import CoreModels
from .model_choices import enumeration
from .model_names import MODEL_ATTRIBUTES, RESERVED
from .model_plan import Plan
from .model_source import ModelSource, ModelSources
from .planned_model import Note
from .python_imports import Imports
from .python_source import INDENT, statement
from .schema_description import read_schema

AMBIGUOUS = re.compile(r" *(class )?[lOI]\b(?: =|\()")
"""A line that defines a name that looks like a number."""
LIKE_A_PASSWORD = re.compile(
    r" +(?:\w+_)?(?:pas+wo?r?d|pass(?:phrase)?|pwd|token|secrete?)(?:_\w+)?"
    r""" = (?:"[^"]+"|'[^']+')""",
    re.IGNORECASE,
)
"""A value of a class of choices that looks like one."""
IMPORTED = (
    "Decimal",
    "SQL",
    "Index",
    "Lower",
    "Upper",
    "Collate",
    "OpClass",
    "ExclusionConstraint",
    "SearchVectorField",
)


@dataclass(frozen=True)
class ModelsSource:
    """A module with the models of a schema.

    Attributes:
        text: the module.
        models: those that it defines, in their order.
        imports: what the models need.
        notes: what Django cannot express.
    """

    text: str
    models: tuple[ModelSource, ...]
    imports: Imports
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
    imports, names = Imports(), (*IMPORTED, *RESERVED, *MODEL_ATTRIBUTES)
    sources = ModelSources(description, plan, connection, imports=imports, names=names)
    models = sources.read()
    classes = [list(_class(model, imports)) for model in models]
    bodies = [*sources.enums.definitions(), *classes]
    rules = _rules(models, bodies)
    lines = [f'"""Models of the schema {schema}."""', "", *rules, *imports.lines()]
    for body in bodies:
        lines += ["", "", *body]
    text = "\n".join(lines) + "\n"
    return ModelsSource(text, models, imports, tuple(sorted(plan.notes)))


def _rules(models: Collection[ModelSource], bodies: Collection[Collection[str]]) -> Iterator[str]:
    """Yield the line about the rules of Django's style that an existing schema cannot follow."""
    rules = []
    if any(model.has_nullable_text for model in models):
        rules.append("DJ001")
    if any(not model.title for model in models):
        rules.append("DJ008")
    ambiguous = {found[1] for body in bodies for found in map(AMBIGUOUS.match, body) if found}
    rules += sorted("E742" if keyword else "E741" for keyword in ambiguous)
    if any(map(LIKE_A_PASSWORD.fullmatch, chain.from_iterable(bodies))):
        rules.append("S105")
    if rules:
        yield f"# ruff: noqa: {', '.join(rules)}"
        yield ""


def _class(model: ModelSource, imports: Imports) -> Iterator[str]:
    yield f"class {model.name}({imports.use('django.db.models.Model')}):"
    for name, values in model.enumerations.items():
        yield from enumeration(name, values, 1)
        yield ""
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
