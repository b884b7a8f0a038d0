"""Sessions that block a run, and descriptions of their activity."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from ..messages import utc_time
from .pooling import backend_pid, raw_connection

LONGEST_QUERY = 200
"""The number of characters of a query that a message shows."""

HIDDEN = "<insufficient privilege>"
"""What PostgreSQL shows instead of the query of another role's session."""

ACTIVITY_COLUMNS = """
    coalesce(a.usename, ''), coalesce(a.client_hostname, a.client_addr::text, ''),
    coalesce(a.application_name, ''), a.backend_start, coalesce(a.state, ''),
    coalesce(a.state_change, a.query_start), coalesce(a.query, '')
"""
"""Columns of ``pg_stat_activity AS a``, in the order of ``Activity`` after its ``pid``."""


class Activity(NamedTuple):
    """Another session of the server, as far as this session's role may see it.

    Attributes:
        host: the client's name or address; empty for a local socket, or when hidden.
        connected: when the session began; ``None`` when hidden, or when it has ended.
        since: when it began its query, or became idle; ``None`` likewise.
        query: the current query or, when idle, the last one.
    """

    pid: int
    user: str
    host: str
    application: str
    connected: datetime | None
    state: str
    since: datetime | None
    query: str

    @property
    def hidden(self) -> bool:
        """Whether this session's role may not see the activity of the other role."""
        return self.query == HIDDEN

    def __str__(self) -> str:
        parts = (
            f'user "{self.user}"' if self.user else "",
            "" if self.hidden else f"host {self.host or 'local'}",
            f'application "{self.application}"' if self.application else "",
        )
        who = ", ".join(filter(None, parts))
        started = f", connected since {utc_time(self.connected)}" if self.connected else ""
        return f"pid {self.pid} ({who}){started}, {self._state_phrase()}"

    def _state_phrase(self) -> str:
        if self.hidden:
            return "with a query that is hidden from this role (pg_read_all_stats would show it)"
        since = f" since {utc_time(self.since)}" if self.since else ""
        if not self.query:
            return f"{self.state or 'state unknown'}{since}"
        query = " ".join(self.query.split())
        if len(query) > LONGEST_QUERY:
            query = query[:LONGEST_QUERY] + "…"
        if self.state == "active":
            return f"runs{since}: {query}"
        return f"{self.state or 'state unknown'}{since}, last ran: {query}"


INTERVAL = 0.2
STOP_SECONDS = 2.0
APPLICATION_NAME = "migrate_domain watcher"

BLOCKERS = f"""
SELECT b.pid, {ACTIVITY_COLUMNS}
FROM (SELECT DISTINCT unnest(pg_blocking_pids(%s))) AS b (pid)
LEFT JOIN pg_stat_activity AS a ON a.pid = b.pid
ORDER BY a.backend_start, b.pid
"""  # noqa: S608 (made of constants only)


def blockers(cursor: psycopg.Cursor[Any], pid: int) -> tuple[Activity, ...]:
    """Return the sessions that block the server process ``pid`` at this moment.

    Arguments:
        cursor: a cursor of another session, because one that waits cannot run a query.
    """
    cursor.execute(BLOCKERS, [pid])
    return tuple(map(Activity._make, cursor.fetchall()))


FindBlockers = Callable[[psycopg.Cursor[Any], int], tuple[Activity, ...]]
"""Returns the sessions that block a server process."""


class BlockerWatcher:
    """Records the sessions that block a connection, in a ``with`` block.

    It connects only when the block lasts longer than the interval. It never makes a migration
    fail: if it cannot read the blocking sessions, ``error`` has the reason.

    Arguments:
        interval: seconds between two queries.

    Attributes:
        find: returns the blocking sessions.
    """

    def __init__(self, connection: BaseDatabaseWrapper, *, interval: float = INTERVAL) -> None:
        self._connection = connection
        self._interval = interval
        self.find: FindBlockers = blockers
        self.last_blockers: tuple[Activity, ...] = ()
        self.error = ""

    @cached_property
    def _pid(self) -> int:
        """The process id of the server process, which a run never changes."""
        return backend_pid(self._connection)

    def __enter__(self) -> BlockerWatcher:
        self.last_blockers = ()
        self._stop = threading.Event()
        # The parameters are read here, because the wrapper belongs to this thread.
        self._thread = threading.Thread(
            target=self._watch,
            args=(self._stop, self._pid, self._connection.get_connection_params()),
            name=APPLICATION_NAME,
            daemon=True,
        )
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        # It may still wait for a connection of a full pool; a daemon thread may be left alone.
        self._thread.join(STOP_SECONDS)

    def _watch(self, stop: threading.Event, pid: int, params: dict[str, Any]) -> None:
        if stop.wait(self._interval):
            return
        try:
            with raw_connection(params, application_name=APPLICATION_NAME) as client:
                while not stop.is_set():
                    found = self.find(client.cursor(), pid)
                    self.last_blockers = found or self.last_blockers
                    stop.wait(self._interval)
        except psycopg.Error as exc:
            self.error = str(exc).strip().partition("\n")[0]
