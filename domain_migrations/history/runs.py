"""What the journals say of whole runs: one line for each run and domain."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..domains import Domain, QualifiedName

READABLE = """
SELECT n.nspname, c.relname,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN unnest(%s::text[], %s::text[]) AS w(schema, name)
  ON n.nspname = w.schema AND c.relname = w.name
WHERE c.relkind IN ('r', 'p')
"""

RUNS = """
SELECT {domain} AS domain, j.run::text AS run, min(j.started) AS started,
       coalesce(
           max(j.seconds) FILTER (WHERE j.direction = 'run'),
           sum(j.seconds)
       ) AS seconds,
       coalesce(
           (array_agg(j.status ORDER BY j.id DESC) FILTER (WHERE j.direction = 'run'))[1],
           'repaired'
       ) AS status,
       min(j.database_user) AS database_user, min(j.os_user) AS os_user, min(j.host) AS host,
       min(j.project_version) AS project_version,
       min(j.engine_version) AS engine_version, min(j.django_version) AS django_version,
       count(DISTINCT (j.app, j.name))
           FILTER (WHERE j.direction = 'forwards' AND j.status = 'done') AS applied,
       count(DISTINCT (j.app, j.name))
           FILTER (WHERE j.direction = 'backwards' AND j.status = 'done') AS undone,
       count(*) FILTER (WHERE j.status IN ('faked', 'adopted')) AS marked,
       coalesce(
           (array_agg(j.error ORDER BY j.id) FILTER (WHERE j.error <> ''))[1], ''
       ) AS error
FROM {table} j
WHERE j.direction IN ('run', 'forwards', 'backwards')
{only}
GROUP BY j.run
"""

LATEST = """
AND j.run = (
    SELECT l.run FROM {table} l
    WHERE l.direction IN ('run', 'forwards', 'backwards') ORDER BY l.id DESC LIMIT 1
)
"""

LISTED = """
SELECT * FROM ({runs}) AS r
WHERE (%(status)s = '' OR r.status = %(status)s)
  AND (%(person)s = '' OR position(lower(%(person)s) IN lower(r.os_user)) > 0
       OR position(lower(%(person)s) IN lower(r.database_user)) > 0)
  AND (%(since)s::timestamptz IS NULL OR r.started >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR r.started < %(until)s)
ORDER BY r.started DESC, r.run, r.domain
LIMIT %(limit)s OFFSET %(offset)s
"""


class Run(NamedTuple):
    """What one run did in one domain.

    Attributes:
        seconds: of the whole run; the sum of its steps where it was never finished.
        status: ``running`` (or ended without a word), ``done``, ``failed``, or ``repaired``
            where a history was put right by hand.
        marked: how many migrations were recorded without being run.
        error: the first one; empty where there was none.
    """

    domain: str
    run: str
    started: datetime.datetime
    seconds: float
    status: str
    database_user: str
    os_user: str
    host: str
    project_version: str
    engine_version: str
    django_version: str
    applied: int
    undone: int
    marked: int
    error: str


STATUSES = ("done", "failed", "running", "repaired")


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Which runs are wanted.

    Attributes:
        person: a part of the name of the operating system's user or of the database's.
        since, until: of the beginning, the latter excluded.
    """

    status: str = ""
    person: str = ""
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None


@dataclass(frozen=True)
class Tables:
    """Which of some tables are there to be read, told without reading them."""

    readable: frozenset[QualifiedName]
    forbidden: frozenset[QualifiedName]


def find_tables(connection: BaseDatabaseWrapper, tables: Iterable[QualifiedName]) -> Tables:
    """Return those of the tables that exist, by whether the connection's role may read them."""
    wanted = list(tables)
    with connection.cursor() as cursor:
        cursor.execute(READABLE, [[t.schema for t in wanted], [t.name for t in wanted]])
        found = {QualifiedName(schema, name): may for schema, name, may in cursor.fetchall()}
    return Tables(
        frozenset(table for table, may in found.items() if may),
        frozenset(table for table, may in found.items() if not may),
    )


def last_runs(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> dict[str, Run]:
    """Return domain name → its latest run, for the domains with a journal that can be read."""
    query = _union(connection, domains, LATEST)
    if query is None:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {run.domain: run for run in map(Run._make, cursor.fetchall())}


def list_runs(
    connection: BaseDatabaseWrapper,
    domains: Sequence[Domain],
    wanted: RunFilter,
    *,
    limit: int,
    offset: int = 0,
) -> list[Run]:
    """Return the runs of the domains, latest first, in one query however many domains there are."""
    runs = _union(connection, domains, "")
    if runs is None:
        return []
    values = {
        "status": wanted.status,
        "person": wanted.person,
        "since": wanted.since,
        "until": wanted.until,
        "limit": limit,
        "offset": offset,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(LISTED).format(runs=runs), values)
        return list(map(Run._make, cursor.fetchall()))


def _union(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain], only: str
) -> sql.Composable | None:
    present = find_tables(connection, [domain.journal_table for domain in domains]).readable
    parts = [
        sql.SQL(RUNS).format(
            domain=sql.Literal(domain.name),
            table=sql.Identifier(*domain.journal_table),
            only=sql.SQL(only).format(table=sql.Identifier(*domain.journal_table)),
        )
        for domain in domains
        if domain.journal_table in present
    ]
    return sql.SQL(" UNION ALL ").join(parts) if parts else None
