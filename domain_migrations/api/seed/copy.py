"""Bringing the rows of a file to the server, into a temporary table, one line at a time."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...engine.sessions.connection import CONNECTION_CLASSES, first_line
from ...exceptions import SeedFailed
from .columns import Column, InvalidColumn, NaturalKeyLookup, ValueColumn, flatten_reference
from .document import MISSING, Table
from .target_table import TargetTable, table_name
from .values import Converter, InvalidValue, converter

STAGED = sql.Identifier("pg_temp", "~staged")
LINE = sql.Identifier("~line")
IN_COPY = re.compile(r"line (\d+)(?:, column (?:c|e)(\d+))?")

CREATE = """
CREATE TEMPORARY TABLE {staged} ON COMMIT DROP AS
SELECT NULL::bigint AS {line}, {columns} FROM {tables} WITH NO DATA
"""

ErrorFactory = Callable[[int | None, str], SeedFailed]
"""Makes the error for a line of the file."""
Maker = Callable[[Sequence[Any]], list[Any]]


def value_column(number: int) -> sql.Identifier:
    """Return the name of a value's column in the temporary table."""
    return sql.Identifier(f"c{number}")


def extra_name(number: int) -> sql.Identifier:
    """Return the name of a column in the temporary table that the file does not have."""
    return sql.Identifier(f"e{number}")


def copy_rows(
    connection: BaseDatabaseWrapper, shape: TargetTable, table: Table, failed: ErrorFactory
) -> tuple[int, int, int]:
    """Copy the rows into the temporary table; return how many, the first line and the last.

    Raises:
        SeedFailed: a line has a value that its column does not take.
    """
    leaves = [leaf for column in shape.columns for leaf in column.leaves]
    differing = [extra for extra in shape.extras if extra.per_row]
    with connection.cursor() as cursor:
        cursor.execute(_creation(shape, leaves))
    names = [LINE, *map(value_column, range(len(leaves))), *map(extra_name, range(len(differing)))]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(STAGED, sql.SQL(", ").join(names))
    makers = [
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
                    row: list[Any] = [line]
                    for name, make in makers:  # noqa: B007 (told of when it fails)
                        row += make(values)
                    row += [extra.value() for extra in differing]
                    copy.write_row(row)
        except (InvalidValue, InvalidColumn) as exc:
            raise failed(lines[-1], f"{name}: {exc}") from exc
        except UnicodeEncodeError as exc:  # as of half a surrogate pair, which JSON can spell
            raise failed(lines[-1], f"{exc.object[exc.start]!r} is no letter of Unicode.") from exc
        except psycopg.Error as exc:
            raise _copy_failed(exc, lines, leaves, failed) from exc
        cursor.execute(sql.SQL("ANALYZE {}").format(STAGED))
    return len(lines), (lines[0] if lines else 0), (lines[-1] if lines else 0)


def _creation(shape: TargetTable, leaves: Sequence[ValueColumn]) -> sql.Composed:
    """Columns of the very types that the values will be compared with."""
    models = dict.fromkeys([shape.model, *(leaf.field.model for leaf in leaves)])
    alias = {model: sql.Identifier(f"t{number}") for number, model in enumerate(models)}
    columns = [
        sql.SQL("{}.{} AS {}").format(
            alias[leaf.field.model], sql.Identifier(str(leaf.field.column)), value_column(number)
        )
        for number, leaf in enumerate(leaves)
    ]
    differing = [extra for extra in shape.extras if extra.per_row]
    columns += [
        sql.SQL("{}.{} AS {}").format(
            alias[shape.model], sql.Identifier(extra.name), extra_name(number)
        )
        for number, extra in enumerate(differing)
    ]
    tables = [
        sql.SQL("{} AS {}").format(sql.Identifier(*table_name(model)), name)
        for model, name in alias.items()
    ]
    return sql.SQL(CREATE).format(
        staged=STAGED,
        line=LINE,
        columns=sql.SQL(", ").join(columns),
        tables=sql.SQL(", ").join(tables),
    )


def _row_converter(
    column: Column, connection: BaseDatabaseWrapper, shape: TargetTable, *, is_text: bool
) -> Maker:
    """Return what takes a column's values out of a row, checked."""
    required, positions = column in shape.key, column.positions
    source = column.source
    if isinstance(source, ValueColumn):
        convert = converter(source.field, connection, required=required, is_text=is_text)
        (position,) = positions
        return lambda values: [convert(values[position])]
    converters = [
        converter(leaf.field, connection, required=True, is_text=is_text) for leaf in source.leaves
    ]
    return _reference_maker(column, source, converters, required=required)


def _reference_maker(
    column: Column, lookup: NaturalKeyLookup, converters: Sequence[Converter], *, required: bool
) -> Maker:
    positions = column.positions
    whole = len(positions) == 1 and len(converters) > 1
    optional = column.field.null and not required

    def make(values: Sequence[Any]) -> list[Any]:
        given = [values[position] for position in positions]
        found = flatten_reference(lookup, given[0]) if whole else given
        if not whole and len(found) == 1 and isinstance(found[0], list | dict):
            found = flatten_reference(lookup, found[0])
        empty = [value is None or value is MISSING or value == "" for value in found]
        if all(empty):
            if not optional:
                raise InvalidValue("it cannot be empty.")
            return [None for _ in converters]
        return [convert(value) for convert, value in zip(converters, found, strict=True)]

    return make


def _copy_failed(
    exc: psycopg.Error, lines: Sequence[int], leaves: Sequence[ValueColumn], failed: ErrorFactory
) -> Exception:
    """Return the error for a value that the server, or the driver, does not take."""
    state = exc.sqlstate or ""
    match = IN_COPY.search(exc.diag.context or "")
    if state.startswith(CONNECTION_CLASSES) or (exc.diag.sqlstate and not match):
        return exc
    if match is None:
        return failed(lines[-1] if lines else None, f"{first_line(exc).rstrip('.')}.")
    line = lines[int(match[1]) - 1]
    number = int(match[2]) if match[2] else len(leaves)
    name = f"{leaves[number].path}: " if number < len(leaves) else ""
    return failed(line, f"{name}{first_line(exc).rstrip('.')}.")
