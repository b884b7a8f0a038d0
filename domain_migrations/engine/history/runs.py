"""Runs: the rows of the journals that each run has written, put together for people."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain
from .journal_queries import JournalRow, read_rows
from .tables import RUN, SECONDS, STARTED, existing_journals, query_tables

RUNS = """
SELECT {domain} AS domain, {run} AS run, min({started}) AS started,
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
    rows = query_tables(connection, query, journals, run=RUN, started=STARTED, seconds=SECONDS)
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
        run=RUN,
        started=STARTED,
        seconds=SECONDS,
    )
    return list(map(Run._make, rows))


class RunPart(NamedTuple):
    """What a run did in one domain.

    Attributes:
        rows: the number of its rows in the journal.
        begins: how many of them say that the run began.
        restored: the seconds that restoring a snapshot took.
        status: of the latest row of the run itself; None for a repair.
    """

    domain: str
    rows: int
    begins: int
    started: datetime.datetime
    ended: datetime.datetime
    restored: float
    status: str | None

    @property
    def steps(self) -> int:
        """The number of rows that show something: the end of the run replaces its begin."""
        return self.rows - self.begins if self.status not in (None, "running") else self.rows


RUN_PARTS = """
SELECT {domain}, count(*), count(*) FILTER (WHERE direction = 'run' AND status = 'running'),
       min({started}) FILTER (WHERE direction <> 'import'),
       max({started} + {seconds} * interval '1 second') FILTER (WHERE direction <> 'import'),
       coalesce(sum({seconds}) FILTER (WHERE details ->> 'snapshot' <> ''), 0),
       (array_agg(status ORDER BY id DESC) FILTER (WHERE direction = 'run'))[1]
FROM {table} WHERE run = {run}::uuid HAVING count(*) > 0
"""

RUN_STEPS = """
SELECT * FROM ({union}) AS r
WHERE NOT (direction = 'run' AND status = 'running' AND domain = ANY(%(ended)s))
ORDER BY domain, id LIMIT %(limit)s OFFSET %(offset)s
"""


def parts_of_run(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain], run: str
) -> list[RunPart]:
    """Return what a run did in each domain whose journal is readable and has rows of it."""
    journals = existing_journals(connection, domains, readable=True)
    rows = query_tables(
        connection,
        RUN_PARTS,
        journals,
        started=STARTED,
        seconds=SECONDS,
        run=sql.Literal(run),
    )
    return list(map(RunPart._make, rows))


def steps_of_run(
    connection: BaseDatabaseWrapper,
    domains: Sequence[Domain],
    run: str,
    *,
    ended: Sequence[str],
    limit: int,
    offset: int,
) -> list[JournalRow]:
    """Return some of the rows of a run in readable journals, by domain.

    Arguments:
        ended: the domains where the run has ended, so that the row of its begin is left out.
    """
    journals = existing_journals(connection, domains, readable=True)
    where = sql.SQL("run = {}::uuid").format(run)
    params = {"ended": list(ended), "limit": limit, "offset": offset}
    return read_rows(connection, journals, where, around=RUN_STEPS, params=params)
