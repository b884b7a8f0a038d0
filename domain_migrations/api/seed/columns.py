"""The columns of a table of seeds, taken from its model: values, and references by natural key."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.core.exceptions import FieldDoesNotExist
from django.db.models import AutoField, Field, Model
from django.db.models.fields import AutoFieldMixin

AnyField: TypeAlias = "Field[Any, Any]"
Key: TypeAlias = "tuple[AnyField, ...]"


SEPARATOR = "__"


class InvalidColumn(Exception):
    """A column is not one of its model, cannot be seeded, or has no natural key to look up."""


def is_identity(field: Any) -> bool:
    """Return whether the database generates the field's values."""
    return isinstance(field, AutoFieldMixin | AutoField)


def natural_keys(model: type[Model]) -> list[Key]:
    """Return the sets of columns that the model declares as unique without a condition."""
    options = model._meta
    unique: list[Sequence[str]] = [
        (field.name,)
        for field in options.local_concrete_fields
        if field.unique and not is_identity(field)
        if not (field.primary_key and field.has_default())
    ]
    unique += [constraint.fields for constraint in options.total_unique_constraints]
    unique += options.unique_together
    distinct: dict[frozenset[str], Sequence[str]] = {}
    for names in unique:
        distinct.setdefault(frozenset(names), names)
    fields: Any = options.get_field
    return [tuple(map(fields, names)) for names in distinct.values()]


def natural_key(model: type[Model], names: Sequence[str] = ()) -> Key:
    """Return the natural key of some names, or the model's only one, or raise InvalidColumn."""
    keys = natural_keys(model)
    label = model._meta.label
    known = ", ".join(f"({', '.join(field.name for field in key)})" for key in keys)
    if names:
        for key in keys:
            if {field.name for field in key} == set(names):
                return key
        has = f"; it has {known}." if keys else "."
        raise InvalidColumn(f"{label} has no unique constraint on {', '.join(names)}{has}")
    plain = [key for key in keys if len(key) == 1 and not key[0].is_relation]
    for single in (keys, plain):
        if len(single) == 1:
            return single[0]
    if keys:
        raise InvalidColumn(f"{label} has several natural keys, {known}: name one as key.")
    raise InvalidColumn(
        f"{label} has no natural key: give it a UniqueConstraint without a condition that"
        " identifies its rows."
    )


@dataclass(frozen=True)
class ValueColumn:
    """One value of a row.

    Attributes:
        path: as a file spells it: ``code``, or ``generic__working_code`` through a reference.
    """

    path: str
    field: AnyField


@dataclass(frozen=True)
class NaturalKeyLookup:
    """A row of another table, or of the same, found by its natural key.

    Attributes:
        column: the column of the row that the foreign key references.
        parts: fields of the natural key, each with its value or with a lookup of its own.
    """

    model: type[Model]
    column: str
    parts: tuple[tuple[AnyField, ValueColumn | NaturalKeyLookup], ...]

    @property
    def leaves(self) -> Iterator[ValueColumn]:
        for _, part in self.parts:
            if isinstance(part, NaturalKeyLookup):
                yield from part.leaves
            else:
                yield part


@dataclass(frozen=True)
class Column:
    """A column of a table of seeds.

    Attributes:
        source: the value, or the lookup, that fills it.
        positions: the positions of its values in a row of the file.
    """

    field: AnyField
    source: ValueColumn | NaturalKeyLookup
    positions: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name in the database."""
        return str(self.field.column)

    @property
    def leaves(self) -> tuple[ValueColumn, ...]:
        source = self.source
        return tuple(source.leaves) if isinstance(source, NaturalKeyLookup) else (source,)


def columns_of(model: type[Model], names: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns for the names in a file, or raise InvalidColumn."""
    groups: dict[str, dict[str, int]] = {}
    for position, name in enumerate(names):
        head, _, rest = name.partition(SEPARATOR)
        groups.setdefault(head, {})[rest] = position
    return tuple(_column(model, head, paths) for head, paths in groups.items())


def _column(model: type[Model], head: str, paths: Mapping[str, int]) -> Column:
    found = field_of(model, head)
    if not found.is_relation:
        if set(paths) != {""}:
            raise InvalidColumn(f"{model._meta.label}.{head} is not a reference.")
        return Column(found, ValueColumn(head, found), (paths[""],))
    if "" in paths and len(paths) > 1:
        raise InvalidColumn(f"{head} is given both as a whole and by its parts.")
    if "" in paths:
        return Column(found, lookup_of(found, head), (paths[""],))
    lookup = lookup_of(found, head, tuple(paths))
    positions = {f"{head}{SEPARATOR}{rest}": position for rest, position in paths.items()}
    return Column(found, lookup, tuple(positions[leaf.path] for leaf in lookup.leaves))


def field_of(model: type[Model], name: str) -> AnyField:
    """Return the field of that name that a seed may write, or raise InvalidColumn."""
    options = model._meta
    try:
        found: Any = options.get_field(name)
    except FieldDoesNotExist:
        known = [one.name for one in options.concrete_fields]
        near = difflib.get_close_matches(name, known, n=1)
        guess = f" Did you mean {near[0]}?" if near else f" It has {', '.join(known)}."
        raise InvalidColumn(f"{options.label} has no column {name}.{guess}") from None
    if found.auto_created and not found.concrete:
        raise InvalidColumn(f"{options.label}.{name} is the other side of a reference.")
    if found.many_to_many:
        through = found.remote_field.through._meta.label
        raise InvalidColumn(f"{options.label}.{name} is many-to-many: write the rows of {through}.")
    if not found.concrete:
        raise InvalidColumn(f"{options.label}.{name} has no column in the database.")
    if is_identity(found):
        raise InvalidColumn(f"{options.label}.{name} is numbered by the database; leave it out.")
    if getattr(found, "generated", False):
        raise InvalidColumn(f"{options.label}.{name} is generated by the database; leave it out.")
    if found.is_relation and name != found.name:
        raise InvalidColumn(
            f"{name} is an id; refer to the row by its natural key, as {found.name}."
        )
    return found  # type: ignore[no-any-return]


def lookup_of(reference: Any, path: str, rests: Sequence[str] = ()) -> NaturalKeyLookup:
    """Return the lookup of the row that a foreign key points at, or raise InvalidColumn.

    Arguments:
        path: the name of the reference in the file.
        rests: the parts of the key that the file names; the model's natural key unless given.
    """
    model = reference.remote_field.model
    inner: dict[str, list[str]] = {}
    for rest in rests:
        head, _, more = rest.partition(SEPARATOR)
        inner.setdefault(head, [])
        if more:
            inner[head].append(more)
    try:
        key = natural_key(model, tuple(inner))
    except InvalidColumn as exc:
        raise InvalidColumn(f"{path} cannot be looked up: {exc}") from exc
    parts: list[tuple[AnyField, ValueColumn | NaturalKeyLookup]] = []
    for part in key:
        inner_path, rests = f"{path}{SEPARATOR}{part.name}", inner.get(part.name, [])
        if part.is_relation:
            parts.append((part, lookup_of(part, inner_path, rests)))
        elif rests:
            raise InvalidColumn(f"{inner_path} is not a reference.")
        else:
            parts.append((part, ValueColumn(inner_path, part)))
    return NaturalKeyLookup(model, str(reference.target_field.column), tuple(parts))


def flatten_reference(lookup: NaturalKeyLookup, value: Any) -> list[Any]:
    """Return the values of a reference that is one value in a file, or raise InvalidColumn.

    A list has them in the order of the key, a mapping by name; a key of one column may be the
    plain value.
    """
    if value is None:
        return [None for _ in lookup.leaves]
    names = [part.name for part, _ in lookup.parts]
    if isinstance(value, Mapping):
        if set(value) != set(names):
            raise InvalidColumn(f"the reference has {', '.join(value)} for {', '.join(names)}.")
        values = [value[name] for name in names]
    elif isinstance(value, list | tuple):
        values = list(value)
    else:
        values = [value]
    if len(values) != len(names):
        raise InvalidColumn(f"the reference has {len(values)} values for {', '.join(names)}.")
    flat: list[Any] = []
    for (_, part), one in zip(lookup.parts, values, strict=True):
        flat += flatten_reference(part, one) if isinstance(part, NaturalKeyLookup) else [one]
    return flat
