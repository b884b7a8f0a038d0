"""Relations that the move of a model makes illegal, or lets become foreign keys."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.models import PROTECT, ForeignKey, Model, OneToOneField

from ...domains import Domain, get_domains
from ...engine.boundary.installed_models import relations_of
from ...engine.boundary.rule import (
    RELATION_PHRASES,
    AppOwners,
    Relation,
    app_owners,
    may_depend_on,
    violation_clause,
)
from ...engine.sources.files import is_installed
from ...fields import SUFFIX, DomainReference, plain_field
from ...operations import ConvertToForeignKey, ConvertToReference
from ...operations.convert_reference import reference_in_place_of
from ..source_code.blocker import Blocker
from .model_move import ModelMove

KEYS = ("foreign key", "one-to-one")
"""The kinds of relations that a reference can replace."""

INSTEAD = {
    "many-to-many": "Replace it before with a model that has a foreign key to one side and a"
    " DomainReference to the other; a many-to-many field cannot be converted.",
    "through": "Give the model in between a DomainReference to one side, and drop the many-to-many"
    " field, before.",
    "inheritance": "Let it inherit from what both may depend on: copy what it needs into the class,"
    " or move the class that it inherits from to core, before.",
    "generic relation": "Remove it before, and query the other model by content type and id.",
}
"""Kind of relation → what to do about one that no operation converts."""


@dataclass(frozen=True)
class KeyConversion:
    """A field that becomes a reference, or a foreign key, of the same column.

    Attributes:
        model: the model that has the field.
        field: its name as it is now.
        new_name: its name afterwards.
        to: the label of the other model after the move.
        to_reference: whether a foreign key becomes a reference; otherwise it is an offer.
    """

    model: type[Model]
    field: str
    new_name: str
    to: str
    to_reference: bool

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field}"

    @property
    def app_label(self) -> str:
        return self.model._meta.app_label

    def operation(self) -> Operation:
        """Return the operation, for a migration of the model's app."""
        now: Any = self.model._meta.get_field(self.field)
        name = self.model.__name__
        if self.to_reference:
            return ConvertToReference(name, self.field, self.reference, *self._new_name(SUFFIX))
        arguments = {**now.deconstruct()[3], "on_delete": PROTECT}
        arguments.pop("id_field", None)
        arguments.pop("db_index", None)  # A foreign key has one by default.
        if now.column != f"{self.new_name}{SUFFIX}":
            arguments["db_column"] = now.column
        kind = OneToOneField if arguments.pop("unique", False) else ForeignKey
        return ConvertToForeignKey(name, self.field, kind(self.to, **arguments), *self._new_name())

    @property
    def reference(self) -> DomainReference:
        """The reference that replaces a foreign key."""
        key: Any = self.model._meta.get_field(self.field)
        return reference_in_place_of(
            key, self.to, self.new_name, key.column, plain_field(key.related_model)
        )

    def _new_name(self, suffix: str = "") -> tuple[str, ...]:
        """Return the new name where it is not the operation's default."""
        default = f"{self.field}{suffix}" if suffix else self.field.removesuffix(SUFFIX)
        return () if default == self.new_name else (self.new_name,)

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.model._meta.label,
            "field": self.field,
            "new_name": self.new_name,
            "to": self.to,
            "operation": type(self.operation()).__name__,
        }


def illegal_keys(move: ModelMove) -> list[KeyConversion]:
    """Return the foreign keys that would cross a boundary afterwards, and can be converted."""
    found = []
    for crossing in _crossings(move):
        if not crossing.problem():
            field: Any = crossing.field
            found.append(
                KeyConversion(crossing.model, field.name, field.attname, crossing.to, True)
            )
    return found


def blocked_relations(move: ModelMove) -> list[Blocker]:
    """Return the relations that would cross a boundary afterwards, and cannot be converted.

    And those that need a foreign key that has to be converted.
    """
    crossings = [
        Blocker(
            f"{crossing.sentence(move)}{problem}",
            INSTEAD.get(
                crossing.relation.kind,
                "Remove it, or replace it with a DomainReference, in a migration before.",
            ),
        )
        for crossing in _crossings(move)
        if (problem := crossing.problem())
    ]
    return [*crossings, *_lost_links(move)]


def _lost_links(move: ModelMove) -> Iterator[Blocker]:
    """Yield the many-to-many fields whose model between has a key that becomes a reference."""
    crossing = {each.relation.source for each in _crossings(move)}
    keys = {(key.model, key.field): key for key in illegal_keys(move)}
    for model in move.model._meta.apps.get_models():
        for field in model._meta.local_many_to_many:
            through: Any = field.remote_field.through
            names = (field.m2m_field_name(), field.m2m_reverse_field_name())
            key = next((keys[through, name] for name in names if (through, name) in keys), None)
            if key is not None and str(field) not in crossing:
                yield Blocker(
                    f"{field} is a many-to-many through {through._meta.label}, whose {key.field}"
                    " would have to become a reference.",
                    f"Remove {field.name} in a migration before, and query"
                    f" {through._meta.label} instead.",
                )


def legal_keys(move: ModelMove) -> list[KeyConversion]:
    """Return the references that may become foreign keys once the model has moved."""
    owners = app_owners(get_domains(move.model._meta.apps))
    labels = {model._meta.label_lower: model for model in move.model._meta.apps.get_models()}
    found = []
    for model in labels.values():
        for field in model._meta.local_fields:
            target = labels.get(field.to.lower()) if isinstance(field, DomainReference) else None
            if target is None or move.model not in (model, target):
                continue
            before = owners[model._meta.app_label], owners[target._meta.app_label]
            after = _owner_after(move, model, owners), _owner_after(move, target, owners)
            if not may_depend_on(*before) and may_depend_on(*after):
                to = _label_after(move, target)
                name = field.name.removesuffix(SUFFIX)
                found.append(KeyConversion(model, field.name, name, to, False))
    return found


@dataclass(frozen=True)
class _Crossing:
    """A relation of a model that the rule forbids after the move.

    Attributes:
        user, used: the domains of both sides afterwards.
    """

    model: type[Model]
    relation: Relation
    to: str
    user: Domain
    used: Domain

    @property
    def field(self) -> Any:
        name = self.relation.source.removeprefix(f"{self.model._meta.label}.")
        return self.model._meta.get_field(name)

    def sentence(self, move: ModelMove) -> str:
        verb = RELATION_PHRASES.get(self.relation.kind, ("", f"is a {self.relation.kind} to"))[1]
        return (
            f"{self.relation.source} {verb} {self.relation.target}, which the move of"
            f" {move.old_label} would let cross a boundary:"
            f" {violation_clause(self.user, self.used)}"
        )

    def problem(self) -> str:
        """Return why no operation converts it, as the end of a sentence; empty if one does."""
        if self.relation.kind not in KEYS:
            return "."
        field = self.field
        if field.remote_field.parent_link:
            return ", and it is the link to the parent of a model that inherits."
        if not field.target_field.primary_key:
            held = field.target_field.name
            return f", and it holds {held}, where a reference holds the primary key."
        if is_installed(Path(inspect.getfile(sys.modules[self.model.__module__]))):
            return ", and its model belongs to an installed package, which cannot be edited."
        return ""


def _crossings(move: ModelMove) -> Iterator[_Crossing]:
    """Yield the relations that are allowed now and forbidden afterwards."""
    registry = move.model._meta.apps
    owners = app_owners(get_domains(registry))
    for model in registry.get_models():
        user = _owner_after(move, model, owners)
        blocked = set[str]()
        for relation in relations_of(model):
            is_moved = relation.target == move.old_label
            if not is_moved and model is not move.model:
                continue
            used = move.target_domain if is_moved else owners.get(relation.app_label)
            # A field and the model between its two sides are one relation.
            if used is None or may_depend_on(user, used) or relation.source in blocked:
                continue
            blocked.add(relation.source)
            yield _Crossing(
                model, relation, move.new_label if is_moved else relation.target, user, used
            )


def _owner_after(move: ModelMove, model: type[Model], owners: AppOwners) -> Domain:
    return move.target_domain if model is move.model else owners[model._meta.app_label]


def _label_after(move: ModelMove, model: type[Model]) -> str:
    return move.new_label if model is move.model else model._meta.label
