"""The records of seeds whose table goes to another domain, where its seed files go, too."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain, QualifiedName
from ..sessions.connection import execute, fetch_one
from .existing_tables import existing_tables
from .seed_ledger import SeedRecord, ensure_ledger, read_ledger, tables_of, write_ledger

HAS_ROWS = "SELECT EXISTS (SELECT FROM {rows} WHERE relation = ANY(%s))"

MOVE_ROWS = """
WITH moved AS (DELETE FROM {rows} WHERE relation = {old} RETURNING key, seed, "values")
INSERT INTO {others} (relation, key, seed, "values")
SELECT {new}, key, CASE WHEN starts_with(seed, {old_app})
    THEN {new_app} || substr(seed, length({old_app}) + 1) ELSE seed END, "values" FROM moved
ON CONFLICT (relation, key) DO NOTHING
"""

DELETE_SEED = "DELETE FROM {seeds} WHERE app = %s AND name = %s"

GONE = "SELECT to_regclass(%s) IS NULL AND to_regclass(%s) IS NOT NULL"


def transfer_seed_records(
    connection: BaseDatabaseWrapper,
    source: Domain,
    target: Domain,
    tables: Mapping[QualifiedName, QualifiedName],
    apps: tuple[str, str],
) -> None:
    """Move the records to the ledger of the domain that has the tables now.

    A seed that has written only these tables is recorded as one of the other app's, so that it
    is not run again there. One that has written others, too, stays where it is, under the new
    names.

    Arguments:
        tables: each table → its new name.
        apps: the labels of the apps before and afterwards.
    """
    if len(existing_tables(connection, tables_of(source))) < 2:
        return
    names = {old.db_table: new.db_table for old, new in tables.items()}
    seeds, rows = (sql.Identifier(*table) for table in tables_of(source))
    wrote = [
        record
        for record in read_ledger(connection, source).values()
        if not names.keys().isdisjoint(record.tables)
    ]
    query = sql.SQL(HAS_ROWS).format(rows=rows)
    if not wrote and not fetch_one(connection, query, [list(names)])[0]:
        return
    ensure_ledger(connection, target)
    _, others = (sql.Identifier(*table) for table in tables_of(target))
    old_app, new_app = apps
    for old, new in names.items():
        values = {
            "old": old,
            "new": new,
            "old_app": f"{old_app}/",
            "new_app": f"{new_app}/",
        }
        literals = {key: sql.Literal(value) for key, value in values.items()}
        execute(connection, sql.SQL(MOVE_ROWS).format(rows=rows, others=others, **literals))
    for record in wrote:
        names |= _moved_sequences(connection, record, source, target)
        renamed = record._replace(tables=tuple(names.get(name, name) for name in record.tables))
        if set(record.tables) <= names.keys() and record.app == old_app:
            params = [record.app, record.name]
            execute(connection, sql.SQL(DELETE_SEED).format(seeds=seeds), params)
            write_ledger(connection, target, renamed._replace(app=new_app))
        else:
            write_ledger(connection, source, renamed)


def _moved_sequences(
    connection: BaseDatabaseWrapper, record: SeedRecord, source: Domain, target: Domain
) -> dict[str, str]:
    """Return the sequences of the tables that a seed has used: where they were → where they are."""
    found = {}
    for name in record.tables:
        schema, bare = QualifiedName.of(name)
        moved = QualifiedName(target.schema, bare).db_table
        if schema == source.schema and fetch_one(connection, GONE, [name, moved])[0]:
            found[name] = moved
    return found
