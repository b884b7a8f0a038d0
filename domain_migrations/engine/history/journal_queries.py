"""Queries of the journals: the rows that later runs depend on, and those shown to people.

Rows of hooks, verifications, seeds and other tools' migrations are only shown; no run depends on
them, except that a history is imported once.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain, QualifiedName
from ..sources.files import MigrationKey
from .tables import RUN, SECONDS, STARTED, existing_journals, query_tables

STEPS = """
SELECT {domain} AS domain, id, {run}, batch, app, name, direction, status, {started},
       {seconds}, checksum, database_user, os_user, host, project_version, {footprint},
       CASE WHEN jsonb_typeof(details) = 'object' THEN details - ARRAY['created', 'created_more']
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
    return read_rows(connection, existing_journals(connection, [domain]), where)


RUNNING = sql.SQL("status = 'running' AND app <> '' AND name <> '' AND ") + MIGRATIONS

HAS_UNFINISHED = """
(SELECT {domain} FROM {table} begun
 WHERE {running} AND NOT EXISTS (
     SELECT FROM {table} ended
     WHERE {migrations} AND status NOT IN ('running', 'failed') AND id > begun.id
         AND (app, name) = (begun.app, begun.name))
 LIMIT 1)
"""


def domains_with_unfinished_rows(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> set[str]:
    """Return the names of the domains in whose journals a migration began, alone, and never ended.

    Very few have one, and all others need no further look at what was interrupted.
    """
    journals = existing_journals(connection, domains, readable=True)
    rows = query_tables(
        connection, HAS_UNFINISHED, journals, running=RUNNING, migrations=MIGRATIONS
    )
    return {name for (name,) in rows}


def entries_with_running_rows(connection: BaseDatabaseWrapper, domain: Domain) -> list[JournalRow]:
    """Return the rows of the migrations that have a row that says "running", oldest first."""
    journals = existing_journals(connection, [domain])
    begun = sql.SQL(" AND (app, name) IN (SELECT app, name FROM {} WHERE {})").format(
        sql.Identifier(*domain.journal_table), RUNNING
    )
    return read_rows(connection, journals, MIGRATIONS + begun)


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


APPLICATION = sql.SQL("direction = 'forwards' AND status IN ('done', 'faked')")
"""Condition on rows: a migration was applied, or recorded so. Accepting an edit is not one."""

ENDED = MIGRATIONS + sql.SQL(" AND status <> 'running'")

SUCCEEDED = MIGRATIONS + sql.SQL(" AND status IN ('done', 'faked', 'adopted')")

HAS_CHECKSUM = sql.SQL("direction = 'forwards' AND checksum <> '' AND status <> 'failed'")

LATEST_IDS = "id IN (SELECT max(id) FROM {table} WHERE {where} AND {wanted} GROUP BY app, name)"


def latest_steps(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    where: sql.Composable,
    keys: Iterable[MigrationKey] | None = None,
) -> dict[MigrationKey, JournalRow]:
    """Return each migration's latest row that meets a condition.

    Arguments:
        keys: only these migrations.
    """
    wanted: sql.Composable = sql.SQL("TRUE")
    if keys is not None:
        pairs = [sql.SQL("({}, {})").format(*key) for key in keys]
        if not pairs:
            return {}
        wanted = sql.SQL("(app, name) IN ({})").format(sql.SQL(", ").join(pairs))
    journals = existing_journals(connection, [domain], readable=True)
    latest = sql.SQL(LATEST_IDS).format(
        table=sql.Identifier(*domain.journal_table), where=where, wanted=wanted
    )
    return {row.key: row for row in read_rows(connection, journals, latest)}


def steps_of_migration(
    connection: BaseDatabaseWrapper, domain: Domain, key: MigrationKey, *, limit: int
) -> list[JournalRow]:
    """Return the latest rows of one migration, oldest first, with their footprints."""
    journals = existing_journals(connection, [domain], readable=True)
    where = sql.SQL(
        "id IN (SELECT id FROM {} WHERE {} AND (app, name) = ({}, {}) ORDER BY id DESC LIMIT {})"
    ).format(sql.Identifier(*domain.journal_table), MIGRATIONS, *key, limit)
    return read_rows(connection, journals, where, footprint="footprint")


CREATED = """
SELECT {domain} AS domain, id, app, name, direction, details -> 'created'
FROM {table}
WHERE direction = 'forwards' AND status IN ('done', 'adopted')
        AND jsonb_typeof(details -> 'created') = 'array'
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


def read_rows(
    connection: BaseDatabaseWrapper,
    journals: Mapping[str, QualifiedName],
    where: sql.Composable,
    footprint: LiteralString = "'{}'::jsonb",
    around: str = "{union} ORDER BY domain, id",
    params: Mapping[str, Any] | None = None,
) -> list[JournalRow]:
    """Return the rows of some journals that meet a condition; see ``query_tables``."""
    rows = query_tables(
        connection,
        STEPS,
        journals,
        params,
        around=around,
        footprint=sql.SQL(footprint),
        where=where,
        run=RUN,
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


SHOWN_STATUS = """
(SELECT {domain}, coalesce((
     SELECT l.status FROM {table} l
     WHERE l.direction = 'run' AND l.run = j.run ORDER BY l.id DESC LIMIT 1
 ), 'repaired')
 FROM {table} j WHERE j.direction IN ('run', 'forwards', 'backwards') ORDER BY j.id DESC LIMIT 1)
"""


def shown_run_statuses(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, str]:
    """Return domain name → status of its latest run or repair, as :func:`last_runs` has it.

    For very many domains with readable journals: it reads a single row of most of them.
    """
    journals = existing_journals(connection, domains, readable=True)
    return dict(query_tables(connection, SHOWN_STATUS, journals))
