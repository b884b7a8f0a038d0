"""Statements that PostgreSQL runs ``CONCURRENTLY``, and the cleanup when they fail.

They hold no lock that blocks traffic, but they wait for every older transaction. A
``lock_timeout`` would end that wait and leave an invalid index, which no query uses, every write
updates, and which prevents the next attempt.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from .connection import execute, fetch_one, is_alive
from .database_errors import first_line

# PostgreSQL treats every non-ASCII character as a letter, including Thai vowel signs. The classes
# exclude the ASCII characters that cannot be in a name: it takes thirty times as long to compile
# one that includes the others.
_NAME = r'(?:"(?:[^"]|"")+"|[^\x00-@\[-^`{-\x7f][^\x00-#%-/:-@\[-^`{-\x7f]*)'
_SPACE = r"(?:\s|--[^\n\r]*(?:[\n\r]|$)|/\*.*?\*/)"

CONCURRENTLY = re.compile(
    rf"{_SPACE}*(?:CREATE{_SPACE}+(?:UNIQUE{_SPACE}+)?INDEX|DROP{_SPACE}+INDEX|REINDEX\b[^;]*?"
    rf"|REFRESH{_SPACE}+MATERIALIZED{_SPACE}+VIEW|ALTER{_SPACE}+TABLE\b[^;]*?DETACH\b[^;]*?)"
    rf"{_SPACE}+CONCURRENTLY\b",
    re.IGNORECASE | re.DOTALL,
)

CREATE_INDEX = re.compile(
    rf"{_SPACE}*CREATE{_SPACE}+(?:UNIQUE{_SPACE}+)?INDEX{_SPACE}+CONCURRENTLY{_SPACE}+"
    rf"(?:IF{_SPACE}+NOT{_SPACE}+EXISTS{_SPACE}+)?(?P<name>{_NAME}){_SPACE}+"
    rf"ON{_SPACE}+(?:ONLY{_SPACE}+)?(?P<table>{_NAME}(?:{_SPACE}*\.{_SPACE}*{_NAME})?)",
    re.IGNORECASE | re.DOTALL,
)

CHANGED_INDEX = re.compile(
    rf"{_SPACE}*(?:DROP{_SPACE}+INDEX|REINDEX{_SPACE}*(?:\([^)]*\){_SPACE}*)?(?:INDEX|TABLE))"
    rf"{_SPACE}+CONCURRENTLY{_SPACE}+(?:IF{_SPACE}+EXISTS{_SPACE}+)?"
    rf"(?P<name>{_NAME}(?:{_SPACE}*\.{_SPACE}*{_NAME})?){_SPACE}*(?:RESTRICT{_SPACE}*)?;?{_SPACE}*\Z",
    re.IGNORECASE | re.DOTALL,
)

DEAD_INDEX = """
SELECT c.oid, n.nspname, c.relname, i.indisvalid
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.indrelid = to_regclass(%s) AND (%s OR NOT i.indisvalid)
  AND c.relname = (parse_ident(%s))[1]::name
"""

BUILDERS = """
SELECT DISTINCT l.pid
FROM pg_stat_progress_create_index AS p
JOIN pg_locks AS l ON l.pid = p.pid
WHERE l.relation = to_regclass(%s) AND l.granted AND p.pid <> pg_backend_pid()
"""
"""Other sessions that build an index of the table; it is invalid too until it is finished."""


class BuiltIndex(NamedTuple):
    """An index that a statement builds concurrently; both names as written in the statement."""

    name: str
    table: str


class DeadIndex(NamedTuple):
    """An index that prevents a build of the same name, and that no session is building."""

    oid: int
    schema: str
    name: str
    is_valid: bool


def is_concurrent(statement: str) -> bool:
    """Return whether PostgreSQL runs the statement concurrently."""
    return CONCURRENTLY.match(statement) is not None


def built_index(statement: str) -> BuiltIndex | None:
    """Return the index that the statement builds concurrently, if it does and names it."""
    found = CREATE_INDEX.match(statement)
    return BuiltIndex(found["name"], found["table"]) if found else None


def concurrent_target(statement: str) -> str | None:
    """Return the table or index, as written, that a concurrent statement is all about."""
    if built := built_index(statement):
        return built.table
    found = CHANGED_INDEX.match(statement)
    return found["name"] if found else None


def find_dead_index(
    connection: BaseDatabaseWrapper, built: BuiltIndex, *, even_valid: bool = False
) -> DeadIndex | None:
    """Return the invalid index of that name and table which a failed attempt has left.

    Arguments:
        even_valid: also a valid one: the attempt has lost its client and may have succeeded.
    """
    params: list[str | bool] = [built.table, even_valid, built.name]
    before = fetch_one(connection, DEAD_INDEX, params)
    if before is None or fetch_one(connection, BUILDERS, [built.table]):
        return None
    # An index that was finished between the two queries is valid now.
    after = fetch_one(connection, DEAD_INDEX, params)
    return DeadIndex(*after) if after == before else None


def build_index(
    connection: BaseDatabaseWrapper,
    built: BuiltIndex,
    build: Callable[[], Any],
    report: Callable[[str], None],
    *,
    was_started: bool = False,
) -> Any:
    """Run a ``CREATE INDEX CONCURRENTLY``, twice if necessary, and leave no dead index.

    Arguments:
        build: runs the statement.
        report: called with a message about each dead index that is dropped.
        was_started: a run that was killed had started to build it. The server notices that
            late and continues, so the index may even be valid.
    """

    def clear(reason: str, *, even_valid: bool = False) -> bool:
        index = find_dead_index(connection, built, even_valid=even_valid)
        if index is None:
            return False
        name = sql.Identifier(index.schema, index.name)
        execute(connection, sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(name))
        kind = "index" if index.is_valid else "invalid index"
        report(f"Dropped the {kind} {index.schema}.{index.name}: {reason}.")
        return True

    clear("an earlier run left it", even_valid=was_started)
    try:
        return build()
    except DatabaseError as exc:
        reason = f"building it failed: {first_line(exc)}"
        if not is_alive(connection) or not clear(reason):
            raise
    try:
        return build()
    except DatabaseError as exc:
        if is_alive(connection):
            clear(f"building it failed again: {first_line(exc)}")
        raise
