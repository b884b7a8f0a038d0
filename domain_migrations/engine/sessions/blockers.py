"""Sessions that block a run, and descriptions of their activity."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from .pooling import backend_pid, raw_connection

LONGEST_QUERY = 200
"""The number of characters of a query that a message shows."""

HIDDEN = "<insufficient privilege>"
"""What PostgreSQL shows instead of the query of another role's session."""

ACTIVITY_COLUMNS = """
    a.pid, a.usename, a.client_addr::text, a.client_hostname, a.application_name,
    a.backend_start, a.state, coalesce(a.state_change, a.query_start), a.query
"""
"""Columns of ``pg_stat_activity AS a``, in the order of ``Activity.from_row``."""


class Cursor(Protocol):
    """The methods that the cursors of Django and psycopg share."""

    def execute(self, sql: Any, params: Sequence[Any] | None = ..., /) -> Any: ...

    def fetchall(self) -> list[Any]: ...


@dataclass(frozen=True)
class Activity:
    """Another session of the server, as far as this session's role may see it.

    Attributes:
        host: the client's name or address; empty for a local socket, or when hidden.
        connected: when the session began; ``None`` when hidden.
        since: when it began its query, or became idle; ``None`` when hidden.
        query: the current query or, when idle, the last one; empty when hidden.
        hidden: whether this session's role may not see the activity of the other role.
    """

    pid: int
    user: str = ""
    host: str = ""
    application: str = ""
    connected: datetime | None = None
    state: str = ""
    since: datetime | None = None
    query: str = ""
    hidden: bool = False

    @classmethod
    def from_row(cls, pid: int, row: Sequence[Any]) -> Activity:
        """Return the session of a row of ``ACTIVITY_COLUMNS``, all NULL if it has ended."""
        _, user, address, name, application, connected, state, since, query = row
        hidden = query == HIDDEN
        return cls(
            pid=pid,
            user=user or "",
            host=name or address or "",
            application=application or "",
            connected=connected,
            state=state or "",
            since=since,
            query="" if hidden else " ".join((query or "").split()),
            hidden=hidden,
        )

    def __str__(self) -> str:
        host = "" if self.hidden else f"host {self.host or 'local'}"
        who = ", ".join(
            part
            for part in (
                f'user "{self.user}"' if self.user else "",
                host,
                f'application "{self.application}"' if self.application else "",
            )
            if part
        )
        started = f", connected since {_utc(self.connected)}" if self.connected else ""
        return f"pid {self.pid} ({who}){started}, {self._state_phrase()}"

    def _state_phrase(self) -> str:
        if self.hidden:
            return "with a query that is hidden from this role (pg_read_all_stats would show it)"
        since = f" since {_utc(self.since)}" if self.since else ""
        if not self.query:
            return f"{self.state or 'state unknown'}{since}"
        query = self.query
        if len(query) > LONGEST_QUERY:
            query = query[:LONGEST_QUERY] + "…"
        if self.state == "active":
            return f"runs{since}: {query}"
        return f"{self.state or 'state unknown'}{since}, last ran: {query}"


def join_sessions(activities: Sequence[Activity]) -> str:
    """Return several sessions as one phrase."""
    return "; ".join(map(str, activities))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


INTERVAL = 0.2
STOP_SECONDS = 2.0
APPLICATION_NAME = "migrate_domain watcher"

BLOCKERS = f"""
SELECT b.pid, {ACTIVITY_COLUMNS}
FROM (SELECT DISTINCT unnest(pg_blocking_pids(%s))) AS b (pid)
LEFT JOIN pg_stat_activity AS a ON a.pid = b.pid
ORDER BY a.backend_start, b.pid
"""  # noqa: S608 (made of constants only)


def blockers(cursor: Cursor, pid: int) -> tuple[Activity, ...]:
    """Return the sessions that block the server process ``pid`` at this moment.

    Arguments:
        cursor: of another session, because one that waits cannot run a query.
    """
    cursor.execute(BLOCKERS, [pid])
    return tuple(Activity.from_row(pid, row) for pid, *row in cursor.fetchall())


class BlockerWatcher:
    """Records the sessions that block a connection, in a ``with`` block.

    It connects only when the block lasts longer than the interval. It never makes a migration
    fail: if it cannot read the blocking sessions, ``error`` has the reason.

    Arguments:
        interval: seconds between two queries.
        pid: of the connection's server process, if known.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        *,
        interval: float = INTERVAL,
        pid: int | None = None,
    ) -> None:
        self._connection = connection
        self._pid = pid
        self._interval = interval
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.last_blockers: tuple[Activity, ...] = ()
        self.error = ""

    def __enter__(self) -> BlockerWatcher:
        # Both are read here, because the wrapper belongs to this thread.
        pid = self._pid or backend_pid(self._connection)
        params = self._connection.get_connection_params()
        self._thread = threading.Thread(
            target=self._watch, args=(pid, params), name=APPLICATION_NAME, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        if self._thread:
            # It may still wait for a connection of a full pool; a daemon thread may be left alone.
            self._thread.join(STOP_SECONDS)

    def _watch(self, pid: int, params: dict[str, Any]) -> None:
        if self._stop.wait(self._interval):
            return
        try:
            with raw_connection(params, application_name=APPLICATION_NAME) as client:
                while not self._stop.is_set():
                    found = blockers(client.cursor(), pid)
                    self.last_blockers = found or self.last_blockers
                    self._stop.wait(self._interval)
        except psycopg.Error as exc:
            self.error = str(exc).strip().partition("\n")[0]
