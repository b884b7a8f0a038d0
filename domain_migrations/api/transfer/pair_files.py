"""The pair of migrations of a transfer, planned where the code is edited already."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import get_references, resolve_relation
from django.db.models import Field

from ...domains import get_domain_for
from ...operations import ReceiveTable, TransferTable
from .migration_files import leaf_of, new_migration

TABLE_OPTIONS = (
    "constraints",
    "db_table_comment",
    "db_tablespace",
    "index_together",
    "indexes",
    "order_with_respect_to",
    "unique_together",
)
"""Options that are in the database. What the code says differently, a later migration alters."""

COLUMN_FACTS = (
    "column",
    "null",
    "unique",
    "primary_key",
    "db_index",
    "db_default",
    "db_comment",
    "db_tablespace",
    "db_constraint",
    "expression",
)
"""Attributes of fields that are in the database, besides the type."""

USER_SETTING = "__setting__", "AUTH_USER_MODEL"
"""The dependency that is written as ``swappable_dependency``."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The two migrations to write, in a project whose code has the model in its new app.

    Attributes:
        source, target: the labels of the apps.
        name: the model's.
        tables: each table → its new name, as ``db_table`` has them.
        before: the migrations that convert foreign keys, which have to be applied before.
    """

    source: str
    target: str
    name: str
    tables: Mapping[str, str]
    before: Sequence[tuple[str, str]] = ()
    compat_view_until: datetime.date | None = None

    @classmethod
    def from_json(cls, text: str) -> Pair:
        values = json.loads(text)
        until = values.pop("compat_view_until")
        before = [(app, name) for app, name in values.pop("before")]
        until = datetime.date.fromisoformat(until) if until else None
        return cls(**values, before=before, compat_view_until=until)

    def migrations(self, loader: MigrationLoader) -> tuple[Migration, Migration]:
        """Return the migration that receives the table, and the one that transfers it."""
        state = loader.project_state()
        arguments: dict[str, Any] = {"name": self.name, "tables": dict(self.tables)}
        if self.compat_view_until is not None:
            arguments["compat_view_until"] = self.compat_view_until
        source_leaf = leaf_of(loader.graph, self.source)
        target_leaf = leaf_of(loader.graph, self.target)
        own = [source_leaf] if source_leaf else []
        model = self.received_model(state)
        receive: Any = ReceiveTable(
            pair="", fields=list(model.fields.items()), **arguments, **_parts(model)
        )
        related = _related_migrations(model, loader, {self.source, self.target})
        received: Any = new_migration(self.target, [receive], [*own, *sorted(related)], target_leaf)
        transfer = TransferTable(pair=f"{self.target}.{received.name}", **arguments)
        # A conversion of a domain is reverted with a loader that has this one, and not the other.
        users = sorted({*self._users(state, loader), *self.before})
        transferred: Any = new_migration(
            self.source, [transfer], [*users, (self.target, received.name)], source_leaf
        )
        receive.pair = f"{self.source}.{transferred.name}"
        return received, transferred

    def received_model(self, state: ProjectState) -> ModelState:
        """Return the model as the code has it, with what is in the database as it is there now."""
        key = self.name.lower()
        new: Any = ProjectState.from_apps(apps).models[self.target, key]
        old: Any = state.models[self.source, key]
        rendered = state.apps.get_model(self.source, key)
        code = apps.get_model(self.target, key)
        fields = {
            name: new.fields[name]
            if name in new.fields and self._is_same(rendered, code, name)
            else self._relabelled(field)
            for name, field in old.fields.items()
        }
        kept = {name: old.options[name] for name in TABLE_OPTIONS if old.options.get(name)}
        own = {name: value for name, value in new.options.items() if name not in TABLE_OPTIONS}
        own["db_table"] = self.tables[rendered._meta.db_table]
        return ModelState(
            self.target, self.name, list(fields.items()), {**own, **kept}, new.bases, new.managers
        )

    def _is_same(self, old_model: Any, new_model: Any, name: str) -> bool:
        """Return whether both have the same column under that name."""
        old, new = (model._meta.get_field(name) for model in (old_model, new_model))
        if old.many_to_many or new.many_to_many:
            return bool(old.many_to_many and new.many_to_many)
        return _facts(old) == _facts(new)

    def _relabelled(self, field: Field[Any, Any]) -> Field[Any, Any]:
        """Return a field of the state, whose relation to the model itself is one to the new one."""
        found: Any = field.clone()
        relation = found.remote_field
        own = (self.source, self.name.lower())
        if relation and relation.model and resolve_relation(relation.model, *own) == own:
            relation.model = f"{self.target}.{self.name}"
        clone: Field[Any, Any] = found
        return clone

    def _users(self, state: ProjectState, loader: MigrationLoader) -> Iterator[tuple[str, str]]:
        """Yield the last migrations of the domain's other apps that have a relation to the model.

        In the state they have to be there before it goes.
        """
        labels = get_domain_for(self.source).app_labels
        for model, *_ in get_references(state, (self.source, self.name.lower())):
            leaf = leaf_of(loader.graph, model.app_label)
            if model.app_label in labels and model.app_label != self.source and leaf:
                yield leaf


def _parts(model: Any) -> dict[str, Any]:
    options = {name: value for name, value in model.options.items() if value != []}
    return {"options": options, "bases": model.bases, "managers": model.managers}


def _facts(field: Any) -> tuple[Any, ...]:
    facts = (getattr(field, name, None) for name in COLUMN_FACTS)
    parameters = field.db_parameters(connection)
    return (*facts, parameters.get("type"), parameters.get("check"), parameters.get("collation"))


def _related_migrations(
    model: ModelState, loader: MigrationLoader, own: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield the last migrations of the apps that the model's relations lead to.

    Mirrors the dependencies that the autodetector gives to a ``CreateModel``.
    """
    for field in model.fields.values():
        relation: Any = field.remote_field
        for to in (relation and relation.model, getattr(relation, "through", None)):
            if not to:
                continue
            label, name = resolve_relation(to, model.app_label, model.name_lower)
            if label in own:
                continue
            if f"{label}.{name}" == settings.AUTH_USER_MODEL.lower():
                yield USER_SETTING
            else:
                yield leaf_of(loader.graph, label) or (label, "__first__")
