"""How the latest run of each of very many domains ended, at a look at one row of most journals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..domains import Domain, QualifiedName
from .runs import find_tables

LATEST_ROW = """
(SELECT {domain}, j.status, j.direction FROM {table} j
 WHERE j.direction IN ('run', 'forwards', 'backwards') ORDER BY j.id DESC LIMIT 1)
"""

LATEST_RUN_ROW = """
(SELECT {domain}, j.status, j.direction FROM {table} j
 WHERE j.direction = 'run' AND j.run = (
     SELECT l.run FROM {table} l
     WHERE l.direction IN ('run', 'forwards', 'backwards') ORDER BY l.id DESC LIMIT 1
 ) ORDER BY j.id DESC LIMIT 1)
"""


def last_results(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> dict[str, str]:
    """Return domain name → status of its latest run, as :func:`.runs.last_runs` tells it."""
    present = find_tables(connection, [domain.journal_table for domain in domains]).readable
    tables = {
        domain.name: domain.journal_table for domain in domains if domain.journal_table in present
    }
    latest = _read(connection, LATEST_ROW, tables)
    ended = {name: status for name, status, direction in latest if direction == "run"}
    # A run at work, or killed, has a migration's row last; so has what was put right by hand.
    others = {name: tables[name] for name, *_ in latest if name not in ended}
    begun = {name: status for name, status, _ in _read(connection, LATEST_RUN_ROW, others)}
    return {**dict.fromkeys(others, "repaired"), **ended, **begun}


def _read(
    connection: BaseDatabaseWrapper, query: str, tables: Mapping[str, QualifiedName]
) -> list[tuple[str, str, str]]:
    if not tables:
        return []
    parts = [
        sql.SQL(query).format(domain=sql.Literal(name), table=sql.Identifier(*table))
        for name, table in tables.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return list(cursor.fetchall())
