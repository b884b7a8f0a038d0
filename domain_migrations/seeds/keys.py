"""Natural keys: the columns by which people know a row, whatever its id is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from django.db.models import AutoField, Field, Model
from django.db.models.fields import AutoFieldMixin

AnyField: TypeAlias = "Field[Any, Any]"
Key: TypeAlias = "tuple[AnyField, ...]"


class KeyUnclear(Exception):
    """A model has no natural key, or several; the text says which."""


def is_identity(field: Any) -> bool:
    """Return whether the database makes the field's values."""
    return isinstance(field, AutoFieldMixin | AutoField)


def natural_keys(model: type[Model]) -> list[Key]:
    """Return the sets of columns that are unique in every row, as the model declares them."""
    options = model._meta
    found: list[Key] = []
    for field in options.local_concrete_fields:
        made = is_identity(field) or (field.primary_key and field.has_default())
        if field.unique and not made:
            found.append((field,))
    for names in (*_constrained(model), *options.unique_together):
        found.append(tuple(_field(model, name) for name in names))
    unique: dict[frozenset[str], Key] = {}
    for key in found:
        unique.setdefault(frozenset(field.name for field in key), key)
    return list(unique.values())


def _constrained(model: type[Model]) -> Iterator[Sequence[str]]:
    for constraint in model._meta.total_unique_constraints:
        yield constraint.fields


def _field(model: type[Model], name: str) -> AnyField:
    found: AnyField = model._meta.get_field(name)  # type: ignore[assignment]
    return found


def natural_key(model: type[Model], names: Sequence[str] = ()) -> Key:
    """Return the key of those names, or the one that the model has.

    Raises:
        KeyUnclear: no such columns are unique, or the model leaves a choice.
    """
    keys = natural_keys(model)
    label = model._meta.label
    if names:
        for key in keys:
            if {field.name for field in key} == set(names):
                return key
        raise KeyUnclear(
            f"{label} has no unique constraint on {', '.join(names)}"
            + (f"; it has {_listed(keys)}." if keys else ".")
        )
    if len(keys) == 1:
        return keys[0]
    plain = [key for key in keys if len(key) == 1 and not key[0].is_relation]
    if len(plain) == 1:
        return plain[0]
    if keys:
        raise KeyUnclear(f"{label} has several natural keys, {_listed(keys)}: name one as key.")
    raise KeyUnclear(
        f"{label} has no natural key: give it a UniqueConstraint without a condition, by which"
        " its rows are known."
    )


def _listed(keys: Sequence[Key]) -> str:
    return ", ".join(f"({', '.join(field.name for field in key)})" for key in keys)
