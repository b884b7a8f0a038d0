"""The comparison of one column: its value in the table with those of the file, now and before."""

from __future__ import annotations

import re
from typing import Any, LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from .columns import Column

# Templates for one column: `in_table` is its value in the table, `in_file` that of the file.
WRITES: LiteralString = """
CASE WHEN {differs} THEN b.key IS NOT NULL AND CASE WHEN b."values" ? {name}
    THEN b."values" -> {name} = {in_table}
    ELSE {in_table} IN ('null', '""', {default}) END END AS {write}
"""
"""Whether the file's value is written; false where a local change is kept, null where both are the
same."""
SETS = "{column} = CASE WHEN m.{write} THEN r.{column} ELSE t.{column} END"
IS_WRITTEN = "m.{write}"
IS_KEPT = "NOT m.{write}"
RECORDED = "CASE WHEN NOT m.{write} THEN {in_file} ELSE {in_table} END AS {column}"

COMPARABLE = re.compile(
    r"(?:(?P<text>varchar|text)|smallint|integer|bigint|boolean|date|timestamp|uuid|numeric)\b"
)
"""Types of columns whose values need not be converted to JSON to be compared."""
VALUES_DIFFER = "t.{0} IS DISTINCT FROM r.{0}"
TEXTS_DIFFER = 't.{0}::text COLLATE "C" IS DISTINCT FROM r.{0}::text'
"""A migration may have made the column of a text field one of an enum, or of citext."""


def comparison(
    compared: Column, number: int, connection: BaseDatabaseWrapper
) -> dict[str, sql.Composable]:
    """Return the names in the templates for one of the compared columns."""
    field = compared.field
    column = sql.Identifier(compared.name)
    in_table = sql.SQL("coalesce(to_jsonb(t.{}), 'null')").format(column)
    in_file = sql.SQL("coalesce(to_jsonb(r.{}), 'null')").format(column)
    kind = COMPARABLE.match(str(field.db_type(connection)))
    differs = sql.SQL("{} <> {}").format(in_table, in_file)
    if kind:
        differs = sql.SQL(TEXTS_DIFFER if kind["text"] else VALUES_DIFFER).format(column)
    default: sql.Composable = sql.SQL("'null'::jsonb")
    if field.has_default() and not callable(field.default):
        value = field.get_db_prep_save(field.get_default(), connection)
        default = sql.SQL("coalesce(to_jsonb({}), 'null')").format(
            literal(value, field, connection)
        )
    return {
        "write": sql.Identifier(f"w{number}"),
        "column": column,
        "name": sql.Literal(compared.name),
        "in_table": in_table,
        "in_file": in_file,
        "differs": differs,
        "default": default,
    }


def literal(value: Any, field: Any, connection: BaseDatabaseWrapper) -> sql.Composable:
    """Return a value as SQL, with the type of its field."""
    kind = sql.SQL(field.cast_db_type(connection))
    return sql.SQL("{}::{}").format(sql.Literal(value), kind)
