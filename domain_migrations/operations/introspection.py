"""Queries of the live catalog within the running transaction.

Nothing is cached between two queries, because an earlier operation of the same transaction may
have created or dropped the object, and the search path is ignored. Foreign keys and indexes that
the schema editor has deferred to the end of the migration count as existing.
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

TABLE = """
SELECT 1
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""
IS_TABLE = "AND c.relkind IN ('r', 'p')"

HAS_COLUMN = """
AND c.relkind IN ('r', 'p') AND EXISTS (
    SELECT FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attname = %s AND a.attnum > 0 AND NOT a.attisdropped
)
"""

HAS_INDEX = """
AND EXISTS (
    SELECT FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = c.oid AND x.relname = %s
)
"""

# A unique constraint with a condition or an expression is an index to PostgreSQL.
HAS_CONSTRAINT = """
AND (
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
    """Return whether the table exists; a view does not count."""
    return _exists(schema_editor, IS_TABLE, qualified_name(table))


def has_column(schema_editor: BaseDatabaseSchemaEditor, table: TableReference, column: str) -> bool:
    """Return whether the table has a column of that name in the database."""
    return _exists(schema_editor, HAS_COLUMN, qualified_name(table), truncate(column))


def has_index(schema_editor: BaseDatabaseSchemaEditor, table: TableReference, name: str) -> bool:
    """Return whether the table has an index of that name, also one that backs a constraint."""
    qualified, name = qualified_name(table), truncate(name)
    return _exists(schema_editor, HAS_INDEX, qualified, name) or name in _deferred_names(
        schema_editor, qualified, "CREATE"
    )


def has_constraint(
    schema_editor: BaseDatabaseSchemaEditor, table: TableReference, name: str
) -> bool:
    """Return whether the table has a constraint of that name, or a unique index."""
    qualified, name = qualified_name(table), truncate(name)
    return _exists(schema_editor, HAS_CONSTRAINT, qualified, name, name) or name in _deferred_names(
        schema_editor, qualified, "ALTER", "CREATE UNIQUE"
    )


def qualified_name(table: TableReference) -> QualifiedName:
    """Return the schema and the name of a table as the catalog has them."""
    if isinstance(table, type):
        return _parsed(table._meta.db_table)
    if isinstance(table, tuple):
        return _truncated(*table)
    if '"' not in table and table.count(".") == 1:
        return _truncated(*table.split("."))
    return _parsed(table)


def deferred_statements(
    schema_editor: BaseDatabaseSchemaEditor, table: QualifiedName
) -> Iterator[Statement]:
    """Yield the deferred statements of the editor about a table."""
    for statement in schema_editor.deferred_sql:
        parts: Any = getattr(statement, "parts", {})
        part = parts.get("table")
        if isinstance(part, Table) and _parsed(part.table) == table:
            yield statement


def _parsed(db_table: str) -> QualifiedName:
    return _truncated(*QualifiedName.of(db_table))


def _truncated(schema: str, name: str) -> QualifiedName:
    return QualifiedName(truncate(schema), truncate(name))


def _deferred_names(
    schema_editor: BaseDatabaseSchemaEditor, table: QualifiedName, *beginnings: str
) -> set[str]:
    return {
        parse_table_name(str(statement.parts["name"])).name
        for statement in deferred_statements(schema_editor, table)
        if str(statement).startswith(beginnings)
    }


def _exists(
    schema_editor: BaseDatabaseSchemaEditor, condition: str, table: QualifiedName, *names: str
) -> bool:
    with postgresql(schema_editor).cursor() as cursor:
        cursor.execute(TABLE + condition, [*table, *names])
        return cursor.fetchone() is not None


def postgresql(schema_editor: BaseDatabaseSchemaEditor) -> BaseDatabaseWrapper:
    """Return the editor's connection.

    Raises:
        NotSupportedError: the database is not PostgreSQL.
    """
    connection: BaseDatabaseWrapper = schema_editor.connection
    if connection.vendor != "postgresql":
        raise NotSupportedError(
            "The operations of domain_migrations require PostgreSQL; the database"
            f' "{connection.alias}" is {connection.display_name}.'
        )
    return connection
