"""Queries of the journals: the rows that later runs depend on, and those shown to people.

Rows of hooks, verifications and seeds are only shown; no run depends on them.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain, QualifiedName
from ..sources.files import MigrationKey
from .journal import Direction
from .tables import existing_journals, existing_tables, query_tables

RUN_DIRECTIONS: tuple[Direction, ...] = ("forwards", "backwards", "run")
"""The directions of rows that later runs depend on."""

ENTRIES = "SELECT {columns} FROM {table} WHERE direction = ANY(%s) ORDER BY id"

LAST_RUN_STATUS = """
(SELECT {domain}, status FROM {table} WHERE direction = 'run' ORDER BY id DESC LIMIT 1)
"""


class JournalEntry(NamedTuple):
    """The columns of a journal row that later runs depend on."""

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
    return dict(query_tables(connection, LAST_RUN_STATUS, existing_journals(connection, domains)))


def read_entries(connection: BaseDatabaseWrapper, domain: Domain) -> list[JournalEntry]:
    """Return the rows that runs depend on, oldest first; none if there is no journal."""
    if not existing_tables(connection, [domain.journal_table]):
        return []
    query = sql.SQL(ENTRIES).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, JournalEntry._fields)),
        table=sql.Identifier(*domain.journal_table),
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [list(RUN_DIRECTIONS)])
        # Django's cursors leave jsonb as text.
        return [
            entry._replace(details=json.loads(entry.details))  # type: ignore[arg-type]
            for entry in map(JournalEntry._make, cursor.fetchall())
        ]


def latest_entries(entries: Iterable[JournalEntry]) -> dict[MigrationKey, JournalEntry]:
    """Return each migration's latest row."""
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


def are_readable(
    connection: BaseDatabaseWrapper, tables: Iterable[QualifiedName]
) -> dict[QualifiedName, bool]:
    """Return whether the connection's role may read them, for those of the tables that exist."""
    wanted = list(tables)
    with connection.cursor() as cursor:
        cursor.execute(READABLE, [[t.schema for t in wanted], [t.name for t in wanted]])
        return {QualifiedName(schema, name): may for schema, name, may in cursor.fetchall()}


def readable_journals(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, QualifiedName]:
    """Return domain name → its journal, for those that the connection's role may read."""
    readable = are_readable(connection, [domain.journal_table for domain in domains])
    return {
        domain.name: domain.journal_table
        for domain in domains
        if readable.get(domain.journal_table)
    }


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
           FILTER (WHERE j.direction = 'backwards' AND j.status = 'done') AS reverted,
       count(*) FILTER (WHERE j.status IN ('faked', 'adopted')) AS marked,
       coalesce(
           (array_agg(j.error ORDER BY j.id) FILTER (WHERE j.error <> ''))[1], ''
       ) AS error
FROM {table} j
WHERE j.direction IN ('run', 'forwards', 'backwards')
{only}
GROUP BY j.run
"""

ONLY_LAST = """
AND j.run = (
    SELECT l.run FROM {table} l
    WHERE l.direction IN ('run', 'forwards', 'backwards') ORDER BY l.id DESC LIMIT 1
)
"""

FILTERED = """
SELECT * FROM ({union}) AS r
WHERE (%(status)s = '' OR r.status = %(status)s)
  AND (%(person)s = '' OR position(lower(%(person)s) IN lower(r.os_user)) > 0
       OR position(lower(%(person)s) IN lower(r.database_user)) > 0)
  AND (%(since)s::timestamptz IS NULL OR r.started >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR r.started < %(until)s)
ORDER BY r.started DESC, r.run, r.domain
LIMIT %(limit)s OFFSET %(offset)s
"""


class Run(NamedTuple):
    """One run in one domain.

    Attributes:
        seconds: of the whole run; the sum of its steps if it never ended.
        status: ``running`` (also after it was killed), ``done``, ``failed``, or ``repaired`` for
            a history that was repaired by hand.
        reverted: how many migrations were unapplied.
        marked: how many migrations were recorded without being run.
        error: the first error, if any.
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
    reverted: int
    marked: int
    error: str


STATUSES = ("done", "failed", "running", "repaired")


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Conditions on runs.

    Attributes:
        person: part of the name of the operating system's user or of the database's.
        since, until: bounds of the start, the latter excluded.
    """

    status: str = ""
    person: str = ""
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None


def last_runs(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> dict[str, Run]:
    """Return domain name → its latest run, for the domains with a readable journal."""
    query = RUNS.replace("{only}", ONLY_LAST)
    rows = query_tables(connection, query, readable_journals(connection, domains))
    return {run.domain: run for run in map(Run._make, rows)}


def list_runs(
    connection: BaseDatabaseWrapper,
    domains: Sequence[Domain],
    wanted: RunFilter,
    *,
    limit: int,
    offset: int = 0,
) -> list[Run]:
    """Return the runs of the domains, latest first."""
    rows = query_tables(
        connection,
        RUNS.replace("{only}", ""),
        readable_journals(connection, domains),
        {**asdict(wanted), "limit": limit, "offset": offset},
        around=FILTERED,
    )
    return list(map(Run._make, rows))


LAST_ROW = """
(SELECT {domain}, j.status, j.direction FROM {table} j
 WHERE j.direction IN ('run', 'forwards', 'backwards') ORDER BY j.id DESC LIMIT 1)
"""

LAST_RUN_ROW = """
(SELECT {domain}, j.status FROM {table} j
 WHERE j.direction = 'run' AND j.run = (
     SELECT l.run FROM {table} l
     WHERE l.direction IN ('run', 'forwards', 'backwards') ORDER BY l.id DESC LIMIT 1
 ) ORDER BY j.id DESC LIMIT 1)
"""


def last_run_status_bulk(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, str]:
    """Return domain name → status of its latest run, as in :func:`last_runs`.

    For very many domains: it reads a single row of most journals.
    """
    journals = readable_journals(connection, domains)
    last_rows = query_tables(connection, LAST_ROW, journals)
    ended = {name: status for name, status, direction in last_rows if direction == "run"}
    # The last row of a run in progress, of one that was killed and of a repair is a migration's.
    others = {name: journals[name] for name, *_ in last_rows if name not in ended}
    started = dict(query_tables(connection, LAST_RUN_ROW, others))
    return {**dict.fromkeys(others, "repaired"), **ended, **started}


STEPS = """
SELECT {domain} AS domain, id, run::text, batch, app, name, direction, status, started, seconds,
       database_user, os_user, host, project_version, {footprint}, error, sqlstate,
       coalesce(details ->> 'snapshot', '') AS snapshot
FROM {table}
WHERE {where}
"""


class JournalRow(NamedTuple):
    """One row of a journal, as shown to people.

    Attributes:
        footprint: relation → the strongest lock that the step took on it.
        snapshot: the file that restored the migration together with others, if one did;
            ``seconds`` is then the time of all of them, divided.
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
    """Return the rows of a run, by domain, without their footprints."""
    where = sql.SQL("run = {}::uuid").format(sql.Literal(run))
    return _read_steps(connection, domains, where, footprint=False)


def steps_of_domain(connection: BaseDatabaseWrapper, domain: Domain) -> list[JournalRow]:
    """Return every row of the domain's migrations, oldest first, without their footprints."""
    where = sql.SQL("direction IN ('forwards', 'backwards')")
    return _read_steps(connection, [domain], where, footprint=False)


def steps_of_migration(
    connection: BaseDatabaseWrapper, domain: Domain, key: MigrationKey
) -> list[JournalRow]:
    """Return every row of one migration, oldest first."""
    where = sql.SQL("direction IN ('forwards', 'backwards') AND (app, name) = ({}, {})")
    return _read_steps(connection, [domain], where.format(*key))


def _read_steps(
    connection: BaseDatabaseWrapper,
    domains: Sequence[Domain],
    where: sql.Composable,
    *,
    footprint: bool = True,
) -> list[JournalRow]:
    rows = query_tables(
        connection,
        STEPS,
        readable_journals(connection, domains),
        around="{union} ORDER BY domain, id",
        footprint=sql.SQL("footprint" if footprint else "'{}'::jsonb AS footprint"),
        where=where,
    )
    # Django's cursors leave jsonb as text.
    return [
        step._replace(footprint=json.loads(str(step.footprint)))
        for step in map(JournalRow._make, rows)
    ]
