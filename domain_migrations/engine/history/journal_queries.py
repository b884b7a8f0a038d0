"""Queries of the journals: the rows that later runs depend on, and those shown to people.

Rows of hooks, verifications and seeds are only shown; no run depends on them.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain, QualifiedName
from ..sources.files import MigrationKey
from .tables import SECONDS, STARTED, existing_journals, query_tables

STEPS = """
SELECT {domain} AS domain, id, run::text, batch, app, name, direction, status, {started},
       {seconds}, checksum, database_user, os_user, host, project_version, {footprint},
       CASE jsonb_typeof(details) WHEN 'object' THEN details - ARRAY['created', 'created_more']
       ELSE details END, error, sqlstate
FROM {table}
WHERE {where}
"""

MIGRATIONS = sql.SQL("direction IN ('forwards', 'backwards')")


class JournalRow(NamedTuple):
    """One row of a journal.

    Attributes:
        footprint: relation → the strongest lock that the step took on it; empty where not read.
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
    checksum: str
    database_user: str
    os_user: str
    host: str
    project_version: str
    footprint: dict[str, str]
    details: dict[str, Any]
    error: str
    sqlstate: str

    @property
    def key(self) -> MigrationKey:
        return MigrationKey(self.app, self.name)

    @property
    def succeeded(self) -> bool:
        return self.status in ("done", "faked", "adopted")

    @property
    def snapshot(self) -> str:
        """The file that restored the migration together with others, if one did.

        ``seconds`` is then the time of all of them, divided.
        """
        return str(self.details.get("snapshot", ""))


def read_entries(connection: BaseDatabaseWrapper, domain: Domain) -> list[JournalRow]:
    """Return the rows that runs depend on, oldest first; none if there is no journal."""
    where = sql.SQL("direction IN ('forwards', 'backwards', 'run')")
    return _read_rows(connection, existing_journals(connection, [domain]), where)


RUNNING = sql.SQL("status = 'running' AND ") + MIGRATIONS

HAS_RUNNING = "(SELECT {domain} FROM {table} WHERE {where} LIMIT 1)"


def domains_with_running_rows(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> set[str]:
    """Return the names of the domains in whose journals a migration ever began to run alone."""
    journals = existing_journals(connection, domains, readable=True)
    return {name for (name,) in query_tables(connection, HAS_RUNNING, journals, where=RUNNING)}


def entries_with_running_rows(connection: BaseDatabaseWrapper, domain: Domain) -> list[JournalRow]:
    """Return the rows of the migrations that have a row that says "running", oldest first."""
    journals = existing_journals(connection, [domain])
    begun = sql.SQL(" AND (app, name) IN (SELECT app, name FROM {} WHERE {})").format(
        sql.Identifier(*domain.journal_table), RUNNING
    )
    return _read_rows(connection, journals, MIGRATIONS + begun)


def latest_entries(entries: Iterable[JournalRow]) -> dict[MigrationKey, JournalRow]:
    """Return each migration's latest row."""
    return {entry.key: entry for entry in entries if entry.direction in ("forwards", "backwards")}


def steps_since_last_run(entries: Iterable[JournalRow]) -> list[JournalRow]:
    """Return what has been applied and reverted since the latest run that ended well."""
    found: list[JournalRow] = []
    for entry in entries:
        if entry.status == "done":
            found = [] if entry.direction == "run" else [*found, entry]
    return found


def steps_of_run(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain], run: str
) -> list[JournalRow]:
    """Return the rows of a run in readable journals, by domain."""
    journals = existing_journals(connection, domains, readable=True)
    return _read_rows(connection, journals, sql.SQL("run = {}::uuid").format(run))


def steps_of_domain(connection: BaseDatabaseWrapper, domain: Domain) -> list[JournalRow]:
    """Return every row of the domain's migrations, oldest first."""
    journals = existing_journals(connection, [domain], readable=True)
    return _read_rows(connection, journals, MIGRATIONS)


def steps_of_migration(
    connection: BaseDatabaseWrapper, domain: Domain, key: MigrationKey
) -> list[JournalRow]:
    """Return every row of one migration, oldest first, with its footprint."""
    journals = existing_journals(connection, [domain], readable=True)
    where = MIGRATIONS + sql.SQL(" AND (app, name) = ({}, {})").format(*key)
    return _read_rows(connection, journals, where, footprint="footprint")


CREATED = """
SELECT {domain} AS domain, id, app, name, direction, details -> 'created'
FROM {table}
WHERE direction = 'forwards' AND status = 'done' AND jsonb_typeof(details -> 'created') = 'array'
   OR direction = 'backwards' AND status = 'done'
"""


def created_objects(
    connection: BaseDatabaseWrapper, domain: Domain
) -> dict[MigrationKey, frozenset[str]]:
    """Return what the custom SQL of migrations created and later runs have not reverted.

    Each object is the number of a finding about it and its qualified name. Migrations of an older
    engine, and those that were recorded without being run, are not among them.
    """
    journals = existing_journals(connection, [domain], readable=True)
    found: dict[MigrationKey, frozenset[str]] = {}
    rows = query_tables(connection, CREATED, journals, around="{union} ORDER BY id")
    for _, _, app, name, direction, created in rows:
        key = MigrationKey(app, name)
        if direction == "backwards":
            found.pop(key, None)
        else:
            found[key] = found.get(key, frozenset()) | frozenset(map(str, json.loads(str(created))))
    return found


def _read_rows(
    connection: BaseDatabaseWrapper,
    journals: Mapping[str, QualifiedName],
    where: sql.Composable,
    footprint: LiteralString = "'{}'::jsonb",
) -> list[JournalRow]:
    rows = query_tables(
        connection,
        STEPS,
        journals,
        around="{union} ORDER BY domain, id",
        footprint=sql.SQL(footprint),
        where=where,
        started=STARTED,
        seconds=SECONDS,
    )
    return [
        row._replace(footprint=read_object(row.footprint), details=read_object(row.details))
        for row in map(JournalRow._make, rows)
    ]


def read_object(column: Any) -> dict[str, Any]:
    """Return the object in a jsonb column, which Django's cursors leave as text.

    Whatever else someone has written into the column counts as an empty object.
    """
    value = json.loads(column or "null")
    return value if isinstance(value, dict) else {}


RECORDED_STATUS = """
(SELECT {domain}, status FROM {table} WHERE direction = 'run' ORDER BY id DESC LIMIT 1)
"""

SHOWN_STATUS = """
(SELECT {domain}, coalesce((
     SELECT l.status FROM {table} l
     WHERE l.direction = 'run' AND l.run = j.run ORDER BY l.id DESC LIMIT 1
 ), 'repaired')
 FROM {table} j WHERE j.direction IN ('run', 'forwards', 'backwards') ORDER BY j.id DESC LIMIT 1)
"""


def recorded_run_statuses(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, str]:
    """Return domain name → status of its latest run; a later repair does not count as one."""
    return dict(query_tables(connection, RECORDED_STATUS, existing_journals(connection, domains)))


def shown_run_statuses(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, str]:
    """Return domain name → status of its latest run or repair, as :func:`last_runs` has it.

    For very many domains with readable journals: it reads a single row of most of them.
    """
    journals = existing_journals(connection, domains, readable=True)
    return dict(query_tables(connection, SHOWN_STATUS, journals))


RUNS = """
SELECT {domain} AS domain, j.run::text AS run, min({started}) AS started,
       coalesce(
           max({seconds}) FILTER (WHERE j.direction = 'run'),
           sum({seconds})
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
    journals = existing_journals(connection, domains, readable=True)
    rows = query_tables(connection, query, journals, started=STARTED, seconds=SECONDS)
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
        existing_journals(connection, domains, readable=True),
        {**asdict(wanted), "limit": limit, "offset": offset},
        around=FILTERED,
        started=STARTED,
        seconds=SECONDS,
    )
    return list(map(Run._make, rows))
