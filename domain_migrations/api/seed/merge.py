"""Merging the rows of a file into a table, so that local changes are kept.

Three values of each column are compared: the one that the file gave the row last time, the one
that the table has now, and the one that the file gives this time. Where the first two are the
same, the third is written; where they differ, the value was changed locally and is kept. A row
that was seeded and is missing was deleted locally and is not inserted again. A row that existed
before the file had it keeps all its values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain
from ...engine.cluster.cluster import Cluster
from ...engine.sessions.database_errors import first_line
from .bad_row import ROW_ERRORS, run_in_parts
from .compared_columns import IS_KEPT, IS_WRITTEN, RECORDED, SETS, WRITES, comparison, literal
from .copy import ErrorFactory
from .staging import Staging, Statements
from .target_table import TargetTable

VALUES = sql.SQL("(SELECT to_jsonb(v) FROM (SELECT {}) v)")
"""The columns in braces as one object."""
NO_VALUES: sql.Composable = sql.SQL("'{}'::jsonb")

CLASSIFY = """
WITH present AS (
    SELECT r.{row}, t.{primary_key} AS {pk}, b.key IS NOT NULL AS {known}, {writes}
    FROM {target} t JOIN {rows} r ON {same_key} LEFT JOIN {seeded} b ON {base}
    WHERE b."values" IS DISTINCT FROM r.{values} OR b.seed <> {seed}
    FOR NO KEY UPDATE OF t)
SELECT * FROM present
UNION ALL
SELECT r.{row}, NULL, b.key IS NOT NULL, {nothing}
FROM {rows} r LEFT JOIN {target} t ON {same_key} LEFT JOIN {seeded} b ON {base}
WHERE t.{primary_key} IS NULL
"""
"""The rows that the file has changed, which are locked, so that nobody changes them before they are
updated, and those that the table does not have."""

COUNT_CLASSES = """
SELECT count(*), count(*) FILTER (WHERE m.{pk} IS NULL AND NOT m.{known}),
    count(*) FILTER (WHERE {written}),
    count(*) FILTER (WHERE {kept} OR (m.{pk} IS NULL AND m.{known}))
FROM {merged} m
"""

INSERT = """
INSERT INTO {target} ({columns}) SELECT {given} FROM {new_rows}
  AND r.{row} BETWEEN {first} AND {last} ORDER BY r.{row}
"""

UPDATE = """
UPDATE {target} t SET {settings} FROM {merged} m JOIN {rows} r ON r.{row} = m.{row}
WHERE t.{primary_key} = m.{pk} AND ({written}) AND m.{row} BETWEEN {first} AND {last}
"""

RECORD = """
INSERT INTO {seeded} (relation, key, seed, "values")
SELECT {relation}, r.{key}, {seed}, {recorded} FROM {seen_rows} {known}
"""
REPLACE_KNOWN = """
ON CONFLICT (relation, key) DO UPDATE SET seed = excluded.seed, "values" = excluded."values"
"""

NEW_ROWS = """(
    SELECT r.* FROM {rows} r JOIN {merged} m ON m.{row} = r.{row}
    WHERE m.{pk} IS NULL AND NOT m.{known} OFFSET 0) r WHERE true"""
"""Citus would split the join if it were not in a subquery of its own."""
SEEN_ROWS = """{rows} r JOIN {merged} m ON m.{row} = r.{row}
WHERE m.{pk} IS NOT NULL OR NOT m.{known}"""
STORED_ROWS = """{rows} r JOIN {merged} m ON m.{row} = r.{row} JOIN {target} t ON {same_key}
WHERE (m.{pk} IS NOT NULL OR NOT m.{known}) AND clock_timestamp() IS NOT NULL"""
"""See INSERT_THROUGH_COORDINATOR for the last condition."""

STORES_AS_GIVEN = """
SELECT c.relkind = 'r' AND NOT c.relhassubclass AND NOT c.relhasrules AND NOT c.relrowsecurity
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
                    WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
FROM pg_catalog.pg_class c WHERE c.oid = to_regclass({relation})
"""
"""Whether a row of the table has the values that were written; a trigger, which may be one of a
table that inherits from it, may change them."""

COUNT_OTHERS = """
SELECT count(t.{primary_key}) FILTER (WHERE {differs}), count(*) - count(t.{primary_key})
FROM {rows} r LEFT JOIN {target} t ON {same_key}
LEFT JOIN {merged} m ON m.{row} = r.{row} WHERE m.{row} IS NULL
"""
"""Of the rows that are as the seed gave them last time: how many differ in the table, and how many
were deleted, or have got another key, while CLASSIFY waited for a lock on them."""

FIRST_OF_ANOTHER = """
SELECT r.{row}, b.seed FROM {rows} r JOIN {seeded} b ON {base}
WHERE b.seed = ANY({others}) ORDER BY r.{row} LIMIT 1
"""

HAS_SEEDED = "SELECT EXISTS (SELECT FROM {seeded} b WHERE b.seed = {seed})"
NO_KEYS = "SELECT NULL::text AS key"
KEEP_KEYS = "INSERT INTO {keys} SELECT r.{key} FROM {rows} r"
RELEASE_ROWS = """
UPDATE {seeded} b SET seed = '' WHERE b.seed = {seed} AND b.relation = {relation}
AND NOT EXISTS (SELECT FROM {keys} k WHERE k.key = b.key)
"""
"""Releases the rows that the file no longer has; their values are kept, for a file that will."""


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
        failed: makes the error for a row, by its number.
        cluster: the Citus cluster; None on plain PostgreSQL.
        has_run: whether the seed has run before; known after ``start``.
    """

    connection: BaseDatabaseWrapper
    domain: Domain
    shape: TargetTable
    seed: str
    others: Sequence[str]
    failed: ErrorFactory
    cluster: Cluster | None = None

    def __post_init__(self) -> None:
        relation = sql.Literal(self.shape.target.db_table)
        same = sql.SQL("t.{0} = r.{0}")
        self.statements = Statements(
            self.connection,
            Staging(self.shape.target, self.cluster),
            Staging(self.domain.seed_rows_table, self.cluster),
            target=sql.Identifier(*self.shape.target),
            primary_key=sql.Identifier(self.shape.primary_key),
            seeded=sql.Identifier(*self.domain.seed_rows_table),
            seed=sql.Literal(self.seed),
            relation=relation,
            same_key=sql.SQL(" AND ").join(
                same.format(sql.Identifier(column.name)) for column in self.shape.key
            ),
            base=sql.SQL("b.relation = {} AND b.key = r.{}").format(
                relation, sql.Identifier("~key")
            ),
        )
        self.has_run = False
        self.columns = [
            comparison(column, number, self.connection)
            for number, column in enumerate(self.shape.values)
        ]

    def start(self) -> None:
        """Read whether the seed has run before, in which case it may have fewer rows now."""
        (self.has_run,) = self.statements.fetch(HAS_SEEDED)
        if self.has_run:
            self.statements.create_empty("keys", NO_KEYS)

    def finish(self) -> None:
        """Release the rows that the file no longer has; they stay in the table."""
        if self.has_run:
            self.statements.analyze("keys")
            self.statements.execute(RELEASE_ROWS)
            self.statements.drop("keys")

    def run(self, count: int, last: int) -> Counts:
        """Merge the ``count`` rows whose references were found, or raise SeedFailed.

        ``last`` is the number of the table's last row.
        """
        statements = self.statements
        if self.others:
            self._refuse_rows_of_others()
        if self.has_run:
            statements.execute(KEEP_KEYS)
        written = self._each(IS_WRITTEN, " OR ", "false")
        differing, new, changed, kept = self._classify(count, written)
        inserted = updated = 0
        if new:
            new_rows = "{rows} r WHERE true" if new == count else NEW_ROWS
            parts = {**self._inserted(), "new_rows": statements.filled(new_rows, {})}
            inserted = self._locating_bad_row(INSERT, last, **parts)
        if changed:
            settings = self._settings()
            updated = self._locating_bad_row(UPDATE, last, settings=settings, written=written)
        if differing:
            self._record(is_all_new=new == count)
        statements.drop("merged")
        # A trigger may have refused a row silently.
        return Counts(inserted, updated, kept + new - inserted)

    def _classify(self, count: int, written: sql.Composable) -> tuple[int, int, int, int]:
        """Decide what is to be done with each row, and lock those that the file has changed.

        Returns:
            the numbers of rows that differ from the last time or are missing; and that are
            inserted, updated and kept.
        """
        statements = self.statements
        while True:
            statements.create(
                "merged",
                CLASSIFY,
                writes=self._each(WRITES, none="true AS nothing"),
                nothing=self._each("NULL", none="true"),
            )
            statements.analyze("merged")
            differing, new, changed, kept = statements.fetch(
                COUNT_CLASSES, written=written, kept=self._each(IS_KEPT, " OR ", "false")
            )
            if differing == count:
                return differing, new, changed, kept
            more, gone = statements.fetch(
                COUNT_OTHERS, differs=self._each("{differs}", " OR ", "false")
            )
            if not gone:
                return differing, new, changed, kept + more
            statements.drop("merged")

    def _record(self, *, is_all_new: bool) -> None:
        """Keep the values that the next version of the file is compared with."""
        recorded: sql.Composable = sql.SQL("r.{}").format(sql.Identifier("~values"))
        seen_rows: LiteralString = "{rows} r" if is_all_new else SEEN_ROWS
        if not self.statements.fetch(STORES_AS_GIVEN)[0]:
            seen_rows = STORED_ROWS
            if self.columns:
                recorded = VALUES.format(self._each(RECORDED))
        self.statements.execute(
            RECORD,
            recorded=recorded,
            seen_rows=self.statements.filled(seen_rows, {}),
            known=sql.SQL("" if is_all_new else REPLACE_KNOWN),
        )

    def _refuse_rows_of_others(self) -> None:
        found = self.statements.fetch(FIRST_OF_ANOTHER, others=sql.Literal(list(self.others)))
        if found:
            row, seed = found
            raise self.failed(row, f"the row is in {seed} too; keep it in one of them.")

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
                values.append(literal(default.value(), default.field, self.connection))
        return {"columns": sql.SQL(", ").join(columns), "given": sql.SQL(", ").join(values)}

    def _settings(self) -> sql.Composable:
        updates = [
            sql.SQL("{} = {}").format(
                sql.Identifier(default.name),
                literal(default.value(), default.field, self.connection),
            )
            for default in self.shape.defaults
            if default.on_update
        ]
        return sql.SQL(", ").join([self._each(SETS), *updates])

    def _locating_bad_row(
        self, statement: LiteralString, last: int, **parts: sql.Composable
    ) -> int:
        """Run a statement for all rows at once; return the number of those that it changed.

        If they cannot be written at once, they are in the file's order, up to a row that the table
        does not take.
        """

        def run(low: int, high: int) -> int:
            bounds = {"first": sql.Literal(low), "last": sql.Literal(high)}
            with transaction.atomic(using=self.connection.alias):
                return self.statements.execute(statement, **parts, **bounds)

        try:
            return run(1, last)
        except ROW_ERRORS:
            changed, bad = run_in_parts(run, last)
        if bad:
            row, exc = bad
            raise self.failed(row, f"{first_line(exc).rstrip('.')}.") from exc
        return changed
