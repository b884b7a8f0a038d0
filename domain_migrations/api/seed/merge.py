"""Merging the rows of a file into a table, so that local changes are kept.

Three values of each column are compared: the one that the file gave the row last time, the one
that the table has now, and the one that the file gives this time. Where the first two are the
same, the third is written; where they differ, the value was changed locally and is kept. A row
that was seeded and is missing was deleted locally and is not inserted again. A row that existed
before the file had it keeps all its values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from django.db import DatabaseError, DataError, IntegrityError, InternalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain
from ...engine.sessions.database_errors import first_line
from .copy import NAMES, ErrorFactory, Statements
from .target_table import TargetTable

VALUES = sql.SQL("(SELECT to_jsonb(v) FROM (SELECT {}) v)")
"""The columns in braces as one object."""
NO_VALUES: sql.Composable = sql.SQL("'{}'::jsonb")

ROW_ERRORS = (IntegrityError, DataError, InternalError)
"""Errors that a row can cause; Django maps a trigger's RAISE EXCEPTION to an internal error."""

LOCK_KNOWN = """
WITH known AS (
    SELECT 1 FROM {target} t JOIN {rows} r ON {same_key} LEFT JOIN {seeded} b ON {base}
    WHERE b."values" IS DISTINCT FROM r.{values}
    FOR NO KEY UPDATE OF t)
SELECT count(*) FROM known
"""
"""Locks the rows to decide about, so that nobody changes them before they are updated."""

CLASSIFY = """
CREATE TEMPORARY TABLE {merged} ON COMMIT DROP AS
SELECT r.{line}, t.{primary_key} AS {pk}, {keeps}
FROM {target} t JOIN {rows} r ON {same_key} LEFT JOIN {seeded} b ON {base}
WHERE b."values" IS DISTINCT FROM r.{values}
"""

INSERT = """
INSERT INTO {target} ({columns}) SELECT {given} FROM {rows} r
WHERE r.{line} BETWEEN {first} AND {last}
  AND NOT EXISTS (SELECT FROM {target} t WHERE {same_key})
  AND NOT EXISTS (SELECT FROM {seeded} b WHERE {base})
ORDER BY r.{line}
"""

UPDATE = """
UPDATE {target} t SET {settings} FROM {merged} m JOIN {rows} r ON r.{line} = m.{line}
WHERE t.{primary_key} = m.{pk} AND ({differs}) AND m.{line} BETWEEN {first} AND {last}
"""

RECORD = """
INSERT INTO {seeded} (relation, key, seed, "values")
SELECT {relation}, r.{key}, {seed}, CASE WHEN b."values" IS NOT DISTINCT FROM r.{values}
    THEN r.{values} ELSE {recorded} END
FROM {rows} r JOIN {target} t ON {same_key}
LEFT JOIN {merged} m ON m.{line} = r.{line} LEFT JOIN {seeded} b ON {base}
WHERE b.key IS NULL OR b.seed <> {seed} OR b."values" IS DISTINCT FROM r.{values}
ON CONFLICT (relation, key) DO UPDATE SET seed = excluded.seed, "values" = excluded."values"
"""
"""Keeps the values that the next version is compared with; a trigger may have changed them."""

COUNT_KEPT = """
SELECT count(*) FROM {rows} r
LEFT JOIN {target} t ON {same_key} LEFT JOIN {seeded} b ON {base}
WHERE t.{primary_key} IS NULL OR {differs}
"""

FIRST_OF_ANOTHER = """
SELECT r.{line}, b.seed FROM {rows} r JOIN {seeded} b ON {base}
WHERE b.seed = ANY({others}) ORDER BY r.{line} LIMIT 1
"""

HAS_SEEDED = "SELECT EXISTS (SELECT FROM {seeded} b WHERE b.seed = {seed})"
KEEP_KEYS = "INSERT INTO {keys} SELECT r.{key} FROM {rows} r"
RELEASE_ROWS = """
UPDATE {seeded} b SET seed = '' WHERE b.seed = {seed} AND b.relation = {relation}
AND NOT EXISTS (SELECT FROM {keys} k WHERE k.key = b.key)
"""
"""Releases the rows that the file no longer has; their values are kept, for a file that will."""

# Templates for one column: `in_table` is its value in the table, `in_file` that of the file.
KEEPS_LOCAL: LiteralString = """
({in_table} <> {in_file} AND NOT (
    b.key IS NOT NULL AND CASE WHEN b."values" ? {name}
        THEN b."values" -> {name} = {in_table}
        ELSE {in_table} IN ('null', '""', {default}) END)) AS {keep}
"""
SETS = "{column} = CASE WHEN m.{keep} THEN t.{column} ELSE r.{column} END"
IS_WRITTEN = "(NOT m.{keep} AND {in_table} <> {in_file})"
RECORDED = "CASE WHEN m.{keep} THEN {in_file} ELSE {in_table} END AS {column}"
IS_KEPT = """({in_table} <> {in_file} AND b."values" -> {name} IS DISTINCT FROM {in_table})"""


@dataclass(frozen=True)
class Counts:
    """The numbers of rows that were inserted, updated, and kept with their local changes.

    A row of which some columns were updated and others kept counts as both; one that was
    deleted locally counts as kept.
    """

    inserted: int = 0
    updated: int = 0
    kept: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.inserted + other.inserted, self.updated + other.updated, self.kept + other.kept
        )


NO_ROWS = Counts()


@dataclass
class SeedMerge:
    """The merging of one table of a file.

    Attributes:
        connection: a connection in the seed's transaction.
        domain: the domain whose ledger the values are kept in.
        shape: the table that the rows are merged into.
        seed: the name that the values are kept under.
        others: the names of other seeds, whose rows may not be in this one too.
        failed: makes the error for a line of the file.
        has_run: whether the seed has run before; known after ``start``.
    """

    connection: BaseDatabaseWrapper
    domain: Domain
    shape: TargetTable
    seed: str
    others: Sequence[str]
    failed: ErrorFactory

    def __post_init__(self) -> None:
        relation = sql.Literal(self.shape.target.db_table)
        same = sql.SQL("t.{0} = r.{0}")
        self.statements = Statements(
            self.connection,
            target=sql.Identifier(*self.shape.target),
            primary_key=sql.Identifier(self.shape.primary_key),
            seeded=sql.Identifier(*self.domain.seed_rows_table),
            seed=sql.Literal(self.seed),
            relation=relation,
            same_key=sql.SQL(" AND ").join(
                same.format(sql.Identifier(column.name)) for column in self.shape.key
            ),
            base=sql.SQL("b.relation = {} AND b.key = r.{}").format(relation, NAMES["key"]),
        )
        self.has_run = False
        self.columns = [self._names(number) for number in range(len(self.shape.values))]

    def start(self) -> None:
        """Read whether the seed has run before, in which case it may have fewer rows now."""
        (self.has_run,) = self.statements.fetch(HAS_SEEDED)
        if self.has_run:
            self.statements.execute("CREATE TEMPORARY TABLE {keys} (key text) ON COMMIT DROP")

    def finish(self) -> None:
        """Release the rows that the file no longer has; they stay in the table."""
        if self.has_run:
            self.statements.execute("ANALYZE {keys}")
            self.statements.execute(RELEASE_ROWS)
            self.statements.execute("DROP TABLE {keys}")

    def run(self, count: int, first: int, last: int) -> Counts:
        """Merge the ``count`` rows whose references were found, or raise SeedFailed.

        ``first`` and ``last`` are the table's first and last line.
        """
        statements = self.statements
        if self.others:
            self._refuse_rows_of_others()
        if self.has_run:
            statements.execute(KEEP_KEYS)
        statements.fetch(LOCK_KNOWN)
        statements.execute(CLASSIFY, keeps=self._each(KEEPS_LOCAL, none="true AS nothing"))
        inserted = self._locating_bad_row(INSERT, first, last, **self._inserted())
        updated, recorded = 0, NO_VALUES
        if self.columns:
            settings, differs = self._settings(), self._each(IS_WRITTEN, " OR ")
            updated = self._locating_bad_row(
                UPDATE, first, last, settings=settings, differs=differs
            )
            recorded = VALUES.format(self._each(RECORDED))
        statements.execute(RECORD, recorded=recorded)
        kept = 0
        if inserted < count:
            (kept,) = statements.fetch(COUNT_KEPT, differs=self._each(IS_KEPT, " OR ", "false"))
        statements.execute("DROP TABLE {merged}")
        return Counts(inserted, updated, kept)

    def _refuse_rows_of_others(self) -> None:
        found = self.statements.fetch(FIRST_OF_ANOTHER, others=sql.Literal(list(self.others)))
        if found:
            line, seed = found
            raise self.failed(line, f"the row is in {seed} too; keep it in one of them.")

    def _names(self, number: int) -> dict[str, sql.Composable]:
        """Return the names in the templates for one of the compared columns."""
        field = self.shape.values[number].field
        column = sql.Identifier(self.shape.values[number].name)
        default: sql.Composable = sql.SQL("'null'::jsonb")
        if field.has_default() and not callable(field.default):
            value = field.get_db_prep_save(field.get_default(), self.connection)
            default = sql.SQL("coalesce(to_jsonb({}), 'null')").format(self._literal(value, field))
        return {
            "keep": sql.Identifier(f"k{number}"),
            "column": column,
            "name": sql.Literal(self.shape.values[number].name),
            "in_table": sql.SQL("coalesce(to_jsonb(t.{}), 'null')").format(column),
            "in_file": sql.SQL("coalesce(to_jsonb(r.{}), 'null')").format(column),
            "default": default,
        }

    def _each(
        self, template: LiteralString, separator: LiteralString = ", ", none: LiteralString = ""
    ) -> sql.Composable:
        """Return the template filled for each compared column; ``none`` where there are none."""
        parts = [sql.SQL(template).format(**names) for names in self.columns]
        return sql.SQL(separator).join(parts) if parts else sql.SQL(none)

    def _inserted(self) -> dict[str, sql.Composable]:
        columns = [sql.Identifier(column.name) for column in self.shape.columns]
        values: list[sql.Composable] = [sql.SQL("r.{}").format(column) for column in columns]
        for default in self.shape.defaults:
            column = sql.Identifier(default.name)
            columns.append(column)
            if default.per_row:
                values.append(sql.SQL("r.{}").format(column))
            else:
                values.append(self._literal(default.value(), default.field))
        return {"columns": sql.SQL(", ").join(columns), "given": sql.SQL(", ").join(values)}

    def _settings(self) -> sql.Composable:
        updates = [
            sql.SQL("{} = {}").format(
                sql.Identifier(default.name), self._literal(default.value(), default.field)
            )
            for default in self.shape.defaults
            if default.on_update
        ]
        return sql.SQL(", ").join([self._each(SETS), *updates])

    def _literal(self, value: Any, field: Any) -> sql.Composable:
        kind = sql.SQL(field.cast_db_type(self.connection))
        return sql.SQL("{}::{}").format(sql.Literal(value), kind)

    def _locating_bad_row(
        self, statement: LiteralString, first: int, last: int, **parts: sql.Composable
    ) -> int:
        """Run a statement for all lines at once; return the number of rows that it changed.

        The line of a row that the table does not take is found by bisection.
        """

        def run(low: int, high: int) -> int:
            bounds = {"first": sql.Literal(low), "last": sql.Literal(high)}
            with transaction.atomic(using=self.connection.alias):
                return self.statements.execute(statement, **parts, **bounds)

        try:
            return run(first, last)
        except ROW_ERRORS as error:
            line, exc = _bisect(run, first, last) or (None, error)
            raise self.failed(line, f"{first_line(exc).rstrip('.')}.") from exc


def _bisect(
    run: Callable[[int, int], int], low: int, high: int
) -> tuple[int, DatabaseError] | None:
    """Return the line that the statement fails at.

    Halves without an error are kept: a row may be bad because of one before it.
    """
    while low <= high:
        middle = (low + high) // 2
        try:
            run(low, middle)
        except ROW_ERRORS as exc:
            if low == middle:
                return low, exc
            high = middle
        else:
            low = middle + 1
    return None
