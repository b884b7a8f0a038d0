"""The names of fields in a model's indexes and constraints."""

from __future__ import annotations

from typing import Any

from django.db.migrations.state import ModelState
from django.db.models import BaseConstraint, F, Index, Q, Value
from django.db.models.expressions import BaseExpression


def rename_in_options(model: ModelState, old: str, new: str) -> None:
    """Rename a field in a model's indexes and constraints, which Django leaves as they are."""
    for option in ("indexes", "constraints"):
        if option in model.options:
            model.options[option] = [_renamed(item, old, new) for item in model.options[option]]


def _renamed(part: Any, old: str, new: str) -> Any:
    """Return a part of an index or a constraint with the field's new name."""
    if isinstance(part, str):
        # A condition on the key itself; the other model's fields cannot be in one.
        for prefix in ("", "-"):
            if part == prefix + old or part.startswith(f"{prefix}{old}__"):
                return prefix + new + part[len(prefix + old) :]
        return part
    if isinstance(part, list | tuple):
        return type(part)(_renamed(item, old, new) for item in part)
    if isinstance(part, Q):
        children = [
            (_renamed(child[0], old, new), _without_text(child[1], old, new))
            if isinstance(child, tuple)
            else _renamed(child, old, new)
            for child in part.children
        ]
        return Q.create(children=children, connector=part.connector, negated=part.negated)
    if isinstance(part, F):
        return type(part)(_renamed(vars(part)["name"], old, new))
    if isinstance(part, Value) or not isinstance(part, BaseExpression | BaseConstraint | Index):
        return part
    parts: Any = part
    _, args, kwargs = parts.deconstruct()
    renamed = {
        name: _renamed(value, old, new)
        if name in ("fields", "include", "condition", "expressions")
        else _without_text(value, old, new)
        for name, value in kwargs.items()
    }
    return type(part)(*(_renamed(item, old, new) for item in args), **renamed)


def _without_text(value: Any, old: str, new: str) -> Any:
    """Return a value with the field's new name in its expressions, and its texts as they are."""
    return value if isinstance(value, str) else _renamed(value, old, new)
