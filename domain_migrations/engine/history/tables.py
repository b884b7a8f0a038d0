"""The tables that the engine keeps in each domain's schema, and queries over all of them.

A history has exactly the four columns of Django's ``django_migrations``, so that Django, its tools
and plain SQL can read it, and rows can be moved with ``INSERT … SELECT``. The journal beside it
records everything else about a run.
"""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, TypeVar

from django.apps.registry import Apps
from django.db import DataError, ProgrammingError, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now
from psycopg import sql
from psycopg.errors import UndefinedTable

from ...domains import Domain, QualifiedName
from ..sessions.connection import execute, fetch_all, schema_exists
from ..sources.files import MigrationKey
from .existing_tables import existing_tables

ROWS = """
SELECT {domain} AS domain, id, coalesce(app, ''::varchar), coalesce(name, ''::varchar),
       CASE WHEN applied BETWEEN '0001-01-03' AND '9999-12-29' THEN applied END
FROM {table}
"""
HISTORY_PAGE = """
SELECT app, name, max(applied) FROM ({union}) AS h (domain, id, app, name, applied)
WHERE app <> ALL(%(others)s) AND {wanted}
GROUP BY app, name ORDER BY min(id) LIMIT %(limit)s OFFSET %(offset)s
"""
NAMES = """
SELECT {domain}, coalesce(app, ''::varchar), json_agg(coalesce(name, ''::varchar))::text
FROM {table} GROUP BY 2
"""
"""One row for each app instead of each migration, because fetching rows takes most of the time."""

LAST_RUN = """
(SELECT {domain}, NULL, status FROM {table} WHERE direction = 'run' ORDER BY id DESC LIMIT 1)
"""
"""The status of the latest run, in a row like those of ``NAMES``, without an app."""

RUN = sql.SQL("coalesce(run, '00000000-0000-0000-0000-000000000000')::text")
"""The run of a journal's row, which someone may have taken from it."""

STARTED = sql.SQL("greatest(least(started, '9000-01-01'), '1000-01-01')")
SECONDS = sql.SQL("CASE WHEN seconds BETWEEN 0 AND 1e9 THEN seconds ELSE 0 END")
"""Columns of a journal, without the times and durations that Python cannot compute with."""


class HistoryRow(NamedTuple):
    """One applied migration, as recorded in a history table.

    Attributes:
        applied: None where the table has NULL, or a time that Python has no value for.
    """

    app: str
    name: str
    applied: datetime.datetime | None

    @property
    def key(self) -> MigrationKey:
        return MigrationKey(self.app, self.name)


Row = TypeVar("Row", bound=tuple[Any, ...])
"""A row that begins with an app label."""


@functools.cache
def history_model(table: QualifiedName) -> type[models.Model]:
    """Return a model of the history table, with the columns of Django's own."""

    class Meta:
        apps = Apps()
        app_label = "migrations"
        # Django's own spelling where the table is Django's own.
        db_table = table.name if table.schema == "public" else table.db_table

    return type(
        "Migration",
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": Meta,
            "app": models.CharField(max_length=255),
            "name": models.CharField(max_length=255),
            "applied": models.DateTimeField(default=now),
            "__str__": lambda self: f"Migration {self.name} for {self.app}",
        },
    )


def existing_histories(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, QualifiedName]:
    """Return domain name → its history table, for those that exist."""
    found = existing_tables(connection, [domain.history_table for domain in domains])
    return {d.name: d.history_table for d in domains if d.history_table in found}


def existing_journals(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain], *, readable: bool = False
) -> dict[str, QualifiedName]:
    """Return domain name → its journal, for those that exist.

    Arguments:
        readable: only those that the connection's role may read.
    """
    found = existing_tables(connection, [domain.journal_table for domain in domains])
    usable = {table for table, may_read in found.items() if may_read or not readable}
    return {d.name: d.journal_table for d in domains if d.journal_table in usable}


def query_tables(
    connection: BaseDatabaseWrapper,
    query: str,
    tables: Mapping[str, QualifiedName],
    params: Mapping[str, Any] | None = None,
    *,
    around: str = "{union}",
    **values: sql.Composable,
) -> list[Any]:
    """Return the rows of one query over a table of each domain, in one round trip.

    Arguments:
        query: with ``{domain}`` and ``{table}``, and the keys of ``values``.
        tables: domain name → its table, which exists. Without any, nothing is queried.
        around: SQL around the ``{union}`` of the queries: an ORDER BY, say.
    """
    if not tables:
        return []
    union = sql.SQL(" UNION ALL ").join(_each(query, tables, **values))
    return fetch_all(connection, sql.SQL(around).format(union=union, **values), params)


def _each(
    query: str, tables: Mapping[str, QualifiedName], **values: sql.Composable
) -> list[sql.Composed]:
    """Return the query for each of the tables; see ``query_tables``."""
    return [
        sql.SQL(query).format(domain=sql.Literal(name), table=sql.Identifier(*table), **values)
        for name, table in tables.items()
    ]


def read_histories(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, list[HistoryRow]]:
    """Return domain name → the rows of its history table, oldest first.

    A table that does not exist counts as empty. A row in another domain's table is returned too,
    under the domain of the table; see :func:`rows_of_own_apps`.
    """
    histories: dict[str, list[HistoryRow]] = {domain.name: [] for domain in domains}
    tables = existing_histories(connection, domains)
    for domain, _, *row in query_tables(
        connection, ROWS, tables, around="{union} ORDER BY domain, id"
    ):
        histories[domain].append(HistoryRow(*row))
    return histories


def read_history_page(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    *,
    others: Sequence[str],
    key: MigrationKey | None = None,
    limit: int = 1,
    offset: int = 0,
) -> list[HistoryRow]:
    """Return some of the migrations in a domain's history, oldest first, each once.

    Arguments:
        others: the labels of other domains' apps, whose rows do not count.
        key: only this migration.
    """
    tables = existing_histories(connection, [domain])
    params = {"others": list(others), "limit": limit, "offset": offset}
    wanted = sql.SQL("TRUE") if key is None else sql.SQL("(app, name) = ({}, {})").format(*key)
    rows = query_tables(connection, ROWS, tables, params, around=HISTORY_PAGE, wanted=wanted)
    return [HistoryRow(*row) for row in rows]


def applied_names(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, set[MigrationKey]]:
    """Return domain name → the keys in its history table, in one query where all tables exist.

    For very many domains at once: reading when each migration was applied takes far longer.
    """
    try:
        with _savepoint(connection):
            tables = {domain.name: domain.history_table for domain in domains}
            return _read_names(connection, domains, tables)
    except (ProgrammingError, DataError) as exc:
        with _savepoint(connection):
            existing = existing_histories(connection, domains)
            if not isinstance(exc.__cause__, UndefinedTable):
                raise
            return _read_names(connection, domains, existing)


def recorded_run_statuses(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, str]:
    """Return domain name → status of its latest run; a later repair does not count as one."""
    rows = query_tables(connection, LAST_RUN, existing_journals(connection, domains))
    return {domain: status for domain, _, status in rows}


def read_names_and_last_runs(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain], existing: Collection[QualifiedName]
) -> tuple[dict[str, set[MigrationKey]], dict[str, str]]:
    """Return what ``applied_names`` and ``recorded_run_statuses`` do, in one query.

    Arguments:
        existing: those of the histories and journals that exist.
    """
    histories = {d.name: d.history_table for d in domains if d.history_table in existing}
    journals = {d.name: d.journal_table for d in domains if d.journal_table in existing}
    queries = [*_each(NAMES, histories), *_each(LAST_RUN, journals)]
    names: dict[str, set[MigrationKey]] = {domain.name: set() for domain in domains}
    last_runs: dict[str, str] = {}
    rows = fetch_all(connection, sql.SQL(" UNION ALL ").join(queries)) if queries else ()
    for domain, app, found in rows:
        if app is None:
            last_runs[domain] = found
        else:
            names[domain].update(MigrationKey(app, name) for name in json.loads(found))
    return names, last_runs


def _read_names(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain], tables: Mapping[str, QualifiedName]
) -> dict[str, set[MigrationKey]]:
    names: dict[str, set[MigrationKey]] = {domain.name: set() for domain in domains}
    for domain, app, found in query_tables(connection, NAMES, tables):
        names[domain].update(MigrationKey(app, name) for name in json.loads(found))
    return names


def applied_keys_in(connection: BaseDatabaseWrapper, history: QualifiedName) -> set[MigrationKey]:
    """Return the keys in one history table, which exists."""
    query = sql.SQL("SELECT app, name FROM {}").format(sql.Identifier(*history))
    return {MigrationKey(*row) for row in fetch_all(connection, query)}


def _savepoint(connection: BaseDatabaseWrapper) -> AbstractContextManager[Any]:
    """Return a savepoint, if a transaction is open, so that a failing query does not abort it."""
    inside = connection.in_atomic_block
    return transaction.atomic(using=connection.alias) if inside else nullcontext()


def rows_of_own_apps(
    histories: Mapping[str, Iterable[Row]], domains: Sequence[Domain]
) -> dict[str, list[Row]]:
    """Leave out the rows whose app belongs to another domain than the table they are in.

    Such rows never count as applied. Rows of apps that are no longer installed stay.
    """
    owner = {label: domain.name for domain in domains for label in domain.app_labels}
    return {
        name: [row for row in rows if owner.get(row[0], name) == name]
        for name, rows in histories.items()
    }


def insert_sql(domain: Domain, app: str, name: str) -> sql.Composed:
    """Return the statement that records a migration as applied."""
    statement = sql.SQL("INSERT INTO {table} (app, name, applied) VALUES ({app}, {name}, {now})")
    table = sql.Identifier(*domain.history_table)
    return statement.format(table=table, app=app, name=name, now=now())


def delete_sql(domain: Domain, app: str, name: str) -> sql.Composed:
    """Return the statement that records a migration as unapplied."""
    statement = sql.SQL("DELETE FROM {table} WHERE app = {app} AND name = {name}")
    return statement.format(table=sql.Identifier(*domain.history_table), app=app, name=name)


def ensure_schema(connection: BaseDatabaseWrapper, schema: str) -> bool:
    """Create the schema unless it exists, and return whether it was created.

    ``CREATE SCHEMA IF NOT EXISTS`` would need the CREATE privilege on the database even where the
    schema exists.
    """
    if schema_exists(connection, schema):
        return False
    execute(connection, sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    return True


def ensure_history(connection: BaseDatabaseWrapper, domain: Domain) -> None:
    """Create the domain's schema and history table unless they exist."""
    if existing_tables(connection, [domain.history_table]):
        return
    ensure_schema(connection, domain.schema)
    with connection.schema_editor() as editor:
        editor.create_model(history_model(domain.history_table))
