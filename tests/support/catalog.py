"""Queries of the catalog, independent of the engine."""

from __future__ import annotations

from typing import Any

from django.db import connections

from domain_migrations.domains import get_domains
from domain_migrations.engine.catalog.fingerprint import read_objects, to_text


def query(statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """The rows of a query on Django's default connection."""
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, params or None)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def execute(statement: str, *params: Any) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, params or None)


def schemas() -> list[str]:
    """The schemas that are not PostgreSQL's own."""
    rows = query(
        "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%%'"
        " AND nspname <> 'information_schema' ORDER BY 1".replace("%%", "%")
    )
    return [name for (name,) in rows]


def tables(schema: str) -> set[str]:
    rows = query(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace = %s::regnamespace",
        f'"{schema}"',
    )
    return {name for (name,) in rows}


def history(table: str) -> list[tuple[str, str]]:
    """(app, name) of a history table's rows, oldest first."""
    return query(f"SELECT app, name FROM {table} ORDER BY id")


def snapshot(*, include_privileges: bool = False) -> dict[str, str]:
    """Schema → fingerprint, of every schema in the database.

    The queries are prepared: planning them for each schema costs more than their answers. Where
    psycopg prepares statements itself, it may discard all of a session.
    """
    connection = connections["default"]
    prepared = connection.settings_dict["OPTIONS"].get("prepare_threshold") is None
    return {
        schema: to_text(
            read_objects(
                connection, schema, include_privileges=include_privileges, prepared=prepared
            )
        )
        for schema in schemas()
    }


HISTORIES = {domain.name: str(domain.history_table) for domain in get_domains()}


def histories() -> dict[str, list[tuple[str, str]]]:
    """Domain → rows of its history table; a table that is not there has none."""
    found = {}
    for domain, table in HISTORIES.items():
        ((oid,),) = query("SELECT to_regclass(%s)", table)
        found[domain] = history(table) if oid else []
    return found
