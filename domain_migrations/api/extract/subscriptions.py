"""Subscriptions: the receiving side of a copy, its progress and its lag."""

from __future__ import annotations

import time
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...engine.sessions.connection import execute, fetch_all, fetch_one
from .sides import server_version

CREATE = """
CREATE SUBSCRIPTION {name} CONNECTION {conninfo} PUBLICATION {name} WITH ({options})
"""
SUBSCRIPTION = """
SELECT oid::text, subenabled FROM pg_catalog.pg_subscription
WHERE subname = %s AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
WORKERS = """
SELECT count(*) FROM pg_catalog.pg_stat_subscription WHERE subname = %s AND pid IS NOT NULL
"""
TABLE_STATES = """
SELECT c.relname, r.srsubstate::text, pg_catalog.pg_table_size(c.oid),
    coalesce(p.tuples_processed, pg_catalog.pg_stat_get_live_tuples(c.oid))
FROM pg_catalog.pg_subscription_rel r
JOIN pg_catalog.pg_subscription s ON s.oid = r.srsubid
JOIN pg_catalog.pg_class c ON c.oid = r.srrelid
LEFT JOIN pg_catalog.pg_stat_progress_copy p ON p.relid = c.oid AND p.type = 'CALLBACK'
WHERE s.subname = %s ORDER BY 1
"""
ERRORS = """
SELECT coalesce(sum(apply_error_count + sync_error_count), 0)
FROM pg_catalog.pg_stat_subscription_stats WHERE subname = %s
"""
LAG = """
SELECT greatest(pg_catalog.pg_wal_lsn_diff(
        pg_catalog.pg_current_wal_insert_lsn(), s.confirmed_flush_lsn), 0)::bigint,
    coalesce((SELECT extract(epoch FROM r.replay_lag) FROM pg_catalog.pg_stat_replication r
        WHERE r.pid = s.active_pid), 0)::float8,
    s.active
FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = %s
"""
FLUSH_APPLIED = """
SELECT pg_catalog.pg_replication_origin_progress('pg_' || oid, true)
FROM pg_catalog.pg_subscription WHERE subname = %s
    AND EXISTS (SELECT FROM pg_catalog.pg_replication_origin o WHERE o.roname = 'pg_' || oid)
"""
MAY_FLUSH = """
SELECT has_function_privilege(
    'pg_catalog.pg_replication_origin_progress(text, boolean)', 'EXECUTE')
"""
READY = "r"


class TableState(NamedTuple):
    """The progress of one table: ``i``, ``d``, ``f``, ``s``, or ``r`` for ready."""

    table: str
    state: str
    size: int
    rows: int


class Lag(NamedTuple):
    """How far the receiving side has fallen back.

    Attributes:
        active: whether anyone receives at all.
    """

    bytes: int
    seconds: float
    active: bool


def subscribe(
    connection: BaseDatabaseWrapper, name: str, publisher: str, *, copy_data: bool
) -> None:
    """Create the subscription, whose slot exists, unless it is there.

    Rows that came by replication are not sent back: ``origin = none``, where the server knows it.
    """
    if subscription_oid(connection, name) is not None:
        return
    options = f"create_slot = false, slot_name = '{name}', copy_data = {str(copy_data).lower()}"
    if server_version(connection) >= 16:
        options += ", origin = none"
    execute(
        connection,
        sql.SQL(CREATE).format(
            name=sql.Identifier(name),
            conninfo=sql.Literal(publisher),
            options=sql.SQL(options),
        ),
    )


def subscription_oid(connection: BaseDatabaseWrapper, name: str) -> str | None:
    """Return the oid of the subscription; None if it does not exist."""
    row = fetch_one(connection, SUBSCRIPTION, [name])
    return None if row is None else row[0]


def enable(connection: BaseDatabaseWrapper, name: str, *, on: bool) -> None:
    """Let the subscription receive, or stop it."""
    if subscription_oid(connection, name) is not None:
        action = sql.SQL("ENABLE" if on else "DISABLE")
        statement = sql.SQL("ALTER SUBSCRIPTION {} {}").format(sql.Identifier(name), action)
        execute(connection, statement)


def await_stop(connection: BaseDatabaseWrapper, name: str, deadline: float) -> bool:
    """Wait until no worker of the subscription runs; return whether that happened in time."""
    while fetch_one(connection, WORKERS, [name])[0]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def drop_subscription(connection: BaseDatabaseWrapper, name: str) -> None:
    """Drop the subscription and its origin, without asking the other server for anything."""
    if subscription_oid(connection, name) is None:
        return
    identifier = sql.Identifier(name)
    for statement in (
        "ALTER SUBSCRIPTION {} DISABLE",
        "ALTER SUBSCRIPTION {} SET (slot_name = NONE)",
        "DROP SUBSCRIPTION {}",
    ):
        execute(connection, sql.SQL(statement).format(identifier))


def table_states(connection: BaseDatabaseWrapper, name: str) -> list[TableState]:
    """Return the progress of each table that the subscription copies."""
    return [TableState(*row) for row in fetch_all(connection, TABLE_STATES, [name])]


def error_count(connection: BaseDatabaseWrapper, name: str) -> int:
    """Return how often the subscription has failed."""
    return int(fetch_one(connection, ERRORS, [name])[0])


def read_lag(connection: BaseDatabaseWrapper, slot: str) -> Lag | None:
    """Return the lag of the slot, read on the sending side; None without the slot."""
    row = fetch_one(connection, LAG, [slot])
    return None if row is None else Lag(*row)


def await_receiver(connection: BaseDatabaseWrapper, slot: str, seconds: float = 5.0) -> None:
    """Wait until someone receives from the slot, for some seconds: a worker has to start."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        lag = read_lag(connection, slot)
        if lag is None or lag.active:
            return
        time.sleep(0.05)


def flush_applied(connection: BaseDatabaseWrapper, name: str) -> None:
    """Write out what was applied, so that the worker may confirm it.

    The server does so itself, only later; a role that is not a superuser leaves it at that.
    """
    if fetch_one(connection, MAY_FLUSH)[0]:
        fetch_all(connection, FLUSH_APPLIED, [name])
