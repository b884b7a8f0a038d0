"""The relations, columns and types that a migration finds before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CheckConstraint, F, Model, Q
from django.db.models.fields import AutoFieldMixin
from django.db.models.options import Options

from ...domains import QualifiedName
from ...engine.runner.loader import DomainLoader
from ...engine.runner.project_state import full_order
from ...engine.sources.files import MigrationKey
from ...engine.sources.parsing import header_of
from ...engine.sql.lexer import split_string
from ...engine.sql.query import run_sql
from ...engine.sql.words import Words
from .column_types import ALIASES, SERIALS, ColumnType
from .statement_effects import Effect, effects

EXISTS = "SELECT pg_catalog.to_regclass(%(name)s) IS NOT NULL"
PARTITIONED = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_class
        WHERE oid = pg_catalog.to_regclass(%(name)s) AND relkind IN ('p', 'I'))
"""
COLUMN = """
SELECT pg_catalog.format_type(a.atttypid, a.atttypmod),
    EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.conrelid = a.attrelid
            AND c.contype = 'c' AND c.convalidated AND a.attnum = ANY (c.conkey)),
    EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_depend d
            ON d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum
            WHERE i.indrelid = a.attrelid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)),
    EXISTS (SELECT FROM pg_catalog.pg_index i
            WHERE i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey)),
    a.attidentity <> ''
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = pg_catalog.to_regclass(%(table)s) AND a.attname = %(column)s
    AND NOT a.attisdropped
"""
# A domain over a domain has the constraints of both.
TYPE = """
WITH RECURSIVE types AS (
    SELECT t.* FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typname = %(name)s AND n.nspname IN ('pg_catalog', %(schema)s)
        AND (n.nspname = %(schema)s OR %(schema)s = 'public')
    UNION ALL
    SELECT t.* FROM types JOIN pg_catalog.pg_type t ON t.oid = types.typbasetype
    WHERE types.typtype = 'd'
)
SELECT pg_catalog.format_type(coalesce(nullif(typbasetype, 0), oid), typtypmod),
    typtype = 'd',
    typnotnull OR EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE contypid = types.oid)
FROM types
"""
END_OF_TYPE = (
    *("constraint", "not", "null", "default", "check", "unique", "primary", "references"),
    *("generated", "collate", "deferrable", "initially", "storage", "compression", "using"),
    *("options", "no"),
)
"""The words that end the type in the definition of a column or a domain."""
BUILT_IN = frozenset({*SERIALS, *ALIASES, *ALIASES.values()})
"""The types whose names PostgreSQL's grammar knows."""


@dataclass(frozen=True)
class Column:
    """A column, and what depends on its type.

    Attributes:
        type: as text, of the SQL or of the catalog.
        checked: whether a check constraint reads it.
        computed_index: whether an index has it in an expression or in its condition.
        indexed: whether any index has it.
        identity: whether it draws its values from a sequence of its own.
    """

    type: str
    checked: bool = False
    computed_index: bool = False
    indexed: bool = False
    identity: bool = False

    @classmethod
    def of_field(cls, options: Options[Any], field: Any, type_: str) -> Self:
        checks = [one for one in options.constraints if isinstance(one, CheckConstraint)]
        indexes = [*options.indexes, *(one for one in options.constraints if one not in checks)]
        names = {field.name, field.attname}
        keys = [*options.unique_together, *(getattr(one, "fields", ()) for one in indexes)]
        return cls(
            type_,
            checked=any(not names.isdisjoint(_condition_fields(one)) for one in checks),
            computed_index=any(
                not names.isdisjoint((*_condition_fields(one), *_expression_fields(one)))
                for one in indexes
            ),
            indexed=field.db_index
            or field.unique
            or any(not names.isdisjoint(key) for key in keys),
            identity=isinstance(field, AutoFieldMixin),
        )

    def __or__(self, other: Column) -> Column:
        return replace(
            self,
            checked=self.checked or other.checked,
            computed_index=self.computed_index or other.computed_index,
            indexed=self.indexed or other.indexed,
            identity=self.identity or other.identity,
        )


class ForeignKey(NamedTuple):
    """A foreign key of a model."""

    table: QualifiedName
    column: str
    target: QualifiedName
    target_column: str


@dataclass(frozen=True)
class KnownType:
    """A type whose meaning is known.

    Attributes:
        type: the type that a domain stands for.
        checked: whether the type is a domain that does not allow all values, or no NULL.
    """

    type: ColumnType
    checked: bool = False


class ExistingObjects:
    """The state of the models before a migration, the SQL of those before it, and the catalog.

    The catalog is asked about what the state does not know, and about relations only before the
    migration is applied.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        loader: DomainLoader,
        key: MigrationKey,
        models: Iterable[type[Model]],
    ) -> None:
        self.connection, self.loader, self.key = connection, loader, key
        self.is_applied = tuple(key) in loader.applied_migrations
        self.columns: dict[tuple[QualifiedName, str], Column] = {}
        self.tables: set[QualifiedName] = set()
        self.keys: list[ForeignKey] = []
        for model in models:
            if not model._meta.managed:
                continue
            table = QualifiedName.of(model._meta.db_table)
            self.tables.add(table)
            for field in model._meta.local_fields:
                if (type_ := field.db_type(connection)) and field.column:
                    self.columns[table, field.column] = Column.of_field(model._meta, field, type_)
                remote: Any = field
                if getattr(field, "db_constraint", False) and field.column:
                    target = remote.target_field
                    to = QualifiedName.of(target.model._meta.db_table)
                    self.keys.append(ForeignKey(table, field.column, to, target.column))

    @cached_property
    def _earlier(self) -> Sequence[str]:
        """The SQL of the ``RunSQL`` in the migrations before, as far as their files show it."""
        order = [MigrationKey(*key) for key in full_order(self.loader)]
        before = order[: order.index(self.key)] if self.key in order else order
        texts = (one.sql for key in before for one in header_of(key).operations if one.sql)
        return [sql for text in texts for sql in split_string(text)]

    @cached_property
    def _earlier_relations(self) -> set[QualifiedName]:
        found: set[QualifiedName] = set()
        for effect in (effect for sql in self._earlier for effect in effects(sql)):
            if effect.kind == "create":
                found.add(effect.relation)
            elif effect.kind in ("drop", "rename"):
                found.discard(effect.relation)
                found.update([effect.new] if effect.new else [])
        return found

    def has(self, relation: QualifiedName) -> bool:
        """Return whether the database has the relation before the migration."""
        if relation in self.tables or relation in self._earlier_relations:
            return True
        return not self.is_applied and bool(self._scalar(EXISTS, relation))

    def is_partitioned(self, relation: QualifiedName, more: Iterable[str] = ()) -> bool:
        """Return whether the relation is a partitioned table or an index on one."""
        for sql in (*self._earlier, *more):
            if any(one == Effect("create", relation, one.conditional) for one in effects(sql)):
                return Words.of(sql).has("partition", "by")
        return bool(self._scalar(PARTITIONED, relation))

    def column(self, table: QualifiedName, name: str) -> Column | None:
        """Return a column; its type is the catalog's only where no model has the column."""
        of_model = self.columns.get((table, name))
        names = {"table": table.db_table, "column": name}
        [rows] = run_sql(self.connection, COLUMN, names)
        found = Column(*rows[0]) if rows else None
        if of_model is None:
            return None if self.is_applied else found
        return of_model | found if found else of_model

    def known_type(self, text: str, more: Iterable[str] = ()) -> KnownType | None:
        """Return what a type in SQL is; None if neither the database nor earlier SQL knows it.

        Arguments:
            more: the statements of the migration itself before the one that names the type.
        """
        written = ColumnType.of(text)
        if written.base in BUILT_IN or written.is_array:
            return KnownType(written)
        declared = {name: rest for sql in (*self._earlier, *more) for name, rest in _types(sql)}
        name = Words.of(text).name()
        if name is not None and name in declared:
            return self._declared(declared, name)
        if name is None:
            return None
        [rows] = run_sql(self.connection, TYPE, name._asdict())
        if not rows:
            return None
        if not rows[0][1]:
            return KnownType(written)
        base = [base for base, is_domain, _ in rows if is_domain][-1]
        is_checked = any(checked for _, is_domain, checked in rows if is_domain)
        return KnownType(replace(ColumnType.of(base), is_domain=True), is_checked)

    def _declared(self, declared: Mapping[QualifiedName, Words], name: QualifiedName) -> KnownType:
        rest = Words(declared[name].source, declared[name].rest)
        if not rest.take("domain"):
            return KnownType(ColumnType(str(name)))
        rest.take("as")
        checked = rest.has("check") or rest.has("not", "null")
        base = rest.text_before(*END_OF_TYPE)
        inner = Words.of(base).name()
        others = {other: words for other, words in declared.items() if other != name}
        if inner is not None and inner in others:
            found = self._declared(others, inner)
            return replace(found, checked=checked or found.checked)
        return KnownType(replace(ColumnType.of(base), is_domain=True), checked)

    def _scalar(self, sql: Any, relation: QualifiedName) -> Any:
        [[(value,)]] = run_sql(self.connection, sql, {"name": relation.db_table})
        return value


def _types(sql: str) -> Iterator[tuple[QualifiedName, Words]]:
    """Yield the type that a statement creates, and its definition, which may begin ``domain``."""
    words = Words.of(sql)
    if words.take("create"):
        kind = words.at
        if words.take("domain") or words.take("type"):
            name = words.name()
            is_domain = words.tokens[kind].is_word("domain")
            rest = [*words.tokens[kind : kind + is_domain], *words.rest]
            if name is not None:
                yield name, Words(sql, rest)


def _condition_fields(index_or_constraint: Any) -> Iterator[str]:
    # Constraints of other packages may have no condition.
    condition = getattr(index_or_constraint, "condition", None)
    if isinstance(condition, Q):
        yield from condition.referenced_base_fields
    elif condition is not None:
        yield from _referenced_fields(condition)


def _expression_fields(index: Any) -> Iterator[str]:
    for expression in getattr(index, "expressions", ()):
        # The expressions of an exclusion constraint are pairs with an operator.
        yield from _referenced_fields(
            expression[0] if isinstance(expression, tuple | list) else expression
        )


def _referenced_fields(expression: Any) -> Iterator[str]:
    """Yield the fields of an expression, without the lookups after their names."""
    if isinstance(expression, str):
        yield expression
        return
    parts = expression.flatten() if hasattr(expression, "flatten") else [expression]
    fields: list[Any] = [part for part in parts if isinstance(part, F)]
    yield from (field.name.partition("__")[0] for field in fields)
