"""Publications and replication slots: the sending side of a copy."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.errors import QueryCanceled

from ...engine.sessions.connection import execute, fetch_all, fetch_one, settings_sql
from .pause import transactions_open
from .sides import Table, stored

CREATE = "CREATE PUBLICATION {name} FOR TABLE {tables}"
PUBLISHED = "SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables WHERE pubname = %s"
EXISTS = "SELECT FROM pg_catalog.pg_publication WHERE pubname = %s"

SLOT = """
SELECT active, active_pid, wal_status, confirmed_flush_lsn IS NOT NULL
FROM pg_catalog.pg_replication_slots WHERE slot_name = %s
"""
CREATE_SLOT = "SELECT pg_catalog.pg_create_logical_replication_slot(%s, 'pgoutput')"
ADVANCE_SLOT = "SELECT pg_catalog.pg_replication_slot_advance(%s, pg_current_wal_flush_lsn())"
END_SENDER = """
SELECT pg_catalog.pg_terminate_backend(active_pid, 5000)
FROM pg_catalog.pg_replication_slots WHERE slot_name = %s AND active_pid IS NOT NULL
"""
DROP_SLOT = """
SELECT pg_catalog.pg_drop_replication_slot(slot_name)
FROM pg_catalog.pg_replication_slots WHERE slot_name = %s
"""
SYNC_SLOTS = """
SELECT slot_name FROM pg_catalog.pg_replication_slots
WHERE slot_name LIKE %s AND slot_type = 'logical' AND database = current_database()
"""


def publish(connection: BaseDatabaseWrapper, name: str, tables: Sequence[Table]) -> None:
    """Create the publication of the tables, partition by partition, unless it is there."""
    if fetch_one(connection, EXISTS, [name]) is not None:
        return
    only = [sql.SQL("ONLY {}").format(table.identifier) for table in stored(tables)]
    execute(
        connection,
        sql.SQL(CREATE).format(name=sql.Identifier(name), tables=sql.SQL(", ").join(only)),
    )


def published_tables(connection: BaseDatabaseWrapper, name: str) -> set[tuple[str, str]]:
    """Return schema and name of each table of a publication."""
    return set(fetch_all(connection, PUBLISHED, [name]))


def drop_publication(connection: BaseDatabaseWrapper, name: str) -> None:
    execute(connection, sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(name)))


def create_slot(connection: BaseDatabaseWrapper, name: str, *, patience: float) -> None:
    """Create the slot unless it is there; waits for the transactions that are open.

    Raises:
        ExtractionRefused: they have not ended in so many seconds.
    """
    if fetch_one(connection, SLOT, [name]) is not None:
        return
    limit = settings_sql({"statement_timeout": f"{max(int(patience * 1000), 1)}ms"}, local=True)
    try:
        with transaction.atomic(using=connection.alias):
            execute(connection, limit)
            execute(connection, CREATE_SLOT, [name])
    except OperationalError as exc:
        if isinstance(exc.__cause__, QueryCanceled):
            raise transactions_open(patience) from exc
        raise


def advance_slot(connection: BaseDatabaseWrapper, name: str) -> None:
    """Let the slot begin at the present, whatever has been written since it was made."""
    execute(connection, ADVANCE_SLOT, [name])


def drop_slot(connection: BaseDatabaseWrapper, name: str) -> None:
    """Drop a slot if it is there, ending the process that sends from it."""
    execute(connection, END_SENDER, [name])
    execute(connection, DROP_SLOT, [name])


def drop_sync_slots(connection: BaseDatabaseWrapper, subscription: str) -> None:
    """Drop the slots that the first copy of each table has left, by the subscription's oid."""
    for (name,) in fetch_all(connection, SYNC_SLOTS, [f"pg\\_{subscription}\\_sync\\_%"]):
        drop_slot(connection, name)
