"""The engine's own queries, which are not part of a migration."""

from __future__ import annotations

import itertools
import re
from typing import Any, LiteralString
from weakref import WeakKeyDictionary

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import ClientCursor, sql
from psycopg.pq import ExecStatus

Row = tuple[Any, ...]

PLACEHOLDER = re.compile(r"%\((\w+)\)s")

# By default the server plans a statement with parameters at least five times.
FORCE_GENERIC_PLAN: LiteralString = "SET LOCAL plan_cache_mode = force_generic_plan;"
RESET_PLAN_MODE: LiteralString = "; SET LOCAL plan_cache_mode TO DEFAULT"

DISCARDS = re.compile(r"\b(?:DEALLOCATE|DISCARD)\b", re.IGNORECASE)
"""In SQL that may take the session's prepared statements away."""

_numbers = itertools.count(1)
_prepared: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()
"""Each session's prepared statements, and the SQL that executes each."""


def run_sql(
    connection: BaseDatabaseWrapper, statement: LiteralString | sql.Composed, params: Any = None
) -> list[list[Row]]:
    """Return the rows of each statement that returns any.

    Not through Django's cursor: the guard's queries are not part of a migration's SQL, must not
    show where that is recorded, and several statements share one round trip.
    """
    connection.ensure_connection()
    results: list[list[Row]] = []
    # Also where the settings ask for binding on the server, which takes one statement at a time.
    with connection.wrap_database_errors, ClientCursor(connection.connection) as cursor:
        cursor.execute(statement, params, prepare=False)
        more: bool | None = True
        while more:
            # Reading the description would create an object for each column.
            if cursor.pgresult and cursor.pgresult.status == ExecStatus.TUPLES_OK:
                results.append(cursor.fetchall())
            more = cursor.nextset()
    return results


def prepared_execute(connection: BaseDatabaseWrapper, statement: LiteralString) -> LiteralString:
    """Return the SQL that executes a frequent statement, and prepare it once for the session.

    Planning one of the guard's queries takes longer than executing it.
    """
    connection.ensure_connection()
    executions = _prepared.setdefault(connection.connection, {})
    if statement not in executions:
        name = f"domain_migrations_{next(_numbers)}"
        parameters = list(dict.fromkeys(PLACEHOLDER.findall(statement)))
        numbered = PLACEHOLDER.sub(lambda match: f"${parameters.index(match[1]) + 1}", statement)
        run_sql(connection, f"PREPARE {name} AS {numbered.replace('%%', '%')}")
        arguments = ", ".join(f"%({parameter})s" for parameter in parameters)
        executions[statement] = f"EXECUTE {name}" + (f" ({arguments})" if arguments else "")
    return executions[statement]


def note_discards(connection: BaseDatabaseWrapper, text: str) -> None:
    """Prepare everything again if SQL that was executed may have discarded it."""
    if DISCARDS.search(text):
        _prepared.pop(connection.connection, None)
