"""What another session of the server is and does, in words for the person who waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

LONGEST_QUERY = 200
"""Characters of a query that a message shows."""

HIDDEN = "<insufficient privilege>"
"""What PostgreSQL shows instead of the query of another role's session."""

COLUMNS = """
    a.pid, a.usename, a.client_addr::text, a.client_hostname, a.application_name,
    a.backend_start, a.state, coalesce(a.state_change, a.query_start), a.query
"""
"""Of ``pg_stat_activity AS a``, in the order that ``Activity.of_row`` reads them."""


class Cursor(Protocol):
    """What Django's cursor and psycopg's have in common."""

    def execute(self, sql: Any, params: Sequence[Any] | None = ..., /) -> Any: ...

    def fetchall(self) -> list[Any]: ...


@dataclass(frozen=True)
class Activity:
    """One server session, as far as this session's role may see it.

    Attributes:
        host: the client's name or address; empty for a local socket, or when hidden.
        connected: when the session began; ``None`` when hidden.
        since: when it began its query, or became idle; ``None`` when hidden.
        query: what it runs or, when idle, ran last; empty when hidden.
        hidden: the session belongs to a role whose doings this one may not see.
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
    def of_row(cls, pid: int, row: Sequence[Any]) -> Activity:
        """Return the session of one row of ``COLUMNS``; the row is all NULL when it has ended."""
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
        return f"pid {self.pid} ({who}){started}, {self._doing()}"

    def _doing(self) -> str:
        if self.hidden:
            return "what it runs is hidden from this role (pg_read_all_stats would show it)"
        since = f" since {_utc(self.since)}" if self.since else ""
        if not self.query:
            return f"{self.state or 'state unknown'}{since}"
        query = self.query
        if len(query) > LONGEST_QUERY:
            query = query[:LONGEST_QUERY] + "…"
        if self.state == "active":
            return f"runs{since}: {query}"
        return f"{self.state or 'state unknown'}{since}, last ran: {query}"


def listed(activities: Sequence[Activity]) -> str:
    """Return several sessions as one phrase."""
    return "; ".join(map(str, activities))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
