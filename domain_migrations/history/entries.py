"""What later runs read of a journal.

Rows of hooks, verifications and seeds are for people; no run decides by them.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..domains import Domain
from .journal import Direction
from .tables import existing_tables

DECIDING: tuple[Direction, ...] = ("forwards", "backwards", "run")
"""Rows that later runs decide by."""


class Entry(NamedTuple):
    """One row of a journal, as far as later runs decide by it."""

    id: int
    run: str
    batch: int
    app: str
    name: str
    direction: str
    status: str
    started: datetime.datetime
    seconds: float
    checksum: str
    details: dict[str, Any]
    error: str


def last_run_statuses(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> dict[str, str]:
    """Return domain name → status of its latest run, for the domains that have a journal."""
    present = existing_tables(connection, (domain.journal_table for domain in domains))
    parts = [
        sql.SQL(
            "(SELECT {domain} AS domain, status FROM {table}"
            " WHERE direction = 'run' ORDER BY id DESC LIMIT 1)"
        ).format(domain=sql.Literal(domain.name), table=sql.Identifier(*domain.journal_table))
        for domain in domains
        if domain.journal_table in present
    ]
    if not parts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return dict(cursor.fetchall())


def read_entries(connection: BaseDatabaseWrapper, domain: Domain) -> list[Entry]:
    """Return the rows that runs decide by, oldest first; none if there is no journal."""
    if not existing_tables(connection, [domain.journal_table]):
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT {columns} FROM {table} WHERE direction = ANY(%s) ORDER BY id").format(
                columns=sql.SQL(", ").join(map(sql.Identifier, Entry._fields)),
                table=sql.Identifier(*domain.journal_table),
            ),
            [list(DECIDING)],
        )
        # Django's cursors leave jsonb as text.
        return [
            entry._replace(details=json.loads(entry.details))  # type: ignore[arg-type]
            for entry in map(Entry._make, cursor.fetchall())
        ]


def latest_entries(entries: Iterable[Entry]) -> dict[tuple[str, str], Entry]:
    """Return (app, name) → the latest row of that migration; of runs and seeds there is none."""
    return {
        (entry.app, entry.name): entry
        for entry in entries
        if entry.direction in ("forwards", "backwards")
    }
