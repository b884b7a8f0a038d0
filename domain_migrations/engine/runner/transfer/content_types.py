"""The content type of a model that another app has after a transfer.

Its row is renamed, so that generic relations, permissions with those who have them, and the log
of the admin go on to point at it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ....domains import CORE_SCHEMA, QualifiedName
from ....exceptions import InvalidConfiguration
from ...history.existing_tables import existing_tables
from ...messages import shortened
from ...sessions.connection import fetch_all
from ...sql.query import run_sql

SELECT_ID = "SELECT id FROM {table} WHERE app_label = %s AND model = %s"
RENAME = "UPDATE {table} SET app_label = {new} WHERE app_label = {old} AND model = {model}"

SELECT_KEYS = """
SELECT n.nspname, c.relname, a.attname,
    EXISTS (SELECT FROM pg_index i
        WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY(i.indkey))
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND k.conparentid = 0 AND cardinality(k.conkey) = 1
    AND k.confrelid = to_regclass(%s)
ORDER BY 1, 2, 3
"""
"""The columns with foreign keys to a table, and whether a unique index has them."""


class ReferringColumn(NamedTuple):
    """A column with a foreign key to a content type or a permission, in rows that use it."""

    schema: str
    table: str
    name: str
    is_unique: bool

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}.{self.name}"


def rename_statements(
    connection: BaseDatabaseWrapper,
    old_app: str,
    new_app: str,
    model: str,
    schemas: Collection[str],
) -> Iterator[str]:
    """Yield the statements that let a content type belong to the other app.

    A row that the other app has already, because code that is newer than the database created
    it, or older code that has used a view under the old name, goes first, with its permissions.
    What points at it points at the other row then.

    Arguments:
        schemas: those whose rows may be changed.

    Raises:
        InvalidConfiguration: something else uses that row, or somebody has its permissions.
    """
    if not apps.is_installed("django.contrib.contenttypes"):
        return
    table = QualifiedName.of(apps.get_model("contenttypes", "ContentType")._meta.db_table)
    if not existing_tables(connection, [table]):
        return
    identifier, name = sql.Identifier(*table), model.lower()
    query = sql.SQL(SELECT_ID).format(table=identifier)
    kept = _numbers(connection, query, [old_app, name])
    if not kept:
        return
    for number in _numbers(connection, query, [new_app, name]):
        label = f"{new_app}.{name}"
        yield from _removals(connection, table, (number, kept[0]), label, schemas)
    literals = {
        key: sql.Literal(value)
        for key, value in (("old", old_app), ("new", new_app), ("model", name))
    }
    yield sql.SQL(RENAME).format(table=identifier, **literals).as_string(None)


def _removals(
    connection: BaseDatabaseWrapper,
    table: QualifiedName,
    numbers_of: tuple[int, int],
    label: str,
    schemas: Collection[str],
) -> Iterator[str]:
    """Yield the statements that let one content type replace another, which is deleted."""
    number, kept = numbers_of
    permissions = QualifiedName(CORE_SCHEMA, "auth_permission")
    columns = [
        column
        for column in _columns_with(connection, table, number)
        if QualifiedName(*column[:2]) != permissions
    ]
    used = [each for each in columns if each.is_unique or each.schema not in schemas]
    rows = sql.SQL("SELECT id FROM {} WHERE content_type_id = %s")
    held: list[ReferringColumn] = []
    numbers: list[int] = []
    if existing_tables(connection, [permissions]):
        query = rows.format(sql.Identifier(*permissions))
        numbers = _numbers(connection, query, [number])
        held = [use for each in numbers for use in _columns_with(connection, permissions, each)]
    if used or held:
        raise InvalidConfiguration(
            f'There are two content types, and "{label}" is used in {shortened([*used, *held])}.',
            hint=f"Let these rows use the other content type, or delete them and the row of"
            f" {table} with the id {number}. Nothing was changed.",
        )
    for column in columns:
        change = sql.SQL("UPDATE {} SET {column} = {} WHERE {column} = {}").format(
            sql.Identifier(column.schema, column.table),
            sql.Literal(kept),
            sql.Literal(number),
            column=sql.Identifier(column.name),
        )
        yield change.as_string(None)
    if numbers:
        yield (
            sql.SQL("DELETE FROM {} WHERE content_type_id = {}")
            .format(sql.Identifier(*permissions), sql.Literal(number))
            .as_string(None)
        )
    delete = sql.SQL("DELETE FROM {} WHERE id = {}")
    yield delete.format(sql.Identifier(*table), sql.Literal(number)).as_string(None)


def _numbers(
    connection: BaseDatabaseWrapper, query: sql.Composed, params: Sequence[Any]
) -> list[int]:
    """Return the ids that a query finds, which a dry run does not show as the migration's SQL."""
    [rows] = run_sql(connection, query, params)
    return [number for (number,) in rows]


def _columns_with(
    connection: BaseDatabaseWrapper, table: QualifiedName, number: int
) -> list[ReferringColumn]:
    """Return the columns that refer to a row."""
    found = []
    for column in map(ReferringColumn._make, fetch_all(connection, SELECT_KEYS, [table.db_table])):
        query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s LIMIT 1").format(
            sql.Identifier(column.schema, column.table), sql.Identifier(column.name)
        )
        if _numbers(connection, query, [number]):
            found.append(column)
    return found
