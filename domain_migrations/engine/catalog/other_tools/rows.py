"""The rows of another tool's history, in the order in which the tool ran its migrations."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ....domains import QualifiedName
from ....exceptions import InsufficientPrivilege, InvalidConfiguration
from ...sessions.connection import fetch_all
from .tool import HistoryTool

FIND_TABLES = """
SELECT n.nspname, c.relname, array_agg(a.attname::text),
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
    c.relkind IN ('r', 'p')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relname = %s AND (%s::text IS NULL OR n.nspname = %s)
    AND n.nspname !~ '^pg_(temp|toast)' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
GROUP BY n.oid, c.oid
ORDER BY 1
"""

# Python has no value for some of PostgreSQL's times.
SELECT_ROWS = """
SELECT coalesce(identity, '?'), coalesce(name, '?'),
    CASE WHEN moment BETWEEN '0001-01-03' AND '9999-12-29' THEN moment END,
    pg_typeof(moment)::text, utc_offset, "group", batch, coalesce(left_out, ''),
    coalesce(details, '{{}}')::text
FROM (
    SELECT row_number() OVER (ORDER BY {order}) AS number,
        ({identity})::text AS identity, ({name})::text AS name, {time} AS moment,
        ({utc_offset})::interval AS utc_offset, ({group})::text AS "group",
        ({batch})::bigint AS batch, ({left_out})::text AS left_out, ({details})::jsonb AS details
    FROM {rows}
) AS history
WHERE {only}::text[] = '{{}}' OR "group" = ANY ({only})
ORDER BY number
"""
ZONED, LOCAL = "timestamp with time zone", "timestamp without time zone"


class ToolRow(NamedTuple):
    """One row of another tool's history.

    Attributes:
        identity: what tells it from the table's other rows.
        time: when the tool ran the migration; without a zone if the table tells none. None if the
            tool does not record it.
        group: of which application it is; "" if the tool does not tell.
        left_out: why it is not an applied migration; "" if it is one.
    """

    identity: str
    name: str
    time: datetime.datetime | None
    group: str
    batch: int | None
    left_out: str
    details: dict[str, Any]

    @property
    def is_local(self) -> bool:
        """Whether the time has no meaning without a zone."""
        return self.time is not None and self.time.tzinfo is None


class ToolTable(NamedTuple):
    """A table that has the name of a tool's history.

    Attributes:
        is_readable: whether the role may read it.
        is_table: whether it is a table, and not a view or a foreign table.
    """

    name: QualifiedName
    columns: Sequence[str]
    is_readable: bool
    is_table: bool

    def has_columns_of(self, tool: HistoryTool) -> bool:
        names = set(self.columns)
        if tool.has_other_columns:
            return self.is_table and names >= set(tool.columns)
        return self.is_table and names == set(tool.columns)


def find_tables(
    connection: BaseDatabaseWrapper, name: str, schema: str | None = None
) -> list[ToolTable]:
    """Return the relations of a name, in one schema or in all; reading this needs no privilege."""
    return [
        ToolTable(QualifiedName(schema, name), *rest)
        for schema, name, *rest in fetch_all(connection, FIND_TABLES, [name, schema, schema])
    ]


def read_rows(
    connection: BaseDatabaseWrapper,
    tool: HistoryTool,
    name: QualifiedName,
    only: Sequence[str] = (),
) -> list[ToolRow] | None:
    """Return the rows of a history; None if there is no such table.

    Arguments:
        only: the groups whose rows are wanted; empty for all rows.

    Raises:
        InvalidConfiguration: it is not a history of the tool.
        InsufficientPrivilege: the role may not read it.
    """
    found = find_tables(connection, name.name, name.schema)
    if not found:
        return None
    check_table(connection, tool, found[0])
    table = sql.Identifier(*name)
    optional = {
        "time": tool.time or "NULL::timestamptz",
        "utc_offset": tool.utc_offset or "NULL",
        "group": tool.group or "''",
        "batch": tool.batch or "NULL",
        "left_out": tool.left_out or "NULL",
        "details": tool.details or "NULL",
    }
    query = sql.SQL(SELECT_ROWS).format(
        order=sql.SQL(tool.order),
        identity=sql.SQL(tool.identity),
        name=sql.SQL(tool.name),
        rows=sql.SQL(tool.rows).format(table=table),
        only=sql.Literal(list(only)),
        **{key: sql.SQL(text) for key, text in optional.items()},
    )
    rows: list[ToolRow] = []
    for identity, migration, time, kind, offset, group, batch, left_out, details in fetch_all(
        connection, query
    ):
        if kind not in (ZONED, LOCAL):
            raise _no_history(tool, name, f"its time has the type {kind}")
        moment = time
        if kind == LOCAL and time is not None and offset is not None:
            moment = (time - offset).replace(tzinfo=datetime.UTC)
        values = moment, group, batch, left_out, json.loads(details)
        rows.append(ToolRow(identity, migration, *values))
    return rows


def check_table(connection: BaseDatabaseWrapper, tool: HistoryTool, table: ToolTable) -> None:
    """Check that a table is a history of a tool, and that the role may read it.

    Raises:
        InvalidConfiguration: it is not.
        InsufficientPrivilege: the role may not.
    """
    if not table.is_table:
        raise _no_history(tool, table.name, "it is not a table")
    if missing := sorted(set(tool.columns) - set(table.columns)):
        raise _no_history(tool, table.name, f"it lacks the column {missing[0]}")
    others = sorted(set(table.columns) - set(tool.columns))
    if others and not tool.has_other_columns:
        raise _no_history(tool, table.name, f"it also has the column {others[0]}")
    if not table.is_readable:
        raise InsufficientPrivilege(
            f"The role may not read {table.name}, the history of {tool.title}.",
            hint=f"Grant it USAGE on the schema and SELECT on {table.name}. Nothing was changed.",
        )


def _no_history(tool: HistoryTool, name: QualifiedName, why: str) -> InvalidConfiguration:
    return InvalidConfiguration(
        f"{name} is not a history of {tool.title}: {why}.",
        hint="Name the tool that made it, or the table that this tool uses with --history-table."
        " Nothing was changed.",
    )
