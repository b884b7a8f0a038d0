"""Who keeps a session waiting.

A session that waits for a lock cannot ask, and once ``lock_timeout`` has ended its statement
the answer is gone. So a thread with a connection of its own asks while it lasts.
"""

from __future__ import annotations

import threading
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from . import activity
from .pooling import backend_pid, unmanaged_client

INTERVAL = 0.2
STOP_SECONDS = 2.0
APPLICATION_NAME = "migrate_domain watcher"

BLOCKERS = f"""
SELECT b.pid, {activity.COLUMNS}
FROM (SELECT DISTINCT unnest(pg_blocking_pids(%s))) AS b (pid)
LEFT JOIN pg_stat_activity AS a ON a.pid = b.pid
ORDER BY a.backend_start, b.pid
"""  # noqa: S608 (made of constants only)


def blockers(cursor: activity.Cursor, pid: int) -> tuple[activity.Activity, ...]:
    """Return the sessions that the server process ``pid`` waits for at this moment.

    Arguments:
        cursor: of another session: one that waits cannot ask.
    """
    cursor.execute(BLOCKERS, [pid])
    return tuple(activity.Activity.of_row(pid, row) for pid, *row in cursor.fetchall())


class Watcher:
    """Remembers who blocked a connection last, in a ``with`` block around what may wait.

    It connects only when the block lasts longer than the interval. It must never be why a
    migration fails: where it cannot look, ``trouble`` says why.

    Arguments:
        interval: seconds between two looks.
        pid: of the connection's server process, where it is known.
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
        self.seen: tuple[activity.Activity, ...] = ()
        self.trouble = ""

    def __enter__(self) -> Watcher:
        # Both are asked here, because the wrapper belongs to this thread.
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
            # It may be connecting to a pool that is full; as a daemon it does not matter then.
            self._thread.join(STOP_SECONDS)

    def _watch(self, pid: int, params: dict[str, Any]) -> None:
        if self._stop.wait(self._interval):
            return
        try:
            with unmanaged_client(params, application_name=APPLICATION_NAME) as client:
                while not self._stop.is_set():
                    found = blockers(client.cursor(), pid)
                    self.seen = found or self.seen
                    self._stop.wait(self._interval)
        except psycopg.Error as exc:
            self.trouble = str(exc).strip().partition("\n")[0]
