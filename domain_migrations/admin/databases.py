"""Reading many domains, database by database, with the reason for each that is unreadable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain
from ..engine.history.journal_queries import are_readable
from ..engine.sessions.connection import translate_database_errors
from ..exceptions import DomainMigrationsError

Found = TypeVar("Found")
Reader = Callable[[BaseDatabaseWrapper, list[Domain]], Iterable[tuple[str, Found]]]


def read_per_database(
    domains: Sequence[Domain], read: Reader[Found]
) -> tuple[dict[str, Found], dict[str, str]]:
    """Return what the reader found by domain name, and why the other domains are unreadable.

    The reader is called once for each database, with the readable domains in it.
    """
    found: dict[str, Found] = {}
    problems: dict[str, str] = {}
    for alias in dict.fromkeys(domain.database for domain in domains):
        here = [domain for domain in domains if domain.database == alias]
        try:
            with translate_database_errors(alias):
                unreadable = _unreadable(connections[alias], here)
                problems |= unreadable
                found |= read(connections[alias], [d for d in here if d.name not in unreadable])
        except DomainMigrationsError as exc:
            problem = f"{exc.message} {exc.hint}".strip()
            problems |= {domain.name: problem for domain in here}
    return found, problems


def _unreadable(connection: BaseDatabaseWrapper, domains: list[Domain]) -> dict[str, str]:
    """Return domain name → why the connection cannot read the domain's journal and history."""
    if connection.vendor != "postgresql":
        problem = f'The database "{connection.alias}" is not PostgreSQL.'
        return {domain.name: problem for domain in domains}
    tables = [table for d in domains for table in (d.history_table, d.journal_table)]
    forbidden = {table for table, may in are_readable(connection, tables).items() if not may}
    role = connection.settings_dict.get("USER") or "in use"
    return {
        domain.name: f'The role "{role}" may not read {domain.history_table} and'
        f" {domain.journal_table}. GRANT USAGE on the schema and SELECT on both."
        for domain in domains
        if {domain.history_table, domain.journal_table} & forbidden
    }
