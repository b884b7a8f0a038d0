"""Merging the rows of a file into a table: what the site has changed stays as it is.

Three values of each column are compared: what the file gave the row last time, what the table
has now, and what the file gives it this time. Where the first two are the same the third is
written; where they differ the site has changed the value, and it is kept. A row that was
seeded and is not there any more was deleted by the site and stays away. A row that the site
had made by itself before the file had it keeps all its values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

from django.db import DatabaseError, DataError, IntegrityError, InternalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain
from ...engine.sessions.connection import first_line
from .copy import LINE, ErrorFactory
from .results import Counts
from .target_table import TargetTable

ROW_ERRORS = (IntegrityError, DataError, InternalError)
"""What a row can cause; a trigger's RAISE EXCEPTION is an internal error to Django."""

Run = Callable[[int, int], int]
"""Runs a statement for the lines from one to another, both included."""


def run_locating_bad_row(
    connection: BaseDatabaseWrapper, run: Run, first: int, last: int, failed: ErrorFactory
) -> int:
    """Run a statement for all lines at once, and return how many rows it touched.

    Raises:
        SeedFailed: the table does not take a row; the line is found by running it in parts.
    """
    try:
        with transaction.atomic(using=connection.alias):
            return run(first, last)
    except ROW_ERRORS as error:
        line, exc = _bisect(connection, run, first, last) or (None, error)
        raise failed(line, f"{first_line(exc).rstrip('.')}.") from exc


def _bisect(
    connection: BaseDatabaseWrapper, run: Run, first: int, last: int
) -> tuple[int, DatabaseError] | None:
    """Return the line that the statement fails at, halving what may be wrong with it.

    The halves that are taken stay: a row may be bad because of one before it.
    """
    low, high = first, last
    while low <= high:
        middle = (low + high) // 2
        try:
            with transaction.atomic(using=connection.alias):
                run(low, middle)
        except ROW_ERRORS as exc:
            if low == middle:
                return low, exc
            high = middle
        else:
            low = middle + 1
    return None


ROWS = sql.Identifier("pg_temp", "~rows")
KEYS = sql.Identifier("pg_temp", "~keys")
MERGED = sql.Identifier("pg_temp", "~merged")
KEY, VALUES, PK = map(sql.Identifier, ("~key", "~values", "~pk"))
NULL: LiteralString = "'null'::jsonb"

COUNT_KNOWN = """
WITH known AS (
    SELECT 1 FROM {target} t JOIN {rows} r ON {same_key} LEFT JOIN {seeded} b ON {base}
    WHERE b."values" IS DISTINCT FROM r.{values}
    FOR NO KEY UPDATE OF t)
SELECT count(*) FROM known
"""
"""Rows to decide about, locked so that the site cannot change them between decision and deed."""

CLASSIFY_SQL = """
CREATE TEMPORARY TABLE {merged} ON COMMIT DROP AS
SELECT r.{line}, t.{primary_key} AS {pk}, {keeps}
FROM {target} t JOIN {rows} r ON {same_key} LEFT JOIN {seeded} b ON {base}
WHERE b."values" IS DISTINCT FROM r.{values}
"""

KEEP_LOCAL_SQL = """
(coalesce(to_jsonb(t.{column}), 'null') <> coalesce(to_jsonb(r.{column}), 'null') AND NOT (
    b.key IS NOT NULL AND CASE WHEN b."values" ? {name}
        THEN b."values" -> {name} = coalesce(to_jsonb(t.{column}), 'null')
        ELSE coalesce(to_jsonb(t.{column}), 'null') IN ('null', '""', {default}) END)) AS {keep}
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
RELEASE_ROWS_SQL = """
UPDATE {seeded} b SET seed = '' WHERE b.seed = {seed} AND b.relation = {relation}
AND NOT EXISTS (SELECT FROM {keys} k WHERE k.key = b.key)
"""
"""Rows that the file has no more: what they were given is kept, for a file that has them again."""


class SeedMerge:
    """The merging of one table of a file.

    Arguments:
        connection: in the seed's transaction.
        domain: whose ledger the values are kept in.
        seed: the name that they are kept under.
        others: name → tables of other seeds, none of whose rows may be in this one too.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        domain: Domain,
        shape: TargetTable,
        *,
        seed: str,
        others: Mapping[str, Sequence[str]],
        failed: ErrorFactory,
    ) -> None:
        self.connection = connection
        self.shape = shape
        self.others = [name for name, tables in others.items() if shape.relation in tables]
        self.failed = failed
        same_key = [
            sql.SQL("t.{0} = r.{0}").format(sql.Identifier(column.name)) for column in shape.key
        ]
        self.names: dict[str, sql.Composable] = {
            "target": sql.Identifier(*shape.target),
            "primary_key": sql.Identifier(shape.primary_key),
            "seeded": sql.Identifier(*domain.seed_rows_table),
            "rows": ROWS,
            "merged": MERGED,
            "line": LINE,
            "key": KEY,
            "values": VALUES,
            "pk": PK,
            "keys": KEYS,
            "seed": sql.Literal(seed),
            "relation": sql.Literal(shape.relation),
            "same_key": sql.SQL(" AND ").join(same_key),
            "base": sql.SQL("b.relation = {} AND b.key = r.{}").format(
                sql.Literal(shape.relation), KEY
            ),
        }

    def start(self) -> None:
        """Look whether the seed has run before, in which case it may have fewer rows now."""
        self.before = self._fetch(HAS_SEEDED)[0]
        if self.before:
            self._execute("CREATE TEMPORARY TABLE {keys} (key text) ON COMMIT DROP")

    def finish(self) -> None:
        """Let go of the rows that the file has no more; they stay, and are the site's."""
        if self.before:
            self._execute("ANALYZE {keys}")
            self._execute(RELEASE_ROWS_SQL)
            self._execute("DROP TABLE {keys}")

    def run(self, count: int, first: int, last: int) -> Counts:
        """Merge the rows that are ready, from line ``first`` to ``last``.

        Raises:
            SeedFailed: a row is not taken by the table, or belongs to another seed.
        """
        self._refuse_rows_of_others()
        if self.before:
            self._execute(KEEP_KEYS)
        self._value("count", COUNT_KNOWN)
        with self._classified():
            inserted = self._bisecting(INSERT, first, last, **self._insertion())
            updated = self._update(first, last)
            self._execute(RECORD, recorded=self._recorded())
            if inserted == count:
                return Counts(inserted)
            kept = self._value("count", COUNT_KEPT, differs=self._is_kept())
        return Counts(inserted, updated, kept)

    def _refuse_rows_of_others(self) -> None:
        if not self.others:
            return
        found = self._fetch(FIRST_OF_ANOTHER, others=sql.Literal(self.others))
        if found:
            line, seed = found
            raise self.failed(line, f"the row is in {seed} too; keep it in one of them.")

    @contextmanager
    def _classified(self) -> Iterator[None]:
        keeps: list[sql.Composable] = [
            sql.SQL(KEEP_LOCAL_SQL).format(
                column=sql.Identifier(column.name),
                name=sql.Literal(column.name),
                default=self._default(column.field),
                keep=_keep(number),
            )
            for number, column in enumerate(self.shape.values)
        ]
        self._execute(CLASSIFY_SQL, keeps=sql.SQL(", ").join(keeps or [sql.SQL("true AS nothing")]))
        yield
        self._execute("DROP TABLE {merged}")

    def _default(self, field: Any) -> sql.Composable:
        """Return what a new row's column has by default, as the database would say it."""
        if not field.has_default() or callable(field.default):
            return sql.SQL(NULL)
        value = field.get_db_prep_save(field.get_default(), self.connection)
        return sql.SQL("coalesce(to_jsonb({}::{}), 'null')").format(
            sql.Literal(value), sql.SQL(field.cast_db_type(self.connection))
        )

    def _insertion(self) -> dict[str, sql.Composable]:
        columns = [sql.Identifier(column.name) for column in self.shape.columns]
        values: list[sql.Composable] = [sql.SQL("r.{}").format(column) for column in columns]
        for extra in self.shape.extras:
            columns.append(sql.Identifier(extra.name))
            if extra.per_row:
                values.append(sql.SQL("r.{}").format(sql.Identifier(extra.name)))
            else:
                values.append(self._literal(extra.value(), extra.field))
        return {"columns": sql.SQL(", ").join(columns), "given": sql.SQL(", ").join(values)}

    def _literal(self, value: Any, field: Any) -> sql.Composable:
        kind = sql.SQL(field.cast_db_type(self.connection))
        return sql.SQL("{}::{}").format(sql.Literal(value), kind)

    def _update(self, first: int, last: int) -> int:
        columns = [
            (_keep(number), sql.Identifier(column.name))
            for number, column in enumerate(self.shape.values)
        ]
        if not columns:
            return 0
        settings = [
            sql.SQL("{0} = CASE WHEN m.{1} THEN t.{0} ELSE r.{0} END").format(column, keep)
            for keep, column in columns
        ]
        settings += [
            sql.SQL("{} = {}").format(
                sql.Identifier(extra.name), self._literal(extra.value(), extra.field)
            )
            for extra in self.shape.extras
            if extra.on_update
        ]
        differs = [
            sql.SQL("(NOT m.{} AND {} <> {})").format(keep, _json("t", column), _json("r", column))
            for keep, column in columns
        ]
        return self._bisecting(
            UPDATE,
            first,
            last,
            settings=sql.SQL(", ").join(settings),
            differs=sql.SQL(" OR ").join(differs),
        )

    def _recorded(self) -> sql.Composable:
        """Return what the next version is compared with: a trigger may have changed what came."""
        values = [
            sql.SQL("CASE WHEN m.{} THEN {} ELSE {} END AS {}").format(
                _keep(number),
                _json("r", sql.Identifier(column.name)),
                _json("t", sql.Identifier(column.name)),
                sql.Identifier(column.name),
            )
            for number, column in enumerate(self.shape.values)
        ]
        if not values:
            return sql.SQL("'{}'::jsonb")
        return sql.SQL("(SELECT to_jsonb(v) FROM (SELECT {}) v)").format(sql.SQL(", ").join(values))

    def _is_kept(self) -> sql.Composable:
        parts: list[sql.Composable] = [
            sql.SQL('({0} <> {1} AND b."values" -> {2} IS DISTINCT FROM {0})').format(
                _json("t", sql.Identifier(column.name)),
                _json("r", sql.Identifier(column.name)),
                sql.Literal(column.name),
            )
            for column in self.shape.values
        ]
        return sql.SQL(" OR ").join(parts or [sql.SQL("false")])

    def _bisecting(
        self, statement: LiteralString, first: int, last: int, **parts: sql.Composable
    ) -> int:
        def run(low: int, high: int) -> int:
            bounds = {"first": sql.Literal(low), "last": sql.Literal(high)}
            return self._execute(statement, **parts, **bounds)

        return run_locating_bad_row(self.connection, run, first, last, self.failed)

    def _execute(self, statement: LiteralString, **parts: sql.Composable) -> int:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(**{**self.names, **parts}))
            return int(cursor.rowcount)

    def _fetch(self, statement: LiteralString, **parts: sql.Composable) -> Any:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(**{**self.names, **parts}))
            return cursor.fetchone()

    def _value(self, name: str, statement: LiteralString, **parts: sql.Composable) -> int:
        (value,) = self._fetch(statement, **parts)
        return int(value)


def _keep(number: int) -> sql.Identifier:
    return sql.Identifier(f"k{number}")


def _json(alias: LiteralString, column: sql.Identifier) -> sql.Composable:
    return sql.SQL("coalesce(to_jsonb({}.{}), 'null')").format(sql.SQL(alias), column)
