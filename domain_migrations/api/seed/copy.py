"""COPY of a file's rows into the first of the tables that they go through."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ...engine.sessions.database_errors import CONNECTION_STATES, first_line
from ...exceptions import SeedFailed
from .columns import Column, InvalidColumn, ValueColumn, flatten_reference
from .document import MISSING, Table
from .staging import Statements
from .target_table import TargetTable
from .values import InvalidValue, converter

IN_COPY = re.compile(r"line (\d+)(?:, column (?:c|e)(\d+))?")

NO_ROWS_YET = "SELECT NULL::bigint AS {row}, {columns} FROM {tables}"

ErrorFactory = Callable[[int | None, str], SeedFailed]
"""Makes the error for a line of the file."""
RowConverter = Callable[[Sequence[Any], list[Any]], None]


def value_columns(shape: TargetTable) -> list[sql.Identifier]:
    """Return the names of the values' columns in the staged table."""
    count = sum(len(column.leaves) for column in shape.columns)
    return [sql.Identifier(f"c{number}") for number in range(count)]


def default_columns(shape: TargetTable) -> list[sql.Identifier]:
    """Return the names of the columns in the staged table that the file does not have."""
    return [sql.Identifier(f"e{number}") for number in range(len(shape.defaults_per_row))]


def copy_rows(
    statements: Statements, shape: TargetTable, table: Table, failed: ErrorFactory
) -> Sequence[int]:
    """Copy the rows into the staged table, numbered from 1; return the line of each.

    Raises:
        SeedFailed: a line has a value that its column does not take.
    """
    leaves = [leaf for column in shape.columns for leaf in column.leaves]
    defaults = shape.defaults_per_row
    connection = statements.connection
    _create(statements, shape, leaves)
    columns = [statements.names["row"], *value_columns(shape), *default_columns(shape)]
    statement = statements.filled(
        "COPY {staged} ({columns}) FROM STDIN", {"columns": sql.SQL(", ").join(columns)}
    )
    converters = [
        (column.field.name, _row_converter(column, connection, shape, is_text=table.is_text))
        for column in shape.columns
    ]
    lines = array("q")
    name = ""
    with connection.cursor() as cursor:
        try:
            with cursor.copy(statement) as copy:
                for line, values in table.rows:
                    lines.append(line)
                    row: list[Any] = [len(lines)]
                    for name, convert in converters:  # noqa: B007 (for the error message)
                        convert(values, row)
                    row += [default.value() for default in defaults]
                    copy.write_row(row)
        except (InvalidValue, InvalidColumn) as exc:
            raise failed(lines[-1], f"{name}: {exc}") from exc
        except UnicodeEncodeError as exc:  # half a surrogate pair, which JSON can spell
            letter = exc.object[exc.start]
            raise failed(lines[-1], f"{letter!r} is not a Unicode character.") from exc
        except psycopg.Error as exc:
            raise _copy_error(exc, lines, leaves, failed) from exc
    statements.analyze("staged")
    return lines


def _create(statements: Statements, shape: TargetTable, leaves: Sequence[ValueColumn]) -> None:
    """Create the staged table, with the types of the columns that its values are compared with."""
    models = dict.fromkeys([shape.model, *(leaf.field.model for leaf in leaves)])
    alias = {model: sql.Identifier(f"t{number}") for number, model in enumerate(models)}
    fields = [(alias[leaf.field.model], str(leaf.field.column)) for leaf in leaves]
    fields += [(alias[shape.model], default.name) for default in shape.defaults_per_row]
    names = [*value_columns(shape), *default_columns(shape)]
    statements.create_empty(
        "staged",
        NO_ROWS_YET,
        columns=sql.SQL(", ").join(
            sql.SQL("{}.{} AS {}").format(table, sql.Identifier(column), name)
            for (table, column), name in zip(fields, names, strict=True)
        ),
        tables=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(
                sql.Identifier(*QualifiedName.of(model._meta.db_table)), name
            )
            for model, name in alias.items()
        ),
    )


def _row_converter(
    column: Column, connection: BaseDatabaseWrapper, shape: TargetTable, *, is_text: bool
) -> RowConverter:
    """Return the function that adds a column's values to a row, checked and converted."""
    required, positions = column in shape.key, column.positions
    source = column.source
    if isinstance(source, ValueColumn):
        convert = converter(source.field, connection, required=required, is_text=is_text)
        (position,) = positions
        return lambda values, row: row.append(convert(values[position]))
    converters = [
        converter(leaf.field, connection, required=True, is_text=is_text) for leaf in source.leaves
    ]
    is_whole = len(positions) == 1 and len(converters) > 1

    def convert_reference(values: Sequence[Any], row: list[Any]) -> None:
        parts = [values[position] for position in positions]
        if is_whole or (len(parts) == 1 and isinstance(parts[0], list | dict)):
            parts = flatten_reference(source, parts[0])
        if all(value is None or value is MISSING or value == "" for value in parts):
            if required or not column.field.null:
                raise InvalidValue("it cannot be empty.")
            row += [None for _ in converters]
        else:
            row += [convert(value) for convert, value in zip(converters, parts, strict=True)]

    return convert_reference


def _copy_error(
    exc: psycopg.Error, lines: Sequence[int], leaves: Sequence[ValueColumn], failed: ErrorFactory
) -> Exception:
    """Return the error for a value that the server, or the driver, does not take."""
    state = exc.sqlstate or ""
    match = IN_COPY.search(exc.diag.context or "")
    if state.startswith(CONNECTION_STATES) or (exc.diag.sqlstate and not match):
        return exc
    message = f"{first_line(exc).rstrip('.')}."
    if match is None:
        return failed(lines[-1] if lines else None, message)
    number = int(match[2]) if match[2] else len(leaves)
    name = f"{leaves[number].path}: " if number < len(leaves) else ""
    return failed(lines[int(match[1]) - 1], f"{name}{message}")
