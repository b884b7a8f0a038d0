"""Outcomes of transactions whose end the run did not see."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Literal, NamedTuple

import psycopg
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from .connection import fetch_one
from .database_problems import Clock
from .pooling import raw_connection

Outcome = Literal["committed", "rolled back", "in progress", "unknown"]

LOOK_UP_SECONDS = 5.0
PAUSE = 0.25

SELECT_STATUS = "SELECT pg_xact_status(%s::text::xid8)"
SELECT_OUTCOME = (
    "SELECT pg_xact_status(%s::text::xid8), max(split_part(virtualtransaction, '/', 2)::bigint)"
    " FROM pg_locks WHERE pid = pg_backend_pid()"
)


class TransactionMark(NamedTuple):
    """A transaction of a session.

    Attributes:
        xid: its id, 64 bits wide.
        number: its number among the session's transactions; a savepoint has none.
    """

    xid: int
    number: int


def outcome_in_session(connection: BaseDatabaseWrapper, mark: TransactionMark) -> Outcome:
    """Return the outcome of the session's last transaction.

    It is known to be rolled back only if no other transaction of the session followed it.
    """
    try:
        status, number = fetch_one(connection, SELECT_OUTCOME, [mark.xid])
    except DatabaseError:
        return "unknown"
    if status == "aborted" and number != mark.number + 1:
        return "unknown"
    return _outcome(status)


def outcome_after_loss(
    connection: BaseDatabaseWrapper, mark: TransactionMark, clock: Clock = time
) -> Outcome:
    """Return the outcome of a transaction whose connection was lost, on a new connection.

    The server may need some time to notice the loss, or to start again.
    """
    deadline = clock.monotonic() + LOOK_UP_SECONDS
    outcome: Outcome = "unknown"
    while True:
        left = deadline - clock.monotonic()
        try:
            params = {**connection.get_connection_params(), "connect_timeout": max(2, int(left))}
            with closing(raw_connection(params)) as raw:
                row = raw.execute(SELECT_STATUS, [mark.xid]).fetchone()
            outcome = _outcome(row[0] if row else None)
        except psycopg.OperationalError:
            outcome = "unknown"
        except psycopg.Error:
            return "unknown"  # Another server, which has not come so far.
        if outcome in ("committed", "rolled back") or clock.monotonic() + PAUSE > deadline:
            return outcome
        clock.sleep(PAUSE)


def _outcome(status: str | None) -> Outcome:
    if status == "aborted":
        return "rolled back"
    return "committed" if status == "committed" else "in progress" if status else "unknown"
