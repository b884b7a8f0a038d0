"""The effects of migrations in a dry run: their statements, and the tables that they rewrite."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from psycopg import sql

from ....domains import QualifiedName
from ...cluster.shards import measure_shards, read_placements
from ...sessions.connection import fetch_all, fetch_one

MOST_STATEMENTS = 1000
"""Recorded of one migration; one that changes data row by row can run any number."""

_CATALOG_QUERY = re.compile(r"\s*(?:SELECT|WITH)\b.*\bpg_[a-z_]+", re.IGNORECASE | re.DOTALL)
_SAVEPOINT = re.compile(r"(?:RELEASE |ROLLBACK TO )?SAVEPOINT ")


class StatementRecorder:
    """Records the statements of a migration that will be rolled back.

    Arguments:
        connection: runs the migration.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self._statements: list[str] = []
        self._more = 0

    @contextmanager
    def recording(self, _migration: Migration) -> Iterator[None]:
        """Record the statements that run in the body.

        Django's catalog queries and savepoints are left out. Parameters stay placeholders,
        because they may contain data of rows.
        """
        self._statements, self._more = [], 0
        with self.connection.execute_wrapper(self._record):
            yield

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements of the latest recording, in order."""
        more = (f"-- and {self._more} more statements",) if self._more else ()
        return (*self._statements, *more)

    def _record(self, execute: Callable[..., Any], statement: Any, *arguments: Any) -> Any:
        if isinstance(statement, sql.Composable):
            text = statement.as_string(self.connection.connection).strip()
        else:
            text = str(statement).strip()
        if not (_SAVEPOINT.match(text) or _CATALOG_QUERY.match(text)):
            if len(self._statements) < MOST_STATEMENTS:
                self._statements.append(text if text.endswith(";") else f"{text};")
            else:
                self._more += 1
        return execute(statement, *arguments)


FILES = """
SELECT c.oid, c.relfilenode, c.reltuples::bigint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relfilenode <> 0
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

# A table that another session has rewritten, by VACUUM FULL for example, is not locked here.
REWRITTEN = """
SELECT n.nspname, c.relname, c.oid, format('%%I.%%I', n.nspname, c.relname),
    pg_relation_size(c.oid), has_table_privilege(c.oid, 'SELECT') AND c.relispopulated
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.oid = ANY(%s::oid[])
ORDER BY 1, 2
"""

COUNTED_BYTES = 32 * 1024 * 1024
"""Up to this size rows are counted, which takes less time than the rewrite took."""


class TableFile(NamedTuple):
    """A table's file, and its number of rows in the statistics, -1 if unknown."""

    node: int
    rows: int


def files_by_oid(connection: BaseDatabaseWrapper) -> dict[int, TableFile]:
    """Return the file of every table and materialized view."""
    return {oid: TableFile(*rest) for oid, *rest in fetch_all(connection, FILES)}


def rewritten(
    connection: BaseDatabaseWrapper, before: dict[int, TableFile], now: dict[int, TableFile]
) -> dict[str, int]:
    """Return table → estimated rows, for the tables that this transaction has rewritten."""
    changed = [oid for oid in now if oid in before and now[oid].node != before[oid].node]
    if not changed:
        return {}
    rows = {}
    found = fetch_all(connection, REWRITTEN, [changed])
    shards = _rows_of_shards(connection, [QualifiedName(*row[:2]) for row in found])
    for schema, table, oid, quoted, size, readable in found:
        name = f"{schema}.{table}"
        if (in_shards := shards.get(QualifiedName(schema, table))) is not None:
            rows[name] = in_shards
        elif readable and (size <= COUNTED_BYTES or before[oid].rows <= 0):
            rows[name] = _rows(connection, quoted, count=size <= COUNTED_BYTES)
        else:
            rows[name] = max(before[oid].rows, 0)
    return rows


def _rows_of_shards(
    connection: BaseDatabaseWrapper, tables: Sequence[QualifiedName]
) -> dict[QualifiedName, int | None]:
    """Return the estimated rows of distributed tables, of which the coordinator has a shell."""
    placements = read_placements(connection, {table.schema for table in tables})
    measured = measure_shards(connection, [each for each in placements if each.table in tables])
    return {table: measure.rows for table, measure in measured.items()}


def _rows(connection: BaseDatabaseWrapper, table: str, *, count: bool) -> int:
    """Return the number of rows of a table, counted or as the planner estimates it."""
    if count:
        query = f"SELECT count(*) FROM {table}"  # noqa: S608 (quoted by the server)
        return int(fetch_one(connection, query)[0])
    (answer,) = fetch_one(connection, f"EXPLAIN (FORMAT JSON) SELECT FROM {table}")
    plan = json.loads(answer) if isinstance(answer, str) else answer
    return int(plan[0]["Plan"]["Plan Rows"])
