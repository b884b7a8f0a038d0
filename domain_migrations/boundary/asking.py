"""Questions to the database that are no part of a migration."""

from __future__ import annotations

import functools
from typing import Any, LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.sql import Composed

Row = tuple[Any, ...]


def query(
    connection: BaseDatabaseWrapper, statement: LiteralString | Composed, params: Any = None
) -> list[list[Row]]:
    """Return the rows of each statement that returns some.

    Past Django's cursor: what the guard asks is no part of a migration's SQL, must not show
    where that is recorded, and several statements go in one round trip.
    """
    connection.ensure_connection()
    if isinstance(statement, str):
        statement = _short(statement)
    results: list[list[Row]] = []
    with connection.connection.cursor() as cursor:
        cursor.execute(statement, params, prepare=False)
        more: bool | None = True
        while more:
            if cursor.description is not None:
                results.append(cursor.fetchall())
            more = cursor.nextset()
    return results


@functools.cache
def _short(statement: LiteralString) -> LiteralString:
    """Return the statement without its layout: the driver parses long ones again each time."""
    return " ".join(statement.split())
