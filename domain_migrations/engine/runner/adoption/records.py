"""The rows that an adoption moves between histories, and those that it writes into the journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now
from psycopg import sql

from ...history.journal import Journal, RunContext
from ...history.tables import ensure_history, existing_tables
from ...sessions.connection import execute, fetch_all, fetch_one
from ...sources.checksum import checksum_on_disk
from ...sources.files import MigrationKey
from .moves import Move

DETAILS = "adoption"
"""In the details of a journal row: what was moved, so that it can be moved back exactly."""

READ_ROWS = "SELECT id, app, name FROM {} WHERE app = ANY(%s) ORDER BY id"

MOVE_ROWS = """
INSERT INTO {target} (app, name, applied)
SELECT app, name, applied FROM {source} WHERE app = ANY({apps}) ORDER BY id
"""

# The numbers that the rows had in core's history, where nothing else has them now.
RETURN_ROWS = """
INSERT INTO {target} (id, app, name, applied)
SELECT coalesce(
    CASE WHEN NOT EXISTS (SELECT FROM {target} t WHERE t.id = n.id) THEN n.id END,
    nextval(pg_get_serial_sequence({text}, 'id'))
), s.app, s.name, s.applied
FROM {source} s
LEFT JOIN json_to_recordset({numbers}::json) AS n (id bigint, app text, name text)
    ON (n.app, n.name) = (s.app, s.name)
WHERE s.app = ANY({apps}) ORDER BY s.id
"""

LAST_ADOPTION = """
SELECT details -> 'adoption' FROM {}
WHERE direction = 'run' AND jsonb_typeof(details -> 'adoption') = 'object'
    AND details -> 'adoption' -> 'apps' ?| %s
ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True)
class MovedRow:
    """A row of the history, as it was before it was moved."""

    id: int
    key: MigrationKey


def count_rows(connection: BaseDatabaseWrapper, move: Move) -> int:
    """Return the number of rows that change their history."""
    query = sql.SQL("SELECT count(*) FROM {} WHERE app = ANY(%s)")
    source = sql.Identifier(*move.source.history_table)
    (count,) = fetch_one(connection, query.format(source), [list(move.adoption.apps)])
    return int(count)


def move_rows(
    connection: BaseDatabaseWrapper, move: Move, numbers: Mapping[str, int] | None = None
) -> list[MovedRow]:
    """Move the apps' rows to the other history, with their times and in their order.

    Arguments:
        numbers: the ids to give them, by ``app.name``; new ones unless given.
    """
    apps = list(move.adoption.apps)
    source, target = (sql.Identifier(*d.history_table) for d in (move.source, move.target))
    rows = fetch_all(connection, sql.SQL(READ_ROWS).format(source), [apps])
    ensure_history(connection, move.target)
    known = [
        {"id": number, "app": app, "name": name}
        for key, number in (numbers or {}).items()
        for app, _, name in [key.partition(".")]
    ]
    query = sql.SQL(RETURN_ROWS if known else MOVE_ROWS).format(
        source=source,
        target=target,
        apps=sql.Literal(apps),
        text=sql.Literal(target.as_string()),
        numbers=sql.Literal(json.dumps(known)),
    )
    execute(connection, query)
    execute(connection, sql.SQL("DELETE FROM {} WHERE app = ANY(%s)").format(source), [apps])
    return [MovedRow(number, MigrationKey(app, name)) for number, app, name in rows]


def log_move(
    connection: BaseDatabaseWrapper,
    move: Move,
    context: RunContext,
    rows: list[MovedRow],
    details: Mapping[str, Any],
) -> None:
    """Record the move in the journal of the domain that has the apps now.

    Each migration gets a row that accepts its file as it is on disk.
    """
    journal = Journal(connection, move.target, context)
    journal.open()
    started = now()
    steps = [(*row.key, checksum_on_disk(row.key)) for row in rows]
    if steps:
        statement = journal.insert_all_sql(steps, "adopted", "forwards", started=started)
        execute(connection, statement)
    numbers = {str(row.key): row.id for row in rows}
    journal.write(
        "done",
        "run",
        started=started,
        details={
            DETAILS: {
                "apps": list(move.adoption.apps),
                "backwards": move.backwards,
                "rows": numbers,
                **details,
            }
        },
    )


def read_log(connection: BaseDatabaseWrapper, move: Move) -> dict[str, Any]:
    """Return the details of the latest adoption of the apps; empty if it was not recorded."""
    journal = move.domain.journal_table
    if not existing_tables(connection, [journal]):
        return {}
    query = sql.SQL(LAST_ADOPTION).format(sql.Identifier(*journal))
    row = fetch_one(connection, query, [list(move.adoption.apps)])
    value = json.loads(row[0]) if row and isinstance(row[0], str) else row and row[0]
    return value if isinstance(value, dict) else {}
