"""What the journals say of single steps: migrations, hooks and verifications."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..domains import Domain
from .runs import find_tables

STEPS = """
SELECT {domain} AS domain, id, run::text, batch, app, name, direction, status, started, seconds,
       database_user, os_user, host, project_version, {footprint}, error, sqlstate,
       coalesce(details ->> 'snapshot', '') AS snapshot
FROM {table}
WHERE {where}
"""


class JournalStep(NamedTuple):
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
) -> list[JournalStep]:
    """Return what a run did in these domains, by domain, without what it locked."""
    where = sql.SQL("run = {}::uuid").format(sql.Literal(run))
    return _read(connection, domains, where, footprint=False)


def steps_of_domain(connection: BaseDatabaseWrapper, domain: Domain) -> list[JournalStep]:
    """Return every step of the domain's migrations, oldest first, without what they locked."""
    where = sql.SQL("direction IN ('forwards', 'backwards')")
    return _read(connection, [domain], where, footprint=False)


def steps_of_migration(
    connection: BaseDatabaseWrapper, domain: Domain, key: tuple[str, str]
) -> list[JournalStep]:
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
) -> list[JournalStep]:
    present = find_tables(connection, [domain.journal_table for domain in domains]).readable
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


def _step(row: Sequence[Any]) -> JournalStep:
    step = JournalStep._make(row)
    # Django's cursors leave jsonb as text.
    return step._replace(footprint=json.loads(str(step.footprint)))
