"""The comparison of an existing table with the one that a migration would create.

A difference is an error and never ignored: a migration that skipped a column of another type
would report success and leave a database that contradicts its history.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import BaseConstraint, Field, Index, Model
from psycopg import sql

from ..backends.postgresql.names import quote, truncate
from ..engine.catalog import drift_ids as ids
from ..engine.catalog.comparison import TableComparison
from ..engine.catalog.expected import ExpectedTable, ExpectedTables
from ..engine.catalog.expressions import ExpressionNormalizer, cast, unquote_identifiers
from ..engine.catalog.live_tables import IndexOrConstraint, Table, read_tables
from .introspection import deferred_statements, postgresql, qualified_name

IGNORED = frozenset({ids.COMMENT, ids.EXTRA_COMMENT, ids.EXTRA_SETTING, ids.AUTOMATIC_KEY})
"""Differences that do not affect the data that a table can store."""

EXTRA_PARTS = frozenset({ids.EXTRA_INDEX, ids.EXTRA_CONSTRAINT})

NOT_IN_FORCE = """
SELECT k.conname, CASE WHEN to_jsonb(k) ->> 'conenforced' = 'false' THEN 'NOT ENFORCED'
    WHEN NOT k.convalidated THEN 'NOT VALID' END
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND k.contype IN ('c', 'f')
UNION ALL
SELECT x.relname, CASE WHEN NOT i.indisvalid THEN 'INVALID' END
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(table)s
"""

NAME_OWNER_SQL = """
SELECT x.relkind::text, c.relname
FROM pg_catalog.pg_class x
JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = x.oid
LEFT JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
WHERE n.nspname = %s AND x.relname = %s
"""
"""The relation with a name in a schema: its kind and, for an index, its table."""

KINDS = {"r": "a table", "p": "a table", "v": "a view", "m": "a materialized view"}


class DefinitionMismatch(Exception):
    """An existing object differs from the one that the migration would create."""

    def __init__(self, differences: Iterable[str]) -> None:
        self.differences = tuple(differences)
        super().__init__(f"The existing definition differs. {' '.join(self.differences)}")


class ExistingTable:
    """A model's table in the database, compared with the model.

    It is read on instantiation and valid for one operation, because the next one may change it.
    """

    def __init__(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> None:
        self.editor: Any = schema_editor
        self.connection = postgresql(schema_editor)
        self.model = model
        self.name = qualified_name(model)
        tables, classes = read_tables(self.connection, [self.name.schema], table=self.name.name)
        self.expected = ExpectedTables(self.connection, classes)
        self.live = tables.get(self.name)
        if self.live is not None:
            self._complete(self.live)
        columns = self.live.columns if self.live is not None else {}
        types = {name: column.type for name, column in columns.items()}
        self.canonical = ExpressionNormalizer(self.connection, types)

    def has_table(self, *, parts: bool = True) -> bool:
        """Return whether the table exists.

        Arguments:
            parts: whether constraints and indexes must be equal too.

        Raises:
            DefinitionMismatch: it exists and differs.
        """
        live = self.live
        if live is None:
            return False
        self._check_kind(live)
        wanted = self.expected.expected_table(self.model)
        for field in self.model._meta.local_concrete_fields:
            self._ignore_equal_default(live, field)
        if not parts:
            live = replace(live, constraints=[], indexes=[])
            wanted = replace(wanted, named=[], unnamed=[])
        self._compare(wanted, live, checks=True)
        return True

    def has_field(self, field: Field[Any, Any], *, parts: bool = True) -> bool:
        """Return whether the field's column exists, as :meth:`has_table` does.

        Arguments:
            parts: whether the field's foreign key, check, uniqueness and index must be equal.
        """
        column, live = self.expected.column(field), self.live
        if column is None or live is None:
            return False
        self._check_kind(live)
        if column.name not in live.columns:
            return False
        self._ignore_equal_default(live, field)
        wanted = ExpectedTable(*self.name, columns={column.name: column})
        found = replace(live, columns={column.name: live.columns[column.name]}, comment="")
        found.constraints, found.indexes = [], []
        if parts:
            wanted.unnamed = list(self.expected.field_constraints(self.model, field))
            options = self.model._meta
            named = {truncate(item.name) for item in (*options.indexes, *options.constraints)}
            found.constraints, found.indexes = (
                [
                    item
                    for item in items
                    if item.name not in named and _may_belong_to(item, column.name, field)
                ]
                for items in (live.constraints, live.indexes)
            )
        self._compare(wanted, found, checks=False)
        return True

    def has_index(self, index: Index) -> bool:
        """Return whether the index exists, as :meth:`has_table` does."""
        statement = index.create_sql(self.model, self.editor)
        return self._has_named(self.expected.parse_statement(statement))

    def has_constraint(self, constraint: BaseConstraint) -> bool:
        """Return whether the constraint exists, as :meth:`has_table` does."""
        statement = constraint.create_sql(self.model, self.editor)
        return statement is not None and self._has_named(self.expected.parse_statement(statement))

    def _has_named(self, wanted: IndexOrConstraint) -> bool:
        name, head, live = truncate(wanted.name), wanted.definition.head, self.live
        if live is None:
            return False
        self._check_kind(live)
        shares_names = head != "CHECK"  # All constraints but checks share their names with indexes.
        candidates = [
            *(item for item in live.indexes if shares_names),
            *(
                item
                for item in live.constraints
                if "INDEX" not in head or item.definition.head not in ("CHECK", "FOREIGN KEY")
            ),
        ]
        found = next((item for item in candidates if item.name == name), None)
        if found is None:
            if shares_names:
                self._check_free(name)
            return False
        theirs = found.definition.rewritten(self.canonical)
        ours = wanted.definition.rewritten(self.canonical)
        if theirs != ours:
            noun = "index" if "INDEX" in theirs.head else "constraint"
            where = self.name.schema if noun == "index" else str(self.name)
            raise DefinitionMismatch(
                [f"The {noun} {where}.{name} is {theirs}; the migrations say {ours}."]
            )
        return True

    def _check_free(self, name: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(NAME_OWNER_SQL, [self.name.schema, name])
            row = cursor.fetchone()
        if row is not None:
            kind, table = row
            schema = self.name.schema
            owner = f"an index of {schema}.{table}" if table else KINDS.get(kind, "something else")
            message = f"The name {schema}.{name} belongs to {owner}"
            raise DefinitionMismatch([f"{message}; the migrations say to one of {self.name}."])

    def _check_kind(self, live: Table) -> None:
        if live.kind != "table":
            raise DefinitionMismatch([f"{self.name} is a {live.kind}; the migrations say a table."])

    def _complete(self, live: Table) -> None:
        """Add the deferred statements, and the properties that definitions lack."""
        with self.connection.cursor() as cursor:
            cursor.execute(NOT_IN_FORCE, {"schema": self.name.schema, "table": self.name.name})
            notes = {name: note for name, note in cursor.fetchall() if note}
        for items in (live.constraints, live.indexes):
            items[:] = [_with_note(item, notes.get(item.name, "")) for item in items]
        for statement in deferred_statements(self.editor, self.name):
            text = str(statement)
            if text.startswith(("CREATE", "ALTER")):
                items = live.indexes if text.startswith("CREATE") else live.constraints
                items.append(self.expected.parse_statement(statement))

    def _ignore_equal_default(self, live: Table, field: Field[Any, Any]) -> None:
        """Ignore a database default that equals the field's default.

        A NOT NULL column that was added manually got one for the existing rows.
        """
        column = live.columns.get(str(field.column))
        if column is None or column.default is None or field.has_db_default():
            return
        value = self.editor.effective_default(field)
        if value is None:
            return
        literal = sql.Literal(value).as_string(self.connection.connection)
        expressions = [cast(text, column.type) for text in (literal, column.default)]
        self.canonical.prepare(expressions)
        if len({self.canonical(text) for text in expressions}) == 1:
            live.columns[column.name] = replace(column, default=None)

    def _compare(self, wanted: ExpectedTable, live: Table, *, checks: bool) -> None:
        """Compare the definitions, except for additional indexes that are not unique.

        Arguments:
            checks: whether an additional check constraint is a difference.
        """
        harmless = {
            item.name
            for item in (*live.indexes, *live.constraints)
            if item.definition.head.startswith("INDEX")
            or (item.definition.head == "CHECK" and not checks)
        }

        found = [
            difference.message
            for difference in TableComparison(wanted, live, self.canonical).differences()
            if difference.id not in IGNORED
            and not (difference.id in EXTRA_PARTS and difference.words[0] in harmless)
        ]
        if found:
            raise DefinitionMismatch(found)


def _may_belong_to(item: IndexOrConstraint, column: str, field: Field[Any, Any]) -> bool:
    """Return whether a constraint or an index may belong to a single field."""
    definition = item.definition
    if definition.head == "CHECK":
        return True
    if definition.head == "PRIMARY KEY" and field.primary_key:
        return False
    spellings = (column, quote(column))
    return [unquote_identifiers(key.expression) in spellings for key in definition.keys] == [True]


def _with_note(item: IndexOrConstraint, note: str) -> IndexOrConstraint:
    if not note:
        return item
    tail = f"{item.definition.tail} {note}".lstrip()
    return replace(item, definition=replace(item.definition, tail=tail))
