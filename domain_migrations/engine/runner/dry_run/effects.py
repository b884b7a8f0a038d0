"""The effects of migrations in a dry run: their statements, and the tables that they rewrite."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from psycopg import sql

from ....exceptions import MigrationFailed
from ...sessions.connection import fetch_all, fetch_one
from ...sql.lexer import Token, statements

MOST_STATEMENTS = 1000
"""Recorded of one migration; one that changes data row by row can run any number."""

_CATALOG_QUERY = re.compile(r"\s*(?:SELECT|WITH)\b.*\bpg_[a-z_]+", re.IGNORECASE | re.DOTALL)
_SAVEPOINT = re.compile(r"(?:RELEASE |ROLLBACK TO )?SAVEPOINT ")
_MAY_END = re.compile(r"\b(?:commit|rollback|end|abort|prepare)\b", re.IGNORECASE)


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
    def recording(self, migration: Migration) -> Iterator[None]:
        """Record the statements that run in the body.

        Django's catalog queries and savepoints are left out. Parameters stay placeholders,
        because they may contain data of rows.

        Raises:
            MigrationFailed: a statement would end the transaction, so that changes would stay.
        """
        self._statements, self._more = [], 0
        with self.connection.execute_wrapper(partial(self._record, migration)):
            yield

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements of the latest recording, in order."""
        more = (f"-- and {self._more} more statements",) if self._more else ()
        return (*self._statements, *more)

    def _record(
        self, migration: Migration, execute: Callable[..., Any], statement: Any, *arguments: Any
    ) -> Any:
        if isinstance(statement, sql.Composable):
            text = statement.as_string(self.connection.connection).strip()
        else:
            text = str(statement).strip()
        if ends := _ends_transaction(text):
            raise MigrationFailed(
                f"Migration {migration} cannot be rehearsed: it ends its transaction itself,"
                f" with {ends}.",
                hint="Remove that statement, or set atomic = False, which excludes the migration"
                " from dry runs.",
            )
        if not (_SAVEPOINT.match(text) or _CATALOG_QUERY.match(text)):
            if len(self._statements) < MOST_STATEMENTS:
                self._statements.append(text if text.endswith(";") else f"{text};")
            else:
                self._more += 1
        return execute(statement, *arguments)


def _ends_transaction(text: str) -> str:
    """Return the word that would end the transaction; empty if there is none."""
    if not _MAY_END.search(text):
        return ""
    parts = [part.tokens for part in statements(text, procedural=False)]
    # A function's body may begin with BEGIN ATOMIC and end with an END of its own.
    has_body = any(_has_pair(part, "begin", "atomic") for part in parts)
    for part in parts:
        first, rest = part[0], part[1:]
        if first.is_word("commit", "abort") or (first.is_word("end") and not has_body):
            return first.text.upper()
        if first.is_word("rollback") and not any(token.is_word("to") for token in rest[:2]):
            return "ROLLBACK"
        if _has_pair(part[:2], "prepare", "transaction"):
            return "PREPARE TRANSACTION"
    return ""


def _has_pair(part: tuple[Token, ...], first: str, second: str) -> bool:
    return any(one.is_word(first) and two.is_word(second) for one, two in pairwise(part))


FILES = """
SELECT c.oid, c.relfilenode, c.reltuples::bigint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relfilenode <> 0
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

# A table that another session has rewritten, by VACUUM FULL for example, is not locked here.
REWRITTEN = """
SELECT c.oid, format('%%s.%%s', n.nspname, c.relname), format('%%I.%%I', n.nspname, c.relname),
    pg_relation_size(c.oid), has_table_privilege(c.oid, 'SELECT') AND c.relispopulated
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.oid = ANY(%s::oid[])
ORDER BY 2
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
    for oid, name, quoted, size, readable in fetch_all(connection, REWRITTEN, [changed]):
        if readable and (size <= COUNTED_BYTES or before[oid].rows <= 0):
            rows[name] = _rows(connection, quoted, count=size <= COUNTED_BYTES)
        else:
            rows[name] = max(before[oid].rows, 0)
    return rows


def _rows(connection: BaseDatabaseWrapper, table: str, *, count: bool) -> int:
    """Return the number of rows of a table, counted or as the planner estimates it."""
    if count:
        query = f"SELECT count(*) FROM {table}"  # noqa: S608 (quoted by the server)
        return int(fetch_one(connection, query)[0])
    (answer,) = fetch_one(connection, f"EXPLAIN (FORMAT JSON) SELECT FROM {table}")
    plan = json.loads(answer) if isinstance(answer, str) else answer
    return int(plan[0]["Plan"]["Plan Rows"])
