"""What the models say: foreign keys to core, references by id, and what breaks the rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps.registry import Apps
from django.db.models import ForeignKey, Model

from ..backends.postgresql.names import parse_table_name
from ..boundary.models import model_crossings
from ..boundary.rule import may_use
from ..domains import CORE_SCHEMA, Domain
from ..references import references_of
from .values import FOREIGN_KEY, REFERENCE, VIOLATION, Link


class Crossing(NamedTuple):
    """A link and the domains that it joins; ``target`` is None where it cannot be told."""

    source: str
    target: str | None
    kind: str
    link: Link


def declared_crossings(apps: Apps, owners: dict[str, Domain]) -> Iterator[Crossing]:
    """Yield what leads from one domain to another, of the models that are installed."""
    yield from _foreign_keys(apps, owners)
    for model, field, to in references_of(apps):
        app_label = str(to).partition(".")[0]
        owner = owners.get(app_label)
        source, target = owners[model._meta.app_label].name, owner.name if owner else app_label
        if source != target:
            yield Crossing(source, target, REFERENCE, Link(column(model, field), str(to)))
    for problem, used in model_crossings(apps):
        label = problem.about._meta.app_label
        link = Link(problem.about._meta.label, "", problem.id, problem.message, problem.hint)
        yield Crossing(owners[label].name, used.name, VIOLATION, link)


def _foreign_keys(apps: Apps, owners: dict[str, Domain]) -> Iterator[Crossing]:
    for model in apps.get_models(include_auto_created=True):
        if not has_table(model):
            continue
        user = owners[model._meta.app_label]
        for field in model._meta.local_fields:
            if not isinstance(field, ForeignKey) or not isinstance(field.remote_field.model, type):
                continue
            remote = field.remote_field.model
            used = owners.get(remote._meta.app_label)
            if used is None or used == user or not may_use(user, used):
                continue
            kind = FOREIGN_KEY if getattr(field, "db_constraint", True) else REFERENCE
            link = Link(column(model, field), column(remote, field.target_field))
            yield Crossing(user.name, used.name, kind, link)


def has_table(model: type[Model]) -> bool:
    """Return whether migrations make a table for the model."""
    options = model._meta
    return options.managed and not options.proxy and not options.swapped


def column(model: type[Model], field: Any) -> str:
    """Return where a field is kept, as ``schema.table.column``."""
    try:
        schema, table = parse_table_name(model._meta.db_table)
    except ValueError:
        schema, table = None, model._meta.db_table  # E008 tells.
    return f"{schema or CORE_SCHEMA}.{table}.{field.column}"
