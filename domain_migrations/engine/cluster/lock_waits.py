"""The sessions that block a statement on any node of a cluster."""

from __future__ import annotations

from typing import Any

import psycopg

from ..sessions.blockers import ACTIVITY_COLUMNS, Activity, blockers

# Looking at all nodes is expensive, so it is done for a statement that takes long only. The session
# waits for a node there, and not for a lock.
WAITS_LONG = """
SELECT FROM pg_stat_activity
WHERE pid = %s AND state = 'active' AND clock_timestamp() - query_start > interval '0.4 seconds'
"""

# A session has its global id in the sessions, too, that work for it on the nodes.
LOCK_WAITS = f"""
SELECT DISTINCT ON (a.global_pid) a.pid, {ACTIVITY_COLUMNS}
FROM pg_catalog.citus_lock_waits w
JOIN pg_catalog.citus_stat_activity a ON a.global_pid = w.blocking_gpid
WHERE w.waiting_gpid = pg_catalog.citus_calculate_gpid(
    pg_catalog.get_nodeid_for_groupid((SELECT groupid FROM pg_catalog.pg_dist_local_group)), %s)
ORDER BY a.global_pid, a.is_worker_query
"""  # noqa: S608 (made of constants only)


def find_blockers(cursor: psycopg.Cursor[Any], pid: int) -> tuple[Activity, ...]:
    """Return the sessions that block a session of this server, here or on another node.

    Arguments:
        cursor: a cursor of another session, because one that waits cannot run a query.
        pid: the server process of the session that waits.
    """
    found = blockers(cursor, pid)
    if found or cursor.execute(WAITS_LONG, [pid]).fetchone() is None:
        return found
    cursor.execute(LOCK_WAITS, [pid])
    return tuple(map(Activity._make, cursor.fetchall()))
