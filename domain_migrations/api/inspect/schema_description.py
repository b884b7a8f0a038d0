"""A schema as the catalog describes it: tables, columns, constraints, indexes and types."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.catalog.fingerprint import catalog_cursor
from .schema_queries import COLUMNS, CONSTRAINTS, INDEXES, RELATIONS, TYPES

TABLE_KINDS = ("table", "partitioned table")


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        type: as ``format_type`` spells it without a search path: ``warehouse.status[]``.
        default: the expression of its default; None for a column whose own sequence is it.
        generated: "", ``s`` for stored or ``v`` for virtual.
        identity: "", ``serial``, ``by default`` or ``always``.
        sequence: how the sequence differs from a plain one, as ``verify_domain`` says it.
        collation: unqualified; "" for the collation of the type.
    """

    name: str
    type: str
    not_null: bool
    default: str | None
    generated: str
    identity: str
    sequence: str
    collation: str
    comment: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint.

    Attributes:
        kind: ``c``, ``f``, ``p``, ``u`` or ``x``, as in ``pg_constraint.contype``.
        condition: the expression of a CHECK.
        target: the schema and the name of the table that a foreign key refers to.
        on_delete, on_update, match: as in ``pg_constraint``.
        operators: of an exclusion constraint, one for each key.
        index: the name of its index, "" if it has none.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    condition: str | None
    target: tuple[str, str] | None
    target_columns: tuple[str, ...]
    on_delete: str
    on_update: str
    match: str
    deferrable: bool
    deferred: bool
    no_inherit: bool
    enforced: bool
    operators: tuple[str, ...]
    index: str


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an index.

    Attributes:
        column: its column's name; None for an expression.
        expression: as SQL, "" for a column.
        opclass: "" for the default of the type, which ``default_opclass`` is then.
        collation: unqualified; "" for the collation of the column.
        has_parameters: whether the operator class has parameters.
    """

    column: str | None
    expression: str
    opclass: str
    default_opclass: str
    collation: str
    descending: bool
    nulls_first: bool
    has_parameters: bool


@dataclass(frozen=True, slots=True)
class Index:
    """An index.

    Attributes:
        keys: without the included columns.
        options: name → value of the storage parameters.
        is_of_constraint: whether a constraint owns it.
    """

    name: str
    method: str
    unique: bool
    nulls_distinct: bool
    keys: tuple[Key, ...]
    include: tuple[str, ...]
    condition: str | None
    options: dict[str, str]
    is_of_constraint: bool

    @property
    def is_plain(self) -> bool:
        """Whether it is a B-tree without any extras."""
        has_extras = self.include or self.condition or self.options or not self.nulls_distinct
        return self.method == "btree" and not has_extras and all(map(_is_plain, self.keys))


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type that is not PostgreSQL's own.

    Attributes:
        name: as columns have it, with its schema.
        kind: as ``pg_type.typtype``: ``e`` for an enum, ``d`` for a domain …
        base: the type under a domain.
        labels: the values of an enum.
        extension: the extension it belongs to, "" if none.
    """

    name: str
    kind: str
    base: str
    labels: tuple[str, ...]
    extension: str


@dataclass(frozen=True)
class Relation:
    """A table, view, materialized view or foreign table.

    Attributes:
        kind: in words.
        is_partition: whether it is a partition of another table.
        parents: the names of the tables it inherits from.
    """

    schema: str
    name: str
    kind: str
    is_partition: bool
    parents: tuple[str, ...]
    comment: str
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...]
    indexes: tuple[Index, ...]

    @property
    def is_table(self) -> bool:
        return self.kind in TABLE_KINDS

    @cached_property
    def column(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def index(self) -> dict[str, Index]:
        return {index.name: index for index in self.indexes}

    def plain_index(self, column: str, *, unique: bool) -> str:
        """Return the name of an index over one column without any extras, "" if there is none.

        Arguments:
            unique: whether it has to be unique, and never deferred, or must not be unique.
        """
        deferrable = {item.index for item in self.constraints if item.deferrable}
        for index in self.indexes:
            is_it = [key.column for key in index.keys] == [column] and index.unique == unique
            if is_it and index.is_plain and index.name not in deferrable:
                return index.name
        return ""

    @cached_property
    def primary_key(self) -> Constraint | None:
        return next((item for item in self.constraints if item.kind == "p"), None)


@dataclass(frozen=True)
class Schema:
    """All relations of a schema, by name, and the types that are not PostgreSQL's own."""

    name: str
    relations: dict[str, Relation]
    types: dict[str, NamedType]

    @cached_property
    def column_types(self) -> frozenset[str]:
        """The types of its columns, of the elements of arrays, and those under domains."""
        relations = self.relations.values()
        waiting = [column.type for relation in relations for column in relation.columns]
        found: set[str] = set()
        while waiting:
            name = waiting.pop().removesuffix("[]")
            if name not in found and name in self.types:
                waiting.append(self.types[name].base)
            found.add(name)
        return frozenset(found)


def read_schema(connection: BaseDatabaseWrapper, schema: str) -> Schema:
    """Read a schema with five queries, whatever its size.

    Arguments:
        schema: its name, unquoted.
    """
    with catalog_cursor(connection) as cursor:

        def rows(query: str) -> list[tuple[Any, ...]]:
            cursor.execute(query, {"schema": schema})
            return list(cursor.fetchall())

        relations = rows(RELATIONS)
        columns = _grouped(rows(COLUMNS), Column)
        constraints = _grouped(rows(CONSTRAINTS), _constraint)
        indexes = _grouped(rows(INDEXES), _index)
        types = {row[0]: _type(*row) for row in rows(TYPES)}
    found = {}
    for oid, name, kind, is_partition, parents, comment in relations:
        parts = (columns.get(oid, ()), constraints.get(oid, ()), indexes.get(oid, ()))
        found[name] = Relation(schema, name, kind, is_partition, tuple(parents), comment, *parts)
    return Schema(schema, found, types)


def _grouped(rows: list[tuple[Any, ...]], make: Any) -> dict[int, tuple[Any, ...]]:
    found: dict[int, list[Any]] = {}
    for oid, *row in rows:
        found.setdefault(oid, []).append(make(*row))
    return {oid: tuple(items) for oid, items in found.items()}


def _is_plain(key: Key) -> bool:
    is_usual = not key.opclass and not key.collation and not key.has_parameters
    return is_usual and not key.descending and not key.nulls_first


def _constraint(*row: Any) -> Constraint:
    name, kind, columns, condition, schema, table, *rest = _tuples(row)
    return Constraint(name, kind, columns, condition, (schema, table) if table else None, *rest)


def _index(*row: Any) -> Index:
    name, method, unique, distinct, keys, include, condition, options, owned = row
    parameters = dict(option.split("=", 1) for option in options)
    parsed = json.loads(keys) if isinstance(keys, str) else keys
    found = tuple(Key(**key) for key in parsed)
    rest = (tuple(include), condition, parameters, owned)
    return Index(name, method, unique, distinct, found, *rest)


def _type(*row: Any) -> NamedType:
    return NamedType(*_tuples(row))


def _tuples(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the row with tuples instead of lists."""
    return tuple(tuple(item) if isinstance(item, list) else item for item in row)
