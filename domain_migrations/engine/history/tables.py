"""The tables that the engine keeps in each domain's schema, and how they are read.

The history has exactly the four columns of Django's ``django_migrations``, so that Django,
its tools and plain SQL can read it and rows can be moved by ``INSERT … SELECT``. All else
that is known of a migration's run stands in the journal beside it.
"""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, TypeVar

from django.apps.registry import Apps
from django.db import ProgrammingError, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now
from psycopg import sql
from psycopg.errors import UndefinedTable

from ...domains import Domain, QualifiedName
from ..sources.files import MigrationKey

NAMES = """
SELECT {domain} AS domain, app, json_agg(name)::text FROM {table} GROUP BY app
"""
"""A row for each app, and not for each migration: most of what it takes is reading the rows."""


class HistoryRow(NamedTuple):
    """One applied migration, as a history table has it."""

    app: str
    name: str
    applied: datetime.datetime

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


def existing_tables(
    connection: BaseDatabaseWrapper, tables: Iterable[QualifiedName]
) -> set[QualifiedName]:
    """Return those of the tables that exist; creates nothing and needs no privilege."""
    wanted = list(tables)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " JOIN unnest(%s::text[], %s::text[]) AS w(schema, name)"
            " ON n.nspname = w.schema AND c.relname = w.name WHERE c.relkind IN ('r', 'p')",
            [[table.schema for table in wanted], [table.name for table in wanted]],
        )
        return {QualifiedName(*row) for row in cursor.fetchall()}


def read_histories(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, list[HistoryRow]]:
    """Return domain name → the rows of its history table, oldest first.

    A table that does not exist counts as empty. Whose rows they are is not judged here: a row
    in the wrong table is still in the answer, under the table's domain.
    """
    tables = {domain.history_table: domain for domain in domains}
    found = existing_tables(connection, tables)
    present = [table for table in tables if table in found]
    return _read(connection, domains, present)


def applied_names(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, set[tuple[str, str]]]:
    """Return domain name → app and name of each row of its history table, in no order.

    For very many domains at once: to read when each migration was applied takes far longer.
    """
    found = existing_tables(connection, (domain.history_table for domain in domains))
    return _read_names(
        connection, domains, [domain for domain in domains if domain.history_table in found]
    )


def applied_names_bulk(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, set[tuple[str, str]]]:
    """As :func:`read_names`, in one query where all the tables exist."""
    try:
        with _savepoint(connection):
            return _read_names(connection, domains, domains)
    except ProgrammingError as exc:
        if not isinstance(exc.__cause__, UndefinedTable):
            raise
    with _savepoint(connection):
        return applied_names(connection, domains)


def _read_names(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain], present: Sequence[Domain]
) -> dict[str, set[tuple[str, str]]]:
    names: dict[str, set[tuple[str, str]]] = {domain.name: set() for domain in domains}
    parts = [
        sql.SQL(NAMES).format(
            domain=sql.Literal(domain.name), table=sql.Identifier(*domain.history_table)
        )
        for domain in present
    ]
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(" UNION ALL ").join(parts))
            for domain, app, found in cursor.fetchall():
                names[domain].update((app, name) for name in json.loads(found))
    return names


def _savepoint(connection: BaseDatabaseWrapper) -> AbstractContextManager[Any]:
    """Return what keeps a query that fails from taking the caller's transaction with it."""
    inside = connection.in_atomic_block
    return transaction.atomic(using=connection.alias) if inside else nullcontext()


def _read(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain], present: Sequence[QualifiedName]
) -> dict[str, list[HistoryRow]]:
    tables = {domain.history_table: domain for domain in domains}
    histories: dict[str, list[HistoryRow]] = {domain.name: [] for domain in domains}
    if not present:
        return histories
    query = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {domain} AS domain, id, app, name, applied FROM {table}").format(
            domain=sql.Literal(tables[table].name), table=sql.Identifier(*table)
        )
        for table in present
    )
    with connection.cursor() as cursor:
        cursor.execute(query + sql.SQL(" ORDER BY domain, id"))
        for domain, _, *row in cursor.fetchall():
            histories[domain].append(HistoryRow(*row))
    return histories


def rows_of_own_apps(
    histories: Mapping[str, Iterable[Row]], domains: Sequence[Domain]
) -> dict[str, list[Row]]:
    """Drop the rows whose app belongs to another domain than the table they were found in.

    Such rows are never counted as applied, wherever they came from: a table is believed only
    about its own domain. Rows of apps that are no longer installed stay with their table.
    """
    owner = {label: domain.name for domain in domains for label in domain.app_labels}
    return {
        name: [row for row in rows if owner.get(row[0], name) == name]
        for name, rows in histories.items()
    }


def insert_sql(domain: Domain, app: str, name: str) -> sql.Composed:
    """Return the statement that records a migration as applied, to be sent with others."""
    statement = sql.SQL("INSERT INTO {table} (app, name, applied) VALUES ({app}, {name}, {now})")
    table = sql.Identifier(*domain.history_table)
    return statement.format(table=table, app=app, name=name, now=now())


def delete_sql(domain: Domain, app: str, name: str) -> sql.Composed:
    """Return the statement that forgets that a migration is applied, to be sent with others."""
    statement = sql.SQL("DELETE FROM {table} WHERE app = {app} AND name = {name}")
    return statement.format(table=sql.Identifier(*domain.history_table), app=app, name=name)


def ensure_schema(connection: BaseDatabaseWrapper, schema: str) -> bool:
    """Create the schema unless it is there, and say whether it was made.

    Looks first: ``CREATE SCHEMA IF NOT EXISTS`` needs the CREATE privilege on the database
    even where the schema exists.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", [schema])
        if cursor.fetchone() is not None:
            return False
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    return True


def ensure_history(connection: BaseDatabaseWrapper, domain: Domain) -> None:
    """Create the domain's schema and history table unless they are there."""
    if existing_tables(connection, [domain.history_table]):
        return
    ensure_schema(connection, domain.schema)
    with connection.schema_editor() as editor:
        editor.create_model(history_model(domain.history_table))
