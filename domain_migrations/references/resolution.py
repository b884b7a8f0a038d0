"""References to objects of other domains: listing, resolving and checking them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model

from ..engine.boundary.rule import Problem
from ..fields import DomainReference, ReferenceDescriptor, plain_field

M = TypeVar("M", bound=Model)


class Reference(NamedTuple):
    """A reference between domains, which the rule allows because only an id is stored."""

    model: type[Model]
    field: DomainReference
    target: str


def all_references(apps: Apps = global_apps) -> Iterator[Reference]:
    """Yield every reference that the models declare, in the order of models and fields."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            if isinstance(field, DomainReference):
                yield Reference(model, field, field.to)


def resolve(objects: Iterable[M], *names: str) -> list[M]:
    """Fetch the objects that many rows refer to, with one query for each referenced model.

    ::

        for inspection in resolve(Inspection.objects.all(), "employee_id"):
            inspection.employee  # no query; None if there is no such employee

    Arguments:
        objects: instances of one model, or a query set, which is evaluated.
        names: of ``DomainReference`` fields; by default all of the model.

    Raises:
        TypeError: a name is the name of another field.
    """
    rows = list(objects)
    if not rows:
        return rows
    fields = _fields(type(rows[0]), names)
    for target in dict.fromkeys(field.to for field in fields):
        same = [field for field in fields if field.to == target]
        pks = [field.get_id(row) for row in rows for field in same]
        found = same[0].fetch(pks)
        for row in rows:
            for field in same:
                field.cache_object(row, found.get(field.get_id(row)))
    return rows


def _fields(model: type[Model], names: Iterable[str]) -> list[DomainReference]:
    chosen = [model._meta.get_field(name) for name in names]
    for field in chosen:
        if not isinstance(field, DomainReference):
            raise TypeError(f"{model._meta.label}.{field.name} is not a DomainReference.")
    every = chosen or model._meta.fields
    return [field for field in every if isinstance(field, DomainReference)]


def reference_problems(apps: Apps = global_apps) -> Iterator[Problem]:
    """Yield the problems of references: unknown targets, wrong types and taken names."""
    for model, field, target in all_references(apps):
        label = f"{model._meta.label}.{field.name}"
        parts = target.split(".") if isinstance(target, str) else []
        if len(parts) != 2 or not all(part.isidentifier() for part in parts):
            yield Problem(
                "E020",
                f"{label} refers to {target!r}, which is not the name of a model.",
                'Write the other model as "app_label.ModelName".',
                model,
            )
        elif parts[0] in apps.app_configs and field.target(apps) is None:
            yield Problem(
                "E020",
                f'{label} refers to "{target}", but the app "{parts[0]}" has no such model.',
                "Correct the name; the app is installed, and this is not one of its models.",
                model,
            )
        else:
            yield from _type_problems(label, model, field, apps)
        if not isinstance(getattr(model, field.accessor_name, None), ReferenceDescriptor):
            yield Problem(
                "E022",
                f"{label} has its object at {field.accessor_name}, but the model already has that"
                " name.",
                "Rename one of them.",
                model,
            )


def _type_problems(
    label: str, model: type[Model], field: DomainReference, apps: Apps
) -> Iterator[Problem]:
    target = field.target(apps)
    if target is None:
        return
    connection = connections[DEFAULT_DB_ALIAS]
    key = plain_field(target)
    kept, needed = field.db_type(connection), key.db_type(connection)
    if kept != needed:
        yield Problem(
            "E021",
            f"{label} stores its ids as {kept}, but those of {target._meta.label} are {needed}.",
            f"Remove id_field, or set it to a models.{type(key).__name__}.",
            model,
        )
