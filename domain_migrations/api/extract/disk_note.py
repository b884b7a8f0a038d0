"""The space that a move needs on both servers, and where to look whether it is free.

What is free is not visible in SQL. Only a program that the server runs could tell
(``COPY … FROM PROGRAM``), which takes a superuser, and which a plan must not do.
"""

from __future__ import annotations

from ...engine.sessions.connection import fetch_one
from .sides import Sides

SIZE = """
SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint,
    pg_catalog.pg_size_pretty(coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r'
"""
# Without the privilege to read it, a setting has no row.
PLACES = """
SELECT coalesce(nullif(pg_catalog.pg_tablespace_location(d.dattablespace), ''), s.setting, ''),
    coalesce(s.setting || '/pg_wal', ''),
    (SELECT pg_catalog.pg_size_pretty((w.wal_bytes * 3600
        / greatest(extract(epoch FROM now() - w.stats_reset), 1))::bigint)
     FROM pg_catalog.pg_stat_wal w)
FROM pg_catalog.pg_database d
LEFT JOIN pg_catalog.pg_settings s ON s.name = 'data_directory'
WHERE d.datname = current_database()
"""


def domain_size(sides: Sides) -> tuple[int, str]:
    """Return the size of the tables and indexes, in bytes and as people read it."""
    size, pretty = fetch_one(sides.from_connection, SIZE, [sides.schema])
    return int(size), str(pretty)


def disk_note(sides: Sides) -> str:
    """Return sentences about the space that is needed, and where."""
    _, size = domain_size(sides)
    data, _, _ = fetch_one(sides.to_connection, PLACES)
    _, wal, rate = fetch_one(sides.from_connection, PLACES)
    return (
        f'The copy needs about {size} on the disk of the server of "{sides.target}"{_where(data)}.'
        f' The server of "{sides.source}" keeps its WAL until the target has it{_where(wal)}:'
        f" {rate} an hour, on average. What is free there is not visible in SQL."
    )


def _where(place: str) -> str:
    return f" (df -h {place})" if place else ""
