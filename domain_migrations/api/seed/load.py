"""Loading one table of a file: its rows are copied, their references looked up, then merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from psycopg import sql

from ...domains import Domain, QualifiedName
from ...engine.cluster.cluster import Cluster
from ...exceptions import SeedFailed
from .columns import Column, InvalidColumn, NaturalKeyLookup
from .copy import ErrorFactory, copy_rows, default_columns, value_columns
from .document import Table
from .merge import NO_ROWS, NO_VALUES, VALUES, Counts, SeedMerge
from .seed_files import SeedFile
from .staging import Staging, Statements
from .target_table import TargetTable, target_table

REPEATED = """
SELECT (array_agg(s.{row} ORDER BY s.{row}))[1:2] FROM {staged} s
GROUP BY {natural_key} HAVING count(*) > 1 ORDER BY min(s.{row}) LIMIT 1
"""

LOOK_UP = """
SELECT q.*, jsonb_build_array({natural_key})::text AS {key}, {compared} AS {values}
FROM (SELECT s.{row}, {columns}, {first_missing} AS {missing} FROM {staged} s {joins}) q
"""

COUNT_MISSING = "SELECT count({missing}) FROM {rows}"

FIRST_MISSING = """
SELECT r.{row}, r.{missing}, {leaves} FROM {rows} r JOIN {staged} s ON s.{row} = r.{row}
WHERE r.{missing} IS NOT NULL ORDER BY r.{row} LIMIT 1
"""

FORGET_READY = """
DELETE FROM {staged} s USING {rows} r WHERE r.{row} = s.{row} AND r.{missing} IS NULL
"""
FORGET_MISSING = "DELETE FROM {rows} r WHERE r.{missing} IS NOT NULL"


@dataclass
class SeedLoader:
    """Loads the tables of one seed, and adds up the counts of their rows.

    Attributes:
        connection: a connection in the seed's transaction.
        domain: the domain whose ledger keeps the values.
        others: name → tables of other seeds, whose rows may not be in this one too.
        cluster: the Citus cluster; None on plain PostgreSQL.
        relations: the tables that were loaded, as ``to_regclass`` takes them.
    """

    connection: BaseDatabaseWrapper
    domain: Domain
    seed: SeedFile
    others: Mapping[str, Sequence[str]]
    cluster: Cluster | None = None
    counts: Counts = NO_ROWS
    relations: list[str] = field(default_factory=list)

    def load(self, model: type[Model], table: Table, failed: ErrorFactory) -> Counts:
        """Merge a table's rows into the model's table; return their counts, or raise SeedFailed."""
        try:
            shape = target_table(model, table, self.connection)
        except InvalidColumn as exc:
            raise failed(table.line or None, str(exc)) from exc
        staging = Staging(shape.target, self.cluster)
        statements = Statements(self.connection, staging)
        lines = copy_rows(statements, shape, table, failed)

        def row_failed(row: int | None, what: str) -> SeedFailed:
            return failed(lines[row - 1] if row else None, what)

        rows = _StagedRows(statements, shape, row_failed)
        rows.refuse_repeated(lines)
        others = [name for name, tables in self.others.items() if shape.target.db_table in tables]
        merge = SeedMerge(
            self.connection, self.domain, shape, str(self.seed), others, row_failed, self.cluster
        )
        counts = NO_ROWS
        merge.start()
        for ready in rows.passes(len(lines)):
            counts += merge.run(ready, len(lines))
        merge.finish()
        statements.drop("staged")
        self.counts += counts
        self.relations.append(shape.target.db_table)
        return counts


class _StagedRows:
    """The copied rows of one table, and the lookup of their references."""

    def __init__(self, statements: Statements, shape: TargetTable, failed: ErrorFactory) -> None:
        self.statements = statements
        self.shape = shape
        self.failed = failed
        # The staged values of each column, by the column's name.
        names = iter(value_columns(shape))
        self.staged: dict[str, list[sql.Composable]] = {
            column.name: [sql.SQL("s.{}").format(next(names)) for _ in column.leaves]
            for column in shape.columns
        }

    @property
    def has_references(self) -> bool:
        """Whether a row can refer to one that does not exist."""
        return any(isinstance(column.source, NaturalKeyLookup) for column in self.shape.columns)

    def refuse_repeated(self, lines: Sequence[int]) -> None:
        """Refuse two rows with the same natural key."""
        key = [value for column in self.shape.key for value in self.staged[column.name]]
        found = self.statements.fetch(REPEATED, natural_key=_joined(key))
        if found:
            first, again = found[0]
            names = ", ".join(column.field.name for column in self.shape.key)
            line = lines[first - 1]
            raise self.failed(again, f"the row has the same {names} as the one in line {line}.")

    def passes(self, count: int) -> Iterator[int]:
        """Look up the references; yield the number of rows to merge, pass by pass.

        A row may refer to another one of the same file, which has to be merged before it.
        """
        left = count
        while True:
            self._look_up()
            missing = self.statements.fetch(COUNT_MISSING)[0] if self.has_references else 0
            if missing and missing == left:
                raise self._missing_reference()
            if missing:
                self.statements.execute(FORGET_READY)
                self.statements.execute(FORGET_MISSING)
            self.statements.analyze("rows")
            yield left - missing
            self.statements.drop("rows")
            if not missing:
                return
            left = missing

    def _look_up(self) -> None:
        joins: list[sql.Composable] = []
        columns, missing = [], []
        for number, column in enumerate(self.shape.columns):
            leaves = self.staged[column.name]
            value = leaves[0]
            if isinstance(column.source, NaturalKeyLookup):
                value = _join(joins, column.source, iter(leaves))
                missing.append(
                    sql.SQL("WHEN {} IS NOT NULL AND {} IS NULL THEN {}").format(
                        leaves[0], value, sql.Literal(number)
                    )
                )
            columns.append(sql.SQL("{} AS {}").format(value, sql.Identifier(column.name)))
        columns += [
            sql.SQL("s.{} AS {}").format(staged, sql.Identifier(default.name))
            for staged, default in zip(
                default_columns(self.shape), self.shape.defaults_per_row, strict=True
            )
        ]
        case = sql.SQL("CASE {} END").format(sql.SQL(" ").join(missing))
        values = self.shape.values
        self.statements.create(
            "rows",
            LOOK_UP,
            natural_key=_looked_up(self.shape.key),
            compared=VALUES.format(_looked_up(values)) if values else NO_VALUES,
            columns=_joined(columns),
            first_missing=case if missing else sql.SQL("NULL::integer"),
            joins=sql.SQL(" ").join(joins),
        )

    def _missing_reference(self) -> Exception:
        """Return the error for the first reference to a row that does not exist."""
        staged = [sql.SQL("{}::text").format(each) for row in self.staged.values() for each in row]
        row, number, *values = self.statements.fetch(FIRST_MISSING, leaves=_joined(staged))
        before = sum(len(column.leaves) for column in self.shape.columns[:number])
        column = self.shape.columns[number]
        assert isinstance(column.source, NaturalKeyLookup)  # noqa: S101 (for mypy)
        described = ", ".join(
            f'{leaf.path.split("__", 1)[-1]} "{value}"'
            for leaf, value in zip(column.leaves, values[before:], strict=False)
        )
        label = column.source.model._meta.label
        return self.failed(row, f"{column.field.name}: there is no {label} with {described}.")


def _join(
    joins: list[sql.Composable], lookup: NaturalKeyLookup, leaves: Iterator[sql.Composable]
) -> sql.Composable:
    """Add the joins that find a reference's row; return the column that the reference keeps."""
    values = [
        _join(joins, source, leaves) if isinstance(source, NaturalKeyLookup) else next(leaves)
        for _, source in lookup.parts
    ]
    # Those of references inside the natural key come first.
    alias = sql.Identifier(f"j{len(joins)}")
    conditions = [
        sql.SQL("{}.{} = {}").format(alias, sql.Identifier(str(key.column)), value)
        for (key, _), value in zip(lookup.parts, values, strict=True)
    ]
    table = sql.Identifier(*QualifiedName.of(lookup.model._meta.db_table))
    on = sql.SQL(" AND ").join(conditions)
    joins.append(sql.SQL("LEFT JOIN {} AS {} ON {}").format(table, alias, on))
    return sql.SQL("{}.{}").format(alias, sql.Identifier(lookup.column))


def _looked_up(columns: Sequence[Column]) -> sql.Composable:
    return _joined([sql.SQL("q.{}").format(sql.Identifier(column.name)) for column in columns])


def _joined(parts: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(", ").join(parts)
