"""What later runs read of a journal.

Rows of hooks, verifications and seeds are for people; no run decides by them.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain, QualifiedName
from ..sources.files import MigrationKey
from .journal import Direction
from .tables import existing_tables

RUN_DIRECTIONS: tuple[Direction, ...] = ("forwards", "backwards", "run")
"""Rows that later runs decide by."""


class JournalEntry(NamedTuple):
    """One row of a journal, as far as later runs decide by it."""

    id: int
    run: str
    batch: int
    app: str
    name: str
    direction: str
    status: str
    started: datetime.datetime
    seconds: float
    checksum: str
    details: dict[str, Any]
    error: str

    @property
    def key(self) -> MigrationKey:
        return MigrationKey(self.app, self.name)


def last_run_statuses(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> dict[str, str]:
    """Return domain name → status of its latest run, for the domains that have a journal."""
    present = existing_tables(connection, (domain.journal_table for domain in domains))
    parts = [
        sql.SQL(
            "(SELECT {domain} AS domain, status FROM {table}"
            " WHERE direction = 'run' ORDER BY id DESC LIMIT 1)"
        ).format(domain=sql.Literal(domain.name), table=sql.Identifier(*domain.journal_table))
        for domain in domains
        if domain.journal_table in present
    ]
    if not parts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return dict(cursor.fetchall())


def read_entries(connection: BaseDatabaseWrapper, domain: Domain) -> list[JournalEntry]:
    """Return the rows that runs decide by, oldest first; none if there is no journal."""
    if not existing_tables(connection, [domain.journal_table]):
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT {columns} FROM {table} WHERE direction = ANY(%s) ORDER BY id").format(
                columns=sql.SQL(", ").join(map(sql.Identifier, JournalEntry._fields)),
                table=sql.Identifier(*domain.journal_table),
            ),
            [list(RUN_DIRECTIONS)],
        )
        # Django's cursors leave jsonb as text.
        return [
            entry._replace(details=json.loads(entry.details))  # type: ignore[arg-type]
            for entry in map(JournalEntry._make, cursor.fetchall())
        ]


def latest_entries(entries: Iterable[JournalEntry]) -> dict[MigrationKey, JournalEntry]:
    """Return (app, name) → the latest row of that migration; of runs and seeds there is none."""
    return {entry.key: entry for entry in entries if entry.direction in ("forwards", "backwards")}


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
class TableAccess:
    """Which of some tables are there to be read, told without reading them."""

    readable: frozenset[QualifiedName]
    forbidden: frozenset[QualifiedName]


def readable_tables(
    connection: BaseDatabaseWrapper, tables: Iterable[QualifiedName]
) -> TableAccess:
    """Return those of the tables that exist, by whether the connection's role may read them."""
    wanted = list(tables)
    with connection.cursor() as cursor:
        cursor.execute(READABLE, [[t.schema for t in wanted], [t.name for t in wanted]])
        found = {QualifiedName(schema, name): may for schema, name, may in cursor.fetchall()}
    return TableAccess(
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
    present = readable_tables(connection, [domain.journal_table for domain in domains]).readable
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


def last_run_status_bulk(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, str]:
    """Return domain name → status of its latest run, as :func:`.runs.last_runs` tells it."""
    present = readable_tables(connection, [domain.journal_table for domain in domains]).readable
    tables = {
        domain.name: domain.journal_table for domain in domains if domain.journal_table in present
    }
    latest = _read_latest(connection, LATEST_ROW, tables)
    ended = {name: status for name, status, direction in latest if direction == "run"}
    # A run at work, or killed, has a migration's row last; so has what was put right by hand.
    others = {name: tables[name] for name, *_ in latest if name not in ended}
    begun = {name: status for name, status, _ in _read_latest(connection, LATEST_RUN_ROW, others)}
    return {**dict.fromkeys(others, "repaired"), **ended, **begun}


def _read_latest(
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


STEPS = """
SELECT {domain} AS domain, id, run::text, batch, app, name, direction, status, started, seconds,
       database_user, os_user, host, project_version, {footprint}, error, sqlstate,
       coalesce(details ->> 'snapshot', '') AS snapshot
FROM {table}
WHERE {where}
"""


class JournalRow(NamedTuple):
    """One row of a journal, as people want to read it.

    Attributes:
        footprint: relation → the strongest lock that the step took on it.
        snapshot: the file that restored the migration with others at once; ``seconds`` is then
            the time of all, divided. Empty otherwise.
    """

    domain: str
    id: int
    run: str
    batch: int
    app: str
    name: str
    direction: str
    status: str
    started: datetime.datetime
    seconds: float
    database_user: str
    os_user: str
    host: str
    project_version: str
    footprint: dict[str, str]
    error: str
    sqlstate: str
    snapshot: str

    @property
    def succeeded(self) -> bool:
        return self.status in ("done", "faked", "adopted")


def steps_of_run(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain], run: str
) -> list[JournalRow]:
    """Return what a run did in these domains, by domain, without what it locked."""
    where = sql.SQL("run = {}::uuid").format(sql.Literal(run))
    return _read(connection, domains, where, footprint=False)


def steps_of_domain(connection: BaseDatabaseWrapper, domain: Domain) -> list[JournalRow]:
    """Return every step of the domain's migrations, oldest first, without what they locked."""
    where = sql.SQL("direction IN ('forwards', 'backwards')")
    return _read(connection, [domain], where, footprint=False)


def steps_of_migration(
    connection: BaseDatabaseWrapper, domain: Domain, key: MigrationKey
) -> list[JournalRow]:
    """Return every step of one migration, oldest first."""
    where = sql.SQL(
        "direction IN ('forwards', 'backwards') AND app = {app} AND name = {name}"
    ).format(app=sql.Literal(key[0]), name=sql.Literal(key[1]))
    return _read(connection, [domain], where)


def _read(
    connection: BaseDatabaseWrapper,
    domains: Sequence[Domain],
    where: sql.Composable,
    *,
    footprint: bool = True,
) -> list[JournalRow]:
    present = readable_tables(connection, [domain.journal_table for domain in domains]).readable
    parts = [
        sql.SQL(STEPS).format(
            domain=sql.Literal(domain.name),
            table=sql.Identifier(*domain.journal_table),
            footprint=sql.SQL("footprint" if footprint else "'{}'::jsonb AS footprint"),
            where=where,
        )
        for domain in domains
        if domain.journal_table in present
    ]
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts) + sql.SQL(" ORDER BY domain, id"))
        return [_step(row) for row in cursor.fetchall()]


def _step(row: Sequence[Any]) -> JournalRow:
    step = JournalRow._make(row)
    # Django's cursors leave jsonb as text.
    return step._replace(footprint=json.loads(str(step.footprint)))
