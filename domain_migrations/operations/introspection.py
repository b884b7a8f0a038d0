"""What is there at this moment, asked of the catalog inside the running transaction.

Nothing is remembered between two questions, and no search path is consulted: an earlier
operation of the same transaction may have made or dropped what is asked for. Foreign keys and
indexes that the schema editor has put off to the end of the migration count as there, for it
will make them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import Model

from ..backends.postgresql.names import parse_table_name, truncate
from ..domains import QualifiedName

TableReference = type[Model] | QualifiedName | tuple[str, str] | str
"""A model, ``(schema, name)``, a ``db_table`` as Django spells it, or ``schema.table``."""

HAS_TABLE = """
SELECT 1
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p')
"""

HAS_COLUMN = """
SELECT 1
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %s AND c.relname = %s AND a.attname = %s AND c.relkind IN ('r', 'p')
"""

HAS_INDEX = """
SELECT 1
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
WHERE n.nspname = %s AND c.relname = %s AND x.relname = %s
"""

# A unique constraint with a condition or an expression is an index to PostgreSQL.
HAS_CONSTRAINT = """
SELECT 1
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND (
    EXISTS (
        SELECT FROM pg_catalog.pg_constraint k
        WHERE k.conrelid = c.oid AND k.conname = %s AND k.contype IN ('c', 'f', 'p', 'u', 'x')
    ) OR EXISTS (
        SELECT FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid AND i.indisunique AND x.relname = %s
    )
)
"""


def has_table(schema_editor: BaseDatabaseSchemaEditor, table: TableReference) -> bool:
    """Return whether the table is there; a view is none."""
    return _found(schema_editor, HAS_TABLE, qualified_name(table))


def has_column(schema_editor: BaseDatabaseSchemaEditor, table: TableReference, column: str) -> bool:
    """Return whether the table has a column of that name in the database."""
    return _found(schema_editor, HAS_COLUMN, qualified_name(table), truncate(column))


def has_index(schema_editor: BaseDatabaseSchemaEditor, table: TableReference, name: str) -> bool:
    """Return whether the table has an index of that name, also one that backs a constraint."""
    place, name = qualified_name(table), truncate(name)
    return _found(schema_editor, HAS_INDEX, place, name) or name in _names_deferred(
        schema_editor, place, "CREATE"
    )


def has_constraint(
    schema_editor: BaseDatabaseSchemaEditor, table: TableReference, name: str
) -> bool:
    """Return whether the table has a constraint of that name, or a unique index."""
    place, name = qualified_name(table), truncate(name)
    return _found(schema_editor, HAS_CONSTRAINT, place, name, name) or name in _names_deferred(
        schema_editor, place, "ALTER", "CREATE UNIQUE"
    )


def qualified_name(table: TableReference) -> QualifiedName:
    """Return the schema and the name of a table as the catalog has them."""
    if isinstance(table, type):
        return _spelled(table._meta.db_table)
    if isinstance(table, tuple):
        return _cut(*table)
    if '"' not in table and table.count(".") == 1:
        return _cut(*table.split("."))
    return _spelled(table)


def deferred_statements(
    schema_editor: BaseDatabaseSchemaEditor, place: QualifiedName
) -> Iterator[Statement]:
    """Yield the statements about a table that the editor has put off to the end."""
    for statement in schema_editor.deferred_sql:
        parts: Any = getattr(statement, "parts", {})
        table = parts.get("table")
        if isinstance(table, Table) and _spelled(table.table) == place:
            yield statement


def _spelled(db_table: str) -> QualifiedName:
    return _cut(*QualifiedName.of(db_table))


def _cut(schema: str, name: str) -> QualifiedName:
    return QualifiedName(truncate(schema), truncate(name))


def _names_deferred(
    schema_editor: BaseDatabaseSchemaEditor, place: QualifiedName, *beginnings: str
) -> set[str]:
    return {
        parse_table_name(str(statement.parts["name"])).name
        for statement in deferred_statements(schema_editor, place)
        if str(statement).startswith(beginnings)
    }


def _found(
    schema_editor: BaseDatabaseSchemaEditor, query: str, place: QualifiedName, *names: str
) -> bool:
    with postgresql(schema_editor).cursor() as cursor:
        cursor.execute(query, [*place, *names])
        return cursor.fetchone() is not None


def postgresql(schema_editor: BaseDatabaseSchemaEditor) -> BaseDatabaseWrapper:
    """Return the editor's connection.

    Raises:
        NotSupportedError: it leads to another database than PostgreSQL.
    """
    connection: BaseDatabaseWrapper = schema_editor.connection
    if connection.vendor != "postgresql":
        raise NotSupportedError(
            "The operations of domain_migrations need PostgreSQL; the database"
            f' "{connection.alias}" is {connection.display_name}.'
        )
    return connection
