"""Loading one table of a file: staged, its references looked up, then merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from psycopg import sql

from ...domains import Domain
from .columns import AmbiguousNaturalKey, Column, InvalidColumn, NaturalKeyLookup
from .copy import LINE, STAGED, ErrorFactory, copy_rows, extra_name, value_column
from .document import Table
from .merge import KEY, ROWS, VALUES, SeedMerge
from .results import Counts
from .target_table import TargetTable, table_name, target_table

MISSING = sql.Identifier("~missing")

REPEATED = """
SELECT (array_agg(s.{line} ORDER BY s.{line}))[1:2] FROM {staged} s
GROUP BY {key} HAVING count(*) > 1 ORDER BY min(s.{line}) LIMIT 1
"""

LOOK_UP = """
CREATE TEMPORARY TABLE {rows} ON COMMIT DROP AS
SELECT q.*, jsonb_build_array({key})::text AS {key_name}, {values} AS {values_name}
FROM (SELECT s.{line}, {columns}, {missing} AS {missing_name} FROM {staged} s {joins}) q
"""

FIRST_MISSING = """
SELECT r.{line}, r.{missing}, {leaves} FROM {rows} r JOIN {staged} s ON s.{line} = r.{line}
WHERE r.{missing} IS NOT NULL ORDER BY r.{line} LIMIT 1
"""


def load_table(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    model: type[Model],
    table: Table,
    *,
    seed: str,
    others: Mapping[str, Sequence[str]],
    failed: ErrorFactory,
) -> tuple[TargetTable, Counts]:
    """Bring a table's rows into the model's table, and return how many did what.

    Arguments:
        domain: whose ledger keeps the values.
        seed: the name that they are kept under.
        others: name → tables of other seeds, none of whose rows may be in this one too.
        failed: makes the error for a line.

    Raises:
        SeedFailed: the columns are not the model's, or a row is not taken.
    """
    try:
        shape = target_table(model, table, connection)
    except (InvalidColumn, AmbiguousNaturalKey) as exc:
        raise failed(table.line or None, str(exc)) from exc
    count, first, last = copy_rows(connection, shape, table, failed)
    _refuse_repeated(connection, shape, failed)
    merge = SeedMerge(connection, domain, shape, seed=seed, others=others, failed=failed)
    counts = Counts()
    merge.start()
    for ready in _merge_passes(connection, shape, count, failed):
        counts += merge.run(ready, first, last)
    merge.finish()
    _execute(connection, "DROP TABLE {staged}")
    return shape, counts


def _refuse_repeated(
    connection: BaseDatabaseWrapper, shape: TargetTable, failed: ErrorFactory
) -> None:
    numbers = _value_positions(shape)
    key = [
        sql.SQL("s.{}").format(value_column(number))
        for column in shape.key
        for number in numbers[column.field.name]
    ]
    found = _fetch(connection, REPEATED, key=sql.SQL(", ").join(key))
    if found:
        first, again = found[0]
        names = ", ".join(column.field.name for column in shape.key)
        raise failed(again, f"the row has the same {names} as the one in line {first}.")


def _value_positions(shape: TargetTable) -> dict[str, range]:
    """Return field name → the numbers of its values in the staged table."""
    places, number = {}, 0
    for column in shape.columns:
        places[column.field.name] = range(number, number + len(column.leaves))
        number += len(column.leaves)
    return places


def _merge_passes(
    connection: BaseDatabaseWrapper, shape: TargetTable, count: int, failed: ErrorFactory
) -> Iterator[int]:
    """Make the rows whose references are there, as long as there are some; yield how many.

    A row may refer to another one of the same file, which has to be there first.
    """
    left = count
    while True:
        _look_up(connection, shape)
        missing = _fetch(connection, "SELECT count({missing}) FROM {rows}")[0]
        if missing and (missing == left or not shape.refers_to_itself):
            raise _missing_reference_error(connection, shape, failed)
        if missing:
            _execute(
                connection,
                "DELETE FROM {staged} s USING {rows} r WHERE r.{line} = s.{line}"
                " AND r.{missing} IS NULL",
            )
            _execute(connection, "DELETE FROM {rows} r WHERE r.{missing} IS NOT NULL")
        _execute(connection, "ANALYZE {rows}")
        yield left - missing
        _execute(connection, "DROP TABLE {rows}")
        if not missing:
            return
        left = missing


def _look_up(connection: BaseDatabaseWrapper, shape: TargetTable) -> None:
    joins = _Joins()
    places = _value_positions(shape)
    columns, missing = [], []
    for number, column in enumerate(shape.columns):
        leaves = [
            sql.SQL("s.{}").format(value_column(place)) for place in places[column.field.name]
        ]
        value: sql.Composable = leaves[0]
        if isinstance(column.source, NaturalKeyLookup):
            value = joins.add(column.source, iter(leaves))
            missing.append(
                sql.SQL("WHEN {} IS NOT NULL AND {} IS NULL THEN {}").format(
                    leaves[0], value, sql.Literal(number)
                )
            )
        columns.append(sql.SQL("{} AS {}").format(value, sql.Identifier(column.name)))
    for number, extra in enumerate(extra for extra in shape.extras if extra.per_row):
        columns.append(sql.SQL("s.{} AS {}").format(extra_name(number), sql.Identifier(extra.name)))
    values = [sql.SQL("q.{}").format(sql.Identifier(column.name)) for column in shape.values]
    whole = sql.SQL("(SELECT to_jsonb(v) FROM (SELECT {}) v)").format(sql.SQL(", ").join(values))
    key = [sql.SQL("q.{}").format(sql.Identifier(column.name)) for column in shape.key]
    case = sql.SQL("CASE {} END").format(sql.SQL(" ").join(missing))
    _execute(
        connection,
        LOOK_UP,
        key=sql.SQL(", ").join(key),
        key_name=KEY,
        values=whole if values else sql.SQL("'{}'::jsonb"),
        values_name=VALUES,
        columns=sql.SQL(", ").join(columns),
        missing=case if missing else sql.SQL("NULL::integer"),
        missing_name=MISSING,
        joins=sql.SQL(" ").join(joins.parts),
    )


class _Joins:
    """The tables that references are looked up in."""

    def __init__(self) -> None:
        self.parts: list[sql.Composable] = []
        self.count = 0

    def add(self, lookup: NaturalKeyLookup, leaves: Iterator[sql.Composable]) -> sql.Composable:
        """Join what the reference points at, and return the key that it is to keep."""
        conditions = []
        alias = sql.Identifier(f"j{self.count}")
        self.count += 1
        for field, part in lookup.parts:
            value = self.add(part, leaves) if isinstance(part, NaturalKeyLookup) else next(leaves)
            conditions.append(
                sql.SQL("{}.{} = {}").format(alias, sql.Identifier(str(field.column)), value)
            )
        self.parts.append(
            sql.SQL("LEFT JOIN {} AS {} ON {}").format(
                sql.Identifier(*table_name(lookup.model)), alias, sql.SQL(" AND ").join(conditions)
            )
        )
        return sql.SQL("{}.{}").format(alias, sql.Identifier(lookup.column))


def _missing_reference_error(
    connection: BaseDatabaseWrapper, shape: TargetTable, failed: ErrorFactory
) -> Exception:
    places = _value_positions(shape)
    every = [
        sql.SQL("s.{}::text").format(value_column(place))
        for column in shape.columns
        for place in places[column.field.name]
    ]
    line, number, *values = _fetch(connection, FIRST_MISSING, leaves=sql.SQL(", ").join(every))
    column = shape.columns[number]
    told = ", ".join(
        f"{leaf.path.split('__', 1)[-1]} “{values[place]}”"
        for leaf, place in zip(column.leaves, places[column.field.name], strict=True)
    )
    label = _target(column)._meta.label
    return failed(line, f"{column.field.name}: there is no {label} with {told}.")


def _target(column: Column) -> type[Model]:
    assert isinstance(column.source, NaturalKeyLookup)  # noqa: S101
    return column.source.model


def _parts(parts: dict[str, sql.Composable]) -> dict[str, sql.Composable]:
    return {"staged": STAGED, "rows": ROWS, "line": LINE, "missing": MISSING, **parts}


def _execute(
    connection: BaseDatabaseWrapper, statement: LiteralString, **parts: sql.Composable
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**_parts(parts)))


def _fetch(
    connection: BaseDatabaseWrapper, statement: LiteralString, **parts: sql.Composable
) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**_parts(parts)))
        return cursor.fetchone()
